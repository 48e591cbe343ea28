"""The Deepgram client against a real server on loopback: turns, broken sockets, refusals, and a clean end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from backend import audio
from backend.loopback.deepgram import Fault, LoopbackDeepgram
from backend.loopback.ear import Pace
from backend.models import Brief, Denied, EagerEnd, Heard, Partial, ProviderError, Resumed, Trouble, TurnEnd
from backend.stt.deepgram import Deepgram, Patience, check
from backend.stt.flux import Flux
from backend.stt.keyterms import keyterms
from backend.stt.nova import Nova
from backend.stt.tape import Tape

MODELS = ["flux-general-en", "nova-3"]
QUICK = Patience(opening=2, reopening=2, pauses=(0, 0.01, 0.02, 0.03), steady=5, gap=0.02, mute=2, farewell=1)
COUNT = "One two three four five six seven eight nine ten."


def speech(seconds: float, seed: int = 1) -> bytes:
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * audio.RATE))
    return audio.encode(noise.astype(np.float32))


def silence(seconds: float) -> bytes:
    return audio.SILENCE * round(seconds * audio.RATE)


class Line:
    """The callee's side of a call: what was spoken comes at once, and nothing after it until the call ends."""

    def __init__(self, sound: bytes = b"") -> None:
        self._spoken: asyncio.Queue[bytes] = asyncio.Queue()
        self.speak(sound)

    def speak(self, sound: bytes) -> None:
        for place in range(0, len(sound), audio.FRAME):
            self._spoken.put_nowait(sound[place : place + audio.FRAME])

    def hang_up(self) -> None:
        self._spoken.put_nowait(b"")

    async def frames(self) -> AsyncIterator[bytes]:
        while frame := await self._spoken.get():
            yield frame


def client(server: LoopbackDeepgram, model: str, terms: Sequence[str] = (), patience: Patience = QUICK) -> Deepgram:
    return Deepgram(server.url, server.key, model, terms, patience)


async def heard_by(deepgram: Deepgram, line: Line, turns: int = 1) -> list[Heard]:
    """Everything until the call ends, which it does after so many turns."""
    heard: list[Heard] = []
    async for event in deepgram.listen(line.frames()):
        heard.append(event)
        if sum(isinstance(each, TurnEnd) for each in heard) == turns:
            line.hang_up()
    return heard


def turns_in(heard: Sequence[Heard]) -> list[str]:
    return [event.text for event in heard if isinstance(event, TurnEnd)]


def troubles_in(heard: Sequence[Heard]) -> list[str]:
    return [event.what for event in heard if isinstance(event, Trouble)]


@pytest.mark.parametrize("model", MODELS)
async def test_a_spoken_turn_gives_growing_partials_and_one_end(model: str) -> None:
    async with LoopbackDeepgram(["Yes, Thursday works."]) as server, client(server, model) as deepgram:
        heard = await heard_by(deepgram, Line(speech(0.9) + silence(1.5)))
    assert [event for event in heard if not isinstance(event, EagerEnd)] == [
        Partial("Yes,"),
        Partial("Yes, Thursday"),
        Partial("Yes, Thursday works."),
        TurnEnd("Yes, Thursday works."),
    ]


@pytest.mark.parametrize("model", MODELS)
async def test_each_turn_begins_anew(model: str) -> None:
    async with LoopbackDeepgram(["Hello?", "Yes.", "Yes."]) as server, client(server, model) as deepgram:
        line = Line(b"".join(speech(0.6, seed) + silence(1.5) for seed in (1, 2, 3)))
        heard = await heard_by(deepgram, line, turns=3)
    assert turns_in(heard) == ["Hello?", "Yes.", "Yes."]
    assert [event for event in heard if event == Partial("Yes.")] == [Partial("Yes.")] * 2


