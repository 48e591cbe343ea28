"""What the agent has done beside talking: asked for by the model, decided by the floor, carried out by the session."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.bench.stand_ins import Model, end_call
from backend.bench.virtual_time import in_virtual_time
from backend.call import manners as known
from backend.call.events import (
    Action,
    CalleeSays,
    Concluded,
    Connected,
    Do,
    End,
    Ending,
    FloorEvent,
    Note,
    OperatorAnswers,
    OperatorWatches,
    PickedUp,
    Release,
    Reply,
    ReplyDone,
    Speaking,
    Stop,
    Tick,
    Tool,
    Wants,
)
from backend.call.manners import Manners
from backend.call.sound.keys import tones_of
from backend.call.tools import wish, wordless
from backend.call.turns.floor import Floor
from backend.models import EagerEnd, LineKind, Outcome, Partial, Speaker, ToolUse, TurnEnd
from tests.whole_call import BRIEF, OPENING, a_call

LIFT = "Is there a lift?"
PHONE = replace(BRIEF, line=LineKind.PHONE)


# --- what the model writes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "wanted"),
    [
        (ToolUse("ask_operator", {"question": " Is there\na lift? "}), Wants(3, Tool.ASK_OPERATOR, LIFT)),
        (ToolUse("note_follow_up", {"question": LIFT}), Wants(3, Tool.NOTE_FOLLOW_UP, LIFT)),
        (ToolUse("transfer", {"reason": "wants a person"}), Wants(3, Tool.TRANSFER, "wants a person")),
        (ToolUse("press_keys", {"digits": "1, 2w#x"}), Wants(3, Tool.PRESS_KEYS, "12w#")),
        (ToolUse("do_not_call", {}), Wants(3, Tool.DO_NOT_CALL)),
        (ToolUse("order_pizza", {}), None),
    ],
)
def test_a_tool_call_is_read(use: ToolUse, wanted: Wants | None) -> None:
    assert wish(3, use) == wanted


@given(
    st.sampled_from([*Tool, "end_call", "other"]),
    st.dictionaries(
        st.sampled_from(["question", "reason", "digits", "outcome", "note"]),
        st.none() | st.text(max_size=30) | st.integers() | st.just([]),
    ),
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_no_arguments_can_break_a_call(name: str, arguments: dict[str, object]) -> None:
    match wish(1, ToolUse(name, arguments)):
        case Wants(tool=Tool.PRESS_KEYS, about=keys):
            tones_of(keys)
        case Wants(tool=tool, about=about):
            assert about or tool in (Tool.DO_NOT_CALL, Tool.STOP_RECORDING)
        case Concluded(ending=ending):
            assert ending.outcome in set(Outcome)
        case None:
            assert name == "other"


def test_tools_without_words_are_put_into_words_and_the_weightiest_counts() -> None:
    assert wordless({"end_call", "do_not_call"}) == known.NO_MORE_CALLS
    assert wordless({"note_follow_up", "end_call"}) == known.GOODBYE
    assert wordless({"ask_operator"}) == known.CHECKING
    assert wordless({"other"}) == ""


# --- what the floor decides ---------------------------------------------------------------------------------------


class Talk:
    """A floor past its opening; the reply under way is number 2."""

    def __init__(self, line: LineKind = LineKind.PHONE) -> None:
        self.floor = Floor(replace(PHONE, line=line), Manners())
        self.did: list[Action] = []
        self.at(0, Connected())
        self.at(5, Speaking(1), ReplyDone(1))
        self.at(6, TurnEnd("Is there a lift in the building?"))

    def at(self, now: float, *events: FloorEvent) -> list[Action]:
        self.did = []
        while self.floor.deadline is not None and self.floor.deadline < now:
            self.did += self.floor.handle(Tick(), self.floor.deadline)
        for event in events:
            self.did += self.floor.handle(event, now)
        return [action for action in self.did if not isinstance(action, PickedUp)]


def test_a_question_goes_to_the_operator_who_watches_and_the_answer_is_told_at_once() -> None:
    talk = Talk()
    talk.at(6.1, OperatorWatches())
    did = talk.at(6.5, Wants(2, Tool.ASK_OPERATOR, LIFT))
    assert did == [Do(Tool.ASK_OPERATOR, LIFT), Note(f"Asked the operator: {LIFT}")]
    talk.at(8, Speaking(2), ReplyDone(2))
    did = talk.at(9, OperatorAnswers(LIFT, "Yes, beside the stairs."))
    hint = known.OPERATOR_SAYS.format(question=LIFT, answer="Yes, beside the stairs.")
    assert did == [Note("The operator answered: Yes, beside the stairs."), Reply(3, hint=hint)]


def test_a_silent_operator_is_waited_for_and_the_callee_is_told_so_and_then_promised_a_follow_up() -> None:
    talk = Talk()
    talk.at(6.4, OperatorWatches())
    talk.at(6.5, Wants(2, Tool.ASK_OPERATOR, LIFT))
    talk.at(8, Speaking(2), ReplyDone(2))
    half = 6.5 + Manners().operator_wait / 2
    assert talk.floor.deadline == pytest.approx(half)
    assert talk.at(half, Tick()) == [Reply(3, known.STILL_CHECKING)]
    talk.at(half + 2, Speaking(3), ReplyDone(3))
    end = half + Manners().operator_wait / 2
    assert talk.at(end, Tick()) == [Reply(4, hint=known.OPERATOR_SILENT.format(question=LIFT))]


def test_where_nobody_watches_the_question_is_left_for_later_and_the_callee_told_at_once() -> None:
    talk = Talk()
    did = talk.at(6.5, Wants(2, Tool.ASK_OPERATOR, LIFT))
    assert did == [Do(Tool.NOTE_FOLLOW_UP, LIFT), Note(f"To be followed up: {LIFT}")]
    assert talk.at(8, Speaking(2), ReplyDone(2)) == [Reply(3, hint=known.OPERATOR_SILENT.format(question=LIFT))]


def test_a_callee_who_talks_meanwhile_is_answered_with_what_the_operator_said() -> None:
    talk = Talk()
    talk.at(6.4, OperatorWatches())
    talk.at(6.5, Wants(2, Tool.ASK_OPERATOR, LIFT))
    talk.at(8, Speaking(2), ReplyDone(2))
    talk.at(8.5, Partial("and is there"))
    assert not any(isinstance(action, Reply) for action in talk.at(8.6, OperatorAnswers(LIFT, "Yes.")))
    (said, reply) = talk.at(9.5, TurnEnd("And is there parking too?"))
    assert isinstance(said, CalleeSays)
    assert reply == Reply(3, hint=known.OPERATOR_SAYS.format(question=LIFT, answer="Yes."))


def test_an_answer_that_comes_while_the_agent_speaks_follows_right_after() -> None:
    talk = Talk()
    talk.at(6.4, OperatorWatches())
    talk.at(6.5, Wants(2, Tool.ASK_OPERATOR, LIFT))
    talk.at(7, Speaking(2))
    talk.at(7.5, OperatorAnswers(LIFT, "Yes."))
    assert talk.at(8, ReplyDone(2)) == [Reply(3, hint=known.OPERATOR_SAYS.format(question=LIFT, answer="Yes."))]


def test_nothing_is_done_for_a_reply_that_is_thrown_away() -> None:
    talk = Talk()
    talk.at(8, Speaking(2), ReplyDone(2))
    assert Reply(3, held=True) in talk.at(9, EagerEnd("I want no calls from anybody."))
    assert talk.at(9.1, Wants(3, Tool.DO_NOT_CALL)) == []
    did = talk.at(9.2, Partial("I want no calls from anybody before ten."))
    assert Stop(3) in did and not any(isinstance(action, Do) for action in did)


def test_what_a_prepared_reply_wants_is_done_when_it_is_released() -> None:
    talk = Talk()
    talk.at(8, Speaking(2), ReplyDone(2))
    talk.at(9, EagerEnd("Is there a lift?"))
    talk.at(9.1, Wants(3, Tool.NOTE_FOLLOW_UP, LIFT))
    did = talk.at(9.3, TurnEnd("Is there a lift?"))
    assert did.index(Release(3)) < did.index(Do(Tool.NOTE_FOLLOW_UP, LIFT))


def test_a_call_is_handed_over_once_its_sentence_was_heard() -> None:
    talk = Talk()
    assert talk.at(6.5, Wants(2, Tool.TRANSFER, "wants a person")) == []
    note, end = talk.at(8, Speaking(2), ReplyDone(2))
    assert note == Note("Handed over to the operator's phone: wants a person")
    assert isinstance(end, End) and end.transfer
    assert (end.ending.outcome, end.ending.note) == (Outcome.TRANSFERRED, "wants a person")


def test_a_callee_who_interrupts_the_handing_over_is_not_handed_over() -> None:
    talk = Talk()
    talk.at(6.5, Wants(2, Tool.TRANSFER, "wants a person"))
    talk.at(7, Speaking(2))
    assert Stop(2) in talk.at(7.5, Partial("no wait please"))
    assert not any(isinstance(action, End) for action in talk.at(9, TurnEnd("No wait, please don't."), ReplyDone(2)))


def test_whoever_wants_no_more_calls_is_put_on_the_list_at_once_whatever_the_model_does() -> None:
    talk = Talk()
    talk.at(8, Speaking(2), ReplyDone(2))
    did = talk.at(10, TurnEnd("Please stop calling me."))
    assert did[1] == Do(Tool.DO_NOT_CALL)
    assert did[-1] == Reply(3, hint=known.OPTED_OUT)
    again = talk.at(11, Wants(3, Tool.DO_NOT_CALL), Concluded(3, _ending("opted out")))
    assert not any(isinstance(action, Do) for action in again), "they are on the list only once"


def test_a_call_that_the_model_ends_as_opted_out_puts_the_number_on_the_list() -> None:
    assert Do(Tool.DO_NOT_CALL) in Talk().at(6.5, Concluded(2, _ending("opted out")))


def test_the_numbers_of_the_practice_line_are_nobodys_and_go_on_no_list() -> None:
    did = Talk(LineKind.PRACTICE).at(6.5, Wants(2, Tool.DO_NOT_CALL))
    assert [type(action) for action in did] == [Note]


def _ending(outcome: str) -> Ending:
    concluded = wish(2, end_call(outcome))
    assert isinstance(concluded, Concluded)
    return concluded.ending


# --- whole calls --------------------------------------------------------------------------------------------------


@in_virtual_time
async def test_the_operator_is_asked_in_mid_call_and_the_callee_told_what_they_answer(tmp_path: Path) -> None:
    asks = ("Let me check. ", ToolUse("ask_operator", {"question": LIFT}))
    async with a_call(tmp_path, Model([asks, ("Yes, there is one.",), ("Good. Goodbye.", end_call())])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        call.session.post(OperatorWatches())
        await call.callee("Is there a lift?")
        await call.until_said("Let me check.")
        (question,) = call.store.questions("call")
        assert question.text == LIFT
        assert question.until == pytest.approx(question.asked + Manners().operator_wait)
        call.session.post(OperatorAnswers(LIFT, "Yes, beside the stairs."))
        await call.until_said("Yes, there is one.")
        conversation, hint = call.models[0].asked[-1]
        assert hint == known.OPERATOR_SAYS.format(question=LIFT, answer="Yes, beside the stairs.")
        notes = [line.text for line in conversation.lines if line.speaker is Speaker.NOTE]
        assert notes == [f"Asked the operator: {LIFT}", "The operator answered: Yes, beside the stairs."]
        await asyncio.sleep(0.3)
        await call.callee("Thank you.")
        assert (await call.over()).outcome is Outcome.CONFIRMED


@in_virtual_time
async def test_keys_are_pressed_as_sound_in_their_place_and_noted(tmp_path: Path) -> None:
    menu = (ToolUse("press_keys", {"digits": "2"}),)
    async with a_call(tmp_path, Model([menu, ("Hello. Goodbye.", end_call())])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("For appointments, press two.")
        await asyncio.sleep(2)
        assert tones_of("2") in bytes(call.phone.played)
        assert any(turn.speaker is Speaker.NOTE and turn.text == "Pressed 2" for turn in call.turns)
        await call.callee("Hello, this is Ann.")
        await call.over()


@in_virtual_time
async def test_a_call_that_is_handed_over_is_not_hung_up(tmp_path: Path) -> None:
    over = ("I'll put you through. ", ToolUse("transfer", {"reason": "wants a person"}))
    async with a_call(tmp_path, Model([over])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("I want to talk to a person.")
        ending = await call.over()
        assert call.said.endswith("I'll put you through.")
        assert (ending.outcome, call.phone.transferred, call.phone.hung_up) == (Outcome.TRANSFERRED, True, [])
