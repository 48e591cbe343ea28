"""What people say on the phone, meaning by meaning: the phrase book behind `intents`.

One phrase a line, an indented line goes on with it. `(a|b)` is one of them, `[a|b]` one of them or nothing, `*` any
word, `!a` not followed by `a`, `^` the start of a clause and `$` its end. Books are read in order and a phrase
understood is taken out of the text, so that "not a good time" is not also "good", and "who is this" leaves no question
behind.
"""

from __future__ import annotations

MACHINE = """
(leave|record) [me|us] (a|your) [brief|short|detailed] (message|name and number) [at|after|and|or]
(after|at) the (tone|beep|signal)
(you've|you have) reached [the] (voicemail|mailbox|answering machine|voice mail)
(you've|you have) reached * [*] [*] * (i'm|i am|we're|i|we) (can't|cannot|not|unable|away|out)
(can't|cannot|unable to) (come to|take|get to|answer) (the|your) (phone|call)
mailbox [of|is] [full|*]
"""

ORDERS = """
(ignore|forget|disregard) [all|all of] [your|the|my|any|these] [previous|prior|earlier] (instructions|instruction|
    rules|
    orders|prompt|prompts|training|guidelines)
(ignore|forget|disregard) (everything|what) * (told|said|instructed) [you] [before|above]
you are now [in] [a|an|the] *
(from now on|starting now) you *
(pretend|act) (to be|as if|as|like|you're|you are) *
(developer|admin|debug|god|dan|jailbreak) mode
(what|what's|what are|what is|repeat|read|show|tell me|reveal) [me] [is|are] your [system] (prompt|prompts|
    instructions|rules)
(say|repeat) after me
(mark|log|record|report) this [call] as *
system [message|override|prompt] $
tell (me|us) [a|another|one] (joke|story|riddle|poem) [first]
(sing|rap) [me|us|a|the] [a|song]
(write|make) [me|us] [a|some] (poem|code|song|essay)
"""

STOP = """
[please] (stop|quit) (calling|phoning|ringing|bothering|harassing|contacting) [me|us|here] [again]
(don't|do not|never) [ever] (call|phone|ring|contact|bother) [me|us|here|this number] (again|any more|anymore|ever)
(don't|do not|never) [ever] (call|phone|ring|contact|bother) (me|us|here|this number) $
(take|get) (me|us|my number|my name|this number) (off|from|out) [of] [your|the|this] [call|calling] [list|database]
(remove|delete) (me|us|my number|my name|this number) [from] [your|the|this] [call|calling] [list|database]
unsubscribe [me]
(opt|opting) (out|me out)
do not call list
leave me alone
lose my number
(delete|erase|forget|scrap) (me|us|my number|my name|this number|my data|my details)
(don't|do not|never) (call|phone|ring) [me|us] here [again]
no more calls
"""

HUMAN = """
(speak|talk|talking|speaking) (to|with) [a|an] [real|actual|live] (person|human|human being|operator|representative)
(speak|talk|talking|speaking) (to|with) [a|the|your] (manager|boss|supervisor)
(speak|talk|talking|speaking) (to|with) (someone|somebody) (real|else|human)
(can|could|may) i (speak|talk) (to|with) (someone|somebody)
(want|need|get me|give me|prefer|rather have) (a|an) [real|actual|live] (person|human|operator|representative)
(don't|do not|won't|not) [want to|going to] (talk|talking|speak|speaking) (to|with) [a|an] (robot|robots|machine|
    machines|computer|computers|bot|ai)
(i hate|no) (robots|machines|bots)
"""

ROBOT = """
(are|is) (you|this|it|that) [really|even|actually|like] [a|an|some] [kind of] [real|actual|live|automated|
    recorded] (robot|bot|machine|computer|recording|ai|a i|person|human|human being|artificial intelligence|call|
    assistant|robocall|robo call) [or] [a|an] [real] [robot|bot|human|person|machine]
am i (talking|speaking) (to|with) (a|an) [real] (robot|bot|machine|computer|recording|ai|person|human)
(you sound|sounds|you are|you're) [like] (a|an) [ai|recorded] (robot|bot|machine|computer|recording|ai|voice)
(is this|this is) a (robocall|robo call|recording)
(are you|you're not|you are not) (real|human)
"""

