"""What the operator wants told waits for quiet and is then said; and nobody's beginning sentence is spoken over."""

from __future__ import annotations

from backend.call import manners as known
from backend.call.events import (
    Concluded,
    Connected,
    EarsLost,
    End,
    Ending,
    Hold,
    MachineAnswered,
    Note,
    OperatorAnswers,
    OperatorWatches,
    Pause,
    Press,
    Reply,
    ReplyDone,
    Say,
    SoundOff,
    SoundOn,
    Speaking,
    Stop,
    Tick,
    Tool,
    Wants,
)
from backend.call.turns.deadlines import Phase
from backend.models import Ended, Outcome, Partial, TurnEnd
from tests.call.talk import BRIEF, MANNERS, Talk

AGREED = Ending("The agent finished the call.", Outcome.CONFIRMED)
PARKING, LIFT = "Is parking free?", "Is there a lift?"
KNOWS = known.OPERATOR_SAYS.format(question=PARKING, answer="Yes.")


def asked(*questions: str) -> Talk:
    """The operator was asked this at 7 s, and the callee told so; the agent listens at 8 s."""
    talk = Talk().opened()
    talk.at(6, TurnEnd("I have a question."), OperatorWatches())
    talk.at(7, Speaking(2), *(Wants(2, Tool.ASK_OPERATOR, question) for question in questions))
    talk.at(8, ReplyDone(2))
    return talk


# --- the operator's answer --------------------------------------------------------------------------------------


def test_an_answer_that_comes_during_a_cough_is_told_when_that_is_over() -> None:
    talk = asked(PARKING)
    talk.at(9, SoundOn())
    assert talk.at(9.2, OperatorAnswers(PARKING, "Yes.")) == [Note("The operator answered: Yes.")]
    assert talk.at(9.5, SoundOff()) == [Reply(3, hint=KNOWS)]


def test_an_answer_that_comes_during_a_longer_sound_gives_its_words_time_to_be_recognised() -> None:
    talk = asked(PARKING)
    talk.at(9, SoundOn())
    talk.at(9.2, OperatorAnswers(PARKING, "Yes."))
    assert talk.at(10, SoundOff()) == []
    assert talk.at(10 + MANNERS.words_late, Tick()) == [Reply(3, hint=KNOWS)]


def test_an_answer_is_told_into_a_noise_that_does_not_end() -> None:
    talk = asked(PARKING)
    talk.at(9, SoundOn())
    talk.at(9.2, OperatorAnswers(PARKING, "Yes."))
    assert talk.at(9 + MANNERS.hold_limit, Tick()) == [Reply(3, hint=KNOWS)]


def test_nobody_is_told_that_it_is_still_being_checked_while_they_begin_to_speak() -> None:
    talk = asked(PARKING)
    half = 7 + MANNERS.operator_wait / 2
    talk.at(half - 0.2, SoundOn())
    assert talk.at(half + 0.1) == []
    talk.at(half + 0.2, Partial("And also"))
    assert talk.at(half + 0.5, SoundOff(), TurnEnd("And also, what does it cost?"))[-1] == Reply(3)


def test_two_questions_to_the_operator_are_both_waited_for() -> None:
    talk = asked(PARKING, LIFT)
    talk.at(9, OperatorAnswers(LIFT, "Yes."))
    talk.at(10, Speaking(3), ReplyDone(3))
    assert talk.at(7 + MANNERS.operator_wait / 2, Tick()) == [Reply(4, known.STILL_CHECKING)]
    talk.at(13, Speaking(4), ReplyDone(4))
    silent = known.OPERATOR_SILENT.format(question=PARKING)
    assert talk.at(7 + MANNERS.operator_wait, Tick()) == [Reply(5, hint=silent)]


def test_several_questions_without_an_answer_are_told_of_in_one_sentence() -> None:
    talk = asked(PARKING, LIFT)
    assert talk.at(11, Tick()) == [Reply(3, known.STILL_CHECKING)]
    talk.at(13, Speaking(3), ReplyDone(3))
    both = " ".join(known.OPERATOR_SILENT.format(question=question) for question in (PARKING, LIFT))
    assert talk.at(15, Tick()) == [Reply(4, hint=both)]
    assert talk.at(20, Speaking(4), ReplyDone(4)) == []


