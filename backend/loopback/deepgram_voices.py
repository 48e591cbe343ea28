"""Deepgram's two dialects from the server's side, without I/O: what an ear hears becomes the documented messages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from backend.loopback.ear import STEP, Hearing, Pace

Message = dict[str, object]
Query = Mapping[str, Sequence[str]]


class Voice(Protocol):
    """One dialect's server side, without I/O: sound and commands in, messages out."""

    over: bool

    def greet(self) -> list[Message]: ...
    def hear(self, frame: bytes) -> list[Message]: ...
    def obey(self, command: Message) -> list[Message]: ...


class FluxVoice:
    """`/v2/listen`: whole turns, whose end is decided here."""

    def __init__(self, query: Query, ear: Hearing, pace: Pace) -> None:
        self.over = False
        self._ear, self._pace = ear, pace
        self._eager_wanted = "eager_eot_threshold" in query
        self._timeout = _number(query, "eot_timeout_ms", 5000) / 1000
        self._told, self._eager, self._told_at = "", False, 0.0
        self._turn, self._first, self._sequence, self._began = 0, 0, -1, 0.0

    def greet(self) -> list[Message]:
        return [self._numbered({"type": "Connected"})]

    def hear(self, frame: bytes) -> list[Message]:
        self._ear.hear(frame)
        quiet = self._ear.quiet + STEP / 2
        if self._eager_wanted and quiet >= self._pace.eager - STEP:
            self._ear.flush()
        text = self._text
        if not text:
            return []
        if self._eager and self._ear.quiet == 0:
            return [self._info("TurnResumed")]
        if text != self._told:
            return [self._info("Update" if self._told else "StartOfTurn")]
        if quiet >= self._timeout or (quiet >= self._pace.end and _complete(text)):
            return [self._info("EndOfTurn", "timeout" if quiet >= self._timeout else "model")]
        if self._eager_wanted and not self._eager and quiet >= self._probable(text):
            return [self._info("EagerEndOfTurn")]
        return [self._info("Update")] if not self._eager and self._ear.now - self._told_at >= 0.25 else []

    def obey(self, command: Message) -> list[Message]:
        match command:
            case {"type": "CloseStream"}:
                self.over = True
                return []
            case {"type": "ForceEndTurn"}:
                self._ear.flush()
                return [self._info("EndOfTurn", "manual")] if self._text else []
            case {"type": "Configure"}:
                return [self._numbered({**command, "type": "ConfigureSuccess"})]
        self.over = True
        error = {"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": "unknown message type"}
        return [self._numbered({**error})]

    @property
    def _text(self) -> str:
        return " ".join(word.text for word in self._ear.words[self._first :])

    def _probable(self, text: str) -> float:
        """The silence after these words that makes it probable that the turn is over."""
        return self._pace.eager if _complete(text) else self._pace.hasty

    def _info(self, event: str, trigger: str | None = None) -> Message:
        words = self._ear.words[self._first :]
        message: Message = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": self._began,
            "audio_window_end": self._ear.now,
            "transcript": self._text,
            "words": [{"word": word.text, "confidence": 0.99} for word in words],
            "end_of_turn_confidence": {"EndOfTurn": 0.9, "EagerEndOfTurn": 0.6}.get(event, 0.1),
        }
        self._told, self._told_at, self._eager = self._text, self._ear.now, event == "EagerEndOfTurn"
        if trigger:
            message["trigger"] = trigger
            self._told, self._first, self._began = "", len(self._ear.words), self._ear.now
            self._turn += 1
        return self._numbered(message)

    def _numbered(self, message: Message) -> Message:
        self._sequence += 1
        return {**message, "request_id": "loopback", "sequence_id": self._sequence}


