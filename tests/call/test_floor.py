"""Turn-taking: each rule as a plain sentence, and the promises that hold for any call whatever happens in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.call import manners as known
from backend.call.events import (
    Action,
    CalleeSays,
    Concluded,
    Connected,
    EarsLost,
    End,
    Ending,
    FloorEvent,
    HandBack,
    HangUp,
    Held,
    Hint,
    Hold,
    MachineAnswered,
    Microphone,
    Note,
    OperatorAnswers,
    OperatorSays,
    OperatorTalks,
    OperatorWatches,
    Pause,
    PickedUp,
    Planned,
    Press,
    Release,
    Reply,
    ReplyDone,
    ReplyFailed,
    Resume,
    Say,
    SoundOff,
    SoundOn,
    Speaking,
    Stop,
    TakeOver,
    Tick,
    Tool,
    Transfer,
    Wants,
)
from backend.call.turns.deadlines import Phase
from backend.call.turns.floor import Floor
from backend.call.words.short_words import words
from backend.models import Answerer, Digit, Direction, EagerEnd, Ended, Hands, Outcome, Partial, Resumed, TurnEnd
from tests.call.talk import BRIEF, MANNERS, Talk

OPENING = known.opening(BRIEF)
AGREED = Ending("The agent finished the call.", Outcome.CONFIRMED)


# --- the first seconds ----------------------------------------------------------------------------------------


def test_without_a_greeting_the_opening_begins_after_the_greeting_wait() -> None:
    talk = Talk()
    talk.at(0, Connected())
    assert talk.floor.deadline == pytest.approx(1.2)
    assert talk.at(1.2, Tick()) == [Reply(1, OPENING)]


def test_a_greeting_is_heard_out_before_the_opening_begins() -> None:
    talk = Talk()
    talk.at(0, Connected())
    assert talk.at(0.3, SoundOn()) == []
    assert talk.at(2.5, SoundOff()) == []
    assert talk.at(2.5 + MANNERS.greeting_pause + 0.01) == [Reply(1, OPENING)]


def test_a_greeting_without_end_does_not_keep_the_agent_silent() -> None:
    talk = Talk()
    talk.at(0, Connected(), SoundOn())
    assert talk.at(MANNERS.greeting_limit, Tick()) == [Reply(1, OPENING)]


def test_a_greeting_that_is_recognised_as_over_is_over_however_noisy_the_line_is() -> None:
    talk = Talk()
    talk.at(0, Connected(), SoundOn())
    assert talk.at(1.4, TurnEnd("Hello?")) == [CalleeSays("Hello?", complete=True)]
    assert talk.at(1.4 + MANNERS.greeting_pause, Tick()) == [Reply(1, OPENING)]


def test_the_late_words_of_the_greeting_do_not_interrupt_the_opening() -> None:
    talk = Talk()
    talk.at(0, Connected(), SoundOn())
    talk.at(1, SoundOff())
    talk.at(1.5, Speaking(1))
    did = talk.at(1.7, TurnEnd("Valley garage, how can I help you?"))
    assert did == [CalleeSays("Valley garage, how can I help you?", complete=True)]
    assert talk.phase() is Phase.REPLYING


def test_new_words_over_the_opening_do_interrupt_it() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1.5, Speaking(1), SoundOn())
    assert Stop(1) in talk.at(2, Partial("wait who are you"))


RECORDED = replace(MANNERS, records=True, notice="This call is recorded.")


def opening_stopped(heard: str | None, left: str = "") -> str:
    """The advice of the next answer, after somebody has talked over the opening."""
    talk = Talk(RECORDED)
    talk.at(0, Connected(), SoundOn())
    talk.at(1, SoundOff(), TurnEnd("Hello?"))
    talk.at(1.6, *([] if heard is None else [Speaking(1)]), SoundOn())
    talk.at(1.7, Held(1, heard or "", left), Partial("what do you want"))
    (reply,) = (action for action in talk.at(3, SoundOff(), TurnEnd("What do you want?")) if isinstance(action, Reply))
    return reply.hint


def test_an_opening_of_which_nothing_was_heard_is_said_with_the_first_answer() -> None:
    whole = known.opening(BRIEF, notice=RECORDED.notice)
    assert opening_stopped(None) == opening_stopped("") == known.UNANNOUNCED.format(notice=whole)


def test_what_the_agent_is_and_that_the_call_is_recorded_is_said_again_where_it_was_talked_over() -> None:
    both = "This is Alex, an AI assistant calling for Green Dental. This call is recorded."
    assert opening_stopped("Hi John,", "this is Alex, an AI assistant") == known.UNANNOUNCED.format(notice=both)
    told = "Hi John, this is Alex, an AI assistant calling for Green Dental."
    assert opening_stopped(told, "This call is") == known.UNANNOUNCED.format(notice=RECORDED.notice)
    assert opening_stopped(f"{told} {RECORDED.notice}", "Do you") == ""


def test_a_menu_that_talked_over_the_opening_need_not_hear_it() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1.5, Speaking(1), SoundOn())
    talk.at(1.6, Held(1, "Hi John,", "this is"))
    assert talk.at(3, Partial("Thank you for calling"))[-1] == Stop(1)
    did = talk.at(6, Partial(MENU), SoundOff(), TurnEnd(MENU)) + talk.at(9)
    assert [action.hint for action in did if isinstance(action, Reply)] == [known.MENU]


def test_an_opening_that_begins_anew_is_not_owed_besides() -> None:
    talk = Talk(RECORDED)
    talk.at(0, Connected())
    talk.at(2, Speaking(1), Pause())
    talk.at(3, Resume())
    talk.at(4, Speaking(2), ReplyDone(2))
    assert talk.at(6, TurnEnd("Yes."))[-1] == Reply(3)


# --- taking turns ---------------------------------------------------------------------------------------------


def test_a_turn_is_answered() -> None:
    talk = Talk().opened()
    assert talk.at(6, Partial("yes I")) == [CalleeSays("yes I", complete=False)]
    assert talk.at(7, TurnEnd("Yes, I do.")) == [CalleeSays("Yes, I do.", complete=True), Reply(2)]


def test_two_words_over_the_agent_stop_it_and_the_turn_is_answered() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(7, Partial("which day")) == [CalleeSays("which day", complete=False), Stop(2)]
    assert talk.at(8, TurnEnd("Which day was that?"))[-1] == Reply(3)


@pytest.mark.parametrize("noise", ["uh-huh", "mm-hm", "Okay.", "Yeah, right.", "hm"])
def test_a_backchannel_does_not_stop_the_agent(noise: str) -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(7, Partial(noise)) == [CalleeSays(noise, complete=False)]
    assert talk.at(7.5, TurnEnd(noise)) == [CalleeSays(noise, complete=True)]
    assert talk.at(12, ReplyDone(2)) == []


def test_a_single_no_over_the_agent_stops_it() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(7, TurnEnd("No.")) == [CalleeSays("No.", complete=True), Stop(2), Reply(3)]


def test_a_yes_just_before_the_agent_ends_is_its_answer() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Hello?"), Speaking(2))
    talk.at(9, TurnEnd("Yes."))
    assert talk.at(9.8, ReplyDone(2)) == [Reply(3)]


def test_a_callee_who_goes_on_while_the_agent_thinks_is_answered_as_a_whole() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."))
    assert talk.at(6.4, Partial("but not on")) == [CalleeSays("but not on", complete=False), Stop(2)]
    assert talk.at(7, TurnEnd("But not on Monday."))[-1] == Reply(3)


def test_words_that_never_end_count_as_a_turn_after_a_while() -> None:
    talk = Talk().opened()
    talk.at(6, Partial("I would say so"))
    assert talk.at(6 + MANNERS.stalled_turn, Tick()) == [CalleeSays("I would say so", complete=True), Reply(2)]


def test_late_news_of_a_stopped_reply_is_ignored() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    talk.at(7, Partial("which day was it"))
    assert talk.at(7.1, ReplyDone(2), ReplyFailed(2, "x"), Concluded(2, AGREED)) == []
    assert talk.phase() is Phase.LISTENING


def test_a_turn_that_a_recogniser_tells_twice_is_answered_once() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes, I do."))
    assert talk.at(6.2, TurnEnd("Yes, I do.")) == []
    assert talk.phase() is Phase.REPLYING


def test_the_same_word_said_twice_in_a_row_is_heard_twice() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."))
    talk.at(6.5, Planned(2, "Great. Does Tuesday at two still work for you?"), Speaking(2))
    assert talk.at(9, Partial("Yes."))[-1] == Stop(2)
    assert talk.at(9.4, TurnEnd("Yes."))[-1] == Reply(3)


def test_a_turn_that_was_ended_here_is_not_answered_again_after_a_noise() -> None:
    talk = Talk().opened()
    talk.at(6, SoundOn(), Partial("Tuesday at three"))
    talk.at(6 + MANNERS.noisy_turn, Tick())
    talk.at(13, Speaking(2), ReplyDone(2))
    talk.at(14, SoundOff())
    talk.at(14.2, SoundOn())
    assert talk.at(14.5, SoundOff(), TurnEnd("Tuesday at three")) == []


def test_a_turn_that_was_ended_here_is_not_heard_again_when_the_recogniser_ends_it() -> None:
    talk = Talk().opened()
    talk.at(6, Partial("I would say so"))
    talk.at(6 + MANNERS.stalled_turn, Tick())
    talk.at(8.2, ReplyDone(2))
    said = talk.at(8.5, TurnEnd("I would say so. But not Monday."))
    assert said == [CalleeSays("But not Monday.", complete=True), Reply(3)]


# --- prepared replies -------------------------------------------------------------------------------------------


def test_a_probable_end_prepares_a_reply_that_the_end_releases() -> None:
    talk = Talk().opened()
    assert talk.at(6, EagerEnd("Yes, I do."))[1:] == [Reply(2, held=True)]
    assert talk.phase() is Phase.LISTENING
    assert talk.at(6.1, TurnEnd("yes I do")) == [CalleeSays("yes I do", complete=True), Release(2)]
    assert talk.phase() is Phase.REPLYING


@pytest.mark.parametrize("news", [Resumed(), Partial("Yes, I do, but")])
def test_a_prepared_reply_is_dropped_when_it_no_longer_fits(news: FloorEvent) -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Yes, I do."))
    assert Stop(2) in talk.at(6.1, news)
    assert talk.at(7, TurnEnd("Yes, I do, but not on Monday."))[-1] == Reply(3)


def test_a_hint_that_comes_when_a_reply_is_prepared_already_is_in_the_answer_all_the_same() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Yes, I do."), Hint("Offer Tuesday."))
    assert talk.at(6.1, TurnEnd("Yes, I do."))[1:] == [Stop(2), Reply(3, hint="Offer Tuesday.")]


def test_who_wants_no_more_calls_hears_so_although_another_answer_was_prepared() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Please stop calling me."))
    assert talk.at(6.1, TurnEnd("Please stop calling me."))[-2:] == [Stop(2), Reply(3, hint=known.OPTED_OUT)]


def test_words_told_again_unchanged_keep_the_prepared_reply() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Yes, I do."))
    talk.at(6.1, Partial("Yes, I do."), EagerEnd("Yes, I do"))
    assert talk.at(6.2, TurnEnd("Yes, I do."))[-1] == Release(2)


def test_an_end_with_other_words_gets_a_reply_of_its_own() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Yes, I do."))
    assert talk.at(6.1, TurnEnd("Yes, I do not."))[1:] == [Stop(2), Reply(3)]


def test_a_prepared_reply_that_fails_is_only_one_chance_lost() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Yes."))
    assert talk.at(6.1, ReplyFailed(2, "No model.")) == []
    assert talk.at(6.2, TurnEnd("Yes."))[-1] == Reply(3)


def test_a_prepared_goodbye_ends_the_call_only_once_it_is_released() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("No, thank you."), Concluded(2, AGREED))
    assert talk.phase() is Phase.LISTENING
    talk.at(6.2, TurnEnd("No, thank you."))
    assert talk.phase() is Phase.CLOSING
    assert talk.at(9, Speaking(2), ReplyDone(2)) == [End(AGREED)]


def test_the_operators_words_come_before_a_prepared_reply() -> None:
    talk = Talk().opened()
    talk.at(6, EagerEnd("Yes."), Say("One more thing."))
    said = Note("The operator wants said: One more thing.")
    assert said in talk.did
    assert talk.at(6.2, TurnEnd("Yes."))[1:] == [Stop(2), Reply(3, "One more thing.")]


def test_without_speculation_nothing_is_prepared() -> None:
    talk = Talk(replace(MANNERS, speculate=False)).opened()
    assert talk.at(6, EagerEnd("Yes.")) == [CalleeSays("Yes.", complete=False)]


def test_a_callee_who_pauses_in_mid_sentence_is_waited_for_and_heard_as_one() -> None:
    talk = Talk().opened()
    assert talk.at(6, TurnEnd("My number is")) == [CalleeSays("My number is", complete=False), Reply(2, held=True)]
    assert talk.at(7.2, Partial("two oh two")) == [CalleeSays("My number is two oh two", False), Stop(2)]
    said = talk.at(8.5, TurnEnd("two oh two five five five oh one four three."))
    assert said[0] == CalleeSays("My number is two oh two five five five oh one four three.", complete=True)
    assert said[-1] == Reply(3)


def test_a_sentence_that_is_never_finished_is_answered_with_what_was_prepared() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Because my"))
    talk.at(6 + MANNERS.unfinished_wait, Tick())
    assert talk.did == [CalleeSays("Because my", complete=True), Release(2)]


def test_a_recogniser_that_waited_for_the_rest_itself_is_not_waited_for_again() -> None:
    talk = Talk().opened()
    talk.at(6, SoundOn(), Partial("Because my"))
    talk.at(6.5, SoundOff())
    assert talk.at(7.6, TurnEnd("Because my"))[-1] == Reply(2, held=True)
    assert talk.at(6.5 + MANNERS.unfinished_wait + 0.01)[-1] == Release(2)


def goes_on() -> Talk:
    """The callee makes a sound again at 7.5 s, and the recogniser ends the turn at 7.6 s."""
    talk = Talk().opened()
    talk.at(6, SoundOn(), Partial("It broke down"))
    talk.at(6.5, SoundOff(), EagerEnd("It broke down"))
    talk.at(7.5, SoundOn())
    assert talk.at(7.6, TurnEnd("It broke down"))[-1] == CalleeSays("It broke down", complete=False)
    return talk


def test_who_begins_again_before_the_turn_has_ended_is_waited_for_and_heard_as_one() -> None:
    talk = goes_on()
    assert talk.at(8, Partial("near the"))[-1] == Stop(2)
    assert talk.at(9, TurnEnd("near the station."))[0] == CalleeSays("It broke down near the station.", complete=True)


def test_a_noise_at_the_end_of_a_turn_delays_the_answer_only_while_it_may_be_speech() -> None:
    assert goes_on().at(8.51)[-1] == Release(2)
    talk = goes_on()
    assert talk.at(7.8, SoundOff()) == []
    assert talk.at(7.8 + MANNERS.words_late + 0.01)[-1] == Release(2)


# --- hold, decide, resume ---------------------------------------------------------------------------------------

QUESTION = "Does Thursday at ten work for you?"


def speaking(heard: str = "We have you down for Thursday at ten", left: str = "in the morning.") -> Talk:
    """In the middle of reply 2, which a sound of the callee has just held, at 8 s."""
    talk = Talk().opened()
    talk.at(6, TurnEnd("Go ahead."), Planned(2, f"{heard} {left}"), Speaking(2))
    assert talk.at(8, SoundOn()) == [Hold(2)]
    assert talk.at(8, Held(2, heard, left)) == []
    return talk


def test_a_short_sound_without_words_holds_the_agent_and_lets_it_go_on() -> None:
    assert speaking().at(8.4, SoundOff()) == [Release(2)]


def test_a_longer_sound_gives_its_words_time_to_be_recognised() -> None:
    talk = speaking()
    assert talk.at(9, SoundOff()) == []
    assert talk.at(9 + MANNERS.words_late, Tick()) == [Release(2)]


def test_noise_that_does_not_end_does_not_silence_the_agent() -> None:
    talk = speaking()
    assert talk.at(8 + MANNERS.hold_limit, Tick()) == [Release(2)]
    assert talk.at(12, SoundOff()) == []


def test_a_room_that_never_rests_holds_the_agent_only_so_often() -> None:
    talk = speaking()
    holds = 1
    for at in range(9, 20):
        holds += Hold(2) in talk.at(at, SoundOff()) + talk.at(at + 0.5, SoundOn())
    assert holds == 4
    assert talk.at(21, Partial("wait a minute"))[-1] == Stop(2)


@pytest.mark.parametrize("noise", ["uh-huh", "mm-hm", "Okay.", "Yeah, right."])
def test_a_backchannel_lets_the_agent_go_on_when_it_is_over(noise: str) -> None:
    talk = speaking()
    assert talk.at(8.3, Partial(noise)) == [CalleeSays(noise, complete=False)]
    assert talk.at(8.5, SoundOff()) == [Release(2)]
    assert talk.at(8.7, TurnEnd(noise)) == [CalleeSays(noise, complete=True)]
    assert talk.phase() is Phase.REPLYING


@pytest.mark.parametrize("words", ["wait", "which day", "sorry, who is this", "that is wrong"])
def test_words_that_want_the_floor_stop_the_agent(words: str) -> None:
    assert speaking().at(8.3, Partial(words))[-1] == Stop(2)


@pytest.mark.parametrize("answer", ["Yes.", "No.", "Sure.", "Thursday."])
@pytest.mark.parametrize("heard, left", [(QUESTION, "If not, we can look"), ("Does Thursday at ten work", "for you?")])
def test_a_short_answer_to_a_question_just_asked_is_no_backchannel(answer: str, heard: str, left: str) -> None:
    talk = speaking(heard, left)
    assert talk.at(8.3, Partial(answer))[-1] == Stop(2)
    assert talk.at(8.6, SoundOff(), TurnEnd(answer))[-1] == Reply(3)


def test_the_same_word_without_a_question_is_one() -> None:
    talk = speaking()
    assert talk.at(8.3, Partial("Yes.")) == [CalleeSays("Yes.", complete=False)]
    assert talk.at(8.5, SoundOff()) == [Release(2)]


def test_words_that_came_before_the_hold_took_effect_are_judged_with_it() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Go ahead."), Planned(2, f"{QUESTION} If not, we can look for another day."), Speaking(2))
    talk.at(8, SoundOn(), Partial("Yes."))
    assert talk.at(8, Held(2, QUESTION, "If not, we can look for another day.")) == [Stop(2)]


def test_a_reply_of_which_little_is_left_is_played_out_and_the_word_over_it_answered() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Go ahead."), Planned(2, "And that is all."), Speaking(2), SoundOn())
    assert talk.at(6.1, Held(2, "And that is", "all.", over=True)) == []
    assert talk.at(6.3, ReplyDone(2)) == []
    assert talk.at(6.9, SoundOff(), TurnEnd("Fine by me."))[-1] == Reply(3)


def test_sound_before_the_agents_first_word_keeps_it_back() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."))
    assert talk.at(6.2, SoundOn()) == [Hold(2)]
    assert talk.at(6.3, Held(2, "")) == []
    assert talk.at(6.6, Partial("but not on Monday"))[-1] == Stop(2)


def test_nobody_is_held_by_a_goodbye_over_a_goodbye() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(7, SoundOn()) == []


# --- echo -------------------------------------------------------------------------------------------------------


def test_the_agents_own_words_coming_back_are_nobodys_turn() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Go ahead."), Planned(2, "We have you down for Thursday at ten."), Speaking(2))
    assert talk.at(8, Partial("you down for Thursday")) == []
    assert talk.at(9, ReplyDone(2)) == []
    assert talk.at(9.4, TurnEnd("We have you down for Thursday at ten.")) == []
    assert talk.phase() is Phase.LISTENING


def test_an_echo_that_held_the_agent_is_found_out_by_its_words() -> None:
    assert speaking().at(8.3, Partial("have you down for Thursday at ten")) == [Release(2)]


def test_a_backchannel_amid_an_echo_is_still_one() -> None:
    talk = speaking("There are two left and both of them", "are with the same doctor.")
    assert talk.at(8.3, Partial("Yeah, okay. and both of")) == [CalleeSays("Yeah, okay. and both of", complete=False)]
    assert talk.at(8.6, Partial("Yeah, but okay and both of"))[-1] == Stop(2)


def test_the_first_word_of_an_echo_after_a_backchannel_is_waited_out() -> None:
    talk = speaking("There are two left and both of them", "are with the same doctor.")
    assert talk.at(8.3, Partial("Great. both")) == [CalleeSays("Great. both", complete=False)]
    assert talk.at(8.4, Partial("Great. both of")) == [CalleeSays("Great. both of", complete=False)]
    assert talk.at(8.6, SoundOff()) == [Release(2)]


def told_the_agents_word() -> Talk:
    """A recogniser has heard a word of the agent's in its echo, at 8 s, and not ended the turn."""
    talk = Talk().opened()
    talk.at(
        6, TurnEnd("Go ahead."), Planned(2, "You would then have to wait about an hour for all of it."), Speaking(2)
    )
    assert talk.at(8, Partial("have")) == []
    return talk


