"""Deepgram's Flux dialect (`/v2/listen`): the server decides when a turn begins and ends, and every transcript is the
whole turn so far.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend import audio
from backend.models import EagerEnd, Heard, Partial, Resumed, TurnEnd

_ONSET = 2.0
"""Seconds. The first words of a turn began less than this before the message that first reports them."""


class Flux:
    """From the messages of one call to what was heard, across any number of sockets."""

    path = "/v2/listen"
    greets = True
    """The server says `Connected` before it takes sound."""
    parameters: tuple[tuple[str, str], ...] = (
        ("eager_eot_threshold", "0.5"),
        ("eot_threshold", "0.7"),
        # The vendor's five seconds are dead air on a phone: whoever trails off for three is waiting for an answer.
        ("eot_timeout_ms", "3000"),
        ("numerals", "true"),
    )

    def __init__(self) -> None:
        self._words = ""
        self._eager = ""
        self._since = 0.0

    @property
    def chunk(self) -> int:
        """Bytes to wait for until they are sent. What waits delays what is decided on it, so in a turn, whose end
        somebody is waiting for, nothing does; elsewhere, half as many messages are worth 20 ms.
        """
        return audio.FRAME if self.in_turn else 2 * audio.FRAME

    @property
    def in_turn(self) -> bool:
        """Words were heard whose turn has not ended: the server owes further messages."""
        return bool(self._words)

    def hear(self, message: Mapping[str, object]) -> list[Heard]:
        """What this message tells, in order; nothing for a message of another kind."""
        if message.get("type") != "TurnInfo":
            return []
        text, reached = str(message.get("transcript", "")).strip(), _seconds(message.get("audio_window_end"))
        if not self._words:
            self._since = max(self._since, reached - _ONSET)
        match message.get("event"):
            case "EndOfTurn":
                self._since = reached
                return self._end(text)
            case "EagerEndOfTurn":
                return self._eager_end(text)
            case event:
                return self._going_on(text, resumed=event == "TurnResumed")

    def finish(self) -> list[Heard]:
        """No message will follow: the turn ends with the words it has."""
        return self._end(self._words)

    def resume(self) -> float:
        """The socket broke. Where on it, in seconds, to replay from: the turn's start, as it is transcribed whole."""
        since, self._since = self._since, 0.0
        return since

    def _end(self, text: str) -> list[Heard]:
        self._words = self._eager = ""
        return [TurnEnd(text)] if text else []

    def _eager_end(self, text: str) -> list[Heard]:
        again, self._words, self._eager = text == self._eager, text, text
        return [] if again else [EagerEnd(text)]

    def _going_on(self, text: str, resumed: bool) -> list[Heard]:
        # Updates come about every 250 ms also while nothing is said, and a replayed turn grows anew from its first
        # word: only words beyond those already told are news.
        news = not self._words.startswith(text)
        heard: list[Heard] = []
        if self._eager and (resumed or news):
            self._eager = ""
            heard.append(Resumed())
        if news:
            self._words = text
            heard.append(Partial(text))
        return heard


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
