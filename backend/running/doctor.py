"""`phone-agent doctor`: tries out every part without calling anybody, and says what to do about what does not work."""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from rich.table import Table
from rich.text import Text

from backend.client import Client, ServerError
from backend.config import ROOT, BadSettings, Settings, SignIn, is_loopback, load, refusal
from backend.engines.installed import deaf, mute
from backend.llm import claude
from backend.models import ProviderError
from backend.running.dashboard import dashboard_answers, dashboard_host, dashboard_url
from backend.running.launcher import CannotStart, answers_on, running
from backend.settings.misspelt import Unknown, unknown_here
from backend.signin.password import flaw
from backend.storage import place
from backend.storage.place import Unusable
from backend.storage.place import refusal as refused
from backend.stt import deepgram
from backend.telephony.twilio import Account, Twilio
from backend.tts import elevenlabs

_DEADLINE = 20.0
"""Seconds for each check; they run side by side."""

_OPENID_KEYS = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
"""What Streamlit's `st.login` reads."""


class State(StrEnum):
    OK = "ok"
    OFF = "off"
    """Not set up, which is allowed: the practice part serves."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part."""

    part: str
    state: State
    said: str
    """A sentence; with a problem, also what to do."""


class Off(Exception):
    """The part is not set up; the message says what serves instead, and how to have it."""


Check = Callable[[Settings], Awaitable[str]]
"""Returns what is well, or raises: Off, or ProviderError, ServerError, CannotStart or Unusable for a problem."""


def examine() -> list[Finding]:
    """All findings, in the order of CHECKS; with settings that cannot be used, only that."""
    try:
        settings = load()
    except BadSettings as bad:
        return [Finding("Settings", State.PROBLEM, str(bad))]
    return [_settings(unknown_here()), *asyncio.run(examine_all(settings))]


def _settings(unknown: Sequence[Unknown]) -> Finding:
    """What nearly is a setting was meant to be one; other names may be other programs'."""
    said = " ".join(map(str, unknown))
    if any(key.meant for key in unknown):
        return Finding("Settings", State.PROBLEM, said)
    return Finding("Settings", State.OK, f"can be used. {said}".strip() if said else "can be used")


