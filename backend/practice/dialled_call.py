"""The create-call form as Twilio reads it: who is to be called, from where, and what is to be reported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from backend.practice.machine_detection import Rules

Form = Mapping[str, Sequence[str]]
"""Fields as `parse_qs` gives them, since `StatusCallbackEvent` comes several times."""

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_E164 = re.compile(r"\+[1-9]\d{6,14}")


class Refusal(Exception):
    """The request is refused with one of Twilio's error codes."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, slots=True)
class DialledCall:
    """What a call is to be, known before anybody picks up. Times are seconds."""

    to: str
    from_: str
    url: str = ""
    """Fetched for TwiML once the call is answered, unless `twiml` is given."""
    twiml: str = ""
    reason: str = ""
    """`CallReason`: free text; the practice line writes the callee's persona here."""
    status_url: str = ""
    events: frozenset[str] = frozenset({"completed"})
    """What is reported to `status_url`."""
    ring_limit: float = 60.0
    time_limit: float = 4 * 3600.0
    detection: Rules | None = None
    detection_url: str = ""

    @property
    def call_id(self) -> str:
        """The product's own name for the call, as its URL says it; empty where that says none."""
        return parse_qs(urlsplit(self.url).query).get("call", [""])[0]


def read(form: Form, own_number: str) -> DialledCall:
    """Read a create-call form. Fields that the practice carrier has no use for are ignored.

    Raises:
        Refusal: with the code Twilio would give.
    """
    one = {name: values[-1] for name, values in form.items()}
    call = DialledCall(
        to=one.get("To", ""),
        from_=one.get("From", ""),
        url=one.get("Url", ""),
        twiml="" if one.get("Url") else one.get("Twiml", ""),
        reason=one.get("CallReason", ""),
        status_url=one.get("StatusCallback", ""),
        events=frozenset(form.get("StatusCallbackEvent", ["completed"])),
        ring_limit=_number(one, "Timeout", 60, 1, 600),
        time_limit=_number(one, "TimeLimit", 4 * 3600, 1, 24 * 3600),
        detection=_detection(one),
        detection_url=one.get("AsyncAmdStatusCallback", ""),
    )
    _check(call, own_number)
    return call


def _check(call: DialledCall, own_number: str) -> None:
    if not _E164.fullmatch(call.to):
        raise Refusal(21211, f"The 'To' number {call.to} is not a valid phone number.")
    if call.from_ != own_number:
        raise Refusal(21210, f"The source phone number provided, {call.from_}, is not yours.")
    if not call.twiml and not web_address(call.url):
        raise Refusal(21205, f"Url is not a valid URL: {call.url}")
    if call.status_url and not web_address(call.status_url):
        raise Refusal(21208, f"StatusCallback is not a valid URL: {call.status_url}")
    if call.events - EVENTS:
        raise Refusal(21208, f"StatusCallbackEvent knows only {', '.join(sorted(EVENTS))}")
    if call.detection and not web_address(call.detection_url):
        raise Refusal(21262, "AsyncAmd needs AsyncAmdStatusCallback, or its result is lost.")


def web_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _detection(one: Mapping[str, str]) -> Rules | None:
    wanted = one.get("MachineDetection", "")
    if not wanted:
        return None
    if wanted not in {"Enable", "DetectMessageEnd"}:
        raise Refusal(20001, f"MachineDetection is {wanted!r}, expected Enable or DetectMessageEnd")
    if one.get("AsyncAmd") != "true":
        raise Refusal(20001, "The practice carrier detects machines only beside the call: send AsyncAmd=true")
    return Rules(
        until_message_end=wanted == "DetectMessageEnd",
        timeout=1000 * _number(one, "MachineDetectionTimeout", 30, 3, 59),
        speech_threshold=_number(one, "MachineDetectionSpeechThreshold", 2400, 1000, 6000),
        speech_end_threshold=_number(one, "MachineDetectionSpeechEndThreshold", 1200, 500, 5000),
        silence_timeout=_number(one, "MachineDetectionSilenceTimeout", 5000, 2000, 10_000),
    )


def _number(one: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = one.get(name, str(default))
    if not value.isdecimal() or not least <= int(value) <= most:
        raise Refusal(20001, f"{name} is {value!r}, expected a whole number from {least} to {most}")
    return int(value)