async def test_flux_says_early_that_a_turn_may_have_ended_and_takes_it_back() -> None:
    async with LoopbackDeepgram(["Yes.", "But not Monday."]) as server, client(server, MODELS[0]) as deepgram:
        heard = await heard_by(deepgram, Line(speech(0.3) + silence(0.2) + speech(0.9, seed=2) + silence(0.5)))
    assert heard == [
        Partial("Yes."),
        EagerEnd("Yes."),
        Resumed(),
        Partial("Yes. But"),
        Partial("Yes. But not"),
        Partial("Yes. But not Monday."),
        EagerEnd("Yes. But not Monday."),
        TurnEnd("Yes. But not Monday."),
    ]


async def test_in_v1_a_final_sentence_is_an_early_end_that_is_taken_back_by_more_words() -> None:
    script, pace = ["That is fine. But call before."], Pace(window=1.0, lag=0.04)
    async with LoopbackDeepgram(script, pace=pace) as server, client(server, MODELS[1], (), Patience()) as deepgram:
        heard = await heard_by(deepgram, Line(speech(1.8) + silence(0.5)))
    early = heard.index(EagerEnd("That is fine."))
    assert heard[early + 1 : early + 3] == [Resumed(), Partial("That is fine. But")]
    assert heard[-1] == TurnEnd("That is fine. But call before.")


async def test_a_turn_ends_by_utterance_end_where_noise_hides_the_pause() -> None:
    async with LoopbackDeepgram([COUNT], faults=[Fault(noise=True)]) as server, client(server, MODELS[1]) as deepgram:
        heard = await heard_by(deepgram, Line(speech(3) + silence(1.5)))
    assert turns_in(heard) == [COUNT]


async def test_an_empty_final_ends_the_turn_of_earlier_finals() -> None:
    faults = [Fault(empty_finals=True)]
    async with LoopbackDeepgram([COUNT], faults=faults) as server, client(server, MODELS[1]) as deepgram:
        heard = await heard_by(deepgram, Line(speech(3) + silence(1.5)))
    assert turns_in(heard) == [COUNT]


async def test_long_silence_is_not_heard_as_anything() -> None:
    async with LoopbackDeepgram() as server, client(server, MODELS[1]) as deepgram:
        line = Line(silence(12))
        line.hang_up()
        assert await heard_by(deepgram, line) == []
    assert server.connections[0].received >= len(silence(12))


@pytest.mark.parametrize("model", MODELS)
async def test_silence_is_sent_where_the_line_brings_nothing(model: str) -> None:
    async with LoopbackDeepgram(["Hold on."]) as server, client(server, model) as deepgram:
        heard = await heard_by(deepgram, Line(speech(0.6)))
    assert turns_in(heard) == ["Hold on."]
    assert set(server.connections[0].tail) == set(audio.SILENCE)


@pytest.mark.parametrize("model", MODELS)
async def test_the_socket_stays_open_while_the_phone_rings(model: str) -> None:
    pace = Pace(idle=0.3)
    async with LoopbackDeepgram(["Hello?"], pace=pace) as server, client(server, model) as deepgram:
        await asyncio.sleep(0.5)
        heard = await heard_by(deepgram, Line(speech(0.6) + silence(1)))
    assert turns_in(heard) == ["Hello?"]
    assert troubles_in(heard) == []


@pytest.mark.parametrize("model", MODELS)
async def test_a_backlog_is_sent_in_pieces_of_80_ms(model: str) -> None:
    faults = [Fault(die=640)]
    async with LoopbackDeepgram(["Well."], faults=faults) as server, client(server, model, (), Patience()) as deepgram:
        await heard_by(deepgram, Line(speech(0.64) + silence(1.6)))
    assert len(server.connections[-1].tail) == 640


