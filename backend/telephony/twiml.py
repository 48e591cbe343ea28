"""TwiML: what Twilio is told to do with a call. Built by the SDK, so that no text can become a verb."""

from __future__ import annotations

import re

from twilio.twiml.voice_response import Connect, Dial, VoiceResponse

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, not even escaped; the SDK would let it through and Twilio refuse it (12100)."""

NOBODY_THERE = "I'm sorry, nobody can take the call just now. Someone will call you back. Goodbye."
"""Said by the carrier's own voice when the operator's phone does not answer."""
CUT_OFF = "I'm sorry, we were cut off. Goodbye."
"""Said by the carrier's own voice when the media server is gone in the middle of a call."""
_ENDS_WITHIN = 1
"""Seconds in which a call that was ended over REST has ended."""
_RINGS = 25
"""Seconds an operator's phone rings; voicemail would take the callee after 20 to 30."""


def connect(stream_url: str, token: str, events_url: str) -> str:
    """Open a media stream both ways to `stream_url`, tell `events_url` how it does, and hang up when it is closed.

    Twilio drops a query string from a stream's URL, so the one-time token travels as a parameter.
    """
    document, link = VoiceResponse(), Connect()
    stream = link.stream(url=_clean(stream_url), status_callback=_clean(events_url), status_callback_method="POST")
    stream.parameter(name="token", value=_clean(token))
    document.append(link)
    # Only a call whose server went away comes this far, or one that could not be ended in a better way. The pause is
    # for the others: their end may be under way when the stream closes.
    document.pause(length=_ENDS_WITHIN)
    document.say(CUT_OFF)
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


def reject() -> str:
    """Turn an incoming call away without answering it, so that it costs nothing: the caller hears a busy line."""
    document = VoiceResponse()
    document.reject(reason="busy")
    return str(document)


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)
