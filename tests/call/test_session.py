"""Whole calls on virtual time: the session with stand-in providers on a line that plays in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.bench.stand_ins import Model, Speech, end_call
from backend.bench.virtual_time import in_virtual_time, run
from backend.call import manners as known
from backend.call.diary import decode
from backend.call.events import Ending, HangUp, Hint, MachineAnswered, OperatorWatches, Pause, Say
from backend.call.manners import Manners
from backend.call.mind import GO_ON
from backend.call.turns.floor import Floor
from backend.call.voice import Voice
from backend.models import (
    Denied,
    EagerEnd,
    Outcome,
    Partial,
    ProviderError,
    Resumed,
    Speaker,
    Spoken,
    Trouble,
    TurnEnd,
    TurnState,
    Voiced,
)
from tests.whole_call import BRIEF, DONE, OPENING, a_call


@in_virtual_time
async def test_a_call_opens_answers_and_ends_with_its_last_word_played(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([("We have you down for Thursday. ", "Is that fine?"), DONE])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        await call.callee("Yes, go on.")
        await call.until_said("Is that fine?")
        await asyncio.sleep(0.5)
        await call.callee("That's fine.")
        ending = await call.over()
        assert (ending.outcome, call.phone.hung_up) == (Outcome.CONFIRMED, [""])
        assert call.said == f"{OPENING}We have you down for Thursday.Is that fine?That is settled.Goodbye."
        lines = [(turn.speaker, turn.heard, turn.state) for turn in call.turns]
        assert lines == [
            (Speaker.AGENT, OPENING, TurnState.DONE),
            (Speaker.CALLEE, "Yes, go on.", TurnState.DONE),
            (Speaker.AGENT, "We have you down for Thursday. Is that fine?", TurnState.DONE),
            (Speaker.CALLEE, "That's fine.", TurnState.DONE),
            (Speaker.AGENT, "That is settled. Goodbye.", TurnState.DONE),
        ]
        assert call.troubles == ()


@in_virtual_time
async def test_the_opening_waits_for_nothing_but_good_manners(tmp_path: Path) -> None:
    async with a_call(tmp_path, voices=[Speech(delay=1.5)]) as call:
        began = asyncio.get_running_loop().time()
        await call.until_said("Hi")
        assert call.phone.heard_at[0] - began == pytest.approx(Manners().greeting_wait, abs=0.03)


@in_virtual_time
async def test_the_opening_follows_the_callees_hello(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.5)
        call.phone.callee_sound(1.0)
        await call.until_said("Hi")
        quiet = 0.25 + Manners().greeting_pause
        assert call.phone.heard_at[0] - began == pytest.approx(1.5 + quiet, abs=0.06)


@in_virtual_time
async def test_words_over_the_agent_silence_it_and_only_heard_words_enter_the_history(tmp_path: Path) -> None:
    long = "You have an appointment on Thursday at two thirty with Doctor Smith in the old building."
    async with a_call(tmp_path, Model([(long,), ("Of course.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("Thursday")
        call.ears.tell(Partial("sorry which day"))
        await asyncio.sleep(0.05)
        heard_until = len(call.phone.played)
        await asyncio.sleep(1.0)
        assert len(call.phone.played) - heard_until <= 160, "sound of the old reply went on after the stop"
        call.ears.tell(TurnEnd("Sorry, which day?"))
        await call.until_said("Of course.")
        cut = call.turns[2]
        assert (cut.state, cut.text) == (TurnState.CUT, long)
        assert cut.heard.startswith("You have an appointment on") and long.startswith(cut.heard)
        assert len(cut.heard) < 60
        (_, _), (conversation, _) = call.models[0].asked
        assert [line.text for line in conversation.lines][-2:] == [cut.heard, "Sorry, which day?"]
        assert conversation.lines[-2].cut
        assert call.phone.cleared == 1


@in_virtual_time
async def test_a_reply_cut_before_its_first_sound_leaves_no_turn(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(1.0, "Too late."), ("Here you are.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await asyncio.sleep(0.5)
        await call.callee("But where is it?")
        await call.until_said("Here you are.")
        assert "Too late." not in call.said
        heard = [turn.heard for turn in call.turns if turn.speaker is Speaker.AGENT]
        assert (heard[0], len(heard)) == (OPENING, 2)
        assert call.models[0].open == 0


@in_virtual_time
async def test_eager_ends_and_resumptions_alone_answer_nothing(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said(OPENING)
        call.ears.tell(EagerEnd("My number is"), Resumed(), Partial("My number is five"))
        await asyncio.sleep(1)
        assert call.models[0].asked == []


# --- never dead air -------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_stalled_model_is_bridged_and_replaced(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(60.0,)]), Model([("The other one speaks.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        asked = asyncio.get_running_loop().time()
        await call.callee("Yes.")
        await call.until_said(known.MOMENT)
        first_sound = next(at for at in call.phone.heard_at if at > asked)
        assert first_sound - asked <= 2.1
        await call.until_said("The other one speaks.", within=4)
        assert call.troubles == ("The language model gave no words for 2.4 seconds.",)


@in_virtual_time
async def test_the_bridging_phrase_counts_for_nothing_but_itself(tmp_path: Path) -> None:
    """A slow model that then ends the call without words still says goodbye; a slow voice keeps its own words."""
    async with a_call(tmp_path, Model([(2.3, end_call())])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.over()
        assert call.turns[-1].heard == f"{known.MOMENT} {known.GOODBYE}"


@in_virtual_time
async def test_an_answer_without_a_full_stop_is_spoken_after_the_bridging_phrase(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(60.0,)]), Model([("Sure, Thursday works",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("Sure, Thursday works")
        await asyncio.sleep(0.5)
        assert call.turns[-1].heard == call.turns[-1].text == f"{known.MOMENT} Sure, Thursday works"


@in_virtual_time
async def test_a_refusing_model_is_replaced_at_once(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(ProviderError("Claude is overloaded."),)]), Model([("Here.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("Here.", within=1)
        assert call.troubles == ("Claude is overloaded.",)


@in_virtual_time
async def test_a_model_that_breaks_in_mid_answer_is_continued_by_the_next(tmp_path: Path) -> None:
    broken = ("It is on Thursday. ", "And then ", ProviderError("Claude broke off."))
    async with a_call(tmp_path, Model([broken]), Model([("at two thirty.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("When is it?")
        await call.until_said("at two thirty.")
        ((conversation, hint),) = call.models[1].asked
        assert (conversation.lines[-1].text, hint) == ("It is on Thursday. And then ", GO_ON)
        assert call.turns[-1].text == "It is on Thursday. And then at two thirty."


@in_virtual_time
async def test_without_any_model_the_agent_apologises_and_hangs_up(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(ProviderError("Claude is gone."),)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        ending = await call.over()
        assert call.said.endswith(known.TROUBLE)
        assert (ending.outcome, ending.why) == (Outcome.FAILED, "No language model answered.")
        assert "Claude is gone." in call.troubles


@in_virtual_time
async def test_an_answer_without_words_becomes_an_apology(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([()])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        assert (await call.over()).why == "No language model answered."
        assert call.troubles[0] == "The language model answered without words."
        assert all(turn.text for turn in call.turns)


@in_virtual_time
async def test_an_answer_without_words_is_given_by_the_other_model(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([()]), Model([("Fine.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("Fine.", within=2)


@in_virtual_time
async def test_ending_the_call_without_words_says_goodbye_all_the_same(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(end_call("declined", "does not want it"),)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("No thanks.")
        ending = await call.over()
        assert call.said.endswith(known.GOODBYE)
        assert (ending.outcome, ending.note) == (Outcome.DECLINED, "does not want it")


@in_virtual_time
async def test_a_voice_that_breaks_is_replaced_in_mid_sentence_without_losing_a_word(tmp_path: Path) -> None:
    sentence = "Your appointment is on Thursday at noon."
    broken = Speech(fail=lambda text: 25 if text == sentence else None)
    async with a_call(tmp_path, Model([(sentence,)]), voices=[broken, Speech()]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("When?")
        await call.until_said("at noon.")
        await asyncio.sleep(0.5)
        assert call.said.removeprefix(OPENING) == "Your appointment is on ThursdaThursday at noon."
        assert call.turns[-1].heard == "Your appointment is on Thursda Thursday at noon."
        assert call.troubles == ("The voice broke.",)


@in_virtual_time
async def test_a_voice_that_fails_after_its_last_character_does_not_repeat_the_sentence(tmp_path: Path) -> None:
    class Late(Speech):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            async for piece in super().say(text):
                yield piece
            if text == "Fine.":
                raise ProviderError("The quota is used up.")

    async with a_call(tmp_path, voices=[Late(), Speech()]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("Fine.")
        await asyncio.sleep(2)
        assert call.said == f"{OPENING}Fine."
        assert call.troubles == ("The quota is used up.",)


@in_virtual_time
async def test_a_silent_voice_is_replaced_in_time(tmp_path: Path) -> None:
    silent = Speech(fail=lambda text: 0 if text == "Fine." else None, hang=True)
    async with a_call(tmp_path, voices=[silent, Speech()]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        asked = asyncio.get_running_loop().time()
        await call.callee("Yes.")
        await call.until_said("Fine.", within=5)
        assert next(at for at in call.phone.heard_at if at > asked) - asked < 2.0


@in_virtual_time
async def test_a_slow_only_voice_is_bridged_and_waited_for(tmp_path: Path) -> None:
    class Slow(Speech):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            await asyncio.sleep(4.0 if text == "Fine." else 0.1)
            async for voiced in super().say(text):
                yield voiced

    async with a_call(tmp_path, voices=[Slow()]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        asked = asyncio.get_running_loop().time()
        await call.callee("Yes.")
        await call.until_said(f"{known.MOMENT}Fine.", within=8)
        assert next(at for at in call.phone.heard_at if at > asked) - asked < 2.5
        await asyncio.sleep(0.5)
        assert call.turns[-1].text == call.turns[-1].heard == f"{known.MOMENT} Fine."


@pytest.mark.parametrize("greets", [False, True])
def test_a_voice_that_never_speaks_is_replaced_before_the_opening_is_given_up(tmp_path: Path, greets: bool) -> None:
    async def scene() -> None:
        silent = Speech(fail=lambda _: 0, hang=True)
        async with a_call(tmp_path, voices=[silent, Speech(delay=0.4)], prepare=False) as call:
            owed = asyncio.get_running_loop().time() + Manners().greeting_wait
            if greets:
                await asyncio.sleep(0.3)
                call.phone.callee_sound(0.6)
                owed = asyncio.get_running_loop().time() + 0.6
            await call.until_said(OPENING)
            assert call.phone.heard_at[0] - owed < 2.3

    run(scene())


@in_virtual_time
async def test_the_wait_for_the_rest_of_a_sentence_counts_as_a_wait_for_the_answer(tmp_path: Path) -> None:
    """The answer is prepared meanwhile: if it is late all the same, it has had its time."""
    slow = Speech(fail=lambda text: 0 if text == "Fine." else None, hang=True)
    async with a_call(tmp_path, voices=[slow]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(1.0)
        call.phone.callee_sound(0.9)
        quiet = asyncio.get_running_loop().time() + 0.9
        await asyncio.sleep(1.4)
        await call.callee("My number is")
        await call.until_said(known.MOMENT, within=5)
        assert next(at for at in call.phone.heard_at if at > quiet) - quiet < 2.1


@in_virtual_time
async def test_a_reply_that_takes_the_place_of_one_that_never_came_has_not_all_the_time_again(tmp_path: Path) -> None:
    hangs = Speech(fail=lambda text: 0 if text == "I am checking." else None, hang=True)
    async with a_call(tmp_path, Model([(60.0,)]), voices=[hangs]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(1.0)
        asked = asyncio.get_running_loop().time()
        await call.callee("Yes.")
        await asyncio.sleep(1.4)
        call.session.post(Say("I am checking."))
        await call.until_said(known.MOMENT, within=3)
        assert next(at for at in call.phone.heard_at if at > asked) - asked < 2.1


@in_virtual_time
async def test_without_any_voice_the_carrier_says_the_goodbye(tmp_path: Path) -> None:
    mute = Speech(fail=lambda _: 0)
    async with a_call(tmp_path, voices=[mute]) as call:
        ending = await call.over()
        assert (ending.outcome, call.phone.hung_up) == (Outcome.FAILED, [known.TROUBLE])
        assert "No voice could speak." in call.troubles


@in_virtual_time
async def test_lost_ears_are_apologised_for(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said(OPENING)
        call.ears.tell(Trouble("Deepgram was reconnected."), ProviderError("Deepgram is gone."))
        ending = await call.over()
        assert call.said.endswith(known.TROUBLE)
        assert (ending.why, call.troubles) == (
            "Deepgram is gone.",
            ("Deepgram was reconnected.", "Deepgram is gone."),
        )


@in_virtual_time
async def test_a_carrier_that_never_confirms_does_not_hold_the_call_open(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([DONE])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.phone.deaf_to_marks = True
        await call.callee("Yes.")
        assert (await call.over()).outcome is Outcome.CONFIRMED
        assert call.said.endswith("Goodbye.")
        assert call.troubles == ("The carrier did not confirm that the agent's last words were played.",)


# --- operators, machines, and the end -------------------------------------------------------------------------


@in_virtual_time
async def test_the_operators_words_are_said_and_the_hint_reaches_the_model(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said(OPENING)
        call.session.post(Say("One moment, I am checking."))
        await call.until_said("One moment, I am checking.")
        await asyncio.sleep(0.3)
        call.session.post(Hint("Offer Tuesday."))
        await call.callee("Well?")
        await call.until_said("Fine.")
        assert [hint for _, hint in call.models[0].asked] == ["Offer Tuesday."]


@in_virtual_time
async def test_a_machine_gets_the_whole_message(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        await call.until_said("Hi")
        call.session.post(MachineAnswered("machine_end_beep"))
        ending = await call.over()
        assert call.said.endswith(known.voicemail(BRIEF))
        assert ending.outcome is Outcome.VOICEMAIL


@in_virtual_time
async def test_a_dropped_line_ends_everything_and_keeps_what_was_heard(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([("This sentence will not be heard to its end at all.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("This sentence")
        call.phone.drop()
        ending = await call.over()
        assert ending.outcome is Outcome.HUNG_UP
        assert call.turns[-1].state is TurnState.CUT
        assert call.turns[-1].heard.startswith("This")


@in_virtual_time
async def test_silence_is_asked_about_and_the_call_ends_by_itself(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        assert (await call.over()).outcome is Outcome.NO_ANSWER
        assert call.said == f"{OPENING}{known.STILL_THERE}{known.STILL_THERE}{known.SILENT_GOODBYE}"


@in_virtual_time
async def test_no_call_lasts_longer_than_its_limit(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([("Tell me more.",)]), manners=Manners(longest_call=40)) as call:

        async def talkative() -> None:
            while not call.ending.done():
                await call.callee("And another thing is this.")
                await asyncio.sleep(3)

        talking = asyncio.create_task(talkative())
        ending = await call.over()
        await talking
        assert "longest call" in ending.why
        assert asyncio.get_running_loop().time() < 60


@in_virtual_time
async def test_a_fault_in_a_provider_ends_the_call_loudly_and_hangs_up(tmp_path: Path) -> None:
    with pytest.raises(ExceptionGroup):
        async with a_call(tmp_path) as call:
            phone = call.phone
            await call.until_said(OPENING)
            call.ears.tell(ZeroDivisionError("a bug"))
            await call.over()
    assert phone.hung_up == [""]


@in_virtual_time
async def test_the_flight_recorder_replays_to_the_same_actions(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([("It is on Thursday at noon, if that suits you.",), DONE])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("It is")
        await call.callee("Sorry, which day?")
        await call.over()
        floor, replayed = Floor(BRIEF, Manners()), 0
        for event in call.store.events("call"):
            if event.kind != "Trouble":
                data: dict[str, object] = event.data
                actions = floor.handle(decode(event.kind, data["event"]), data["at"])  # type: ignore[arg-type]
                assert actions == [decode(kind, saved) for kind, saved in data["actions"]]  # type: ignore[attr-defined]
                replayed += 1
        assert replayed > 10


@in_virtual_time
async def test_every_answer_knows_how_long_its_stages_took(tmp_path: Path) -> None:
    async with a_call(tmp_path, Model([(0.4, "Fine. ")]), voices=[Speech(delay=0.15)]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        call.phone.callee_sound(1.0)
        await asyncio.sleep(1.4)
        await call.callee("Yes.")
        await call.until_said("Fine.")
        await asyncio.sleep(0.5)
        timings = call.turns[-1].timings
        assert timings == pytest.approx(
            {"decided": 400, "first_token": 400, "first_clause": 400, "first_voice": 550, "first_sound": 550}, abs=25
        )


@in_virtual_time
async def test_phrases_known_by_heart_are_voiced_once_for_all_calls(tmp_path: Path) -> None:
    speech, shared = Speech(), {}  # type: ignore[var-annotated]
    for name in ("Ann", "Bob"):
        async with Voice([speech], Manners(), shared) as voice:
            await voice.prepare([known.opening(replace(BRIEF, callee_name=name))], known.BY_HEART, pytest.fail)
            assert voice.known(known.MOMENT)
    assert sorted(speech.asked) == sorted(
        [*known.BY_HEART, *(known.opening(replace(BRIEF, callee_name=name)) for name in ("Ann", "Bob"))]
    )


@in_virtual_time
async def test_a_voice_that_is_refused_while_it_rings_is_a_trouble_on_the_calls_row(tmp_path: Path) -> None:
    class Refused(Speech):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            if text:
                raise Denied("ElevenLabs refused the API key.")
            yield Spoken(b"")

    async with a_call(tmp_path, voices=[Refused(), Speech()]) as call:
        await call.until_said(OPENING)
        assert call.troubles == ("ElevenLabs refused the API key.",)


@in_virtual_time
async def test_a_prepared_answer_that_breaks_off_is_made_anew_and_not_half_said(tmp_path: Path) -> None:
    broken = ("I can look that up. ", "And then ", ProviderError("The model broke."))
    async with a_call(tmp_path, Model([broken, ("Of course.",)])) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.5)
        call.ears.tell(Partial("Yes, which day is it?"), EagerEnd("Yes, which day is it?"))
        await asyncio.sleep(0.4)
        call.ears.tell(TurnEnd("Yes, which day is it?"))
        await call.until_said("Of course.")
        assert call.said == f"{OPENING}Of course."
        assert len(call.models[0].asked) == 2


@in_virtual_time
async def test_what_is_posted_to_a_call_that_is_over_is_dropped(tmp_path: Path) -> None:
    async with a_call(tmp_path) as call:
        call.session.post(HangUp(Ending("The operator hung up.", Outcome.STOPPED)))
        await call.over()
        for _ in range(5000):
            call.session.post(OperatorWatches())


@in_virtual_time
async def test_a_reply_that_does_not_let_go_is_silenced_all_the_same(tmp_path: Path) -> None:
    class Clinging(Speech):
        async def say(self, text: str) -> AsyncIterator[Voiced]:
            async for voiced in super().say(text):
                yield voiced
            if text.startswith("You have"):
                try:
                    await asyncio.sleep(60)
                finally:
                    await asyncio.sleep(30)

    long = "You have an appointment on Thursday at two thirty with Doctor Smith in the old building."
    async with a_call(tmp_path, Model([(long,)]), voices=[Clinging()]) as call:
        await call.until_said(OPENING)
        await asyncio.sleep(0.3)
        await call.callee("Yes.")
        await call.until_said("Thursday")
        began = asyncio.get_running_loop().time()
        call.session.post(Pause())
        while not call.phone.cleared:
            await asyncio.sleep(0.05)
        assert asyncio.get_running_loop().time() - began < 2.2
        assert call.troubles == ("A reply that was to be stopped took longer than 2 seconds to end.",)