def test_an_echo_in_the_same_turn_is_none_of_the_callees_words() -> None:
    talk = told_the_agents_word()
    talk.at(9.5, Resumed(), SoundOn())
    assert talk.at(9.8, Partial("have Great.")) == [CalleeSays("Great.", complete=False)]
    assert talk.at(10, SoundOff()) == [Release(2)]
    assert talk.at(10.1, TurnEnd("have Great.")) == [CalleeSays("Great.", complete=True)]


def test_words_that_were_taken_for_a_turn_are_not_told_twice_because_of_an_echo_before_them() -> None:
    talk = told_the_agents_word()
    talk.at(9.5, SoundOn())
    talk.at(10, SoundOff(), Partial("have Great."))
    assert talk.at(12) == [CalleeSays("Great.", complete=True)]
    assert talk.at(12.5, TurnEnd("have Great.")) == []


def test_an_echo_whose_turn_ends_after_a_noise_stops_nobody() -> None:
    talk = told_the_agents_word()
    assert talk.at(8.2, Partial("have to")) == []
    assert talk.at(9, SoundOn()) == [Hold(2)]
    assert talk.at(9.3, SoundOff()) == [Release(2)]
    assert talk.at(9.9, TurnEnd("have to")) == []


def test_a_word_of_an_echo_that_is_told_just_after_a_sound_began_is_none_of_it() -> None:
    talk = told_the_agents_word()
    assert talk.at(8.2, SoundOn()) == [Hold(2)]
    assert talk.at(8.25, Partial("have to")) == [Release(2)]
    assert talk.at(8.6, Partial("have to okay")) == [CalleeSays("okay", complete=False)]


