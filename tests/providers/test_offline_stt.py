"""The offline ear: real speech through the real engines faster than it is spoken, and `Turn` frame by frame."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
import pytest_asyncio

from backend import audio
from backend.engines.pool import VOICES, Engines
from backend.models import EagerEnd, Heard, Partial, ProviderError, Resumed, Spoken, Trouble, TurnEnd
from backend.stt import offline, vad
from backend.stt.offline import FINISHED, UNFINISHED, Look, OfflineEar, Turn, patience, repaired, words
from backend.tts.offline import OfflineVoice

QUIET = audio.SILENCE * audio.RATE


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engines() -> AsyncIterator[Engines]:
    async with Engines(workers=2) as engines:
        await engines.ready()
        yield engines


async def say(engines: Engines, text: str, voice: str = "agent") -> bytes:
    pieces = [piece async for piece in OfflineVoice(engines, VOICES[voice]).say(text)]
    return b"".join(piece.sound for piece in pieces if isinstance(piece, Spoken))


async def listen(engines: Engines, sound: bytes) -> list[tuple[float, Heard]]:
    """What is heard, each with the seconds of sound that had been taken by then."""
    taken = 0

    async def line() -> AsyncIterator[bytes]:
        nonlocal taken
        for start in range(0, len(sound), audio.FRAME):
            taken = start
            yield sound[start : start + audio.FRAME]

    async with OfflineEar(engines) as ear:
        return [(audio.seconds(taken), heard) async for heard in ear.listen(line())]


def ends(heard: Sequence[tuple[float, Heard]]) -> list[str]:
    return [event.text for _, event in heard if isinstance(event, TurnEnd)]


def word_errors(said: str, heard: str) -> int:
    """Words to change, add or leave out (edit distance)."""
    a, b = (re.findall(r"[\w']+", text.lower().replace("okay", "ok")) for text in (said, heard))
    row = list(range(len(b) + 1))
    for i, one in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (one != other))
    return row[-1]


class Busy(Engines):
    """Engines with no time for glimpses; they note how long what they read was, in seconds."""

    def __init__(self, engines: Engines) -> None:
        super().__init__(workers=1)
        self.engines = engines
        self.lengths: list[float] = []

    async def transcribe(self, mulaw: bytes) -> str:
        self.lengths.append(audio.seconds(mulaw))
        return await self.engines.transcribe(mulaw)

    async def glimpse(self, mulaw: bytes) -> str | None:
        return None


SAID = [
    "Yes, speaking.",
    "I can't make it on Friday, sorry.",
    "Could we move it to Wednesday at four?",
    "Thursday the ninth at two thirty is fine.",
    "No, she is not here right now.",
    "My number is 202-555-0143.",
    "Can you call me back tomorrow morning?",
    "Okay, thank you, goodbye.",
]


@pytest.mark.parametrize(
    ("voice", "texts"), [("agent", SAID), ("man", SAID), ("older", SAID[::2]), ("young", SAID[1::2])]
)
async def test_phone_sentences_are_understood_and_each_is_one_turn(
    engines: Engines, voice: str, texts: list[str]
) -> None:
    sound = [QUIET + await say(engines, text, voice) + QUIET for text in texts]
    heard = ends(await listen(Busy(engines), b"".join(sound)))
    assert len(heard) == len(texts)
    wrong = sum(word_errors(said, got) for said, got in zip(texts, heard, strict=True))
    assert wrong <= len(texts) // 3, heard


async def test_times_prices_and_dates_are_read_so_that_they_are_understood(engines: Engines) -> None:
    sound = await say(engines, "It is $45 on Thursday the 9th at 2:30 p.m.", "older")
    [heard] = ends(await listen(engines, QUIET + sound + QUIET * 2))
    assert (
        word_errors("It is forty five dollars on Thursday the ninth at two thirty p.m.", heard.replace("-", " ")) <= 2
    )


async def test_words_show_while_they_are_spoken_and_the_turn_ends_soon_after(engines: Engines) -> None:
    sound = QUIET + (await say(engines, "Could we move the appointment to Wednesday afternoon?")).rstrip(audio.SILENCE)
    heard = await listen(engines, sound + QUIET * 2)
    partials = [at for at, event in heard if isinstance(event, Partial)]
    assert len(partials) >= 3 and partials[0] < 2
    assert [type(event) for _, event in heard[-2:]] == [EagerEnd, TurnEnd]
    assert heard[-1][0] - audio.seconds(sound) < 0.75
    assert heard[-2][0] - audio.seconds(sound) < 0.45


async def test_a_pause_within_a_sentence_does_not_split_the_turn(engines: Engines) -> None:
    first, second = await say(engines, "The earliest I have is"), await say(engines, "Monday morning at ten.")
    sound = QUIET + first + audio.SILENCE * 3200 + second + QUIET * 2
    [heard] = ends(await listen(engines, sound))
    assert word_errors("The earliest I have is Monday morning at ten.", heard) <= 1


@pytest.mark.parametrize("pause", [0.4, 0.8, 1.15])
@pytest.mark.parametrize(
    ("first", "second"),
    [("I would like to come on,", "Monday morning."), ("My number is,", "five five five, zero one four three.")],
)
async def test_who_hesitates_is_not_cut_in_on(engines: Engines, first: str, second: str, pause: float) -> None:
    begun = (await say(engines, first)).rstrip(audio.SILENCE)
    sound = QUIET + begun + audio.SILENCE * round(pause * audio.RATE) + await say(engines, second) + QUIET * 2
    assert len(ends(await listen(engines, sound))) == 1


async def test_an_eager_end_is_taken_back_when_the_speaker_goes_on(engines: Engines) -> None:
    first, second = await say(engines, "Hi, this is Maria."), await say(engines, "Can you call me back tomorrow?")
    heard = await listen(engines, QUIET + first + audio.SILENCE * 1600 + second + QUIET * 2)
    kinds = [type(event) for _, event in heard if not isinstance(event, Partial)]
    assert kinds == [EagerEnd, Resumed, EagerEnd, TurnEnd]
    assert word_errors("Hi this is Maria can you call me back tomorrow", ends(heard)[0]) <= 1


async def test_an_unfinished_sentence_is_waited_for_longer(engines: Engines) -> None:
    sound = QUIET + (await say(engines, "I would like to pay by card, and")).rstrip(audio.SILENCE)
    heard = await listen(engines, sound + QUIET * 2)
    assert len(ends(heard)) == 1
    assert heard[-1][0] - audio.seconds(sound) > 1


def tone(*hertz: float, loud: float = 0.2, beat: float = 1.0) -> bytes:
    at = np.arange(4 * audio.RATE) / audio.RATE
    sound = loud * sum(np.sin(2 * np.pi * each * at) for each in hertz) * (at % beat < beat / 2)
    return audio.encode(np.asarray(sound, np.float32))


@pytest.mark.parametrize(
    "sound",
    [
        QUIET * 4,
        audio.encode(np.random.default_rng(1).standard_normal(4 * audio.RATE).astype(np.float32) * np.float32(0.05)),
        tone(770, 1336, beat=0.3),
        tone(440, 480, beat=2.0),
        tone(1000, loud=0.5),
    ],
    ids=["silence", "noise", "keys", "ringing", "beep"],
)
async def test_what_is_not_speech_is_no_turn(engines: Engines, sound: bytes) -> None:
    assert await listen(engines, sound + QUIET) == []


async def test_speech_in_noise_is_understood(engines: Engines) -> None:
    speech = audio.decode(QUIET + await say(engines, "Please don't call me again.") + QUIET)
    noise = np.random.default_rng(2).standard_normal(len(speech)).astype(np.float32) * np.float32(0.01)
    assert ends(await listen(engines, audio.encode(speech + noise))) == ["Please don't call me again."]


async def test_a_long_speech_is_read_in_pieces_and_no_word_is_lost(engines: Engines) -> None:
    text = (
        "I wanted to ask about the appointment on Friday. My sister is coming to visit from out of town that day. "
        "She is arriving in the morning and I have to pick her up. So the afternoon would be much better for me. "
        "If that is not possible then we could also do it on Monday. Please let me know what works best for you. "
        "You can reach me at home every day before noon."
    )
    sound = QUIET + await say(engines, text) + QUIET * 2
    assert audio.seconds(sound) > 20
    busy = Busy(engines)
    [heard] = ends(await listen(busy, sound))
    assert word_errors(text, heard) <= 4, heard
    assert len(busy.lengths) >= 2 and max(busy.lengths) < 12


async def test_what_was_said_last_counts_though_the_line_is_cut(engines: Engines) -> None:
    sound = await say(engines, "No, thank you, goodbye.")
    assert word_errors("No, thank you, goodbye.", ends(await listen(engines, QUIET + sound[:-1200]))[0]) <= 1


class Failing(Engines):
    """Engines whose every reading fails at first, and always when broken."""

    def __init__(self, broken: bool) -> None:
        super().__init__(workers=1)
        self.readings = 0
        self.broken = broken

    async def glimpse(self, mulaw: bytes) -> str | None:
        return None

    async def transcribe(self, mulaw: bytes) -> str:
        self.readings += 1
        if self.broken or self.readings == 1:
            raise ProviderError("An offline speech engine stopped")
        return "I will be there."


async def test_a_reading_lost_with_its_worker_is_repeated_and_reported(engines: Engines) -> None:
    sound = QUIET + await say(engines, "I will be there.") + QUIET
    heard = [event for _, event in await listen(Failing(broken=False), sound)]
    assert heard == [
        Trouble("An offline speech engine stopped"),
        EagerEnd("I will be there."),
        TurnEnd("I will be there."),
    ]
    with pytest.raises(ProviderError, match="stopped"):
        await listen(Failing(broken=True), sound)


async def test_without_its_packages_the_ear_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.engines.installed.find_spec", lambda package: None)
    with pytest.raises(ProviderError, match=r"moonshine_voice is not installed.*DEEPGRAM_API_KEY"):
        async with OfflineEar(Engines(workers=1)):
            pass


# --- the turn, without engines ----------------------------------------------------------------------------------

FRAME = audio.SILENCE * vad.FRAME


def play(turn: Turn, seconds: float, probability: float, text: str | None = "") -> list[Heard]:
    """Feed the turn, and answer its looks with this text."""
    heard: list[Heard] = []
    for _ in range(round(seconds * audio.RATE / vad.FRAME)):
        heard += turn.hear(FRAME, probability)
        if look := turn.wanted():
            heard += turn.read(look, text)
    return heard


def test_a_click_is_not_read() -> None:
    turn = Turn()
    assert play(turn, 1, 0.0) + play(turn, 0.1, 0.9, "You") + play(turn, 1, 0.0, "You") == []
    assert turn.last_wanted() is None and turn.end() == []


def test_words_that_the_model_made_up_are_no_turn() -> None:
    turn = Turn()
    assert play(turn, 0.5, 0.9, "♪") + play(turn, 1, 0.0, "Thank you for watching.") == []


def test_a_turn_ends_after_the_patience_its_words_deserve() -> None:
    turn = Turn()
    assert play(turn, 0.8, 0.9, "It is on") == [Partial("It is on")]
    assert play(turn, 1.3, 0.0, "It is on") == []
    assert play(turn, 0.2, 0.0) == [TurnEnd("It is on")]


def test_skipped_glimpses_lose_no_words() -> None:
    turn = Turn()
    assert play(turn, 2, 0.9, None) == []
    assert play(turn, 1, 0.0, "All of it.") == [EagerEnd("All of it."), TurnEnd("All of it.")]


def test_words_once_shown_are_not_taken_back() -> None:
    turn = Turn()
    assert play(turn, 0.8, 0.9, "Hello.") == [Partial("Hello.")]
    assert play(turn, 1, 0.0, "") == [EagerEnd("Hello."), TurnEnd("Hello.")]


def test_the_sound_before_the_first_word_is_read_with_it() -> None:
    turn = Turn()
    play(turn, 5, 0.0)
    looks = [look for _ in range(20) if not turn.hear(FRAME, 0.9) and (look := turn.wanted())]
    spoken = 7 * vad.FRAME
    assert spoken < len(looks[0].sound) < spoken + audio.RATE


def test_speech_without_a_pause_is_put_away_in_pieces_of_bounded_length() -> None:
    turn, cuts, longest = Turn(), 0, 0
    for _ in range(round(60 * audio.RATE / vad.FRAME)):
        turn.hear(FRAME, 0.9)
        if look := turn.wanted():
            turn.read(look, "piece" if look.cut else None)
            cuts += look.cut
            longest = max(longest, len(look.sound))
    assert cuts >= 3 and longest <= 15 * audio.RATE
    assert turn.end() == [TurnEnd(" ".join(["piece"] * cuts))]


def test_a_look_holds_exactly_its_frames() -> None:
    turn = Turn()
    play(turn, 1, 0.9, None)
    look = turn.last_wanted()
    assert isinstance(look, Look) and len(look.sound) == look.frames * vad.FRAME


@pytest.mark.parametrize(
    "text",
    ["Yes.", "No,", "Who is this?", "Where are you from?", "Yes, it is.", "I am.", "That works for me.", "I think so.",
     "My number is 202-555-0143", "", "Thursday at two."],
)  # fmt: skip
def test_finished_words_are_answered_soon(text: str) -> None:
    assert patience(text) == FINISHED


@pytest.mark.parametrize(
    "text",
    ["Um.", "Well,", "The earliest I have is, um.", "I'd like to pay by card, and,", "The earliest I have is.",
     "I can come at", "On Thursday,", "My number is 202", "My number is two zero two", "It is..."],
)  # fmt: skip
def test_unfinished_words_are_given_time(text: str) -> None:
    assert patience(text) == UNFINISHED


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("I have one day at ten fifteen.", "I have Wednesday at ten fifteen."),
        ("Maybe one day afternoon?", "Maybe Wednesday afternoon?"),
        ("One day I will learn it.", "One day I will learn it."),
        ("Thursday the night is fine.", "Thursday the ninth is fine."),
        ("I work in the night.", "I work in the night."),
        ("At two thirty p M. works", "At two thirty p.m. works"),
        ("I am at home", "I am at home"),
        ("At three P.M..", "At three p.m."),
        ("Story who is calling?", "Sorry who is calling?"),
        ("Call me to-morrow, good-bye.", "Call me tomorrow, goodbye."),
        ("It's two, zero, two, five, five, five, zero, one, four, three.", "It's 202-555-0143."),
        ("At one or two, three", "At one or two, three"),
    ],
)
def test_known_mishearings_are_put_right_only_where_they_are_certain(read: str, meant: str) -> None:
    assert repaired(read) == meant


@pytest.mark.parametrize(
    ("read", "seconds", "kept"),
    [
        ("♪ ♪", 2.0, ""),
        ("[MUSIC]", 2.0, ""),
        ("Thank you for watching!", 1.5, ""),
        ("Thank you.", 0.8, "Thank you."),
        ("You", 0.6, ""),
        ("You", 1.5, "You"),
        ("no " * 40, 2.0, ""),
        (" Yes.  ", 0.6, "Yes."),
    ],
)
def test_what_the_model_makes_up_is_not_passed_on(read: str, seconds: float, kept: str) -> None:
    assert words(read, seconds) == kept


def test_a_turn_does_not_end_in_a_comma() -> None:
    assert offline.final("No,") == "No"
