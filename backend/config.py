"""Settings: read once from the environment and `.env`, typed, frozen, and checked with errors a person can act on."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from backend.hours import Hours
from backend.models import LineKind
from backend.settings.advice import plain
from backend.settings.api_token import kept
from backend.settings.values import (
    PASSWORD_HASH,
    ROOT,
    HttpUrl,
    Key,
    OwnNumber,
    Port,
    SocketUrl,
    WebhookUrl,
    address,
    bare_host,
    hours_of_day,
    in_root,
    is_loopback,
    notice,
    operators,
)

__all__ = ["ROOT", "BadSettings", "Settings", "SignIn", "is_loopback", "load", "refusal"]


class BadSettings(Exception):
    """The settings cannot be used; the message has one line per key: what is wrong and what to write."""


class SignIn(StrEnum):
    """How the dashboard learns who sits at it."""

    NONE = "none"
    """It does not ask, and serves only this machine."""
    PASSWORD = "password"
    OPENID = "openid"


class Settings(BaseSettings):
    """Every key of `.env.example`; the attribute's name in capitals is the key."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    twilio_account_sid: Annotated[str, Field(pattern=r"^(AC[0-9a-fA-F]{32})?$")] = ""
    twilio_auth_token: Key = ""
    twilio_phone_number: OwnNumber = ""
    deepgram_api_key: Key = ""
    anthropic_api_key: Key = ""
    elevenlabs_api_key: Key = ""
    elevenlabs_voice_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]*$")] = ""
    public_host: Annotated[str, BeforeValidator(bare_host)] = ""

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
    dashboard_address: Annotated[str, AfterValidator(address)] = "127.0.0.1"
    dashboard_port: Port = 8501
    dashboard_password_hash: Annotated[str, Field(pattern=PASSWORD_HASH)] = ""
    dashboard_operators: Annotated[str, AfterValidator(operators)] = ""
    database_path: Annotated[Path, AfterValidator(in_root)] = ROOT / "data" / "phone-agent.db"
    api_token: Annotated[str, Field(min_length=16)] | None = None
    prices_file: Annotated[Path, AfterValidator(in_root)] = ROOT / "data" / "prices.toml"

    calling_hours: Annotated[str, AfterValidator(hours_of_day)] = "8-21"
    max_calls_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 60
    max_calls_per_number: Annotated[int, Field(ge=0, le=1000)] = 3
    max_cost_per_day: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 0
    max_incoming_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 60
    max_incoming_at_once: Annotated[int, Field(ge=1, le=1000)] = 10
    max_call_minutes: Annotated[float, Field(gt=0, le=240)] = 10
    offline_calls: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many calls may use the offline engines at once; unset: one for each core, four at most.

    A single one where every provider is real, since the engines only stand by there.
    """

    ai_disclosure: bool = True
    transfer_number: OwnNumber = ""
    callback_number: OwnNumber = ""
    operator_wait: Annotated[float, Field(ge=0, le=60)] = 8.0

    record_calls: bool = False
    recording_notice: Annotated[str, Field(max_length=200), AfterValidator(notice)] = "This call is recorded."
    recording_days: Annotated[float, Field(gt=0, le=3650)] = 30
    call_days: Annotated[float, Field(ge=0, le=3650)] = 0

    speculation: bool = True
    hedging: bool = True
    greeting_wait: Annotated[float, Field(ge=0.3, le=10)] = 1.2
    one_moment_after: Annotated[float, Field(ge=0.5, le=2.2)] = 2.0

    result_url: WebhookUrl = ""
    result_secret: Annotated[str, Field(pattern=r"^(.{16,})?$")] = ""

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
    def day(self) -> Hours | None:
        """When people may be called, by their own clocks; None: at any time."""
        return Hours.parse(self.calling_hours)

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
        return self.api_token or kept(self.database_path.parent / "api-token")


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
    if settings.result_url and not settings.result_secret:
        problems.append("RESULT_SECRET: missing: by it the program at RESULT_URL knows that a result comes from here")
    return problems


def _open_to_anybody(settings: Settings) -> list[str]:
    """Ways into the dashboard that would ask nobody who they are, or not as the settings say."""
    if settings.dashboard_password_hash and settings.dashboard_operators:
        return ["DASHBOARD_OPERATORS: OpenID Connect and DASHBOARDPASSWORD_HASH exclude each other; remove one of them"]
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


def load(**overrides: Any) -> Settings:
    """Read and check the settings.

    Raises:
        BadSettings: with one line for each key that is wrong.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise BadSettings("\n".join(plain(problem) for problem in error.errors())) from None