def test_an_echo_of_which_words_were_not_recognised_is_one() -> None:
    talk = told_the_agents_word()
    assert talk.at(9, Partial("have hour")) == []
    assert talk.at(9.4, Partial("have hour all")) == []
    assert talk.at(9.7, EagerEnd("have hour all")) == []
    assert talk.at(12, TurnEnd("have hour all")) == []


def test_a_noise_too_short_for_the_words_told_with_it_did_not_say_them() -> None:
    talk = speaking("You would then have to wait", "about an hour for all of it.")
    assert talk.at(8.2, Partial("have")) == [CalleeSays("have", complete=False)]
    assert talk.at(8.25, SoundOff()) == [Release(2)]
    assert talk.at(8.6, Partial("have to")) == []
    assert talk.at(9.2, SoundOn(), Held(2, "You would then", "have to wait")) == [Hold(2)]
    assert talk.at(9.9, Partial("have to have to"))[-1] == Stop(2), "said in words of which there was time for each"


def test_a_word_of_an_echo_before_a_backchannel_stops_nobody() -> None:
    talk = speaking("You would then have to wait about an hour", "for all of it.")
    assert talk.at(8.4, Partial("hour Great."))[-1] == CalleeSays("hour Great.", complete=False)
    assert talk.at(8.5, Partial("hour Great. But which hour"))[-1] == Stop(2)


