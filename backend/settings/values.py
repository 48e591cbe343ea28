"""How settings may be written: each check gives the value as it is used, or says what to write instead."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, Field

from backend.hours import Hours

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder: `.env` and `data/` live here, wherever a command was started from."""


def is_loopback(host: str) -> bool:
    """Whether this host name or address can only mean this machine."""
    if host in {"localhost", ""}:
        return host != ""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _url(secure: str, plain: str, base: bool = True) -> AfterValidator:
    """The unencrypted scheme is for this machine only, since secrets travel. A base loses its trailing slash; what is
    none may be empty."""

    def check(value: str) -> str:
        if not (value or base):
            return ""
        parts = urlsplit(value)
        if parts.scheme not in {secure, plain} or not parts.hostname:
            raise ValueError(f"write a URL that begins with {secure}://, such as {secure}://api.example.com")
        if parts.scheme == plain and not is_loopback(parts.hostname):
            what = "your key" if base else "what was said"
            raise ValueError(f"{plain}:// would send {what} unencrypted; write {secure}://{parts.netloc}")
        return value.rstrip("/") if base else value

    return AfterValidator(check)


def bare_host(value: object) -> object:
    """`https://x.ngrok.app/` and `x.ngrok.app` mean the same host."""
    if not isinstance(value, str) or not value.strip():
        return ""
    parts = urlsplit(value.strip() if "://" in value else f"https://{value.strip()}")
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
        raise ValueError("write only the host your tunnel shows, such as example.ngrok.app")
    # `port` raises for what is no number; Twilio's media streams take none but 443.
    if parts.port not in (None, 443) and not is_loopback(parts.hostname):
        raise ValueError(f"write it without a port: Twilio connects to port 443 only, such as {parts.hostname}")
    return parts.netloc


def own_number(value: str) -> str:
    """Empty, or a number that exists: callers see it, and its country tells how others are read."""
    try:
        if not value or phonenumbers.is_possible_number(phonenumbers.parse(value)):
            return value
    except phonenumbers.NumberParseException:
        pass
    raise ValueError("not a phone number")


def address(value: str) -> str:
    try:
        return value if value == "localhost" else str(ip_address(value))
    except ValueError:
        raise ValueError("write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them") from None


def operators(value: str) -> str:
    """Whom OpenID Connect lets in; written wrongly, it would let in nobody."""
    for entry in filter(None, map(str.strip, value.split(","))):
        if entry != "*" and not re.fullmatch(r"[^@\s]*@[^@\s]+", entry):
            raise ValueError("write e-mail addresses, or domains as @example.com, with commas between them")
    return value


def notice(value: str) -> str:
    """A sentence; none has to be asked for by that word, since an empty line in `.env` is easily left behind."""
    words = " ".join(value.split())
    if words.lower() == "none":
        return ""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def hours_of_day(value: str) -> str:
    """As `Hours.parse` reads them."""
    Hours.parse(value)
    return value


def key(value: str) -> str:
    """A key as it was pasted, without the blanks and line ends around it; what is wrong is said without showing it."""
    bare = value.strip()
    if not (bare.isascii() and all(sign.isprintable() and not sign.isspace() for sign in bare)):
        raise ValueError("copy the whole key anew: there is a sign in it that no key has, such as a blank or dots")
    return bare


def in_root(value: Path) -> Path:
    """From the project's folder; ~ is the home of whoever runs this."""
    try:
        return ROOT / value.expanduser()
    except RuntimeError:
        raise ValueError("write the whole path: it is not known whose home ~ is") from None


HttpUrl = Annotated[str, _url("https", "http")]
Key = Annotated[str, AfterValidator(key)]
WebhookUrl = Annotated[str, _url("https", "http", base=False)]
SocketUrl = Annotated[str, _url("wss", "ws")]
OwnNumber = Annotated[str, Field(pattern=r"^(\+[1-9]\d{6,14})?$"), AfterValidator(own_number)]
"""A number of the operator's own, with country code; empty: none."""
Port = Annotated[int, Field(ge=1, le=65535)]
PASSWORD_HASH = r"^(\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+)?$"