WRONG_PERSON = """
(wrong|incorrect) (number|person|guy|house|man|woman|lady)
[there's|there is] (no one|nobody|no body) [here] (by that name|with that name|called *|named *|by the name *) [here]
(there's|there is) (no|not a) * [*] here
[there's|there is] (no|not a) * (here|living here|at this number|at this address) $
* (doesn't|don't|does not|no longer) (live|lives|work|works) here [anymore|any more]
(this is not|this isn't|i'm not|i am not|not) (the right person|him|her|the person [you're] [looking for]) [!s]
(don't|do not) know (anyone|anybody|any|a|who) (by that name|called *|named *|with that name|that is|*) $
you (have|got|have got|must have|dialed|called) the wrong *
you've [got] the wrong *
"""

NOT_HERE = """
(he's|she's|he is|she is) [currently|still|just] (not|out|away|at work|at school|asleep|sleeping|in a meeting|
    unavailable|busy) [here|in|home|at home|available|around] [right now|now|at the moment|today]
(he|she|*) (isn't|is not) (here|in|home|at home|available|around) [right now|now|at the moment|today]
(can|may|could|shall|should) i take a message
(he|she) (will|won't|should) be (back|home|in|here|available) [until|till|at|after|before|around|by|in|again]
(he'll|she'll|he's|she's|they'll) [be] [only|just|usually|normally|not] (back|home|in) [until|till|at|after|before|
    around|by|from]
(he|she) (gets|comes) (back|home|in) [at|after|around|by]
(mummy|mommy|mum|mom|dad|daddy|mama|papa|grandma|grandpa) (is|isn't|is not|can't|went) *
(he|she) (just|only) (left|went out|stepped out|popped out)
(he|she) (is|has) (gone|left|stepped|popped) [out]
(i'm|i am|this is|it's|you've got) (his|her) (wife|husband|mother|father|mom|mum|dad|son|daughter|brother|sister|
    partner|roommate|
    assistant|colleague|secretary|flatmate|neighbour|neighbor|carer|nurse|girlfriend|boyfriend|housemate|grandson|
    granddaughter|uncle|aunt|cousin|boss)
"""

HOLD = """
^ [yes|yeah|no|okay] wait [for] [a|one] [sec|second|minute|moment|bit]
(hold on|hang on|hold the line|bear with me) [for] [a|one|just a] [sec|second|minute|moment|bit]
^ [just|yeah|okay|sure|yes] (a|one) (sec|second|minute|moment) $
(give me|gimme) (a|one|just a) (sec|second|minute|moment)
(let me|i'll|i need to|i have to) [just|quickly|quick] (check|look|see|grab|get|find|fetch) [at|in|on|for] [my|a|
    the|his|her] (calendar|diary|schedule|pen|agenda|phone|planner|paper|him|her|$)
i'll (get|fetch|go get|put) (him|her) [on] [for you]
"""

BUSY = """
(this is|it's|now is|now's|that's) [really] (not|a bad|isn't) [really|such] [a|the] [good|great|best|right] (time|
    moment) [right now|now]
(not|isn't) [really|such|exactly] (a|the) (good|great|best|right) (time|moment) [right now|now]
(a bad|bad) (time|moment)
(i'm|i am|we're) [a bit|a little|kind of|really|very|so|pretty|quite|too] (busy|driving|tied up|swamped|
    in a meeting|in class|at work|on another call|on the other line|eating|cooking|in a hurry|
    in the middle of [*] [*]) [right now|now|at the moment]
[can|could|would] [you] (call|ring|phone|try) [me|us] (back|again|later|another time) [later|another time|sometime]
(call|ring|phone) (me|us) (around|about|after|before|at|in|tonight|tomorrow|this|later)
[can|could|would] [you] (call|ring|phone) (me|us) (in|tomorrow|tonight|after|next week|on|at)
(can|could) (you|we) (call|talk|speak|do this) [me|to me] (later|another time|tomorrow|tonight)
(can't|cannot) [really] (talk|speak|chat) [right now|now|at the moment]
i'll (call|ring|phone) (you|them) back [later]
(don't|do not|haven't) [really] (have|got) [any|the|a] (time|moment|minute|second) [right now|now|for this]
no time [right now|now]
(i'm|i am|we're) [just|about to] (putting|feeding|bathing|getting|running|heading|going|having|changing|
    walking) [the|my|
    into|out|to] (kids|baby|children|dog|bed|door|train|bus|shower|dinner|lunch|meeting) [to bed|out] [now]
(maybe later|later maybe|later please)
"""

