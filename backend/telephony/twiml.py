"""TwiML: what Twilio is told to do with a call. Built by the SDK, so that no text can become a verb."""

from __future__ import annotations

import re

from twilio.twiml.voice_response import Connect, VoiceResponse

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped; the SDK would let it through and Twilio refuse it (12100)."""


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


def refuse(words: str) -> str:
    """Turn a call away: answer it, say why, and hang up."""
    return farewell(words)


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
