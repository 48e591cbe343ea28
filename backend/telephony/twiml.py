"""TwiML: what Twilio is told to do with a call. Built by the SDK, so that no text can become a verb."""

from __future__ import annotations

import re

from twilio.twiml.voice_response import Connect, Dial, VoiceResponse

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped; the SDK would let it through and Twilio refuse it (12100)."""

NOBODY_THERE = "I'm sorry, nobody can take the call just now. Someone will call you back. Goodbye."
"""Said by the carrier's own voice when the operator's phone does not answer."""
_RINGS = 25
"""Seconds an operator's phone rings; voicemail would take the callee after 20 to 30."""


def connect(stream_url: str, token: str) -> str:
    """Open a media stream both ways to `stream_url`, and hang up when that stream is closed.

    Twilio drops a query string from a stream's URL, so the one-time token travels as a parameter.
    """
    document, link = VoiceResponse(), Connect()
    stream = link.stream(url=_clean(stream_url))
    stream.parameter(name="token", value=_clean(token))
    document.append(link)
    # Without it a call whose server went away would be left to Twilio's idea of what comes next.
    document.hangup()
    return str(document)


def farewell(words: str) -> str:
    """Say these words in the carrier's own voice and hang up."""
    document = VoiceResponse()
    if words.strip():
        document.say(_clean(words))
    document.hangup()
    return str(document)


def transfer(number: str, caller: str, then: str) -> str:
    """Ring `number`, showing `caller`, and connect it; `then` is asked what to do when that is over or failed."""
    document, dial = VoiceResponse(), Dial(caller_id=caller, timeout=_RINGS, action=_clean(then), method="POST")
    dial.number(_clean(number))
    document.append(dial)
    return str(document)


def refuse(words: str) -> str:
    """Turn a call away: answer it, say why, and hang up."""
    return farewell(words)


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