class NovaVoice:
    """`/v1/listen`: guesses and finals, with pauses found by `endpointing` and `utterance_end_ms`."""

    def __init__(self, query: Query, ear: Hearing, pace: Pace, noise: bool, empty_finals: bool) -> None:
        self.over = False
        self._ear, self._pace = ear, pace
        self._noise, self._empty_finals = noise, empty_finals
        self._guesses, self._onsets = _on(query, "interim_results"), _on(query, "vad_events")
        self._pause = _number(query, "endpointing", 10) / 1000 if query.get("endpointing") != ["false"] else math.inf
        self._utterance_end = _number(query, "utterance_end_ms", math.inf) / 1000
        self._began, self._done, self._told = 0.0, 0, 0
        self._speaking, self._open, self._ended = False, False, -1.0

    def greet(self) -> list[Message]:
        return []

    def hear(self, frame: bytes) -> list[Message]:
        self._ear.hear(frame)
        return [*self._onset(), *self._result(), *self._end()]

    def obey(self, command: Message) -> list[Message]:
        match command:
            case {"type": "KeepAlive"}:
                return []
            case {"type": "Finalize"}:
                self._ear.flush()
                return [self._piece(final=True, from_finalize=True)]
            case {"type": "CloseStream"}:
                self.over = True
                self._ear.flush()
                last = [self._piece(final=True)] if self._done < len(self._ear.words) else []
                return [*last, self._metadata()]
            case {"type": "Configure"}:
                return [{**command, "type": "ConfigureSuccess", "request_id": "loopback"}]
        return [
            {"type": "Error", "variant": "SchemaError", "description": "unknown message", "message": "unknown type"}
        ]

    def _onset(self) -> list[Message]:
        began, self._speaking = self._ear.quiet == 0 and not self._speaking, self._ear.quiet < self._pause
        return [{"type": "SpeechStarted", "channel": [0], "timestamp": self._ear.now}] if began and self._onsets else []

    def _result(self) -> list[Message]:
        fresh = len(self._ear.words) > self._done
        if (fresh or self._open) and self._ear.quiet + STEP / 2 >= self._pause:
            if self._noise:
                return [self._piece(final=True)] if fresh else []
            before = [self._piece(final=True)] if self._empty_finals and fresh else []
            return [*before, self._piece(final=True, pause=True)]
        if self._ear.now - self._began >= self._pace.window:
            return [self._piece(final=True)]
        return [self._piece()] if self._guesses and len(self._ear.words) > self._told else []

    def _end(self) -> list[Message]:
        last = self._ear.words[-1].end if self._ear.words else math.inf
        if last <= self._ended or self._ear.now - last < self._utterance_end:
            return []
        self._ended = last
        return [{"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": last}]

    def _piece(self, final: bool = False, pause: bool = False, from_finalize: bool = False) -> Message:
        words, start = self._ear.words[self._done :], self._began
        if final:
            self._began, self._done = max(start, self._ear.settled), len(self._ear.words)
            self._open = not pause and (self._open or bool(words))
        self._told = len(self._ear.words)
        spoken = [
            {
                "word": word.text.strip(".,?!").lower(),
                "punctuated_word": word.text,
                "start": word.start,
                "end": word.end,
            }
            for word in words
        ]
        best = {
            "transcript": " ".join(word.text for word in words),
            "confidence": 0.99 if words else 0.0,
            "words": [{**word, "confidence": 0.99} for word in spoken],
        }
        return {
            "type": "Results",
            "channel_index": [0, 1],
            "start": start,
            "duration": (self._began if final else self._ear.now) - start,
            "is_final": final,
            "speech_final": pause,
            "from_finalize": from_finalize,
            "channel": {"alternatives": [best]},
            "metadata": {
                "request_id": "loopback",
                "model_info": {"name": "loopback", "version": "1", "arch": "loopback"},
                "model_uuid": "loopback",
            },
        }

    def _metadata(self) -> Message:
        known = {"transaction_key": "deprecated", "request_id": "loopback", "sha256": "", "created": ""}
        return {"type": "Metadata", **known, "duration": self._ear.now, "channels": 1}


def _complete(text: str) -> bool:
    return text.endswith((".", "?", "!"))


def _on(query: Query, name: str) -> bool:
    return query.get(name) == ["true"]


def _number(query: Query, name: str, default: float) -> float:
    return float(query[name][0]) if name in query else default
