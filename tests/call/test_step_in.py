"""Whole calls on virtual time in which somebody at the desk steps in: what the callee hears, and what is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest

from backend.audio import FRAME
from backend.bench.stand_ins import Ears, Model, voiced
from backend.bench.virtual_time import in_virtual_time
from backend.call import manners as known
from backend.call.diary import decode
from backend.call.events import (
    Ending,
    HandBack,
    HangUp,
    Hint,
    Pause,
    Press,
    Resume,
    Say,
    TakeOver,
    Transfer,
)
from backend.call.manners import Manners
from backend.call.sound.keys import tones_of
from backend.call.turns.floor import Floor
from backend.llm.offline import OfflineBrain
from backend.models import (
    Answered,
    Conversation,
    Hands,
    Heard,
    Outcome,
    Partial,
    ProviderError,
    Speaker,
    TurnEnd,
    TurnState,
)
from tests.whole_call import BRIEF, OPENING, Stage, a_call

LONG = "You have an appointment on Thursday at two thirty with Doctor Smith in the old building."


async def answering(call: Stage) -> None:
    """Until the agent is in the middle of its first answer."""
    await call.until_said(OPENING)
    await asyncio.sleep(0.3)
    await call.callee("Yes.")
    await call.until_said("You have an")


async def talks(call: Stage, words: str) -> None:
    """The operator says this into the microphone, in real time."""
    sound = voiced(words)
    for place in range(0, len(sound), FRAME):
        assert call.session.speak(sound[place : place + FRAME])
        await asyncio.sleep(0.02)


def notes(call: Stage) -> list[str]:
    return [turn.text for turn in call.turns if turn.speaker is Speaker.NOTE]


@in_virtual_time
async def test_a_pause_silences_the_agent_within_a_frame_and_is_written_when_it_returns(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,), ("It costs eighty dollars.",)])) as call:
        await answering(call)
        assert await call.session.carry_out(Pause("Maya"))
        assert notes(call) == ["Maya paused the agent."]
        heard = len(call.phone.played)
        await asyncio.sleep(30)
        assert len(call.phone.played) - heard <= FRAME
        assert (call.turns[2].state, call.session.hands) == (TurnState.CUT, Hands.PAUSED)
        await call.callee("Hello? Which building?")
        await asyncio.sleep(5)
        assert await call.session.carry_out(Resume("Maya"))
        await asyncio.sleep(3)
        (conversation, _) = call.models[0].asked[-1]
        assert conversation.lines[-2].text == "Hello? Which building?"
        assert len(call.models[0].asked) == 2


@in_virtual_time
async def test_the_operator_is_heard_instead_of_the_agent_and_both_sides_are_written(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,), ("See you then.",)])) as call:
        await answering(call)
        assert not call.session.speak(voiced("x")[:FRAME]), "before the call is taken over nobody hears a microphone"
        assert await call.session.carry_out(TakeOver("Maya"))
        before = len(call.phone.played)
        await talks(call, "This is Maya.")
        await asyncio.sleep(0.3)
        assert call.phone.played[before:].endswith(voiced("This is Maya."))
        assert b"Thursday" not in bytes(call.phone.played[before:])
        call.operators.tell(Partial("This is"), TurnEnd("This is Maya."))
        await call.callee("Oh, hello. When do I come?")
        await asyncio.sleep(0.1)
        assert await call.session.carry_out(HandBack("Maya"))
        assert not call.session.speak(voiced("x")[:FRAME])
        await call.until_said("See you then.")
        assert [(turn.speaker, turn.text) for turn in call.turns[3:7]] == [
            (Speaker.NOTE, "Maya took the call over."),
            (Speaker.OPERATOR, "This is Maya."),
            (Speaker.CALLEE, "Oh, hello. When do I come?"),
            (Speaker.NOTE, "Maya handed the call back to the agent."),
        ]
        (conversation, _) = call.models[0].asked[-1]
        assert (Speaker.OPERATOR, "This is Maya.") in [(line.speaker, line.text) for line in conversation.lines]
        assert call.troubles == ()


@in_virtual_time
async def test_the_operators_voice_is_on_the_line_as_soon_as_it_comes_and_never_piles_up(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said(OPENING)
        await call.session.carry_out(TakeOver())
        for _ in range(200):
            call.session.speak(b"\x10\x90" * (FRAME // 2))
            await asyncio.sleep(0.015)
            assert call.phone.playback.waiting <= 0.36 * 8000


@in_virtual_time
async def test_the_operators_voice_is_not_taken_for_the_callees(tmp_path: Path) -> None:
    """A telephone whose loudspeaker gives back a tenth of what it plays."""
    async with a_call(tmp_path) as call:
        await asyncio.sleep(0.1)
        await call.session.carry_out(TakeOver())
        for _ in range(100):
            call.session.speak(b"\x10\x90" * (FRAME // 2))
            await asyncio.sleep(0.02)
            call.phone.callee_plays(b"\x44\xc4" * (FRAME // 2))
        assert not [event for event in call.store.events("call") if event.kind == "SoundOn"]


@in_virtual_time
async def test_a_handed_back_callee_who_was_not_waiting_hears_that_the_agent_is_back(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,)])) as call:
        await answering(call)
        await call.session.carry_out(TakeOver())
        await talks(call, "Bye.")
        call.operators.tell(TurnEnd("Bye."))
        await asyncio.sleep(0.2)
        await call.session.carry_out(HandBack())
        handed = asyncio.get_running_loop().time()
        await call.until_said(known.handed_back(BRIEF))
        first = next(at for at in call.phone.heard_at if at > handed + 0.1)
        assert first - handed < 0.5, "the phrase was prepared"


@in_virtual_time
async def test_an_operator_whose_words_cannot_be_recognised_is_heard_all_the_same(tmp_path: Path) -> None:
    class Broken(Ears):
        async def __aenter__(self) -> Self:
            raise ProviderError("Deepgram refused.")

    async with a_call(tmp_path, operators=Broken()) as call:
        await call.until_said(OPENING)
        await call.session.carry_out(TakeOver())
        await talks(call, "This is Maya.")
        await asyncio.sleep(0.3)
        assert call.said.endswith("This is Maya.")
        assert call.troubles == ("What the operator says is not written down: Deepgram refused.",)


@in_virtual_time
async def test_recognition_ends_with_the_taking_over_and_begins_anew_with_the_next(tmp_path: Path) -> None:
    class Counting(Ears):
        opened = 0
        listening = 0

        async def __aenter__(self) -> Self:
            self.opened += 1
            self.listening += 1
            return self

        async def __aexit__(self, *error: object) -> None:
            self.listening -= 1

        async def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
            heard = b"".join([frame async for frame in sound])
            yield TurnEnd(f"{len(heard)} bytes")

    ears = Counting()
    async with a_call(tmp_path, operators=ears) as call:
        await call.until_said(OPENING)
        for place in (1, 2):
            await call.session.carry_out(TakeOver())
            await talks(call, "Hi")
            await call.session.carry_out(HandBack())
            await asyncio.sleep(0.1)
            assert (ears.opened, ears.listening) == (place, 0)
            assert [turn.text for turn in call.turns if turn.speaker is Speaker.OPERATOR] == ["960 bytes"] * place


@in_virtual_time
async def test_keys_are_played_to_the_line_and_cut_the_agent_off(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,)])) as call:
        await answering(call)
        await call.session.carry_out(Press("12#", "Maya"))
        await asyncio.sleep(1)
        assert tones_of("12#") in bytes(call.phone.played)
        assert "building" not in call.said
        assert notes(call) == ["Maya pressed 12#."]
        assert [turn.speaker for turn in call.turns].count(Speaker.AGENT) == 2


@in_virtual_time
async def test_words_typed_during_a_taking_over_and_the_operators_voice_are_never_mixed(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.session.carry_out(TakeOver())
        before = len(call.phone.played)
        await call.session.carry_out(Say("One moment."))
        for _ in range(100):
            call.session.speak(voiced("x")[:FRAME])
            await asyncio.sleep(0.02)
        assert voiced("One moment.") in bytes(call.phone.played[before:])


@in_virtual_time
async def test_an_operator_who_never_hands_back_is_ended_by_the_longest_call(tmp_path: Path) -> None:
    async with a_call(tmp_path, manners=Manners(longest_call=60)) as call:
        await call.until_said(OPENING)
        await call.session.carry_out(TakeOver())
        ending = await call.over()
        assert "longest call" in ending.why and call.said.endswith(known.TIME_IS_UP)
        assert not call.session.speak(voiced("x")[:FRAME])


@in_virtual_time
async def test_a_call_is_put_through_when_the_operator_wants_it(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(LONG,)])) as call:
        await answering(call)
        assert await call.session.carry_out(Transfer("Maya"))
        assert ((await call.over()).outcome, call.phone.transferred) == (Outcome.TRANSFERRED, True)
        assert notes(call) == ["Maya handed the call over to the operator's phone."]


@in_virtual_time
async def test_orders_for_a_call_that_is_over_are_told_so_at_once(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said(OPENING)
        end = HangUp(Ending("Maya hung up.", Outcome.STOPPED), "Maya")
        hung_up, hinted = await asyncio.gather(call.session.carry_out(end), call.session.carry_out(Hint("Be brief.")))
        assert hung_up and not hinted
        assert notes(call) == ["Maya hung up."]
        await call.over()
        assert not await call.session.carry_out(Pause())


@pytest.mark.parametrize("again", [False, True])
@in_virtual_time
async def test_a_call_with_every_order_replays_to_the_same_actions(tmp_path: Path, again: bool) -> None:
    async with a_call(tmp_path, Model([(LONG,)])) as call:
        await answering(call)
        for order in (
            Pause("Ann"),
            Resume(),
            TakeOver("Ann"),
            Press("1"),
            HandBack("Ann"),
            Say("So.", "Ann"),
            Hint("x"),
        ):
            await call.session.carry_out(order)
            if again:
                await asyncio.sleep(1)
        await call.session.carry_out(HangUp(Ending("Ann hung up.", Outcome.STOPPED), "Ann"))
        await call.over()
        floor = Floor(BRIEF, Manners())
        for event in call.store.events("call"):
            data: dict[str, object] = event.data
            actions = floor.handle(decode(event.kind, data["event"]), data["at"])  # type: ignore[arg-type]
            assert actions == [decode(kind, saved) for kind, saved in data["actions"]]  # type: ignore[attr-defined]


class Brain(Model):
    """The offline one, with its rules alone."""

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        async for piece in OfflineBrain().answer(conversation, hint):
            yield piece


@in_virtual_time
async def test_the_offline_brain_carries_on_after_an_operator_has_talked_to_the_callee(tmp_path: Path) -> None:
    """Who agreed to nothing but a greeting has confirmed nothing; what is asked again then counts."""
    async with a_call(tmp_path, Brain()) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes, go ahead.")
        await call.until_said("I'm calling to confirm")
        await call.session.carry_out(TakeOver("Maya"))
        await talks(call, "Hi, this is Maya. Can you hear me?")
        call.operators.tell(TurnEnd("Hi, this is Maya. Can you hear me?"))
        await asyncio.sleep(0.3)
        await call.callee("Yes, I can.")
        await talks(call, "Good.")
        call.operators.tell(TurnEnd("Good."))
        await asyncio.sleep(0.3)
        await call.session.carry_out(HandBack("Maya"))
        await call.until_said(known.handed_back(BRIEF))
        await asyncio.sleep(0.5)
        asked = len(call.said)
        await call.callee("Sure.")
        async with asyncio.timeout(20):
            while "?" not in call.said[asked:]:
                await asyncio.sleep(0.02)
        assert "visit" in call.said[asked:], "the open question is put again"
        await asyncio.sleep(0.5)
        await call.callee("Yes, that's fine.")
        assert (await call.over()).outcome is Outcome.CONFIRMED