WHO = """
who (is|are|am|was) (this|that|you|calling|speaking|i speaking to|i speaking with|i talking to) [again|calling|
    speaking]
who's (this|calling|speaking|there|that) [again]
who (do|did) you (work for|call for|say you were|say you are|say this is)
(what's|what is|what was) your name [again]
(where|who) are you calling (from|for) [again]
(you're|you are) (who|calling from where)
(what|which) (company|organization|organisation|office|business|place) [is|are|do|did] [this|you|it] [from|with|
    calling from|calling for|work for|say] $
do i know you
(is|are) (this|that|you) [a|an|some|one of those|some kind of|another|one of them] (scam|scams|scammer|scammers|
    spam|sales call|
    cold call|fraud|phishing|telemarketer) [call|calls]
is this (spam|legit|real|telemarketing)
who (wants|needs|would like|is asking|'s asking) [to] [know]
^ [and|so] you are $
are you (selling|trying to sell me) [something|anything]
^ [sorry|and] who $
^ [and] who is it $
"""

BRIEFLY = """
how long (is|will|does) (this|the) call [going to|gonna] [take|be|last]
(will|is) (this|it) [going to] (take|be) (long|quick) $
how long (will|is) this (take|going to take) $
(make it|be) quick
"""

WHY = """
(what's|what is) (this|it|that|the call) [call|all] (about|regarding|for|concerning)
why (are you calling|did you call|do you call|are you phoning|the call) [me] [again]
what (do|did) you (want|need) [from me] $
(what's|what is) (the reason|the purpose) [for|of] [the|this|your] [call]
(what's up|what is up|what's going on|what's the matter)
what (can|could) i (do|help) [for|you] [you|with]
how (can|may|could) i help [you]
(what|which) appointment $
what are you (talking|calling) about
^ [yeah|yes|and|so|is] [this is|is this] (about what|regarding what|this about what) $
"""

REPEAT = """
(can|could|would|will) you [please] (say|repeat) (that|it|this|the question|yourself) [again] [once more|
    one more time]
(can|could|would) you repeat
(say|run) (that|it) [by me] (again|once more|one more time)
[please] repeat (that|it|the question)
(didn't|did not|couldn't|could not|can't|cannot|don't|do not) [quite|really] (catch|hear|get|understand) [that|you|
    it|what you said|a word] [very well|clearly|$]
(pardon|beg your pardon|i beg your pardon) [me]
(what did you say|what was that|come again|one more time|say again|you're breaking up|you are breaking up)
(speak|talk) (up|slower|more slowly|louder)
sorry what [was that]
^ (sorry|excuse me|what|huh|eh|hm what) $
"""

NOTHING_ELSE = """
[no] (that's|that is|that was|that'll be|that will be) (it|all|everything)
nothing (else|more)
(i'm|i am|we're) [all] (good|set|done|all set)
(no|don't have any|haven't got any|not any) [more|other|further] questions
not that i can think of
"""

ALREADY = """
(i|we|i've|we've|i have|we have) already * [it|that|them|the *]
(i've|we've|i have|we have) (paid|done|sent|picked|collected) [it|that] [already]
(i|we) (paid|sent|did|picked|collected) (it|that|them|the *) [up] [already|yesterday|last *]
already (paid|done|sent|picked|collected|did) [it|up]
"""

