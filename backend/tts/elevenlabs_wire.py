"""What is said on ElevenLabs' multi-context websocket: our messages, theirs, and what their refusals mean to a person.

Pure. Facts are from the vendor's API specification, its Python SDK 2.78 and the practice of open-source frameworks.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from websockets.exceptions import InvalidStatus

from backend.models import Denied, ProviderError
from backend.tts.alignment import Letter

CONTEXTS = 5
"""Live contexts on a socket; the vendor answers a sixth by closing the socket."""

KEEPALIVE = json.dumps({"text": ""})
"""Without a context this keeps the socket itself open; on the single-context endpoint it would mean the end."""


def address(url: str, voice: str, model: str) -> str:
    """Where to connect: mu-law as the phone has it, every clause voiced at once, timings with each piece."""
    query = {
        "model_id": model,
        "output_format": "ulaw_8000",
        "auto_mode": "true",
        "sync_alignment": "true",
        "inactivity_timeout": "180",
    }
    return f"{url}/v1/text-to-speech/{quote(voice, safe='')}/multi-stream-input?{urlencode(query)}"


def clause(context: str, text: str) -> list[str]:
    """All the messages that voice one clause in a context of its own.

    The lone blank must come first. `close_context` lets the flushed text be voiced to its end, and brings the final
    message at once instead of after the inactivity timeout. No `voice_settings`: the vendor closes the socket when
    those of one context differ from another's, so the voice keeps its stored ones.
    """
    return [
        json.dumps({"text": " ", "context_id": context}),
        json.dumps({"text": f"{text.strip()} ", "context_id": context, "flush": True}),
        json.dumps({"context_id": context, "close_context": True}),
    ]


class _Timing(BaseModel):
    """When each character is voiced, in milliseconds from the start of the message's own sound."""

    chars: list[str] | None = None
    starts: list[FiniteFloat] | None = Field(
        default=None, validation_alias=AliasChoices("charStartTimesMs", "char_start_times_ms")
    )
    durations: list[FiniteFloat] | None = Field(
        default=None,
        validation_alias=AliasChoices("charDurationsMs", "charsDurationsMs", "char_durations_ms", "chars_durations_ms"),
    )


def _if_readable(data: object, reader: ValidatorFunctionWrapHandler) -> _Timing | None:
    """Sound without its timing is still speech."""
    try:
        timing: _Timing | None = reader(data)
    except ValidationError:
        return None
    return timing


_Timed = Annotated[_Timing | None, WrapValidator(_if_readable)]


class Message(BaseModel):
    """Anything the vendor sends. It spells the same keys in two ways, so both are read."""

    model_config = ConfigDict(val_json_bytes="base64")

    context: str | None = Field(default=None, validation_alias=AliasChoices("contextId", "context_id"))
    audio: bytes | None = None
    final: bool | None = Field(default=None, validation_alias=AliasChoices("isFinal", "is_final"))
    alignment: _Timed = None
    normalized: _Timed = Field(
        default=None, validation_alias=AliasChoices("normalizedAlignment", "normalized_alignment")
    )
    error: Any = None
    detail: Any = None
    """What the vendor's web side calls an error, in any of several shapes."""
    message: Any = None

    @property
    def sound(self) -> bytes:
        return self.audio or b""

    @property
    def letters(self) -> list[Letter]:
        """The timed characters, as they were sent where that is told, else as the vendor spelt them out."""
        timing = self.alignment or self.normalized or _Timing()
        times = zip(timing.chars or (), timing.starts or (), timing.durations or (), strict=False)
        return [Letter(char, round(start), round(start + duration)) for char, start, duration in times]


def read(raw: str | bytes) -> Message:
    """One message from the vendor.

    Raises:
        Denied: it says that this key, voice, model or account will not do.
        ProviderError: it says that something else went wrong, or says nothing that can be understood.
    """
    try:
        message = Message.model_validate_json(raw)
    except ValidationError as error:
        raise ProviderError(f"ElevenLabs sent a message that cannot be read ({error.error_count()} faults)") from None
    wrong = message.error or message.detail
    if wrong or (message.message and not message.audio):
        raise complaint(_name(wrong), _sentence(message.message) or _sentence(wrong))
    return message


def _name(error: object) -> str:
    match error:
        case {"status": str(name)} | {"code": str(name)} | {"type": str(name)}:
            return name
        case str():
            return error
        case None | [] | {}:
            return ""
    return "error"


def _sentence(said: object) -> str:
    match said:
        case {"message": str(sentence)} | [{"msg": str(sentence)}, *_]:
            return sentence
    return said if isinstance(said, str) else ""


_MEANINGS: tuple[tuple[str, type[ProviderError], str], ...] = (
    ("concurrent", ProviderError, "voices as many calls at once as this account may: place fewer, or raise the plan"),
    ("busy", ProviderError, "is overloaded: try again in a moment"),
    ("character_limit", ProviderError, "does not voice so long a sentence at once"),
    ("unusual_activity", Denied, "refuses this account's free plan, as it does behind some networks: use a paid one"),
    ("active_conversations", ProviderError, "counted more than five sentences at once"),
    ("voice_settings|timeout", ProviderError, "ended the connection by its rules"),
    ("api_key|auth|permission", Denied, "refused the API key: check ELEVENLABS_API_KEY in .env"),
    ("quota|payment", Denied, "has no characters left for this API key: raise its limit or the plan"),
    ("voice", Denied, "does not offer this voice: check ELEVENLABS_VOICE_ID in .env against your voices there"),
    ("model", Denied, "does not offer this model here: check ELEVENLABS_MODEL in .env; eleven_flash_v2_5 should do"),
    ("", ProviderError, "reported an error"),
)
"""Part of an error's name, whether it is final, what it means; parts, since not every name is published."""


def complaint(name: str, said: str) -> ProviderError:
    """What the vendor's error means, by its name, or by its sentence where it has no name."""
    key = (name or said).lower().replace(" ", "_")
    kind, meaning = next((kind, meaning) for words, kind, meaning in _MEANINGS if re.search(words, key))
    return kind(f"ElevenLabs {meaning} ({name or said or 'no reason given'})")


def closed(code: int | None, reason: str | None) -> ProviderError:
    """Why the socket ended, for sockets that end without an error message."""
    if code == 1008 and reason:
        return complaint("", reason)
    return ProviderError(f"ElevenLabs closed the connection (code {code or 'none'})")


_STATUS = {
    401: "unauthorized",
    402: "payment required",
    403: "no permission",
    404: "voice not found",
    429: "too many concurrent requests",
}


def unreachable(error: Exception) -> ProviderError:
    """Why no socket could be opened."""
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        means = "busy" if status >= 500 else _STATUS.get(status, "")
        return complaint(f"HTTP {status} {means}".strip(), "")
    if isinstance(error, ImportError):
        return ProviderError("ElevenLabs cannot be reached: a SOCKS proxy needs the Python package python-socks")
    why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    return ProviderError(f"ElevenLabs cannot be reached ({why}): check this machine's connection and ELEVENLABS_URL")