def test_flux_gets_each_frame_at_once_while_somebody_speaks_and_every_two_else() -> None:
    flux = Flux()
    assert flux.chunk == 2 * audio.FRAME
    flux.hear(turn("Update", "Yes", 1))
    assert flux.chunk == audio.FRAME
    flux.hear(turn("EndOfTurn", "Yes, please.", 2))
    assert flux.chunk == 2 * audio.FRAME


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("after", [0, 4_000, 8_000, 12_160, 17_000, 24_000, 25_280, 26_000])
async def test_a_socket_that_dies_in_mid_turn_costs_and_doubles_no_word(model: str, after: int) -> None:
    script, pace, faults = [COUNT, "Goodbye."], Pace(window=0.9), [Fault(die=after)]
    sound = speech(3) + silence(2.5) + speech(0.6, seed=2) + silence(1.5)
    async with LoopbackDeepgram(script, pace=pace, faults=faults) as server, client(server, model) as deepgram:
        heard = await heard_by(deepgram, Line(sound), turns=2)
    assert turns_in(heard) == script
    assert len(troubles_in(heard)) == 1
    assert "code 1011 NET-0000" in troubles_in(heard)[0]


@pytest.mark.parametrize("model", MODELS)
async def test_two_sockets_that_die_in_the_same_turn_cost_no_word(model: str) -> None:
    faults = [Fault(die=8_000), Fault(die=12_000)]
    script, pace = [COUNT], Pace(window=0.9)
    async with LoopbackDeepgram(script, pace=pace, faults=faults) as server, client(server, model) as deepgram:
        heard = await heard_by(deepgram, Line(speech(3) + silence(2.5)))
    assert turns_in(heard) == [COUNT]
    assert len(troubles_in(heard)) == 2


@pytest.mark.parametrize("model", MODELS)
async def test_a_later_turn_is_replayed_from_its_own_start_every_time(model: str) -> None:
    script, faults = ["Hello?", COUNT], [Fault(die=44_800), Fault(die=24_000)]
    async with LoopbackDeepgram(script, faults=faults) as server, client(server, model) as deepgram:
        heard = await heard_by(deepgram, Line(speech(0.6) + silence(4) + speech(3, seed=2) + silence(2.5)), turns=2)
    assert turns_in(heard) == script
    assert len(troubles_in(heard)) == 2


@pytest.mark.parametrize("model", MODELS)
async def test_a_socket_that_falls_silent_in_mid_turn_is_replaced(model: str) -> None:
    faults, patience = [Fault(mute=12_000)], replace(QUICK, mute=0.3)
    async with LoopbackDeepgram([COUNT], faults=faults) as server, client(server, model, (), patience) as deepgram:
        heard = await heard_by(deepgram, Line(speech(3) + silence(2)))
    assert turns_in(heard) == [COUNT]
    assert "fell silent" in troubles_in(heard)[0]


@pytest.mark.parametrize("model", MODELS)
async def test_recognition_is_given_up_when_every_socket_dies(model: str) -> None:
    faults = [Fault(die=640)] * 9
    async with LoopbackDeepgram(faults=faults) as server:
        with pytest.raises(ProviderError, match=r"Deepgram.*code 1011 NET-0000"):
            async with client(server, model) as deepgram:
                await heard_by(deepgram, Line(speech(1)))
    assert len(server.connections) == 1 + len(QUICK.pauses)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("status", "advice"),
    [(400, "DEEPGRAM_MODEL"), (401, "DEEPGRAM_API_KEY"), (402, "credit"), (403, "DEEPGRAM_MODEL"), (404, "MODEL")],
)
async def test_a_refusal_says_what_to_do_and_is_not_tried_again(model: str, status: int, advice: str) -> None:
    async with LoopbackDeepgram(faults=[Fault(refuse=status)] * 9) as server:
        with pytest.raises(Denied, match=f"HTTP {status}: refused on request.*{advice}"):
            async with client(server, model):
                pass
    assert len(server.connections) == 1


async def test_a_wrong_key_is_named_but_not_shown() -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(ProviderError, match=r"HTTP 401: Invalid credentials\..*DEEPGRAM_API_KEY") as refused:
            await check(server.url, "my-secret", MODELS[0])
    assert "my-secret" not in str(refused.value)


async def test_a_model_that_takes_no_keyterms_gets_none() -> None:
    async with LoopbackDeepgram() as server:
        async with client(server, "nova-2", ["Zoë"]):
            pass
        await check(server.url, server.key, "nova-2")
    assert ["keyterm" in connection.query for connection in server.connections] == [False, False]