def test_a_callee_who_repeats_the_day_to_confirm_it_is_heard() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Go ahead."), Planned(2, "Does Thursday at ten work?"), Speaking(2))
    talk.at(8, ReplyDone(2))
    talk.at(8.5, SoundOn())
    assert talk.at(9.5, SoundOff(), TurnEnd("Thursday at ten."))[-1] == Reply(3)


# --- silence, and the end -------------------------------------------------------------------------------------


def test_silence_is_asked_about_twice_and_then_the_agent_says_goodbye() -> None:
    talk = Talk().opened()
    words = []
    for _ in range(3):
        assert talk.floor.deadline is not None
        (reply,) = talk.at(talk.floor.deadline, Tick())
        assert isinstance(reply, Reply)
        words.append(reply.words)
        talk.at(talk.now + 2, Speaking(reply.number))
        talk.at(talk.now + 3, ReplyDone(reply.number))
    assert words == [known.STILL_THERE, known.STILL_THERE, known.SILENT_GOODBYE]
    assert talk.phase() is Phase.OVER
    assert isinstance(talk.did[-1], End)


def test_something_said_of_which_no_word_was_recognised_is_asked_for_again() -> None:
    talk = Talk().opened()
    talk.at(6, SoundOn())
    talk.at(7.5, SoundOff())
    assert talk.at(7.5 + MANNERS.unheard_wait, Tick()) == [Reply(2, known.PARDON)]


def test_a_short_noise_is_not_asked_about() -> None:
    talk = Talk().opened()
    talk.at(6, SoundOn())
    talk.at(6.3, SoundOff())
    assert talk.at(6.3 + MANNERS.unheard_wait + 0.5) == []


def test_the_last_words_are_played_before_hanging_up() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(7, Concluded(2, AGREED)) == []
    assert talk.at(9, ReplyDone(2)) == [End(AGREED)]


def test_thanks_and_bye_do_not_stop_the_goodbye() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert Stop(2) not in talk.at(7, TurnEnd("Thank you, bye bye."))
    assert talk.at(8, ReplyDone(2)) == [End(AGREED)]


def test_a_last_question_reopens_a_call_that_was_being_closed() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(7, TurnEnd("Wait, where do I park?"))[1:] == [Stop(2), Reply(3)]
    assert talk.at(9, ReplyDone(3)) == []


def test_a_callee_who_hangs_up_during_the_goodbye_leaves_the_agreed_outcome() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(7, Ended("The far side hung up.")) == [Stop(2), End(AGREED)]


def test_a_goodbye_whose_end_is_never_confirmed_still_ends() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(6 + MANNERS.longest_reply + 1) == [Stop(2), End(AGREED)]


def test_a_word_of_protest_over_the_goodbye_reopens_the_call() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(7, TurnEnd("Wait!"))[1:] == [Stop(2), Reply(3)]


def test_a_callee_who_hangs_up_in_mid_sentence_keeps_those_words() -> None:
    talk = Talk().opened()
    talk.at(6, Partial("sorry I have to"))
    assert talk.at(7, Ended("The far side hung up.")) == [
        CalleeSays("sorry I have to", complete=True),
        End(Ending("The far side hung up.", Outcome.HUNG_UP)),
    ]


