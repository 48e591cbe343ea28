"""A small Deepgram on this machine for tests, demonstrations and benchmarks: both dialects over a real websocket.
It refuses what the vendor refuses, and breaks on request.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from backend import audio
from backend.loopback.deepgram_voices import FluxVoice, Message, NovaVoice, Query, Voice
from backend.loopback.ear import Ear, Hearing, Pace
from backend.loopback.told import Lexicon, ToldEar

Script = Sequence[str] | Callable[[int], Iterable[str]] | Lexicon
"""What is heard: the texts of each connection's bursts, or what gives them for the connection of a number, from 1; or a
lexicon that says it of each frame."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong on one connection. After one that dies or falls mute, the next hears the same words in the same
    sound.
    """

    refuse: int = 0
    """Answer the upgrade with this HTTP status."""
    no_keyterms: bool = False
    """Answer an upgrade with keyterms with HTTP 400."""
    die: int | None = None
    """Close with 1011 after this many bytes of sound."""
    mute: int | None = None
    """Say nothing more after this many bytes of sound; at 0, not even Flux's Connected."""
    noise: bool = False
    """v1: a line so noisy that no pause is found: finals without speech_final, only UtteranceEnd ends an utterance."""
    empty_finals: bool = False
    """v1: the words are final first, and the pause is told by an empty final."""


@dataclass(slots=True)
class Connection:
    """What one client did."""

    number: int
    """From 1."""
    path: str
    query: Query
    headers: Mapping[str, str]
    received: int = 0
    """Bytes of sound."""
    controls: list[Message] = field(default_factory=list)
    """Its text messages."""
    tail: bytes = b""
    """The last sound it sent, as it came in one message."""
    ends: list[tuple[float, str]] = field(default_factory=list)
    """When the end of each turn was sent, in `loop.time()`, and with which words: Flux's EndOfTurn."""
    unheard: bytes = b""
    """Less than a frame of sound, waiting for the rest."""


