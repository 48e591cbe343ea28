"""Deepgram's first dialect (`/v1/listen`, Nova models): pieces of transcript that are first guessed, then final; a turn
is the finals up to a pause, unless the words so far cannot be all.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.call.words.completeness import unfinished
from backend.call.words.short_words import stands_alone, words
from backend.models import EagerEnd, Heard, Partial, Resumed, TurnEnd

_PAUSE = 1.0
"""Seconds of silence that end a turn where the server's own end of it was lost with a socket."""
_STALLED = 2.0
"""Seconds without a word after which a turn ends though its `UtteranceEnd` never came."""

_SHORT = 3
"""Words of an answer that needs no full stop."""


class Nova:
    """From the messages of one call to what was heard, across any number of sockets."""

    path = "/v1/listen"
    greets = False
    chunk = 320
    """Bytes to send at a time: 40 ms, little delay for few messages (20 to 100 ms are good)."""
    parameters: tuple[tuple[str, str], ...] = (
        ("channels", "1"),
        ("interim_results", "true"),
        # The vendor's 10 ms would split a phone number at every breath. A pause after words that cannot be all
        # ("my number is") ends no turn: `UtteranceEnd` does.
        ("endpointing", "300"),
        # Also for noise that keeps the endpointing open; needs interim_results. The vendor's least, 1000, would end the
        # turns of those who stop for a second in the middle of a sentence.
        ("utterance_end_ms", "1300"),
        ("vad_events", "true"),
        # Not smart_format: it may hold a final back for seconds while it waits for more of a number.
        ("punctuate", "true"),
        ("numerals", "true"),
    )

    def __init__(self) -> None:
        self._finals: list[str] = []
        self._guess = ""
        self._told = ""
        self._eager = False
        self._settled = 0.0
        self._spoken = 0.0
        """When the last word heard ended, in seconds of this socket."""
        self._ended = -1.0
        self._overdue = False
        self._carried = False

    @property
    def in_turn(self) -> bool:
        """Words were heard whose turn has not ended: the server owes further messages."""
        return bool(self._finals or self._guess)

    def hear(self, message: Mapping[str, object]) -> list[Heard]:
        """What this message tells, in order; nothing for a message of another kind."""
        match message.get("type"):
            case "Results":
                return self._results(message)
            case "UtteranceEnd":
                return self._utterance_end(_seconds(message.get("last_word_end")))
        return []

    def finish(self) -> list[Heard]:
        """No message will follow: the turn ends with the words it has."""
        return self._end()

    def resume(self) -> float:
        """The socket broke. Where on it, in seconds, to replay from: the finals stay, guesses are heard again."""
        settled, self._settled, self._ended = self._settled, 0.0, -1.0
        self._guess, self._overdue, self._spoken = "", False, 0.0
        self._carried = bool(self._finals)
        return settled

    def _results(self, message: Mapping[str, object]) -> list[Heard]:
        text = _transcript(message)
        final, ends = bool(message.get("is_final")), bool(message.get("speech_final"))
        reached = _seconds(message.get("start")) + _seconds(message.get("duration"))
        if final:
            self._settled = reached
            self._finals += [text] if text else []
        self._guess = "" if final else text
        if text:
            self._carried, self._spoken = False, _last_word_end(message, reached)
        if (ends and _may_be_all(self._text)) or (final and self._overdue) or self._stalled(text, reached):
            return self._end(reached)
        return self._going_on(final, ends)

    def _stalled(self, text: str, reached: float) -> bool:
        """Whether the end of the turn was told on a lost socket only, or not at all.

        A new socket knows of no words that a pause could follow: without this the turn would hang until the callee
        speaks again.
        """
        silent = reached - self._spoken >= (_PAUSE if self._carried else _STALLED)
        return bool(self._finals) and not text and silent

    def _utterance_end(self, last_word: float) -> list[Heard]:
        # It also comes after a turn that ended well, and then must not end the next one.
        if 0 <= last_word <= self._ended:
            return []
        if not self._guess:
            return self._end(last_word)
        # Ending now would tell the guess twice, here and as the next turn's first final.
        self._overdue = True
        return []

    def _end(self, at: float = -1.0) -> list[Heard]:
        text = self._text
        self._finals.clear()
        self._guess = self._told = ""
        self._eager = self._overdue = self._carried = False
        self._ended = max(self._ended, at)
        return [TurnEnd(text)] if text else []

    def _going_on(self, final: bool, pause: bool) -> list[Heard]:
        text = self._text
        # Replayed sound is guessed anew from its first word: only words beyond those already told are news.
        news = not self._told.startswith(text)
        # A guess made twice in a row is as good as final, and comes earlier. After a pause in words without a full stop
        # the answer is prepared; it is given when the pause has lasted.
        settled = (pause or ((final or text == self._told) and _ends_sentence(text))) and not unfinished(text)
        if self._eager and words(text) == words(self._told):
            # A comma has become a full stop: the same words, and whoever thinks about them may go on.
            self._told = text
            return []
        heard: list[Heard] = []
        if news and self._eager:
            self._eager = False
            heard.append(Resumed())
        if settled and not self._eager:
            self._eager = True
            heard.append(EagerEnd(text))
        elif news:
            heard.append(Partial(text))
        if news or final:
            self._told = text
        return heard

    @property
    def _text(self) -> str:
        return " ".join([*self._finals, self._guess]).strip()


def _may_be_all(text: str) -> bool:
    """Whether a pause after these words can be the end of the turn. The server puts a full stop where it takes a
    sentence to be over; only short answers often go without.
    """
    return not unfinished(text) and (_ends_sentence(text) or (len(words(text)) <= _SHORT and stands_alone(text)))


def _ends_sentence(text: str) -> bool:
    return text.endswith((".", "?", "!"))


def _transcript(message: Mapping[str, object]) -> str:
    match message.get("channel"):
        case {"alternatives": [{"transcript": str(text)}, *_]}:
            return text.strip()
    return ""


def _last_word_end(message: Mapping[str, object], reached: float) -> float:
    """When the last word of this piece ended; the end of the piece where its words are not timed."""
    match message.get("channel"):
        case {"alternatives": [{"words": [*_, {"end": float(end) | int(end)}]}, *_]}:
            return float(end)
    return reached


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
