"""Settings: read once from the environment and `.env`, typed, frozen, and checked with errors a person can act on."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.models import LineKind

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: `.env` and `data/` live here, wherever a command was started from."""


class BadSettings(Exception):
    """The settings cannot be used; the message has one line per key: what is wrong and what to write."""


class SignIn(StrEnum):
    """How the dashboard learns who sits at it."""

    NONE = "none"
    """It does not ask, and serves only this machine."""
    PASSWORD = "password"
    OPENID = "openid"


def is_loopback(host: str) -> bool:
    """Whether this host name or address can only mean this machine."""
    if host in {"localhost", ""}:
        return host != ""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _url(secure: str, plain: str) -> AfterValidator:
    """A base URL without trailing slash; the unencrypted scheme is for this machine only, since keys travel with it."""

    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {secure, plain} or not parts.hostname:
            raise ValueError(f"write a URL that begins with {secure}://, such as {secure}://api.example.com")
        if parts.scheme == plain and not is_loopback(parts.hostname):
            raise ValueError(f"{plain}:// would send your key unencrypted; write {secure}://{parts.netloc}")
        return value.rstrip("/")

    return AfterValidator(check)


def _bare_host(value: object) -> object:
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


def _own_number(value: str) -> str:
    """Empty, or a number that exists: callers see it, and its country tells how others are read."""
    try:
        if not value or phonenumbers.is_possible_number(phonenumbers.parse(value)):
            return value
    except phonenumbers.NumberParseException:
        pass
    raise ValueError("not a phone number")


def _address(value: str) -> str:
    try:
        return value if value == "localhost" else str(ip_address(value))
    except ValueError:
        raise ValueError("write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them") from None


def _operators(value: str) -> str:
    """Whom OpenID Connect lets in; written wrongly, it would let in nobody."""
    for entry in filter(None, map(str.strip, value.split(","))):
        if entry != "*" and not re.fullmatch(r"[^@\s]*@[^@\s]+", entry):
            raise ValueError("write e-mail addresses, or domains as @example.com, with commas between them")
    return value


def _notice(value: str) -> str:
    """A sentence; none has to be asked for by that word, since an empty line in `.env` is easily left behind."""
    words = " ".join(value.split())
    if words.lower() == "none":
        return ""
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _in_root(value: Path) -> Path:
    return value if value.is_absolute() else ROOT / value


HttpUrl = Annotated[str, _url("https", "http")]
SocketUrl = Annotated[str, _url("wss", "ws")]
Port = Annotated[int, Field(ge=1, le=65535)]
_PASSWORD_HASH = r"^(\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+)?$"


class Settings(BaseSettings):
    """Every key of `.env.example`; the attribute's name in capitals is the key."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    twilio_account_sid: Annotated[str, Field(pattern=r"^(AC[0-9a-fA-F]{32})?$")] = ""
    twilio_auth_token: str = ""
    twilio_phone_number: Annotated[str, Field(pattern=r"^(\+[1-9]\d{6,14})?$"), AfterValidator(_own_number)] = ""
    deepgram_api_key: str = ""
    anthropic_api_key: str = ""
    elevenlabs_api_key: str = ""
    elevenlabs_voice_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$")] = ""
    public_host: Annotated[str, BeforeValidator(_bare_host)] = ""

    twilio_api_url: HttpUrl = "https://api.twilio.com"
    deepgram_url: SocketUrl = "wss://api.deepgram.com"
    elevenlabs_url: SocketUrl = "wss://api.elevenlabs.io"
    anthropic_base_url: HttpUrl = "https://api.anthropic.com"

    deepgram_model: str = "flux-general-en"
    anthropic_model: str = "claude-haiku-5-5"
    anthropic_fallback_model: str = "claude-haiku-4-5"
    elevenlabs_model: str = "eleven_flash_v2_5"

    media_server_host: str = "127.0.0.1"
    media_server_port: Port = 8000
    dashboard_address: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    dashboard_port: Port = 8501
    dashboard_password_hash: Annotated[str, Field(pattern=_PASSWORD_HASH)] = ""
    dashboard_operators: Annotated[str, AfterValidator(_operators)] = ""
    database_path: Annotated[Path, AfterValidator(_in_root)] = ROOT / "data" / "phone-agent.db"
    api_token: Annotated[str, Field(min_length=16)] | None = None
    prices_file: Annotated[Path, AfterValidator(_in_root)] = ROOT / "data" / "prices.toml"

    max_calls_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 60
    max_call_minutes: Annotated[float, Field(gt=0, le=240)] = 10
    offline_calls: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many calls may use the offline engines at once; unset: one for each core, four at most.

    A single one where every provider is real, since the engines only stand by there.
    """

    ai_disclosure: bool = True
    transfer_number: Annotated[str, Field(pattern=r"^(\+[1-9]\d{6,14})?$"), AfterValidator(_own_number)] = ""
    operator_wait: Annotated[float, Field(ge=0, le=60)] = 8.0

    record_calls: bool = False
    recording_notice: Annotated[str, Field(max_length=200), AfterValidator(_notice)] = "This call is recorded."
    recording_days: Annotated[float, Field(gt=0, le=3650)] = 30

    speculation: bool = True
    hedging: bool = True
    greeting_wait: Annotated[float, Field(ge=0.3, le=10)] = 1.2
    one_moment_after: Annotated[float, Field(ge=0.5, le=10)] = 2.0

    inbound_action: str = ""
    inbound_context: str = ""
    inbound_agent_name: str = "Alex"
    inbound_organization: str = ""

    def model_post_init(self, context: Any, /) -> None:
        problems = _incomplete(self) + _open_to_anybody(self)
        if problems:
            raise BadSettings("\n".join(problems))

    @property
    def sign_in(self) -> SignIn:
        if self.dashboard_operators:
            return SignIn.OPENID
        return SignIn.PASSWORD if self.dashboard_password_hash else SignIn.NONE

    @property
    def has_phone(self) -> bool:
        """Whether real phone calls can be placed."""
        return bool(self.twilio_account_sid)

    @property
    def default_line(self) -> LineKind:
        return LineKind.PHONE if self.has_phone else LineKind.PRACTICE

    @property
    def region(self) -> str:
        """The country whose numbers may be written without a country code: that of our own number."""
        own = phonenumbers.parse(self.twilio_phone_number) if self.twilio_phone_number else None
        return (own and phonenumbers.region_code_for_number(own)) or "US"

    @property
    def public_url(self) -> str:
        """Where the carrier reaches the media server; loopback keeps plain http, for test carriers."""
        host = urlsplit(f"//{self.public_host}").hostname or ""
        return f"{'http' if is_loopback(host) else 'https'}://{self.public_host}"

    @property
    def server_url(self) -> str:
        """Where this machine's own programs reach the media server."""
        host = self.media_server_host
        if host in {"0.0.0.0", "::"}:
            host = "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.media_server_port}"

    @property
    def recordings_path(self) -> Path:
        """The folder of the recordings: beside the database."""
        return self.database_path.parent / "recordings"

    @cached_property
    def token(self) -> str:
        """The control API's bearer token: from `API_TOKEN`, else made once, readable by this user only."""
        return self.api_token or _kept_token(self.database_path.parent / "api-token")