@pytest.mark.parametrize("model", MODELS)
async def test_a_call_whose_keyterms_are_refused_goes_on_without_them(model: str) -> None:
    faults = [Fault(no_keyterms=True)]
    async with LoopbackDeepgram(["Hi."], faults=faults) as server, client(server, model, ["Zoë"]) as deepgram:
        heard = await heard_by(deepgram, Line(speech(0.3) + silence(0.5)))
    assert turns_in(heard) == ["Hi."]
    assert "HTTP 400: Keyterms are refused on request." in troubles_in(heard)[0]
    assert ["keyterm" in connection.query for connection in server.connections] == [True, False]


async def test_keyterms_that_are_refused_are_found_before_a_call() -> None:
    async with LoopbackDeepgram(faults=[Fault(no_keyterms=True)]) as server:
        with pytest.raises(ProviderError, match=r"refused the names.*DEEPGRAM_MODEL"):
            await check(server.url, server.key, MODELS[0])


async def test_a_refusal_that_is_not_about_keyterms_is_still_one() -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(Denied, match=r"HTTP 400: No such model.*DEEPGRAM_MODEL"):
            await check(server.url, server.key, "nova-3-typo")
    assert len(server.connections) == 2


async def test_too_many_calls_at_once_are_named_with_the_request() -> None:
    async with LoopbackDeepgram(faults=[Fault(refuse=429)] * 9) as server:
        with pytest.raises(ProviderError, match=r"too many calls.*HTTP 429.*request loopback.*place fewer") as refused:
            async with client(server, MODELS[0]):
                pass
    assert "DEEPGRAM_URL" not in str(refused.value)


async def test_a_vendor_in_trouble_is_not_blamed_on_the_network() -> None:
    async with LoopbackDeepgram(faults=[Fault(refuse=503)] * 9) as server:
        with pytest.raises(ProviderError, match=r"in trouble itself \(HTTP 503"):
            async with client(server, MODELS[0]):
                pass


@pytest.mark.parametrize("key", ["DGSECRET\u2026", "DGSECRET\n", "DGSECRET\x00"])
async def test_no_key_gets_into_an_error_however_it_is_broken(key: str) -> None:
    async with LoopbackDeepgram() as server:
        with pytest.raises(ProviderError) as error:
            async with Deepgram(server.url, key, MODELS[0], (), QUICK):
                pass
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize("model", MODELS)
async def test_key_and_model_are_found_good(model: str) -> None:
    async with LoopbackDeepgram() as server:
        await check(server.url, server.key, model)
        await server.all_closed()
    assert server.connections[0].query["model"] == [model]


async def test_a_busy_server_is_tried_again() -> None:
    faults = [Fault(refuse=429), Fault(refuse=503)]
    async with LoopbackDeepgram(["Hi."], faults=faults) as server, client(server, MODELS[0]) as deepgram:
        heard = await heard_by(deepgram, Line(speech(0.3) + silence(0.5)))
    assert turns_in(heard) == ["Hi."]
    assert troubles_in(heard) == []


async def test_a_server_that_never_says_connected_is_not_waited_for() -> None:
    async with LoopbackDeepgram(faults=[Fault(mute=0)]) as server:
        with pytest.raises(ProviderError, match=r"no answer within 0\.1 s"):
            async with client(server, MODELS[0], patience=Patience(opening=0.1)):
                pass
        await server.all_closed()


async def test_a_server_that_is_not_there_is_named() -> None:
    async with LoopbackDeepgram() as server:
        gone = server.url
    with pytest.raises(ProviderError, match=gone):
        async with Deepgram(gone, "key", MODELS[0], (), QUICK):
            pass


@pytest.mark.parametrize("model", MODELS)
async def test_words_being_spoken_as_the_call_ends_are_not_lost(model: str) -> None:
    async with LoopbackDeepgram(["Okay bye"]) as server, client(server, model) as deepgram:
        line = Line(speech(0.8))
        line.hang_up()
        heard = await heard_by(deepgram, line, turns=0)
    assert turns_in(heard) == ["Okay bye"]
    assert server.connections[0].controls == [{"type": "CloseStream"}]


