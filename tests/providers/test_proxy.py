"""Behind an office's proxy every vendor is reached through it, and this machine without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from backend.llm import claude
from backend.loopback.deepgram import LoopbackDeepgram
from backend.models import Call, ProviderError
from backend.stt import deepgram
from backend.stt.deepgram import Deepgram, Patience
from backend.telephony.twilio import Account, Twilio
from backend.tts import elevenlabs
from backend.tts.elevenlabs import ElevenLabs
from tests.whole_call import BRIEF


@asynccontextmanager
async def a_proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """One that lets nobody through; what it was asked for."""
    asked: list[str] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b" HTTP")[0].decode())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for name in ("HTTPS_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, address)
            monkeypatch.setenv(name.lower(), address)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield asked


async def _dial() -> None:
    account = Account("AC" + "0" * 32, "token", "+12025550100", "https://twilio.example")
    async with Twilio(account, "https://desk.example", patience=2) as carrier:
        await carrier.dial(Call("c4ll", BRIEF), 60)


async def _listen() -> None:
    async with Deepgram("wss://deepgram.example", "key", "nova-3", (), Patience(opening=2, pauses=(0,))):
        pass


async def _speak() -> None:
    patience = elevenlabs.Patience(opening=1, first_sound=0.3)
    async with ElevenLabs("wss://elevenlabs.example", "key", "voice", "eleven_flash_v2_5", patience) as voice:
        async for _ in voice.say("Hello."):
            pass


async def _think() -> None:
    client = claude.connect("key", "https://anthropic.example")
    try:
        await claude.check(client, "claude-haiku-5-5")
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("reach", "host"), [(_dial, "twilio"), (_listen, "deepgram"), (_speak, "elevenlabs"), (_think, "anthropic")]
)
async def test_every_vendor_is_reached_through_the_proxy_of_the_environment(
    reach: Callable[[], Awaitable[None]], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_proxy(monkeypatch) as asked:
        with pytest.raises(ProviderError):
            await reach()
    assert f"CONNECT {host}.example:443" in asked


async def test_a_vendor_on_this_machine_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_proxy(monkeypatch) as asked, LoopbackDeepgram() as server:
        await deepgram.check(server.url, server.key, "nova-3")
    assert asked == []


async def test_a_host_that_the_environment_excepts_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_proxy(monkeypatch) as asked:
        monkeypatch.setenv("NO_PROXY", "example")
        with pytest.raises(ProviderError):
            await _dial()
    assert asked == []