def _incomplete(settings: Settings) -> list[str]:
    """Keys that only make sense together: half a provider is a mistake worth stopping for."""
    together = {
        "the phone line": ("twilio_account_sid", "twilio_auth_token", "twilio_phone_number", "public_host"),
        "the ElevenLabs voice": ("elevenlabs_api_key", "elevenlabs_voice_id"),
    }
    problems = []
    for what, names in together.items():
        given = [name for name in names if getattr(settings, name)]
        # A tunnel's host alone asks for nothing; it may be set before the keys are.
        if given and given != ["public_host"]:
            problems += [
                f"{name.upper()}: missing, and {what} needs it because {given[0].upper()} is set; "
                f"write it into .env, or remove {given[0].upper()} to use the practice parts"
                for name in names
                if name not in given
            ]
    return problems


def _open_to_anybody(settings: Settings) -> list[str]:
    """Ways into the dashboard that would ask nobody who they are, or not as the settings say."""
    if settings.dashboard_password_hash and settings.dashboard_operators:
        return [
            "DASHBOARD_OPERATORS: OpenID Connect and DASHBOARD_PASSWORD_HASH exclude each other; remove one of them"
        ]
    if settings.sign_in is SignIn.NONE and not is_loopback(settings.dashboard_address):
        return [refusal("DASHBOARD_ADDRESS", settings.dashboard_address)]
    return []


def refusal(what: str, address: str) -> str:
    """Why the dashboard does not listen on an address without asking people who they are."""
    return (
        f"{what}: {address or 'every address'} lets other machines in, and who reaches the dashboard can place calls. "
        "Make a password with `phone-agent password`, or set DASHBOARD_OPERATORS for OpenID Connect; "
        "or write 127.0.0.1, for this machine only"
    )


_ADVICE = {
    "twilio_account_sid": "write the Account SID from Twilio's console: AC and 32 hexadecimal digits",
    "twilio_phone_number": "write your Twilio number with country code and no spaces, such as +12025550143",
    "elevenlabs_voice_id": "write the voice's ID, letters and digits only, from ElevenLabs' voice page",
    "transfer_number": "write the number of the phone that calls are handed over to, such as +12025550143",
    "ai_disclosure": "write True or False",
    "operator_wait": "write a number of seconds from 0 to 60",
    "record_calls": "write True or False",
    "recording_notice": "write a sentence of at most 200 characters, or none for no announcement",
    "recording_days": "write a number of days, up to 3650",
    "speculation": "write True or False",
    "hedging": "write True or False",
    "greeting_wait": "write a number of seconds from 0.3 to 10",
    "one_moment_after": "write a number of seconds from 0.5 to 10",
    "dashboard_password_hash": "not a password's hash; write the line that `phone-agent password` prints",
    "api_token": "write at least 16 characters, or remove it to have one made",
}


def load(**overrides: Any) -> Settings:
    """Read and check the settings.

    Raises:
        BadSettings: with one line for each key that is wrong.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise BadSettings("\n".join(_plain(problem) for problem in error.errors())) from None


def _plain(problem: Any) -> str:
    key = str(problem["loc"][0]) if problem["loc"] else "settings"
    said = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key.upper()}: {_ADVICE.get(key, said[:1].lower() + said[1:])}"


def _kept_token(path: Path) -> str:
    """The token in this file; made on first use. It appears whole or not at all, so two processes agree."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Readable by this user only, as temporary files are.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text().strip()