def shown(findings: Sequence[Finding]) -> Table:
    """For a terminal."""
    colours = {State.OK: "green", State.OFF: "dim", State.PROBLEM: "bold red"}
    table = Table("Part", "State", "", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(finding.part, Text(finding.state, style=colours[finding.state]), Text(finding.said))
    return table


async def examine_all(settings: Settings) -> list[Finding]:
    return list(await asyncio.gather(*(_examined(part, check, settings) for part, check in CHECKS.items())))


async def _examined(part: str, check: Check, settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(_DEADLINE):
            return Finding(part, State.OK, await check(settings))
    except Off as off:
        return Finding(part, State.OFF, str(off))
    except TimeoutError:
        return Finding(part, State.PROBLEM, f"no answer within {_DEADLINE:.0f} seconds: try again, check the network")
    except OSError as problem:
        return Finding(part, State.PROBLEM, refused(problem))
    except (ProviderError, ServerError, CannotStart, Unusable) as problem:
        return Finding(part, State.PROBLEM, str(problem))


# --- this machine -----------------------------------------------------------------------------------------------


async def _data(settings: Settings) -> str:
    database = settings.database_path
    await asyncio.to_thread(place.check, database)
    # Read, or made, as every command does.
    _ = settings.token
    return f"{database.parent} can be written to, {place.room(database) / 1e9:.0f} GB free"


async def _ears(_: Settings) -> str:
    return _engine(deaf(), "recognises speech without a provider")


async def _voice(_: Settings) -> str:
    return _engine(mute(), "speaks without a provider")


def _engine(gone: str, well: str) -> str:
    if gone:
        raise Off(gone)
    return well


async def _media_server(settings: Settings) -> str:
    if not await asyncio.to_thread(running, settings):
        raise Off(f"not running; port {settings.media_server_port} is free. Start it with `make run`")
    with Client(settings.server_url, settings.token) as client:
        live = (await asyncio.to_thread(client.health)).live_calls
    return f"answers at {settings.server_url}, {live} live call(s)"


async def _dashboard(settings: Settings) -> str:
    if await asyncio.to_thread(dashboard_answers, settings):
        return f"answers at {dashboard_url(settings)}"
    if await asyncio.to_thread(answers_on, dashboard_host(settings), settings.dashboard_port):
        raise ProviderError(
            f"another program uses port {settings.dashboard_port}: stop it, or set another DASHBOARD_PORT in .env"
        )
    raise Off(f"not running; port {settings.dashboard_port} is free. Start it with `make run`")


async def _sign_in(settings: Settings) -> str:
    match settings.sign_in:
        case SignIn.NONE:
            streamlit = os.environ.get("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
            if not is_loopback(streamlit):
                raise ProviderError(refusal("STREAMLIT_SERVER_ADDRESS", streamlit))
            raise Off(
                "the dashboard asks nobody, and serves this machine only. Make a password with `phone-agent password`"
            )
        case SignIn.PASSWORD:
            return _password(settings)
        case SignIn.OPENID:
            return await asyncio.to_thread(_openid, ROOT / ".streamlit" / "secrets.toml")


def _password(settings: Settings) -> str:
    wrong = flaw(settings.dashboard_password_hash)
    if wrong:
        raise ProviderError(f"DASHBOARD_PASSWORD_HASH {wrong}: make another with `phone-agent password`")
    if is_loopback(settings.dashboard_address):
        return "the dashboard asks for the password, and serves this machine only"
    return f"the dashboard asks for the password, and listens on {settings.dashboard_address}: have it behind https"


def _openid(secrets: Path) -> str:
    """Whether Streamlit will find what its `st.login` needs."""
    if find_spec("authlib") is None:
        raise ProviderError("OpenID Connect needs a package: install it with `.venv/bin/pip install -e '.[openid]'`")
    try:
        given = tomllib.loads(secrets.read_text()).get("auth", {})
    except (OSError, ValueError) as error:
        raise ProviderError(f"{secrets} cannot be read ({error}): write its [auth] section") from None
    missing = [key for key in _OPENID_KEYS if not given.get(key)]
    if missing:
        raise ProviderError(f"{secrets} lacks {', '.join(missing)} in its section [auth]")
    return f"operators sign in at {urlsplit(given['server_metadata_url']).hostname}"


# --- providers --------------------------------------------------------------------------------------------------


async def _twilio(settings: Settings) -> str:
    if not settings.has_phone:
        raise Off("the practice line serves. Set the four TWILIO_ and PUBLIC_HOST keys in .env to call real phones")
    number = settings.twilio_phone_number
    account = Account(settings.twilio_account_sid, settings.twilio_auth_token, number, settings.twilio_api_url)
    async with Twilio(account, settings.public_url) as twilio:
        await twilio.check()
    return f"the account is active, and may call from {number}"


async def _calling_back(settings: Settings) -> str:
    """Whether somebody whom the agent has left a message reaches anybody."""
    if settings.callback_number:
        return f"a message on a voicemail names {settings.callback_number}"
    if settings.inbound_action:
        return "a message on a voicemail names no number; who calls yours reaches the agent"
    if not settings.has_phone:
        raise Off("only real phone calls need a number to call back: CALLBACK_NUMBER")
    raise Off(
        "a message on a voicemail asks to be called back, and nobody takes such a call: set CALLBACK_NUMBER in .env, "
        "or INBOUND_ACTION for the agent to take it"
    )


async def _public_host(settings: Settings) -> str:
    """Whether the world reaches this server, as the carrier must. No token: it might be somebody else's server."""
    if not settings.public_host:
        raise Off("not set; only real phone calls need it")
    if not await asyncio.to_thread(running, settings):
        raise Off("cannot be tried before the media server runs: start it with `make run`, then look again")
    await _reach(settings)
    return f"{settings.public_url} reaches this media server"


async def _reach(settings: Settings) -> None:
    url = f"{settings.public_url}/health"
    remedy = f"start your tunnel to port {settings.media_server_port}, and write its host as PUBLIC_HOST into .env"
    try:
        async with httpx2.AsyncClient(timeout=10) as http:
            answer = await http.get(url, headers={"ngrok-skip-browser-warning": "1"})
            health = answer.json()
    except httpx2.HTTPError as error:
        raise ProviderError(f"{url} cannot be reached ({type(error).__name__}): {remedy}") from None
    except ValueError:
        health = None
    if not isinstance(health, dict) or "live_calls" not in health:
        raise ProviderError(f"{url} answered HTTP {answer.status_code}, and is not this media server: {remedy}")


async def _deepgram(settings: Settings) -> str:
    if not settings.deepgram_api_key:
        raise Off("offline speech recognition serves. Set DEEPGRAM_API_KEY in .env for Deepgram")
    await deepgram.check(settings.deepgram_url, settings.deepgram_api_key, settings.deepgram_model)
    return f"accepts the key and the model {settings.deepgram_model}"


async def _elevenlabs(settings: Settings) -> str:
    if not settings.elevenlabs_api_key:
        raise Off("the offline voice serves. Set ELEVENLABS_API_KEY and ELEVENLABS_VOICE_ID in .env for ElevenLabs")
    key, voice = settings.elevenlabs_api_key, settings.elevenlabs_voice_id
    await elevenlabs.check(settings.elevenlabs_url, key, voice, settings.elevenlabs_model)
    return f"speaks with the voice {voice} and the model {settings.elevenlabs_model}"


async def _claude(settings: Settings) -> str:
    return await _model(settings, settings.anthropic_model)


async def _claude_fallback(settings: Settings) -> str:
    if settings.anthropic_fallback_model == settings.anthropic_model:
        raise Off("the same as the first model: when that fails, a stock phrase serves")
    return await _model(settings, settings.anthropic_fallback_model)


async def _model(settings: Settings, model: str) -> str:
    if not settings.anthropic_api_key:
        raise Off("the offline brain serves. Set ANTHROPIC_API_KEY in .env for Claude")
    async with claude.connect(settings.anthropic_api_key, settings.anthropic_base_url) as client:
        await claude.check(client, model)
    return f"answers with the model {model}"


CHECKS: dict[str, Check] = {
    "Data folder": _data,
    "Offline hearing": _ears,
    "Offline voice": _voice,
    "Media server": _media_server,
    "Dashboard": _dashboard,
    "Signing in": _sign_in,
    "Public host": _public_host,
    "Twilio": _twilio,
    "Calling back": _calling_back,
    "Deepgram": _deepgram,
    "Claude": _claude,
    "Claude, second model": _claude_fallback,
    "ElevenLabs": _elevenlabs,
}
