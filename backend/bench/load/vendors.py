"""The load generator's vendors: recogniser, model and voice, with fixed delays and everything they say prepared.

Each speaks as much of its vendor's protocol as a call uses that goes well; `backend.loopback` has the ones that refuse.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from backend import audio
from backend.bench.delays import REPORT, Delays
from backend.bench.load.wire import BINARY, Head, Wire, frame, response, unmasked

REPLY = "Thank you very much for that, so I will write it all down now."
"""What the model always answers: two clauses, some four seconds of speech. The first is long enough for the second to
be voiced before it is due, so that what is late is late by the product and not by its voice."""
WORDS = "I think that next Thursday would be fine for me.".split()
"""What a callee is always heard to say."""

_LETTER_MS = 65
"""How long a character is voiced."""
_PIECE = 1600
"""Bytes of sound in a message of the voice: 200 ms."""
_UPDATE = audio.RATE // 4
"""Bytes of sound between two of Flux's messages, also while nobody speaks."""
_WORD = round(0.3 * audio.RATE)
"""Bytes of speech for each word."""


# --- the recogniser: Deepgram's Flux ------------------------------------------------------------------------------


class Ear:
    """One connection: it counts the bytes that come, and takes a chunk whose last byte is no silence for speech."""

    def __init__(self, wire: Wire, delays: Delays) -> None:
        self._wire = wire
        self._end = round(delays.end_of_turn * audio.RATE)
        self._eager_end = round(delays.eager_end * audio.RATE)
        self._heard = 0
        self._told = 0
        """Place of the last message."""
        self._loud = 0
        """Bytes of speech in this turn."""
        self._quiet = 0
        """Bytes of silence since."""
        self._eager = False
        wire.send(b'{"type":"Connected","request_id":"load","sequence_id":0}')

    def take(self, opcode: int, payload: bytes, mask: bytes) -> None:
        if opcode != BINARY:
            # CloseStream: Flux answers with nothing.
            self._wire.close()
            return
        size = len(payload)
        self._heard += size
        if payload[-1] ^ mask[(size - 1) % 4] != audio.SILENCE[0]:
            self._loud, self._quiet = self._loud + size, 0
        else:
            self._quiet += size
        if self._loud and self._quiet >= self._end:
            self._tell("EndOfTurn")
            self._loud, self._eager = 0, False
        elif self._loud and self._quiet >= self._eager_end and not self._eager:
            self._eager = True
            self._tell("EagerEndOfTurn")
        elif self._heard - self._told >= _UPDATE:
            self._tell("Update")

    def _tell(self, event: str) -> None:
        self._told = self._heard
        words = len(WORDS) if event != "Update" else min(len(WORDS), self._loud // _WORD)
        self._wire.send_raw(_turn_info(event, words))


@cache
def _turn_info(event: str, count: int) -> bytes:
    """Flux's message with so many words of the turn, framed. Numbers that no client needs are always the same."""
    words = [{"word": word, "confidence": 0.99} for word in WORDS[:count]]
    body: dict[str, Any] = {"type": "TurnInfo", "request_id": "load", "sequence_id": 7, "event": event, "turn_index": 1}
    body |= {"audio_window_start": 0.0, "audio_window_end": 1.0, "transcript": " ".join(WORDS[:count]), "words": words}
    return frame(json.dumps(body | {"end_of_turn_confidence": 0.86}).encode())


# --- the model: Anthropic's Messages API --------------------------------------------------------------------------

_MESSAGE: dict[str, Any] = {
    "id": "msg_load",
    "type": "message",
    "role": "assistant",
    "model": "load",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 900, "output_tokens": 1},
}


_REPORTED: dict[str, Any] = {
    "stop_reason": "tool_use",
    "content": [{"type": "tool_use", "id": "toolu_1", "name": "report_call", "input": REPORT}],
}