async def test_the_end_of_the_call_does_not_wait_for_a_new_socket() -> None:
    faults, patience = [Fault(die=640), Fault(refuse=503)], Patience(pauses=(0, 60), farewell=0.05, gap=0.02)
    async with LoopbackDeepgram(faults=faults) as server, client(server, MODELS[1], (), patience) as deepgram:
        line = Line(silence(0.2))
        asyncio.get_running_loop().call_later(0.2, line.hang_up)
        async with asyncio.timeout(2):
            assert await heard_by(deepgram, line) == []
    assert len(server.connections) == 2


@pytest.mark.parametrize("model", MODELS)
async def test_a_cancelled_listener_leaves_no_task_and_no_socket(model: str) -> None:
    before = asyncio.all_tasks()
    async with LoopbackDeepgram([COUNT]) as server:
        spoken = asyncio.Event()

        async def call() -> None:
            async with client(server, model) as deepgram:
                async for _ in deepgram.listen(Line(speech(3)).frames()):
                    spoken.set()

        calling = asyncio.create_task(call())
        await spoken.wait()
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await server.all_closed()
    assert asyncio.all_tasks() == before


async def test_a_call_cancelled_while_it_opens_leaves_no_task_and_no_socket() -> None:
    before = asyncio.all_tasks()
    async with LoopbackDeepgram(faults=[Fault(mute=0)]) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), client(server, MODELS[0]):
                pass
        await server.all_closed()
    assert len(server.connections) == 1
    assert asyncio.all_tasks() == before


async def test_a_line_that_fails_ends_the_listening_with_its_error() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield speech(0.1)
        raise ZeroDivisionError

    async with LoopbackDeepgram(["Hm."]) as server, client(server, MODELS[0]) as deepgram:
        with pytest.raises(ZeroDivisionError):
            async for _ in deepgram.listen(broken()):
                pass


async def test_keyterms_travel_whole_whatever_they_contain() -> None:
    terms = ("Zoë Müller & Sons", "50% = half?", "O'Brien")
    async with LoopbackDeepgram() as server:
        for model in MODELS:
            async with client(server, model, terms):
                pass
    assert [connection.query["keyterm"] for connection in server.connections] == [list(terms)] * 2


async def test_mulaw_at_8_khz_is_announced() -> None:
    async with LoopbackDeepgram() as server:
        for model in MODELS:
            await check(server.url, server.key, model)
    for connection in server.connections:
        assert (connection.query["encoding"], connection.query["sample_rate"]) == (["mulaw"], ["8000"])


def test_keyterms_are_the_names_of_the_call() -> None:
    brief = Brief(
        to="+12025550143",
        callee_name="Mr. John  Przybylski",
        organization="Bright Smile Dental",
        agent_name="Alex",
        action="Confirm the visit with Dr. Patel on Tuesday. Ask about parking.",
        context="The office is at 12 Kearny Street; the MRI is in room B. Bring the Delta Dental card (Alex has it).",
    )
    assert keyterms(brief) == (
        "Mr. John Przybylski",
        "Bright Smile Dental",
        "Alex",
        "Dr Patel",
        "Tuesday",
        "Kearny Street",
        "MRI",
        "Delta Dental",
    )


def test_keyterms_are_few_and_short() -> None:
    context = "the " + ", ".join(f"Name{number}" for number in range(500))
    terms = keyterms(Brief(to="+12025550143", action="x" * 5000 + " in " + "A" * 5000, context=context))
    assert len(terms) == 40
    assert max(map(len, terms)) <= 60


def test_keyterms_are_a_hundred_words_at_most_in_all() -> None:
    context = "the " + ", ".join(f"Ann{number} Bea Cleo Dora Eve" for number in range(40))
    terms = keyterms(Brief(to="+12025550143", action="Call.", agent_name="", context=context))
    assert len(terms) == 20


