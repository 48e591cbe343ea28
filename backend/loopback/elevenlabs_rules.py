"""What ElevenLabs' websockets refuse, and which text they voice when: the loopback's decisions, without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODELS = frozenset(
    {"eleven_flash_v2_5", "eleven_flash_v2", "eleven_turbo_v2_5", "eleven_turbo_v2", "eleven_multilingual_v2"}
)
"""Those of the text-to-speech websockets; v3 and v4 have an endpoint of their own."""
CONTEXTS = 5
"""Live ones on a socket."""

Json = dict[str, Any]


class Refused(Exception):
    """An error of the vendor's: its name and its sentence. The socket is closed after it."""


@dataclass(eq=False, slots=True)
class Context:
    """The text of one generation stream that is waiting to be voiced."""

    name: str | None
    auto: bool
    schedule: Sequence[int]
    """Characters to be waited for before each generation, unless `auto`."""
    waiting: str = ""
    generations: int = 0
    ended: bool = False

    def take(self, message: Json) -> str:
        """Add the message's text; the text to voice now, if any. Blanks alone are never voiced."""
        text = message.get("text") or ""
        self.waiting += text if text.strip() else ""
        enough = self.schedule[min(self.generations, len(self.schedule) - 1)]
        if message.get("try_trigger_generation"):
            enough = min(enough, 50)
        return self.rest() if self.auto or message.get("flush") or len(self.waiting) >= enough else ""

    def rest(self) -> str:
        text, self.waiting = self.waiting, ""
        self.generations += bool(text)
        return text


Due = list[tuple[Context, str | None]]
"""Texts to voice now, in order; an empty one only restarts the context's clock, and nothing at all marks its end."""


class Rules:
    """One connection's side of the protocol. Messages go in; out comes what is to be voiced, or `Refused`."""

    def __init__(self, key: str, voice: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
        self.live: dict[str | None, Context] = {}
        """Contexts whose final message was not sent yet."""
        self.over = False
        """Whether the client has ended its input."""
        self._key = key
        self._keyed = "xi-api-key" in headers
        self._auto = query.get("auto_mode") == "true"
        self._settings: Json | None = None
        self._begun = False
        self._multi = path.endswith("/multi-stream-input")
        self.timeout = float(query.get("inactivity_timeout", 20))
        """Seconds without a message after which the vendor gives up."""
        self._admit(headers, path.split("/")[-2] == voice, query)

    def _admit(self, headers: Mapping[str, str], voice_known: bool, query: Mapping[str, str]) -> None:
        """Refuse what can be refused before any message."""
        model = query.get("model_id", "")
        if self._keyed:
            self._check_key(headers["xi-api-key"])
        if not voice_known:
            raise Refused("voice_not_found", "No voice with this voice_id was found.")
        if model not in MODELS:
            raise Refused("model_not_found", f"Model {model!r} is not available on this endpoint.")
        if "language_code" in query and not model.endswith("_v2_5"):
            raise Refused("unsupported_language", f"Model {model} does not take a language_code.")
        if query.get("output_format") != "ulaw_8000":
            raise Refused("output_format_not_allowed", "This loopback speaks ulaw_8000 only.")
        if not 0 < self.timeout <= 180:
            raise Refused("invalid_inactivity_timeout", "inactivity_timeout is 180 seconds at most.")

    def _check_key(self, key: str | None) -> None:
        if key != self._key:
            raise Refused("invalid_api_key", "Invalid API key")

    def take(self, message: Json) -> Due:
        return self._take_multi(message) if self._multi else self._take_single(message)

    def silent(self) -> Refused:
        """The client has sent nothing for `timeout` seconds."""
        said = f"Have not received a new text input within the timeout of {self.timeout:g} seconds."
        return Refused("input_timeout_exceeded", said)

    def finish(self, context: Context) -> None:
        """The context's final message is out."""
        if self.live.get(context.name) is context:
            del self.live[context.name]

    def _take_single(self, message: Json) -> Due:
        """`stream-input`: one blank first, later blanks keep alive, empty text ends the input."""
        context = self.live.get(None)
        if context is None:
            if message.get("text") != " ":
                raise Refused("invalid_first_message", 'The first message must be {"text": " "}.')
            context = self._begin(None, message)
        self._check_settings(message)
        if message.get("text") == "":
            self.over = True
            return self._end(context)
        return [(context, context.take(message))]

    def _take_multi(self, message: Json) -> Due:
        """`multi-stream-input`: empty text keeps alive, contexts are closed by name, `close_socket` ends the input."""
        if message.get("close_socket"):
            self.over = True
            return [due for context in self.live.values() for due in self._end(context)]
        name = message.get("context_id", message.get("contextId"))
        context = self.live.get(name)
        if message.get("close_context"):
            if context is None or context.ended:
                raise Refused("context_not_found", f"There is no open context {name!r} to be closed.")
            return self._end(context)
        if name is None and not message.get("text"):
            return []
        if context is None or context.ended:
            context = self._begin(name, message)
        self._check_settings(message)
        return [(context, context.take(message))]

    def _begin(self, name: str | None, message: Json) -> Context:
        if not self._keyed:
            self._check_key(message.get("xi-api-key", message.get("xi_api_key")))
            self._keyed = True
        if len(self.live) == CONTEXTS:
            raise Refused("max_active_conversations", f"No more than {CONTEXTS} contexts may be active.")
        if not self._begun:
            self._settings, self._begun = message.get("voice_settings"), True
        schedule = (message.get("generation_config") or {}).get("chunk_length_schedule") or (120, 160, 250, 290)
        context = self.live[name] = Context(name, self._auto, schedule)
        return context

    def _check_settings(self, message: Json) -> None:
        """As observed, the first settings hold for the whole socket, whichever context they came with."""
        if (message.get("voice_settings") or self._settings) != self._settings:
            said = "voice_settings field must be provided in the first message and then must not change."
            raise Refused("policy_violation", said)

    def _end(self, context: Context) -> Due:
        """What was sent so far is still voiced, whatever the client would like."""
        if context.ended:
            return []
        context.ended = True
        return [(context, context.rest()), (context, None)]


def parsed(raw: str | bytes) -> Json:
    """One message from the client.

    Raises:
        Refused: it is no JSON object.
    """
    try:
        message = json.loads(raw)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise Refused("invalid_input_message", "Could not parse the input message.")
    return message
