"""Where Deepgram's sockets are, and what it means when one is refused or lost. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidStatus

from backend import audio
from backend.models import Denied, ProviderError
from backend.stt.flux import Flux
from backend.stt.nova import Nova

Dialect = Flux | Nova
"""One of Deepgram's two languages: messages in, what was heard out, without I/O. Keeps the call's open turn."""


def dialect(model: str) -> Dialect:
    """A new one, for one call: the model decides which."""
    return Flux() if model.startswith("flux") else Nova()


def takes_keyterms(model: str) -> bool:
    """Whether the model can be told words beforehand; the others answer every call that does with HTTP 400."""
    return model.startswith(("flux", "nova-3"))


def address(url: str, spoken: Dialect, model: str, terms: Sequence[str]) -> str:
    """Where to connect: mu-law as the phone has it, with these words told beforehand."""
    sound = (("encoding", "mulaw"), ("sample_rate", str(audio.RATE)))
    query = [("model", model), *sound, *spoken.parameters, *(("keyterm", term) for term in terms)]
    return f"{url}{spoken.path}?{urlencode(query)}"


def parsed(data: str | bytes) -> dict[str, object]:
    """A message; what is none of Deepgram's is empty, since newer servers may send what is not known here."""
    try:
        message = json.loads(data)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


class Unwelcome(ConnectionError):
    """Deepgram opened the socket only to say, in its own words, that it cannot be used."""


def welcomed(message: Mapping[str, object]) -> None:
    """Look at the first message of a socket.

    Raises:
        Unwelcome: it is an error.
    """
    if message.get("type") == "Error":
        raise Unwelcome(complaint(message))


def complaint(message: Mapping[str, object]) -> str:
    """What an error says, which ends its socket."""
    return str(message.get("description") or message.get("code") or "an error without a reason")


def denied(refused: InvalidStatus, model: str) -> Denied | None:
    """A refusal that would come again, and what to do about it; None where another try may succeed."""
    advice = _advice(refused.response.status_code, model)
    return Denied(f"Deepgram refused ({reason(refused)}): {advice}.") if advice else None


def _advice(status: int, model: str) -> str:
    match status:
        case 401:
            return "check DEEPGRAM_API_KEY in .env"
        case 402:
            return "the Deepgram project is out of credit; top it up in Deepgram's console"
        case 403:
            return f"this key may not use the model {model}; check DEEPGRAM_MODEL in .env and the key's permissions"
        case 408 | 429:
            return ""
        case _ if 400 <= status < 500:
            return f"check DEEPGRAM_MODEL ({model}) and DEEPGRAM_URL in .env"
    return ""


def given_up(url: str, why: str, last: Exception | None) -> ProviderError:
    """No socket could be opened; `last` is how the last try failed, if there was one."""
    status = last.response.status_code if isinstance(last, InvalidStatus) else 0
    if status == 429:
        return ProviderError(
            f"Deepgram has too many calls at once for this project ({why}): place fewer, or have the project's limit "
            "raised in Deepgram's console."
        )
    if status >= 500:
        return ProviderError(f"Deepgram is in trouble itself ({why}): try again in a moment.")
    return ProviderError(f"Deepgram at {url} cannot be used: {why}. Check the network and DEEPGRAM_URL.")


def reason(error: Exception) -> str:
    """Why a socket could not be opened, or was lost. Nothing of a library's own words: they may quote the key."""
    match error:
        case InvalidStatus(response=response):
            said, request = response.headers.get("dg-error", ""), response.headers.get("dg-request-id", "")
            return f"HTTP {response.status_code}{said and f': {said}'}{request and f', request {request}'}"
        case ConnectionClosed(rcvd=close) if close:
            return f"code {close.code} {close.reason}".strip()
        case ConnectionClosed():
            return "the network broke"
        case Unwelcome():
            return str(error)
        case ImportError():
            return "a SOCKS proxy needs the Python package python-socks"
        case OSError(strerror=str(what)) if what:
            return what
    return type(error).__name__