class LoopbackDeepgram:
    """Serves while it is entered; `url` is what `DEEPGRAM_URL` would be."""

    def __init__(
        self, script: Script = (), *, key: str = "loopback-key", pace: Pace | None = None, faults: Sequence[Fault] = ()
    ) -> None:
        """`faults` are those of the first connection, the second, and so on; later ones have none."""
        self.key = key
        self.connections: list[Connection] = []
        """Everyone who came, also if refused."""
        self.open_sockets = 0
        self._none_open = asyncio.Event()
        self._none_open.set()
        self._script, self._pace, self._faults = script, pace or Pace(), faults
        self._admitted: dict[ServerConnection, Connection] = {}
        self._broken: Ear | None = None

    async def __aenter__(self) -> Self:
        self._server: Server = await serve(
            self._converse,
            "127.0.0.1",
            0,
            process_request=self._admit,
            compression=None,
            close_timeout=1,
            # Reading goes on while the server closes, else it would not see that the client agrees.
            max_queue=None,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def all_closed(self) -> None:
        """Wait until no socket is open."""
        await self._none_open.wait()

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        connection = Connection(len(self.connections) + 1, parts.path, query, dict(request.headers.raw_items()))
        self.connections.append(connection)
        fault = self._fault(connection)
        refusal = _asked_for(fault, query) or _refusal(connection, self.key)
        if refusal is None:
            self._admitted[socket] = connection
            return None
        status, reason = refusal
        response = socket.respond(HTTPStatus(status), json.dumps({"err_msg": reason}))
        response.headers["dg-error"] = reason
        response.headers["dg-request-id"] = "loopback"
        return response

    def _fault(self, connection: Connection) -> Fault:
        return self._faults[connection.number - 1] if connection.number <= len(self._faults) else Fault()

    async def _converse(self, socket: ServerConnection) -> None:
        connection = self._admitted.pop(socket)
        voice = self._voice(connection)
        self.open_sockets += 1
        self._none_open.clear()
        try:
            await self._serve(socket, connection, voice)
        except ConnectionClosed:
            pass
        finally:
            self.open_sockets -= 1
            if not self.open_sockets:
                self._none_open.set()

    def _voice(self, connection: Connection) -> Voice:
        ear, fault = self._ear(connection.number), self._fault(connection)
        breaks = fault.die is not None or fault.mute is not None
        self._broken = ear if breaks and isinstance(ear, Ear) else None
        if connection.path == _FLUX:
            return FluxVoice(connection.query, ear, self._pace)
        return NovaVoice(connection.query, ear, self._pace, fault.noise, fault.empty_finals)

    def _ear(self, number: int) -> Hearing:
        if isinstance(self._script, Lexicon):
            return ToldEar(self._script, self._pace)
        remembers = number <= len(self._faults)
        if self._broken:
            return Ear((), self._pace, self._broken, remembers)
        return Ear(self._script(number) if callable(self._script) else self._script, self._pace, None, remembers)

    async def _serve(self, socket: ServerConnection, connection: Connection, voice: Voice) -> None:
        fault, loop = self._fault(connection), asyncio.get_running_loop()
        deadline = loop.time() + self._pace.idle
        messages = voice.greet()
        while True:
            if fault.mute is None or connection.received < fault.mute:
                for message in messages:
                    if message.get("event") == "EndOfTurn":
                        connection.ends.append((loop.time(), str(message["transcript"])))
                    await socket.send(json.dumps(message))
            if fault.die is not None and connection.received >= fault.die:
                return await socket.close(1011, "NET-0000")
            if voice.over:
                return None
            try:
                async with asyncio.timeout_at(deadline):
                    messages = _taken(connection, voice, await socket.recv(), fault.die)
            except TimeoutError:
                return await socket.close(1011, "NET-0001: no audio data or text within the timeout window")
            # KeepAlive alone does not keep a fresh socket open.
            if connection.received:
                deadline = loop.time() + self._pace.idle


def _taken(connection: Connection, voice: Voice, data: str | bytes, limit: int | None) -> list[Message]:
    """What is answered to a message. Sound beyond the limit is not heard any more."""
    if isinstance(data, str):
        connection.controls.append(_command(data))
        return voice.obey(connection.controls[-1])
    if not data:
        return voice.obey({"type": "CloseStream"})
    if limit is not None:
        data = data[: limit - connection.received]
    connection.received += len(data)
    connection.tail = data
    sound = connection.unheard + data
    whole = len(sound) - len(sound) % audio.FRAME
    connection.unheard = sound[whole:]
    frames = (sound[place : place + audio.FRAME] for place in range(0, whole, audio.FRAME))
    return [message for frame in frames for message in voice.hear(frame)]


def _asked_for(fault: Fault, query: Query) -> tuple[int, str] | None:
    if fault.no_keyterms and "keyterm" in query:
        return 400, "Keyterms are refused on request."
    return (fault.refuse, "refused on request") if fault.refuse else None


_FLUX, _NOVA = "/v2/listen", "/v1/listen"
_FLUX_PARAMETERS = frozenset(
    "model encoding sample_rate eot_threshold eager_eot_threshold eot_timeout_ms keyterm numerals profanity_filter "
    "redact language_hint tag mip_opt_out".split()
)
_NOVA_PARAMETERS = frozenset(
    "model encoding sample_rate channels multichannel interim_results endpointing utterance_end_ms vad_events "
    "punctuate smart_format numerals no_delay profanity_filter dictation redact replace search keyterm keywords tag "
    "language detect_entities diarize diarize_model version callback mip_opt_out extra".split()
)
_MODELS = re.compile(
    r"flux-general-(en|multi)|nova-3(-general|-medical)?|nova-2(-(general|phonecall|meeting|finance|conversationalai|"
    r"voicemail|video|medical|drivethru|automotive|atc))?|nova|enhanced|base"
)
_TOKENS_A_WORD = 5
"""Of a rare name; the vendor counts tokens, and takes 500 in all."""
_RAW = frozenset("linear16 linear32 mulaw alaw amr-nb amr-wb opus speex g729".split())


def _refusal(connection: Connection, key: str) -> tuple[int, str] | None:
    """The status and the reason with which the vendor would refuse this upgrade."""
    if connection.path not in {_FLUX, _NOVA}:
        return 404, "Not Found"
    given = {name.lower(): value for name, value in connection.headers.items()}.get("authorization")
    if given not in {f"Token {key}", f"Bearer {key}"}:
        return 401, "Invalid credentials."
    check = _flux_problem if connection.path == _FLUX else _nova_problem
    problem = check(connection.query) or _shared_problem(connection.query)
    return (400, problem) if problem else None


def _shared_problem(query: Query) -> str:
    if query.get("encoding", [""])[0] in _RAW and "sample_rate" not in query:
        return "Missing 'sample_rate', which this encoding needs."
    if not _MODELS.fullmatch(query.get("model", [""])[0]):
        return "No such model."
    if _TOKENS_A_WORD * len(" ".join(query.get("keyterm", ())).split()) > 500:
        return "Keyterm limit exceeded."
    return ""


def _flux_problem(query: Query) -> str:
    if unknown := sorted(query.keys() - _FLUX_PARAMETERS):
        return f"Unknown query parameter '{unknown[0]}'."
    if not query.get("model", [""])[0].startswith("flux-"):
        return "This endpoint needs a Flux model."
    eot, eager = _in_range(query, "eot_threshold", 0.5, 1), _in_range(query, "eager_eot_threshold", 0.3, 0.9)
    timeout = _in_range(query, "eot_timeout_ms", 500, 60000)
    if problem := eot or eager or timeout:
        return problem
    if float(query.get("eager_eot_threshold", ["0"])[0]) > float(query.get("eot_threshold", ["0.7"])[0]):
        return "'eager_eot_threshold' must not exceed 'eot_threshold'."
    return ""


def _nova_problem(query: Query) -> str:
    model = query.get("model", [""])[0]
    if unknown := sorted(query.keys() - _NOVA_PARAMETERS):
        return f"Unknown query parameter '{unknown[0]}'."
    if model.startswith("flux"):
        return "Flux models are served at /v2/listen."
    if "utterance_end_ms" in query and query.get("interim_results") != ["true"]:
        return "'utterance_end_ms' needs 'interim_results=true'."
    if "keyterm" in query and not model.startswith("nova-3"):
        return "'keyterm' needs a Nova-3 model."
    return _in_range(query, "utterance_end_ms", 1000, 5000)


def _in_range(query: Query, name: str, least: float, most: float) -> str:
    value = query.get(name, [str(least)])[0]
    try:
        fits = least <= float(value) <= most
    except ValueError:
        fits = False
    return "" if fits else f"Invalid '{name}' value of '{value}'."


def _command(data: str) -> Message:
    try:
        command = json.loads(data)
    except ValueError:
        return {}
    return command if isinstance(command, dict) else {}
