"""Every vendor at once on this machine, and the settings with which the media server takes them for the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from backend.loopback.anthropic import LoopbackAnthropic
from backend.loopback.deepgram import LoopbackDeepgram
from backend.loopback.elevenlabs import LoopbackElevenLabs
from backend.models import Status
from backend.practice.carrier import Carrier, practice_carrier
from backend.practice.dialled_call import DialledCall
from backend.practice.handset import FarEnd
from backend.serving import free_port


@asynccontextmanager
async def vendors(
    answer: Callable[[DialledCall], FarEnd | Status],
    deepgram: LoopbackDeepgram,
    elevenlabs: LoopbackElevenLabs,
    anthropic: LoopbackAnthropic,
) -> AsyncIterator[tuple[Carrier, dict[str, Any]]]:
    """Run these three and a practice carrier; yield the carrier, and a media server's settings for all four.

    Args:
        answer: who picks up, as for `practice_carrier`.
    """
    async with practice_carrier(answer) as carrier, deepgram, elevenlabs, anthropic:
        keys = {
            "deepgram_url": deepgram.url,
            "deepgram_api_key": deepgram.key,
            "elevenlabs_url": elevenlabs.url,
            "elevenlabs_api_key": elevenlabs.key,
            "elevenlabs_voice_id": elevenlabs.voice,
            "anthropic_base_url": anthropic.url,
            "anthropic_api_key": "test-key",
        }
        yield carrier, phone_line(carrier, free_port()) | keys


def phone_line(carrier: Carrier, port: int) -> dict[str, Any]:
    """The settings that make this carrier the phone line of a media server on this port."""
    return {
        "twilio_account_sid": carrier.account.sid,
        "twilio_auth_token": carrier.account.token,
        "twilio_phone_number": carrier.account.number,
        "twilio_api_url": carrier.account.api_url,
        "public_host": f"127.0.0.1:{port}",
        "media_server_port": port,
        # Nobody sleeps there, and nothing is paid for.
        "calling_hours": "none",
        "max_calls_per_number": 0,
        "max_cost_per_day": 0,
    }