def test_the_longest_call_ends_with_words() -> None:
    talk = Talk(replace(MANNERS, longest_call=10))
    talk.opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(10, Tick()) == [Stop(2), Reply(3, known.TIME_IS_UP)]
    assert isinstance(talk.at(14, ReplyDone(3))[-1], End)


# --- trouble --------------------------------------------------------------------------------------------------


def test_a_failed_reply_is_apologised_for_and_closes_the_call() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."))
    assert talk.at(8, ReplyFailed(2, "No model answered.")) == [Reply(3, known.TROUBLE)]
    assert talk.at(12, ReplyDone(3)) == [End(Ending("No model answered.", Outcome.FAILED))]


def test_an_apology_that_fails_is_left_to_the_carriers_voice() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), ReplyFailed(2, "No voice."))
    (end,) = talk.at(7, ReplyFailed(3, "No voice."))
    assert end == End(Ending("No voice.", Outcome.FAILED), farewell=known.TROUBLE)


def test_without_any_voice_the_carrier_apologises_at_once() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."))
    assert talk.at(8, ReplyFailed(2, "No voice.", mute=True)) == [
        End(Ending("No voice.", Outcome.FAILED), farewell=known.TROUBLE)
    ]


def test_without_ears_the_agent_apologises_and_ends() -> None:
    talk = Talk().opened()
    assert talk.at(6, EarsLost("Deepgram is gone.")) == [Reply(2, known.TROUBLE)]


# --- machines and operators -----------------------------------------------------------------------------------


def test_a_machine_gets_one_message_that_its_own_greeting_does_not_interrupt() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1.3, Speaking(1))
    assert talk.at(4, MachineAnswered("machine_end_beep")) == [Stop(1), Reply(2, known.voicemail(BRIEF))]
    talk.at(4.2, Speaking(2))
    assert Stop(2) not in talk.at(5, SoundOn(), TurnEnd("Please leave a message after the tone."))
    (end,) = talk.at(12, ReplyDone(2))
    assert isinstance(end, End) and end.ending.outcome is Outcome.VOICEMAIL


def test_the_agents_own_echo_is_not_taken_for_a_machine() -> None:
    talk = Talk().opened()
    assert talk.at(6.5, MachineAnswered("machine_end_silence")) == []
    talk.at(7, TurnEnd("Who is this?"), Speaking(2))
    assert talk.at(9, MachineAnswered("machine_end_other")) == []


def test_a_machine_that_talked_before_the_opening_was_over_is_one() -> None:
    talk = Talk()
    talk.at(0, Connected(), SoundOn())
    talk.at(3, SoundOff())
    talk.at(7, Speaking(1), ReplyDone(1))
    assert talk.at(7.5, MachineAnswered("machine_end_silence"))[-1] == Reply(2, known.voicemail(BRIEF))


def test_somebody_who_converses_is_not_taken_for_a_machine() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), ReplyDone(2))
    talk.at(7, TurnEnd("That works."))
    assert talk.at(8, MachineAnswered("machine_end_silence")) == []


def test_a_greeting_with_pauses_does_not_pass_for_a_conversation() -> None:
    talk = Talk().opened()
    for at, text in ((6, "You've reached Dana."), (7, "I can't come to the phone."), (8, "Please leave a message.")):
        talk.at(at, TurnEnd(text))
    assert talk.at(9, MachineAnswered("machine_end_beep"))[-1] == Reply(5, known.voicemail(BRIEF))


def test_a_message_that_takes_too_long_to_be_confirmed_was_not_left() -> None:
    talk = Talk().opened()
    talk.at(6, MachineAnswered("machine_end_beep"), Speaking(2))
    end = talk.at(7 + MANNERS.closing_limit)[-1]
    assert isinstance(end, End) and end.ending.outcome is Outcome.FAILED


def test_a_sound_without_end_after_what_may_be_a_machine_does_not_keep_the_agent_silent() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(0.3, SoundOn())
    talk.at(3, Partial("Hi, please leave a message"))
    assert Reply(1, OPENING) in talk.at(3 + 2 * MANNERS.greeting_limit)


MENU = "For sales, press one. For support, press two. To repeat this menu, press nine."


def pressed_two() -> Talk:
    """A menu has picked up, and the agent has pressed a key, at 10 s."""
    talk = Talk()
    talk.at(0, Connected(), SoundOn())
    talk.at(6, Partial(MENU), SoundOff(), TurnEnd(MENU))
    talk.at(9.5, Wants(1, Tool.PRESS_KEYS, "2"), Speaking(1))
    talk.at(10, ReplyDone(1))
    return talk


def test_a_menu_that_puts_through_is_waited_for_as_long_as_a_queue() -> None:
    talk = pressed_two()
    hold = "Please hold while I transfer your call."
    talk.at(11, SoundOn(), Partial(hold))
    talk.at(13, SoundOff(), TurnEnd(hold))
    assert not any(isinstance(action, Reply | End) for action in talk.at(MANNERS.on_hold))
    end = talk.at(10 + MANNERS.on_hold)[-1]
    assert isinstance(end, End) and end.ending.outcome is Outcome.NO_ANSWER


def test_a_menu_that_plays_music_without_end_is_not_waited_for_any_longer() -> None:
    talk = pressed_two()
    talk.at(11, SoundOn())
    assert isinstance(talk.at(10 + MANNERS.on_hold)[-1], End)


@pytest.mark.parametrize("broken", [ReplyFailed(2, "No voice."), Ended("The far side hung up.")])
@pytest.mark.parametrize("before", [[], [Speaking(2)]])
def test_a_message_that_was_not_heard_to_its_end_was_not_left(broken: FloorEvent, before: list[FloorEvent]) -> None:
    talk = Talk().opened()
    talk.at(6, MachineAnswered("machine_end_beep"), *before)
    end = talk.at(7, broken)[-1]
    assert isinstance(end, End) and end.ending.outcome is not Outcome.VOICEMAIL


def test_a_last_answer_without_end_does_not_outlive_the_longest_call() -> None:
    talk = Talk(replace(MANNERS, longest_call=10)).opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(10 + MANNERS.closing_limit + 1) == [Stop(2), End(AGREED)]


def test_a_reply_that_fails_while_the_callee_speaks_does_not_apologise_over_them() -> None:
    talk = speaking()
    assert talk.at(8.5, ReplyFailed(2, "No model answered.")) == []
    assert talk.at(9.5, Partial("which day was that"), SoundOff(), TurnEnd("Which day was that?"))[-1] == Reply(3)


def test_the_same_word_said_again_to_a_recogniser_that_tells_no_ends_is_heard_again() -> None:
    talk = Talk().opened()
    talk.at(6, SoundOn())
    talk.at(6.4, SoundOff(), Partial("Okay."))
    talk.at(8.5)
    talk.at(9, Speaking(2), ReplyDone(2))
    talk.at(10, SoundOn())
    assert talk.at(10.4, SoundOff(), Partial("Okay.")) == [CalleeSays("Okay.", complete=False)]