# --- what the operator wants said -------------------------------------------------------------------------------

ORDERED, UNSAID = Note("Ann wants said: Bring your card."), Note("Not said any more: Bring your card.")
SAY = Say("Bring your card.", "Ann")


def test_the_operators_words_do_not_begin_over_a_callee_who_has_just_begun_to_speak() -> None:
    talk = Talk().opened()
    talk.at(6, SoundOn())
    assert talk.at(6.2, SAY) == [ORDERED]
    talk.at(6.5, Partial("I was"))
    assert talk.at(7.4, SoundOff(), TurnEnd("I was there."))[1:] == []
    assert talk.at(7.4 + MANNERS.words_late, Tick()) == [Reply(2, "Bring your card.")]


def test_the_operators_words_come_instead_of_an_answer_that_a_sound_holds() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Go ahead."), Speaking(2))
    assert talk.at(7, SoundOn()) == [Hold(2)]
    assert talk.at(7.1, SAY) == [ORDERED]
    assert talk.at(7.4, SoundOff()) == [Stop(2), Reply(3, "Bring your card.")]


def test_the_operators_words_wait_until_everybody_knows_who_is_calling() -> None:
    talk = Talk()
    talk.at(0, Connected(), SAY)
    assert talk.at(1.5, Speaking(1), SAY)[1:] == [ORDERED]
    assert talk.at(5, ReplyDone(1)) == [Reply(2, "Bring your card.")]
    assert talk.at(8, Speaking(2), ReplyDone(2)) == [Reply(3, "Bring your card.")]


def test_the_operators_words_do_not_cut_keys_short() -> None:
    talk = Talk().opened()
    talk.at(6, Press("123456"), Speaking(2))
    assert talk.at(6.1, SAY) == [ORDERED]
    assert talk.at(7, ReplyDone(2)) == [Reply(3, "Bring your card.")]


def test_words_that_come_too_late_for_the_goodbye_are_noted_as_not_said() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED))
    assert talk.at(7, SAY) == [ORDERED]
    assert talk.at(8, ReplyDone(2)) == [UNSAID, End(AGREED)]


def test_words_of_which_nothing_was_heard_when_the_call_ended_are_noted_as_not_said() -> None:
    talk = Talk().opened()
    talk.at(6, SAY)
    assert talk.at(6.2, Ended("The far side hung up."))[:2] == [Stop(2), UNSAID]


def test_words_for_a_queue_that_nobody_ever_left_are_noted_as_not_said() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1, TurnEnd("All our agents are busy. Please hold, your call is important to us."))
    assert talk.at(3, SAY) == [ORDERED]
    assert UNSAID in talk.at(4 + MANNERS.on_hold)


def test_the_oldest_of_too_many_words_is_noted_as_not_said() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Speaking(2), Concluded(2, AGREED), SAY)
    more = [Say(f"Number {count}.", "Ann") for count in range(8)]
    assert talk.at(7, *more).count(UNSAID) == 1


# --- keys -------------------------------------------------------------------------------------------------------


def test_an_answer_that_keys_came_before_is_given_after_them() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("What time is it at?"))
    assert talk.at(6.2, Press("1"))[-1] == Reply(3, keys="1")
    assert talk.at(6.6, Speaking(3), ReplyDone(3)) == [Reply(4)]


def test_an_answer_that_was_being_heard_when_keys_were_pressed_is_not_given_again() -> None:
    talk = Talk().opened()
    talk.at(6, TurnEnd("What time is it at?"), Speaking(2))
    talk.at(7, Press("1"))
    assert talk.at(7.5, Speaking(3), ReplyDone(3)) == []


def test_keys_pressed_in_the_middle_of_the_opening_let_it_begin_anew() -> None:
    talk = Talk()
    talk.at(0, Connected())
    talk.at(1.5, Speaking(1))
    talk.at(2, Press("1"), Speaking(2))
    assert talk.at(2.5, ReplyDone(2)) == [Reply(3, known.opening(BRIEF))]