CANCEL = """
(want|like|need|have|going|please|you|i|let's|rather|i'll|gotta) [to] cancel [it|that|this|the *|my *|everything]
^ cancel [it|that|this|the *|my *]
call it off
(forget|drop|scrap) [about] it
cancel the whole *
(don't|do not) (need|want) (it|that|the *) (anymore|any more)
"""

REFUSAL = """
(don't|do not|never) (do|take part in|take|answer|give to) [any|your|these|such] (surveys|survey|polls|poll|
    questionnaires|
    cold calls|charities|charity)
[i'm|i am] not (doing|buying|taking part in) [any|it|that|this] [surveys|survey|anything|more]
(don't|do not) want any of (it|this)
[i'm|i am|we're] (not|no longer) [really|at all] interested [in *|anymore|any more]
(i've|i have) made up my mind
(don't|do not) want (another time|another day|another one|any of that|to do this|to do that|anything)
i'd rather not [say|tell you|do that]
[really] no really
"""

CHANGE = """
(another|different|other|some other) (time|times|day|days|date|dates|slot|slots|appointment|option|options)
(reschedule|re schedule|rebook|postpone) [it|that|the *] [to]
(move|push|change|switch|swap) (it|that|this|the *|my *) [back|up|forward] [to]
(anything|something|any time|sometime|a bit|a little|little bit|can it be|could it be|any) (later|earlier|sooner|
    else|in the *)
what (else|other *|times|days|slots) [do|have|are|is] [you] [have|got] [available|free|there|open]
(do you have|have you got|is there|are there) (anything|something|any time|any times|any slots|any openings|
    openings|anything else) [available|free|open|left|later|earlier]
when (else|are you free|do you have time|do you have openings)
what's available
"""

ANY = """
(either|any|both|all) [one|of them|of those|of these|day|time] (is|are|would be|works|work|will do|
    would work) [fine|okay|good|great]
either [one|of them|of those]
(whichever|whatever|anytime|any time|any day|any of them) [is|works] [fine|you like|you prefer|suits you]
(you choose|you pick|you decide|up to you)
don't (mind|care) which
"""

FIRST = """
the (first|former|earlier|sooner|earliest) [one|option|slot]
(first|earlier) (one|option|slot)
"""

LAST = """
the (second|last|latter|later|latest) [one|option|slot]
(second|last|later) (one|option|slot)
"""

MAYBE = """
(maybe|perhaps|possibly|probably|might|no idea|hard to say)
[i'm|i am|we're] not (really|quite|completely|entirely|so|too|a hundred percent) (sure|certain) [yet|about that]
not (sure|certain) [yet|about that|if|whether|when]
(don't|do not) [really|exactly] know [yet] [when|if|whether|how] [i|we|it|he|she] [can|will|could|*] [*]
(it depends|depends)
i (think|guess|suppose|believe|hope) so
i'll (try|see|think about it)
i'll have to (see|think|check|ask) [*] [*]
(we'll see|let's see|let me think|can't say)
(have|need) to (ask|check|check with|talk to|think about) [it|my|the] [*]
i should be able to
"""

SPEAKING = """
[i'm] speaking $
this is (he|she|him|her|me)
(that's me|that would be me|it's me|you got him|you got her|you've got him|you've got her)
^ [yes|yeah] (this is|it's) !his !her !not !a !in !at !the !my !about !an * $
"""

GREETING = """
(hello|hi|hey|good morning|good afternoon|good evening|good day) [there] [alex]
how are you [doing] [today]
(are you|you) [still] there
can you hear me
(anybody|anyone) there
"""

GOODBYE = """
(bye|goodbye|bye bye|good night|cheerio) [now|then]
(see|catch) (you|ya) [all] [then|there|later|soon|tomorrow|next week|on *|<day>]
(talk|speak) to you (later|soon|then)
have a (good|nice|great|lovely|wonderful) (day|one|evening|weekend|night|afternoon)
take care !of
(have to|gotta|got to|need to|must) (go|run|hang up) [now]
(i'm hanging up|i'm going to hang up|going to hang up)
"""