def test_one_sentence_of_the_operator_does_not_cut_another() -> None:
    talk = Talk().opened()
    talk.at(6, Say("First."), Speaking(2))
    assert talk.at(7, Say("Second.", "Maya")) == [Note("Maya wants said: Second.")]
    assert talk.at(8, ReplyDone(2)) == [Reply(3, "Second.")]


def test_what_the_operator_said_is_said_again_when_none_of_it_was_heard() -> None:
    talk = Talk().opened()
    talk.at(6, Say("First."))
    assert talk.at(6.1, Partial("hold on please"))[-1] == Stop(2)
    assert talk.at(7, TurnEnd("Hold on, please."))[-1] == Reply(3, "First.")


def test_a_hint_in_an_answer_that_nobody_heard_goes_into_the_next() -> None:
    talk = Talk().opened()
    talk.at(6, Hint("Offer Tuesday."), TurnEnd("Yes."))
    talk.at(6.3, Partial("and another thing"))
    assert talk.at(7, TurnEnd("And another thing."))[-1] == Reply(3, hint="Offer Tuesday.")


def test_the_operators_words_replace_the_agents_own() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    said = Note("The operator wants said: One more thing.")
    assert talk.at(7, Say("One more thing.")) == [said, Stop(2), Reply(3, "One more thing.")]


def test_the_operators_words_wait_until_the_callee_has_finished() -> None:
    talk = Talk().opened()
    talk.at(6, Partial("I was"))
    assert talk.at(6.5, Say("One more thing.")) == [Note("The operator wants said: One more thing.")]
    assert talk.at(7, TurnEnd("I was there."))[-1] == Reply(2, "One more thing.")


def test_a_hint_goes_into_the_next_answer_only() -> None:
    talk = Talk().opened()
    assert talk.at(6, Hint("Offer Tuesday.")) == [Note("The operator's hint: Offer Tuesday.")]
    assert talk.at(7, TurnEnd("Yes."))[-1] == Reply(2, hint="Offer Tuesday.")
    talk.at(9, ReplyDone(2))
    assert talk.at(10, TurnEnd("Fine."))[-1] == Reply(3)


def test_hanging_up_silences_the_agent_at_once() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    ending = Ending("The operator hung up.", Outcome.STOPPED)
    assert talk.at(7, HangUp(ending, "Maya")) == [Note("Maya hung up."), Stop(2), End(ending)]
    assert talk.at(8, TurnEnd("Hello?"), Tick()) == []


def test_a_key_press_is_a_turn() -> None:
    assert Talk().opened().at(6, Digit("1")) == [CalleeSays("(pressed 1)", complete=True), Reply(2)]


def test_a_key_pressed_in_the_middle_of_a_sentence_loses_none_of_its_words() -> None:
    talk = Talk().opened()
    talk.at(6, Partial("my number is two"))
    assert talk.at(6.5, Digit("5"))[0] == CalleeSays("my number is two (pressed 5)", complete=True)
    assert talk.at(7, Partial("my number is two oh two"))[0] == CalleeSays("oh two", complete=False)


# --- the operator steps in ----------------------------------------------------------------------------------------

PAUSED, TAKEN = Note("Maya paused the agent."), Note("Maya took the call over.")
BACK = Note("Maya handed the call back to the agent.")


def taken_over() -> Talk:
    """The operator has the call from 7 s on, and cut off an answer that was being heard."""
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(7, TakeOver("Maya")) == [Stop(2), TAKEN, Microphone(open=True)]
    assert (talk.phase(), talk.floor.hands) == (Phase.ASIDE, Hands.OPERATOR)
    return talk


def test_a_pause_silences_the_agent_at_once_and_keeps_it_silent() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    assert talk.at(7, Pause("Maya")) == [Stop(2), PAUSED]
    assert talk.at(8, Partial("Are you"), EagerEnd("Are you there?"))[-1] == CalleeSays("Are you there?", False)
    assert talk.at(9, TurnEnd("Are you there?")) == [CalleeSays("Are you there?", complete=True)]
    assert talk.at(100) == []


def test_who_gives_no_name_is_the_operator() -> None:
    assert Talk().opened().at(6, Pause()) == [Note("The operator paused the agent.")]


def test_an_agent_that_may_talk_again_answers_what_was_said_meanwhile() -> None:
    talk = Talk().opened()
    talk.at(6, Pause("Maya"))
    talk.at(7, TurnEnd("What does it cost?"))
    assert talk.at(9, Resume("Maya")) == [Note("Maya let the agent go on."), Reply(2)]


def test_a_question_that_the_pause_kept_from_being_answered_is_answered_after_it() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("What does it cost?"), Pause())
    assert talk.at(9, Resume())[-1] == Reply(3)


def test_an_agent_that_was_answering_when_it_was_paused_waits_after_it() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("What does it cost?"), Speaking(2), Pause())
    assert talk.at(9, Resume()) == [Note("The operator let the agent go on.")]
    assert talk.at(9 + MANNERS.check_in_after, Tick()) == [Reply(3, known.STILL_THERE)]


def test_a_callee_who_is_speaking_when_the_agent_may_talk_again_is_heard_out() -> None:
    talk = Talk().opened()
    talk.at(6, Pause(), Partial("What does"))
    assert talk.at(7, Resume()) == [Note("The operator let the agent go on.")]
    assert talk.at(7.5, TurnEnd("What does it cost?"))[-1] == Reply(2)


def test_the_opening_that_a_pause_cut_off_is_said_from_its_beginning() -> None:
    talk = Talk()
    talk.at(0, Connected())
    assert talk.at(2, Speaking(1), Pause("Maya"))[-2:] == [Stop(1), PAUSED]
    assert talk.at(30) == []
    talk.at(30, Resume())
    assert talk.at(30 + MANNERS.greeting_pause, Tick()) == [Reply(2, OPENING)]


def test_a_goodbye_that_is_paused_leaves_the_call_open() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(7, Pause("Maya")) == [Stop(2), PAUSED]
    assert talk.at(60) == []


def test_a_voicemail_gets_no_message_from_a_paused_agent_until_it_may_talk_again() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1, Pause())
    assert talk.at(4, MachineAnswered("machine_end_beep")) == []
    assert talk.at(5, Resume())[-1] == Reply(1, known.voicemail(BRIEF))


def test_what_the_operator_types_is_said_while_the_agent_is_paused() -> None:
    talk = Talk()
    talk.at(0, Connected(), Pause())
    assert talk.at(1, Say("One moment.", "Maya")) == [Note("Maya wants said: One moment."), Reply(1, "One moment.")]
    assert talk.at(3, Speaking(1), ReplyDone(1)) == []
    assert talk.phase() is Phase.ASIDE
    assert talk.at(9, Resume()) and talk.phase() is Phase.GREETING, "the callee has not heard who is calling"