def test_no_names_give_no_keyterms() -> None:
    assert keyterms(Brief(to="+12025550143", action="Confirm.", agent_name="")) == ()


def results(text: str, start: float, end: float, *, final: bool = False, pause: bool = False) -> Mapping[str, object]:
    channel = {"alternatives": [{"transcript": text}]}
    times = {"start": start, "duration": end - start}
    return {"type": "Results", "is_final": final, "speech_final": pause, "channel": channel, **times}


def utterance_end(last_word: float) -> Mapping[str, object]:
    return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last_word}


def told(nova: Nova, *messages: Mapping[str, object]) -> list[Heard]:
    return [event for message in messages for event in nova.hear(message)]


def test_a_late_utterance_end_does_not_end_the_next_turn() -> None:
    nova = Nova()
    assert told(nova, results("Hello?", 0, 1, final=True, pause=True)) == [TurnEnd("Hello?")]
    assert told(nova, results("so", 1, 2, final=True), utterance_end(0.8)) == [Partial("so")]
    assert told(nova, utterance_end(1.9)) == [TurnEnd("so")]


def test_an_utterance_end_before_the_words_are_final_ends_the_turn_once_they_are() -> None:
    nova = Nova()
    assert told(nova, results("my number", 0, 1), utterance_end(0.9)) == [Partial("my number")]
    assert told(nova, results("My number is.", 0, 3, final=True)) == [TurnEnd("My number is.")]
    assert told(nova, results("", 3, 6, final=True)) == []


def test_a_pause_told_only_on_a_lost_socket_still_ends_the_turn() -> None:
    nova = Nova()
    told(nova, results("I see", 0, 2, final=True))
    assert nova.resume() == 2
    assert told(nova, results("", 0, 0.5)) == []
    assert told(nova, results("", 0, 1.2)) == [TurnEnd("I see")]


def test_words_that_are_heard_again_are_not_told_again() -> None:
    nova = Nova()
    told(nova, results("I", 0, 1, final=True), results("would like", 1, 2))
    assert nova.resume() == 1
    assert told(nova, results("would", 0, 0.5), results("would like", 0, 1)) == []
    assert told(nova, results("would like to", 0, 1.5)) == [Partial("I would like to")]


def turn(event: str, text: str, end: float) -> Mapping[str, object]:
    return {"type": "TurnInfo", "event": event, "transcript": text, "audio_window_end": end}


def test_an_early_end_survives_a_lost_socket_when_the_same_words_are_heard_again() -> None:
    flux = Flux()
    assert flux.hear(turn("StartOfTurn", "Yes.", 5)) == [Partial("Yes.")]
    assert flux.hear(turn("EagerEndOfTurn", "Yes.", 5.3)) == [EagerEnd("Yes.")]
    assert flux.resume() == pytest.approx(3.0)
    assert flux.hear(turn("StartOfTurn", "Yes", 1.5)) == []
    assert flux.hear(turn("EagerEndOfTurn", "Yes.", 2.3)) == []
    assert flux.hear(turn("EndOfTurn", "Yes.", 2.5)) == [TurnEnd("Yes.")]


def test_a_long_silence_is_not_replayed() -> None:
    flux = Flux()
    flux.hear(turn("EndOfTurn", "Yes.", 5))
    assert flux.resume() == 5
    flux.hear(turn("Update", "", 60))
    assert flux.resume() == 58


def test_messages_of_unknown_kinds_and_shapes_are_passed_over() -> None:
    for message in ({}, {"type": "News"}, {"type": "Results"}, {"type": "TurnInfo"}, {"type": "Results", "channel": 1}):
        assert Flux().hear(message) == []
        assert Nova().hear(message) == []


def test_the_tape_forgets_its_oldest_sound() -> None:
    tape = Tape()
    tape.add(b"a" * Tape.LIMIT)
    tape.add(b"b" * 100)
    assert (tape.start, tape.end) == (100, Tape.LIMIT + 100)
    assert tape.read(Tape.LIMIT - 1, 3) == b"abb"