THANKS = """
(thanks|thank you|many thanks|cheers|appreciate it) [so much|very much|a lot|again] [for calling|for the call|
    for the reminder|for the information|for letting me know|anyway]
i appreciate (that|the call|you calling)
"""

FIRM_NO = """
(is|that's|it's|<day>|monday's|tuesday's|wednesday's|thursday's|friday's|saturday's|sunday's|tomorrow's) [really|
    pretty|a bit|quite|so|very|too] (bad|difficult|tricky|awkward|terrible|hopeless|inconvenient|no good|out|full)
[i|we|it|that|<day>|that day] (can't|cannot|couldn't|won't|unable to|not able to|will not) [really|
    actually] [be able to] [make|do|come|work|pay|take|attend|be there|get|go|afford|manage|suit] [it|that|there]
(does not|doesn't|don't|do not|not|won't|will not|not going to) [really|quite] (work|suit|fit) [for me|for us|me|us|
    out|anymore]
(isn't|ain't|not|aren't) [really|quite|so|very|going to be] (good|great|possible|convenient|interested|right|
    correct|true|okay|fine|available|free|coming|going|happening|so good|ready) [for me|for us]
(none|neither) [of] [them|those|these] [work|works|suit|suits] [for me]
(impossible|out of the question|no way|no chance|unfortunately not|i'm afraid not|i'd rather not)
(that's|that is|it's|this is) (wrong|incorrect|false|too much|too early|too late)
(don't|do not) (want|need|like|have|agree) [it|that|to|one|any|a]
(i|we) have (another|something else|a conflict|other plans)
(i'm|i am|i'll be|we're) (away|out of town|on vacation|on holiday|sick|ill|traveling|travelling)
(it|he|she|that|i|we|they|there) (isn't|doesn't|hasn't|didn't|don't|haven't|wasn't|aren't)
(i|it|we) (do|did|is|was|have|has) not
unfortunately
"""

FIRM_YES = """
(works|sounds good|sounds great|sounds fine|sounds perfect|suits me|suits us) [for me|for us|to me]
(that's|that is|it's|it is|is|be|are|still|would be|<day>|totally|perfectly|all) (fine|good|great|perfect|okay|
    correct|right|all right|alright|ideal|true|lovely|wonderful|excellent) [for me|for us|by me|with me] !weather !day
(that|it|<day>|still|would|will|should|does|totally) (works|work) [fine|great|perfectly] [for me|for us]
no (problem|worries|issue|trouble|objection|objections) [at all]
(not a problem|why not|of course|count me in|i'm in|go ahead|confirmed|will do|consider it done)
(i'll|i will|we'll|we will) (be there|be here|be coming|do it|do that|take it|take that|come|pay|make it|bring it|
    be able to|take care of it|take care of that|bring it|manage) [it|then]
i can [still] (make|do|come|manage|pay|take|confirm|be there|bring) [it|that|then]
(i|we) (do|am|are|have|did|would|can|will|confirm|agree|accept) [that] $
(i'd|i would|we'd|we would) (love|like) (to|that|it)
looking forward [to it|to that|to]
let's do (that|it|<day>)
it (is|does|has|did|was) $
(book|put) (it|me|us) [down|in]
i'll take (the|it|that|<day>)
(you can|you may|that's it|got it|fine by me|fine with me)
"""

BARE_NO = """
(not at the moment|not right now|not this time|not for me|not for now|rather not)
(no|nope|nah|negative|not really|not at all|no thanks|no thank you|not now|not today|never|no sir|no ma'am)
"""

BARE_YES = """
(yes|yep|yup|yeah|ya|yah|sure|certainly|absolutely|definitely|totally|exactly|indeed|correct|affirmative)
(deal|agreed|sounds good|works)
(perfect|excellent|wonderful|awesome|lovely|amazing|fantastic|brilliant|super) !weather !day !sunshine
"""

NODDING = """
(okay|alright|all right|right|understood|noted|uh huh|mm hmm|mhm|fair enough|very well)
(fine|great|good|cool|nice) !weather !day !sunshine
(i see|makes sense)
(yeah|yes|okay) about that
(yes|yeah|okay) but
"""