def test_ordering_the_same_twice_changes_nothing() -> None:
    talk = Talk().opened()
    assert talk.at(6, Resume(), HandBack()) == []
    talk.at(7, Pause())
    assert talk.at(8, Pause(), HandBack()) == []
    assert talk.at(9, TakeOver("Maya")) == [TAKEN, Microphone(open=True)]
    assert talk.at(10, TakeOver("Ann"), Pause(), Resume()) == []


def test_the_operators_words_are_a_turn_of_their_own() -> None:
    talk = taken_over()
    assert talk.at(8, OperatorTalks("This is")) == [OperatorSays("This is", complete=False)]
    assert talk.at(9, OperatorTalks("This is Maya.", complete=True)) == [OperatorSays("This is Maya.", complete=True)]


def test_the_operators_words_coming_back_from_a_loudspeaker_are_nobodys_turn() -> None:
    talk = taken_over()
    talk.at(9, OperatorTalks("We could also see you on Friday at ten.", complete=True))
    assert talk.at(9.3, Partial("see you on Friday at ten")) == []


def test_after_the_operator_spoke_last_the_agent_says_that_it_is_back() -> None:
    talk = taken_over()
    talk.at(8, TurnEnd("Who is this?"), OperatorTalks("This is Maya.", complete=True))
    back = known.handed_back(BRIEF)
    assert talk.at(10, HandBack("Maya")) == [Microphone(open=False), BACK, Reply(3, back)]


def test_after_the_callee_spoke_last_the_agent_answers() -> None:
    talk = taken_over()
    talk.at(8, OperatorTalks("This is Maya.", complete=True))
    talk.at(9, TurnEnd("What does it cost?"))
    assert talk.at(10, HandBack("Maya"))[-1] == Reply(3)


def test_the_operators_last_words_may_be_recognised_after_the_call_was_handed_back() -> None:
    talk = taken_over()
    talk.at(10, HandBack("Maya"))
    assert talk.at(10.4, OperatorTalks("Bye.", complete=True)) == [OperatorSays("Bye.", complete=True)]


def test_words_of_the_operators_that_never_ended_are_kept_when_the_call_ends() -> None:
    talk = taken_over()
    talk.at(8, OperatorTalks("I will"))
    assert OperatorSays("I will", complete=True) in talk.at(9, Ended("The far side hung up."))


def test_who_came_to_the_phone_and_talked_with_the_operator_is_no_queue_any_more() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1, TurnEnd("All our agents are busy. Please hold, your call is important to us."))
    talk.at(3, TakeOver("Maya"))
    talk.at(20, TurnEnd("Valley garage, hello?"), OperatorTalks("I'll put you through to my assistant.", complete=True))
    talk.at(22, HandBack("Maya"))
    assert talk.at(22 + MANNERS.greeting_pause, Tick())[-1] == Reply(talk.floor._replies, OPENING)


def test_an_operator_who_never_hands_back_is_ended_by_the_longest_call() -> None:
    talk = taken_over()
    talk.at(MANNERS.longest_call - 1, OperatorTalks("And then", complete=True), TurnEnd("I see."))
    assert talk.at(MANNERS.longest_call, Tick()) == [Microphone(open=False), Reply(3, known.TIME_IS_UP)]
    late = Note("It is too late to step in: the call has reached its longest duration, and ends.")
    assert talk.at(MANNERS.longest_call + 1, TakeOver()) == [late]
    assert isinstance(talk.at(MANNERS.longest_call + 5, ReplyDone(3))[-1], End)


def test_an_agent_that_went_deaf_leaves_the_operator_in_the_call_and_apologises_when_it_has_it_back() -> None:
    talk = taken_over()
    assert talk.at(9, EarsLost("Deepgram is gone.")) == []
    assert talk.at(20, HandBack())[-1] == Reply(3, known.TROUBLE)


def test_words_that_cannot_be_voiced_do_not_end_a_call_that_the_operator_has() -> None:
    talk = taken_over()
    talk.at(8, Say("One moment."))
    assert talk.at(9, ReplyFailed(3, "No voice.", mute=True)) == [Note("Not said any more: One moment.")]
    assert talk.at(20) == [] and talk.phase() is Phase.ASIDE


def test_keys_are_pressed_at_once_and_nothing_said_over_them_stops_them() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Press one for sales."), Speaking(2))
    assert talk.at(7, Press("12#", "Maya")) == [Stop(2), Note("Maya pressed 12#."), Reply(3, keys="12#")]
    assert talk.at(7.1, Speaking(3), SoundOn(), Partial("that is not a valid option")) == [
        CalleeSays("that is not a valid option", complete=False)
    ]
    assert talk.at(8, ReplyDone(3)) == []


@pytest.mark.parametrize("turn", [Digit("1"), TurnEnd("I can't on Monday, I told you")], ids=["a key", "words"])
def test_who_cuts_the_words_that_the_operator_has_typed_is_left_to_the_operator(turn: FloorEvent) -> None:
    talk = taken_over()
    talk.at(8, Say("One moment, I am looking it up."), Speaking(3))
    talk.at(9, turn)
    assert Stop(3) in talk.did and not [action for action in talk.did if isinstance(action, Reply)]
    assert talk.phase() is Phase.ASIDE


def test_keys_are_pressed_while_the_operator_has_the_call() -> None:
    talk = taken_over()
    assert talk.at(8, Press("1")) == [Note("The operator pressed 1."), Reply(3, keys="1")]
    assert talk.at(9, ReplyDone(3)) == []
    assert talk.floor.hands is Hands.OPERATOR


def test_a_call_is_handed_over_at_once_when_the_operator_wants_it() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2))
    note, stop, end = talk.at(7, Transfer("Maya"))
    assert (note, stop) == (Note("Maya handed the call over to the operator's phone."), Stop(2))
    assert isinstance(end, End) and end.transfer and end.ending.outcome is Outcome.TRANSFERRED


# --- promises that hold whatever happens ------------------------------------------------------------------------

_NUMBERS = st.integers(min_value=0, max_value=12)
_MACHINES = ["press one for sales press two for billing", "the number you have dialed is not in service"]
_TEXTS = st.sampled_from(
    ["", "yes", "uh-huh", "no", "hello", "I can't on Monday", "thank you bye", "  ", "which day", *_MACHINES]
)
_EVENTS: st.SearchStrategy[FloorEvent] = st.one_of(
    st.builds(Partial, _TEXTS),
    st.builds(EagerEnd, _TEXTS),
    st.builds(TurnEnd, _TEXTS),
    st.builds(Speaking, _NUMBERS),
    st.builds(Planned, _NUMBERS, st.sampled_from(["I can't do that on Monday, which day", "Hello there."])),
    st.builds(Held, _NUMBERS, st.sampled_from(["", "Which day?"]), st.sampled_from(["", "so"]), st.booleans()),
    st.builds(ReplyDone, _NUMBERS),
    st.builds(ReplyFailed, _NUMBERS, st.just("broken")),
    st.builds(Concluded, _NUMBERS, st.just(AGREED)),
    st.builds(Say, st.just("Operator speaking.")),
    st.builds(Hint, st.just("Be brief.")),
    st.builds(Wants, _NUMBERS, st.sampled_from(Tool), st.sampled_from(["", "Is there a lift?"])),
    st.builds(OperatorAnswers, st.sampled_from(["Is there a lift?", "other"]), st.just("Yes.")),
    st.builds(MachineAnswered, st.sampled_from(["human", "unknown", "machine_start", "machine_end_beep", "fax"])),
    st.sampled_from([Resumed(), SoundOn(), SoundOff(), Tick(), Connected(), Digit("1"), EarsLost("deaf")]),
    st.just(OperatorWatches()),
    st.sampled_from([Pause(), Resume(), TakeOver(), HandBack(), Press("1")]),
    st.builds(OperatorTalks, _TEXTS, st.booleans()),
)
_STEPS = st.lists(st.tuples(st.floats(min_value=0, max_value=15), _EVENTS), max_size=60)