def test_keys_pressed_by_an_agent_that_went_deaf_do_not_keep_it_from_apologising() -> None:
    talk = Talk().opened()
    assert talk.at(6, EarsLost("Deepgram is gone.")) == [Reply(2, known.TROUBLE)]
    talk.at(6.2, Press("1"))
    assert talk.at(6.6, Speaking(3), ReplyDone(3)) == [Reply(4, known.TROUBLE)]
    assert talk.at(9, ReplyDone(4)) == [End(Ending("Deepgram is gone.", Outcome.FAILED))]


# --- the end of a goodbye ---------------------------------------------------------------------------------------


def goodbye() -> Talk:
    """In the middle of the agent's last words, at 7 s."""
    talk = Talk().opened()
    talk.at(6, TurnEnd("Yes."), Concluded(2, AGREED))
    talk.at(7, Speaking(2))
    return talk


def test_who_begins_to_speak_at_the_end_of_the_goodbye_is_heard() -> None:
    talk = goodbye()
    talk.at(8, SoundOn())
    assert talk.at(8.3, ReplyDone(2)) == []
    assert talk.at(8.5, Partial("Oh")) != []
    talk.at(8.8, Partial("Oh wait where"))
    assert talk.at(9.6, SoundOff(), TurnEnd("Oh wait, where do I park?"))[-1] == Reply(3)
    assert talk.phase() is Phase.REPLYING


def test_a_word_pending_at_the_end_of_the_goodbye_is_waited_for() -> None:
    talk = goodbye()
    talk.at(8, Partial("Oh"))
    assert talk.at(8.3, ReplyDone(2)) == []
    assert talk.at(8.7, TurnEnd("Oh, one more thing."))[-1] == Reply(3)


def test_a_noise_at_the_end_of_the_goodbye_only_puts_the_end_off() -> None:
    talk = goodbye()
    talk.at(8, SoundOn())
    talk.at(8.3, ReplyDone(2))
    assert talk.at(8.3 + MANNERS.last_word, Tick()) == [End(AGREED)]


def test_a_goodbye_said_to_the_end_of_the_agents_ends_the_call_at_once() -> None:
    talk = goodbye()
    talk.at(8, SoundOn(), Partial("Bye"))
    talk.at(8.3, ReplyDone(2))
    assert talk.at(8.6, SoundOff(), TurnEnd("Bye bye."))[-1] == End(AGREED)


def test_thanks_that_are_not_over_yet_do_not_keep_the_call_open() -> None:
    talk = goodbye()
    talk.at(8, Partial("Thank you"))
    assert talk.at(8.3, ReplyDone(2))[-1] == End(AGREED)


def test_a_message_for_a_voicemail_ends_with_its_last_word_whatever_the_line_does() -> None:
    talk = Talk()
    talk.at(0, Connected(), MachineAnswered("machine_end_beep"))
    talk.at(10, Speaking(1), SoundOn())
    (end,) = talk.at(14, ReplyDone(1))
    assert isinstance(end, End) and end.ending.outcome is Outcome.VOICEMAIL


def test_a_callee_who_hangs_up_after_the_goodbye_leaves_the_agreed_outcome() -> None:
    talk = goodbye()
    talk.at(8, SoundOn())
    talk.at(8.3, ReplyDone(2))
    assert talk.at(8.5, Ended("The far side hung up.")) == [End(AGREED)]


def test_an_agent_paused_right_after_its_goodbye_leaves_the_call_open() -> None:
    talk = goodbye()
    talk.at(8, SoundOn())
    talk.at(8.3, ReplyDone(2))
    assert talk.at(8.5, Pause("Ann")) == [Note("Ann paused the agent.")]
    assert talk.at(60) == [] and talk.phase() is Phase.ASIDE


def test_a_call_that_is_to_be_handed_over_is_handed_over_although_it_is_loud() -> None:
    talk = goodbye()
    talk.at(8, Wants(2, Tool.TRANSFER, "wants a person"), SoundOn())
    end = talk.at(8.3, ReplyDone(2))[-1]
    assert isinstance(end, End) and end.transfer
