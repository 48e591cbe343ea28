"""TwiML as the practice carrier understands it: one webhook's reply as a sequence of verbs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from backend.config import is_loopback

LARGEST = 64 * 1024
"""Bytes; Twilio refuses longer documents (11750)."""


class BadDocument(Exception):
    """Not a document that can be followed; the message begins with Twilio's error code."""


@dataclass(frozen=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Stream:
    """`<Connect><Stream>`: the call's sound both ways over a WebSocket, until the server closes it."""

    url: str
    name: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    status_url: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """`<Dial><Number>`: another phone is rung and connected; what became of it is told to `then`, if there is one."""

    number: str
    then: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


Verb = Say | Pause | Stream | Dial | Redirect | Reject | Hangup
Document = tuple[Verb, ...]


def parse(text: str) -> Document:
    """Read a document.

    Raises:
        BadDocument: it is too large, not XML, or asks for something unknown.
    """
    if len(text.encode()) > LARGEST:
        raise BadDocument(f"11750: the document is larger than {LARGEST} bytes")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise BadDocument(f"12100: the document is not well-formed XML ({error})") from None
    if root.tag != "Response":
        raise BadDocument(f"12100: the document begins with <{root.tag}>, expected <Response>")
    return tuple(_verb(element) for element in root)


def _verb(element: Element) -> Verb:
    reader = _VERBS.get(element.tag)
    if reader is None:
        raise BadDocument(f"12200: the practice carrier knows no <{element.tag}>, only {', '.join(_VERBS)}")
    return reader(element)


def _say(element: Element) -> Say:
    return Say("".join(element.itertext()).strip())


def _pause(element: Element) -> Pause:
    length = element.get("length", "1")
    if not length.isdecimal():
        raise BadDocument(f"12200: <Pause length> is {length!r}, expected whole seconds")
    return Pause(float(length))


def _connect(element: Element) -> Stream:
    streams = list(element)
    if [stream.tag for stream in streams] != ["Stream"]:
        raise BadDocument("12200: <Connect> needs exactly one <Stream>")
    stream = streams[0]
    return Stream(
        url=_socket_url(stream.get("url", "")),
        name=stream.get("name", ""),
        parameters={part.get("name", ""): part.get("value", "") for part in stream.iter("Parameter")},
        status_url=stream.get("statusCallback", ""),
    )


def _socket_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "wss" and not (parts.scheme == "ws" and is_loopback(parts.hostname or "")):
        raise BadDocument(f"31922: <Stream url> is {url!r}, expected wss:// (or ws:// on this machine)")
    if parts.query:
        raise BadDocument("31920: <Stream url> has a query string, which Twilio drops; use <Parameter>")
    return url


def _dial(element: Element) -> Dial:
    numbers = [number.text or "" for number in element.iter("Number")]
    if len(numbers) != 1:
        raise BadDocument("12200: the practice carrier's <Dial> needs exactly one <Number>")
    return Dial(numbers[0].strip(), element.get("action", ""))


def _redirect(element: Element) -> Redirect:
    return Redirect((element.text or "").strip())


def _reject(element: Element) -> Reject:
    return Reject(element.get("reason", "rejected"))


def _hangup(_: Element) -> Hangup:
    return Hangup()


_VERBS: dict[str, Callable[[Element], Verb]] = {
    "Say": _say,
    "Pause": _pause,
    "Connect": _connect,
    "Dial": _dial,
    "Redirect": _redirect,
    "Reject": _reject,
    "Hangup": _hangup,
}