class Witness:
    """Watches the actions of one call and objects to what must never happen."""

    def __init__(self) -> None:
        self.under_way: int | None = None
        self.shut = False
        self.newest = 0
        self.over = False
        self.orders: set[str] = set()
        """What the operator has wanted said."""
        self.agents = False
        """Whether the reply under way is the agent's own."""
        self.microphone = False
        self.unsaid = 0
        """How many sentences the operator wanted said that have neither begun nor been given up."""
        self.loud_from = float("inf")
        self.partial = False
        """Whether the callee's words so far are no whole turn yet."""

    def see(self, event: FloorEvent, actions: list[Action], hands: Hands, now: float) -> None:
        assert not (self.over and actions), "something was done after the end"
        self.orders |= {event.text} if isinstance(event, Say) else set()
        if isinstance(event, SoundOn | SoundOff):
            self.loud_from = now if isinstance(event, SoundOn) else float("inf")
        if isinstance(event, ReplyDone | ReplyFailed) and event.number == self.under_way:
            self.under_way = None
        if isinstance(event, Held) and event.number == self.under_way and event.over:
            self.shut = False
        for action in actions:
            assert not self.over, "something was done after the end"
            match action:
                case Reply(number, words, held=held, keys=keys):
                    assert self.under_way is None, "two replies at once"
                    self.agents = not keys and words not in self.orders
                    self.unsaid -= words in self.orders
                    assert self.agents or keys or not self.partial, "the operator's words were said over the callee's"
                    assert self.agents or keys or not 0 <= now - self.loud_from < MANNERS.hold_limit - 1e-6, (
                        "the operator's words were said over somebody who had just begun to speak"
                    )
                    assert number == self.newest + 1, "replies are numbered one by one"
                    self.under_way, self.shut = number, held
                    self.newest = number
                case Hold(number):
                    assert number == self.under_way and not self.shut, "what is held must be open"
                    self.shut = True
                case Release(number):
                    assert number == self.under_way and self.shut, "what is released must be shut"
                    self.shut = False
                case Stop(number):
                    assert number == self.under_way, "a reply was stopped that was not under way"
                    self.under_way = None
                case End():
                    assert self.under_way is None, "the end left a reply speaking"
                    self.over = True
                case Microphone(open):
                    assert open is not self.microphone, "the microphone was already so"
                    self.microphone = open
                case CalleeSays(text, complete):
                    assert text.strip(), "an empty turn was written down"
                    self.partial = not complete
                case OperatorSays(text):
                    assert text.strip(), "an empty turn was written down"
                case Note(text):
                    self.unsaid += text.startswith("The operator wants said")
                    self.unsaid -= text.startswith("Not said any more")
        if hands is not Hands.AGENT and not self.over:
            assert self.under_way is None or not self.agents, "the agent talks although somebody has stepped in"
        assert self.over or self.microphone is (hands is Hands.OPERATOR), "the microphone belongs to another"
        assert not self.over or self.unsaid <= 0, "nobody knows what became of what the operator wanted said"


@given(_STEPS)
@settings(max_examples=400, deadline=None)
def test_whatever_happens_the_floor_keeps_its_promises(steps: list[tuple[float, FloorEvent]]) -> None:
    floor, witness, now = Floor(BRIEF, MANNERS), Witness(), 0.0
    witness.see(Connected(), floor.handle(Connected(), now), floor.hands, now)
    written: list[str] = []
    planned: list[str] = []
    for pause, event in steps:
        now += pause
        alive = floor.phase is not Phase.OVER
        planned += [event.words] if isinstance(event, Planned) else []
        actions = floor.handle(event, now)
        witness.see(event, actions, floor.hands, now)
        assert floor.deadline is None or floor.deadline > now, "the deadline lies in the past"
        written += [action.text for action in actions if isinstance(action, CalleeSays)]
        if isinstance(event, TurnEnd) and event.text.strip() and alive:
            said = words(event.text)
            echo = any(" ".join(said) in " ".join(words(own)) for own in planned)
            told = any(words(text)[-len(said) :] == said for text in written)
            assert told or echo, "a final word of the callee was lost"


@given(_STEPS)
@settings(max_examples=200, deadline=None)
def test_whatever_happens_nobody_who_calls_is_taken_for_a_machine(steps: list[tuple[float, FloorEvent]]) -> None:
    floor, now = Floor(replace(BRIEF, direction=Direction.INBOUND), MANNERS), 0.0
    for pause, event in [(0.0, Connected()), *steps]:
        now += pause
        for action in floor.handle(event, now):
            assert not isinstance(action, PickedUp) or action.who is Answerer.PERSON
            assert not isinstance(action, Reply) or action.words != known.voicemail(BRIEF)
        assert floor.phase is not Phase.MACHINE


@given(_STEPS)
@settings(max_examples=200, deadline=None)
def test_left_alone_every_call_ends(steps: list[tuple[float, FloorEvent]]) -> None:
    floor, now = Floor(BRIEF, MANNERS), 0.0
    floor.handle(Connected(), now)
    for pause, event in steps:
        now += pause
        floor.handle(event, now)
    ticks = 0
    while floor.phase is not Phase.OVER:
        assert floor.deadline is not None, f"nothing will ever end this call in {floor.phase}"
        now = floor.deadline
        floor.handle(Tick(), now)
        ticks += 1
        assert ticks < 1000
    assert (
        now <= sum(pause for pause, _ in steps) + MANNERS.longest_call + MANNERS.longest_reply + MANNERS.closing_limit
    )


@given(_STEPS)
@settings(max_examples=100, deadline=None)
def test_the_same_events_give_the_same_actions(steps: list[tuple[float, FloorEvent]]) -> None:
    def run() -> list[list[Action]]:
        floor, now, did = Floor(BRIEF, MANNERS), 0.0, []
        for pause, event in [(0.0, Connected()), *steps]:
            now += pause
            did.append(floor.handle(event, now))
        return did

    assert run() == run()
