"""Talking at the same time, and being ready early: whole calls on virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from backend.bench.stand_ins import Model, Speech
from backend.bench.virtual_time import in_virtual_time
from backend.call.manners import Manners
from backend.models import EagerEnd, Partial, Resumed, TurnEnd, TurnState
from tests.whole_call import OPENING, Stage, a_call

LONG = "You have an appointment on Thursday at two thirty with Doctor Smith in the old building. Is that fine?"


def now() -> float:
    return asyncio.get_running_loop().time()


def bare(text: str) -> str:
    """Without the blanks, which are not voiced between two clauses."""
    return text.replace(" ", "")


async def in_mid_sentence(call: Stage) -> None:
    """Until the agent has said "Thursday" in its first answer."""
    await call.until_said(OPENING)
    await asyncio.sleep(0.5)
    await call.callee("Yes.")
    await call.until_said("Thursday")


# --- sound over the agent ---------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_cough_silences_the_agent_for_a_moment_and_costs_no_word(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,)])) as call:
        await in_mid_sentence(call)
        coughed = now()
        call.phone.callee_sound(0.3)
        await call.until_said("Is that fine?")
        gap = call.silence_after(coughed)
        assert gap[0] - coughed <= 0.15, "the agent is quiet within 150 ms of the onset"
        assert gap[1] - (coughed + 0.3) <= 0.5, "and goes on within half a second of the end"
        await asyncio.sleep(0.5)
        (turn,) = [turn for turn in call.turns if turn.text == LONG]
        assert (turn.heard, turn.state) == (LONG, TurnState.DONE)
        repeated = len(bare(call.said)) - len(bare(OPENING + LONG))
        assert 0 <= repeated <= len("appointment")


@in_virtual_time
async def test_a_backchannel_does_not_end_the_reply(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,)])) as call:
        await in_mid_sentence(call)
        call.phone.callee_sound(0.4)
        await asyncio.sleep(0.5)
        call.ears.tell(Partial("Uh-huh."), TurnEnd("Uh-huh."))
        await call.until_said("Is that fine?")
        assert len(call.models[0].asked) == 1


@in_virtual_time
async def test_words_that_want_the_floor_end_the_reply_and_none_of_it_follows(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,), ("Of course.",)])) as call:
        await in_mid_sentence(call)
        began = now()
        call.phone.callee_sound(1.0)
        await asyncio.sleep(0.45)
        call.ears.tell(Partial("wait which"))
        await asyncio.sleep(0.8)
        call.ears.tell(TurnEnd("Wait, which day?"))
        await call.until_said("Of course.")
        gap = call.silence_after(began)
        assert gap[0] - began <= 0.15
        said = bare(call.said).removeprefix(bare(OPENING))
        assert said.endswith(bare("Of course.")) and bare(LONG).startswith(said.removesuffix(bare("Of course.")))
        cut = next(turn for turn in call.turns if turn.text == LONG)
        assert cut.state is TurnState.CUT
        assert said.startswith(bare(cut.heard))


@in_virtual_time
async def test_the_model_learns_only_what_was_heard_and_that_it_was_cut(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,), ("Of course.",)])) as call:
        await in_mid_sentence(call)
        call.phone.callee_sound(0.6)
        await asyncio.sleep(0.4)
        call.ears.tell(Partial("hold on"), TurnEnd("Hold on."))
        await call.until_said("Of course.")
        conversation, _ = call.models[0].asked[1]
        agent = [line for line in conversation.lines if line.text in LONG and line.text not in OPENING]
        assert [line.cut for line in agent] == [True]
        assert agent[0].text.startswith("You have an appointment on")
        assert len(agent[0].text) < 50


@in_virtual_time
async def test_a_yes_to_the_question_just_asked_is_taken_at_once(tmp_path: Path) -> None:
    text = "Is Thursday fine? If it is not, then we have two other days to offer, both in the week after next."
    async with a_call(tmp_path, Model([(text,), ("Thursday it is.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        await call.callee("Go ahead.")
        await call.until_said("Is Thursday fine?")
        call.phone.callee_sound(0.4)
        await asyncio.sleep(0.4)
        call.ears.tell(Partial("Yes."), TurnEnd("Yes."))
        await call.until_said("Thursday it is.")
        assert "both in the week" not in call.said


# --- prepared replies -------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_prepared_reply_is_heard_the_moment_the_turn_has_ended(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(0.4, "Fine, Thursday it is.")])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(EagerEnd("Thursday."))
        await asyncio.sleep(0.7)
        assert call.said == OPENING, "not a sound before the turn has ended"
        ended = now()
        call.ears.tell(TurnEnd("Thursday."))
        await call.until_said("F")
        assert next(at for at in call.phone.heard_at if at >= ended) - ended <= 0.03
        assert len(call.models[0].asked) == 1
    assert call.session.counts["prepared replies used"] == 1


@in_virtual_time
async def test_a_callee_who_goes_on_is_heard_out_and_what_was_prepared_is_counted_as_wasted(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([("Fine, Thursday it is then.",), ("Not Monday, then.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(EagerEnd("Thursday."))
        await asyncio.sleep(0.3)
        call.ears.tell(Resumed(), Partial("Thursday. But not Monday"), TurnEnd("Thursday. But not Monday."))
        await call.until_said("Not Monday, then.")
        assert "Thursday it is" not in call.said
        lines = [line.text for line in call.models[0].asked[1][0].lines]
        assert lines == [OPENING, "Thursday. But not Monday."]
    counts = call.session.counts
    assert counts["prepared replies wasted"] == 1
    assert counts["characters wasted"] == len("Fine, Thursday it is then.")
    assert counts["tokens wasted"] == 7
    assert "prepared replies used" not in counts


@in_virtual_time
async def test_the_timings_of_a_prepared_reply_count_from_the_decision(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(0.1, "Fine.")]), voices=[Speech(delay=0.5)]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(EagerEnd("Yes."))
        await asyncio.sleep(0.2)
        call.ears.tell(TurnEnd("Yes."))
        await call.until_said("Fine.")
        timings = call.turns[-1].timings
        assert (timings["first_token"], timings["first_clause"]) == (0.0, 0.0)
        assert timings["first_voice"] == pytest.approx(400, abs=30)


@in_virtual_time
async def test_without_speculation_nobody_thinks_before_the_turn_has_ended(tmp_path: Path) -> None:
    async with a_call(tmp_path, manners=replace(Manners(), speculate=False)) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(EagerEnd("Yes."))
        await asyncio.sleep(0.5)
        assert call.models[0].asked == []


@in_virtual_time
async def test_a_pause_in_mid_sentence_is_not_cut_into(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([("Got it.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(TurnEnd("My number is"))
        await asyncio.sleep(1.2)
        call.phone.callee_sound(1.0)
        call.ears.tell(Partial("two oh two"))
        assert call.said == OPENING
        await asyncio.sleep(1.0)
        call.ears.tell(TurnEnd("two oh two five five five oh one four three."))
        await call.until_said("Got it.")
        heard = [turn.text for turn in call.turns if turn.speaker == "callee"]
        assert heard == ["My number is two oh two five five five oh one four three."]