def think(wire: Wire, body: bytes, delays: Delays) -> None:
    """Answer one request to the model: a stream if that is what it asks for."""
    asked = json.loads(body)
    if not asked.get("stream"):
        # A warm-up, or the report of a call that is over.
        done = {"stop_reason": "max_tokens", "content": [{"type": "text", "text": ""}]}
        done = _REPORTED if asked["max_tokens"] else done
        wire.reply(json.dumps(_MESSAGE | done).encode())
        return
    loop = asyncio.get_running_loop()
    wire.send_raw(response("200 OK", {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
    due = loop.time() + delays.first_token
    for chunk in _stream():
        loop.call_at(due, wire.send_raw, chunk)
        due += 1 / delays.tokens_per_second


@cache
def _stream() -> tuple[bytes, ...]:
    """The streamed answer: what is sent with each token, as HTTP chunks; the beginning goes with the first."""
    begin: list[dict[str, Any]] = [{"type": "message_start", "message": _MESSAGE}]
    begin += [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
    tokens = REPLY.replace(" ", "| ").split("|")
    deltas = [{"type": "text_delta", "text": token} for token in tokens]
    steps = [[{"type": "content_block_delta", "index": 0, "delta": delta}] for delta in deltas]
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    end = [{"type": "content_block_stop", "index": 0}]
    end += [{"type": "message_delta", "delta": stop, "usage": {"output_tokens": 15}}, {"type": "message_stop"}]
    chunks = [b"".join(map(_event, step)) for step in [begin + steps[0], *steps[1:], end]]
    return (*map(_chunk, chunks), b"0\r\n\r\n")


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


# --- the voice: ElevenLabs' multi-context socket ------------------------------------------------------------------


class Mouth:
    """One connection: each text is voiced in its context, faster than real time and to its end."""

    def __init__(self, wire: Wire, delays: Delays) -> None:
        self._wire = wire
        self._delays = delays

    def take(self, opcode: int, payload: bytes, mask: bytes) -> None:
        message = json.loads(unmasked(payload, mask))
        context, text = message.get("context_id", ""), message.get("text", "").strip()
        if text:
            pieces = _speech(text, self._delays.lead_in)
            asyncio.get_running_loop().call_later(self._delays.first_byte, self._speak, context, pieces, 0)

    def _speak(self, context: str, pieces: Sequence[bytes], place: int) -> None:
        if self._wire.closed:
            return
        if place == len(pieces):
            self._wire.send(b'{"audio":null,"isFinal":true,"contextId":%s}' % json.dumps(context).encode())
            return
        self._wire.send(b'%s,"contextId":%s}' % (pieces[place], json.dumps(context).encode()))
        pause = audio.seconds(_PIECE) / self._delays.speed
        asyncio.get_running_loop().call_later(pause, self._speak, context, pieces, place + 1)


@cache
def _speech(text: str, lead_in: float) -> tuple[bytes, ...]:
    """The messages that voice this text, each without its context and its last bracket."""
    letter = _LETTER_MS * audio.RATE // 1000
    silence = audio.SILENCE * round(lead_in * audio.RATE)
    sound = silence + noise(len(text) * letter)
    starts = [len(silence) + place * letter for place in range(len(text))]
    pieces = []
    for at in range(0, len(sound), _PIECE):
        here = [(char, start) for char, start in zip(text, starts, strict=True) if at <= start < at + _PIECE]
        timing = {
            "chars": [char for char, _ in here],
            "charStartTimesMs": [(start - at) * 1000 // audio.RATE for _, start in here],
            "charDurationsMs": [_LETTER_MS for _ in here],
        }
        speech = b64encode(sound[at : at + _PIECE]).decode()
        message = {"audio": speech, "isFinal": None, "alignment": timing, "normalizedAlignment": timing}
        pieces.append(json.dumps(message).encode()[:-1])
    return tuple(pieces)


def noise(size: int) -> bytes:
    """Mu-law as loud as speech, without a single byte of silence: always the same."""
    samples = np.random.default_rng(1).uniform(0.02, 0.3, size) * np.where(np.arange(size) % 2, 1, -1)
    return audio.encode(samples.astype(np.float32))


def answer(wire: Wire, head: Head, body: bytes, delays: Delays) -> None:
    """Whatever the media server asks of a vendor."""
    path = head.line.split(" ")[1]
    if path.startswith("/v1/messages"):
        think(wire, body, delays)
    elif path.startswith("/v2/listen"):
        wire.upgrade(head, lambda *message: ear.take(*message))
        ear = Ear(wire, delays)
    elif path.startswith("/v1/text-to-speech/"):
        mouth = Mouth(wire, delays)
        wire.upgrade(head, mouth.take)
    else:
        wire.reply(status="404 Not Found")
