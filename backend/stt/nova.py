"""Deepgram's first dialect (`/v1/listen`, Nova models): pieces of transcript that are first guessed, then final; a turn
is the finals up to a pause.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.models import EagerEnd, Heard, Partial, Resumed, TurnEnd

_PAUSE = 1.0
"""Seconds of silence that end a turn where the server's own end of it was lost with a socket."""


class Nova:
    """From the messages of one call to what was heard, across any number of sockets."""

    path = "/v1/listen"
    greets = False
    chunk = 320
    """Bytes to send at a time: 40 ms, little delay for few messages (20 to 100 ms are good)."""
    parameters: tuple[tuple[str, str], ...] = (
        ("channels", "1"),
        ("interim_results", "true"),
        # The vendor's 10 ms would split a phone number at every breath.
        ("endpointing", "300"),
        # For noise that keeps the endpointing open; 1000 is the least allowed, and it needs interim_results.
        ("utterance_end_ms", "1000"),
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
        self._guess, self._overdue = "", False
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
            self._carried = False
        # The pause that ended a turn may have been told on a lost socket only, and a new one knows of no words that a
        # pause could follow: without this the turn would hang until the callee speaks again.
        forgotten = self._carried and not text and reached >= _PAUSE
        if ends or forgotten or (final and self._overdue):
            return self._end(reached)
        return self._going_on(final, sentence=final and text.endswith((".", "?", "!")))

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

    def _going_on(self, final: bool, sentence: bool) -> list[Heard]:
        text = self._text
        # Replayed sound is guessed anew from its first word: only words beyond those already told are news.
        news = not self._told.startswith(text)
        heard: list[Heard] = []
        if news and self._eager:
            self._eager = False
            heard.append(Resumed())
        if sentence:
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


def _transcript(message: Mapping[str, object]) -> str:
    match message.get("channel"):
        case {"alternatives": [{"transcript": str(text)}, *_]}:
            return text.strip()
    return ""


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
