"""Who serves: a key makes the outside provider serve, else this machine does, and what is missing says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backend import providers as module
from backend.call.hedge import Pace
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.voice import Voice
from backend.config import Settings, load
from backend.engines.pool import Engines
from backend.llm.claude import Claude
from backend.llm.offline import OfflineBrain
from backend.loopback.deepgram import LoopbackDeepgram
from backend.models import ME, Brief, LineKind, ProviderError
from backend.providers import Providers
from backend.server import create_app
from backend.serving import serve
from backend.stt.deepgram import Deepgram
from backend.stt.offline import OfflineEar
from backend.tts.elevenlabs import ElevenLabs
from backend.tts.offline import OfflineVoice

DEEPGRAM = {"deepgram_api_key": "loopback-key"}
CLAUDE = {"anthropic_api_key": "a"}
ELEVENLABS = {"elevenlabs_api_key": "e", "elevenlabs_voice_id": "v1"}
TWILIO = {
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "t",
    "twilio_phone_number": "+12025550100",
    "public_host": "example.ngrok.app",
}
NOBODY = "ws://127.0.0.1:9"
DEAF = "Offline speech recognition is not available: the package moonshine_voice is not installed."
MUTE = "The offline voice is not available: the package hibari is not installed."

PRACTICE = Brief(to="+12025550143", action="Confirm the visit")
IN_BROWSER = Brief(to="+12025550143", action="Confirm the visit", persona=ME)
PHONE = Brief(to="+12025550143", action="Confirm the visit", line=LineKind.PHONE)


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is spoken or heard in here, so nothing heavy need start."""

    async def stay_cold(engines: Engines) -> Engines:
        return engines

    monkeypatch.setattr(Engines, "__aenter__", stay_cold)
    monkeypatch.setattr(module, "deaf", lambda: "")
    monkeypatch.setattr(module, "mute", lambda: "")


def lacks(monkeypatch: pytest.MonkeyPatch, deaf: str = "", mute: str = "") -> None:
    """This machine has no engine for these reasons."""
    monkeypatch.setattr(module, "deaf", lambda: deaf)
    monkeypatch.setattr(module, "mute", lambda: mute)


def settings(path: Path, **more: Any) -> Settings:
    return load(database_path=path / "calls.db", api_token="a-token-for-tests-only", **more)


# --- who serves -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "serves", "real"),
    [
        (
            {},
            [
                "",
                "Made-up people who pick up and talk; no phone rings",
                "Offline speech recognition",
                "Offline brain, by rules",
                "Offline voice",
            ],
            [],
        ),
        (
            DEEPGRAM | {"deepgram_model": "nova-3"},
            [
                "",
                "Made-up people who pick up and talk; no phone rings",
                "Deepgram nova-3",
                "Offline brain, by rules",
                "Offline voice",
            ],
            ["Hearing"],
        ),
        (
            CLAUDE | ELEVENLABS,
            [
                "",
                "Made-up people who pick up and talk; no phone rings",
                "Offline speech recognition",
                "Claude (claude-haiku-5-5)",
                "ElevenLabs eleven_flash_v2_5",
            ],
            ["Thinking", "Speaking"],
        ),
        (
            TWILIO | DEEPGRAM | CLAUDE | ELEVENLABS,
            [
                "Twilio, calling from +12025550100",
                "Made-up people who pick up and talk; no phone rings",
                "Deepgram flux-general-en",
                "Claude (claude-haiku-5-5)",
                "ElevenLabs eleven_flash_v2_5",
            ],
            ["Phone line", "Hearing", "Thinking", "Speaking"],
        ),
    ],
)
def test_a_key_makes_the_outside_provider_serve(
    tmp_path: Path, keys: dict[str, str], serves: list[str], real: list[str]
) -> None:
    parts = Providers(settings(tmp_path, **keys)).parts
    assert [part.name for part in parts] == ["Phone line", "Practice line", "Hearing", "Thinking", "Speaking"]
    assert [part.serves for part in parts] == serves
    assert [part.name for part in parts if part.real] == real


def test_a_part_that_is_not_real_says_which_key_would_make_it_so(tmp_path: Path) -> None:
    advice = {part.name: part.advice for part in Providers(settings(tmp_path)).parts}
    assert advice.pop("Practice line") == ""
    for key in ("TWILIO_ACCOUNT_SID", "DEEPGRAM_API_KEY", "ANTHROPIC_API_KEY", "ELEVENLABS_API_KEY"):
        assert [key in said for said in advice.values()].count(True) == 1


def test_no_part_shows_a_key(tmp_path: Path) -> None:
    secret = {"deepgram_api_key": "hush1", "anthropic_api_key": "hush2", "elevenlabs_api_key": "hush3"}
    keys = secret | {"elevenlabs_voice_id": "v1"} | TWILIO | {"twilio_auth_token": "hush4"}
    assert "hush" not in str(Providers(settings(tmp_path, **keys)).parts)


@pytest.mark.parametrize(
    ("keys", "missing", "brief", "why"),
    [
        ({}, {}, PRACTICE, ""),
        ({}, {"deaf": DEAF}, PRACTICE, DEAF),
        ({}, {"mute": MUTE}, PHONE, MUTE),
        ({}, {"deaf": DEAF, "mute": MUTE}, PHONE, DEAF),
        (DEEPGRAM, {"deaf": DEAF}, PHONE, ""),
        (DEEPGRAM, {"deaf": DEAF, "mute": MUTE}, PHONE, MUTE),
        (DEEPGRAM | ELEVENLABS, {"deaf": DEAF, "mute": MUTE}, PHONE, ""),
        # The synthetic callees always need an ear and a voice of this machine; a person needs neither.
        (DEEPGRAM | ELEVENLABS, {"deaf": DEAF}, PRACTICE, DEAF),
        (DEEPGRAM | ELEVENLABS, {"mute": MUTE}, PRACTICE, MUTE),
        (DEEPGRAM | ELEVENLABS, {"deaf": DEAF, "mute": MUTE}, IN_BROWSER, ""),
        ({}, {"deaf": DEAF}, IN_BROWSER, DEAF),
    ],
)
def test_a_call_can_be_held_when_somebody_hears_and_somebody_speaks(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, str],
    missing: dict[str, str],
    brief: Brief,
    why: str,
) -> None:
    lacks(monkeypatch, **missing)
    assert Providers(settings(tmp_path, **keys)).why_not(brief) == why


@pytest.mark.parametrize(
    ("keys", "needed"),
    [({}, True), (DEEPGRAM, True), (ELEVENLABS, True), (DEEPGRAM | ELEVENLABS, False)],
)
def test_only_calls_that_use_the_engines_count_against_the_capacity(
    tmp_path: Path, keys: dict[str, str], needed: bool
) -> None:
    here = Providers(settings(tmp_path, **keys))
    assert [here.uses_engines(brief) for brief in (PHONE, IN_BROWSER, PRACTICE)] == [needed, needed, True]


def test_the_capacity_is_what_was_measured_unless_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    assert Providers(settings(tmp_path)).capacity == 4
    assert Providers(settings(tmp_path, **TWILIO, **DEEPGRAM, **ELEVENLABS)).capacity == 1
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert Providers(settings(tmp_path)).capacity == 1
    assert Providers(settings(tmp_path, offline_calls=3)).capacity == 3


# --- what a call is given ---------------------------------------------------------------------------------------------


@contextmanager
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """The order in which models and voices are asked, by the names of their classes."""
    given: dict[str, list[str]] = {}

    class Models(Mind):
        def __init__(self, models: Any, manners: Manners, paces: Any = ()) -> None:
            given["models"] = [f"{type(model).__name__} {getattr(model, '_model', '')}".strip() for model in models]
            super().__init__([], manners)

    class Voices(Voice):
        def __init__(self, voices: Any, manners: Manners, shared: Any, one_by_one: Any) -> None:
            given["voices"] = [type(voice).__name__ for voice in voices]
            super().__init__([], manners, shared, one_by_one)

    monkeypatch.setattr(module, "Mind", Models)
    monkeypatch.setattr(module, "Voice", Voices)
    yield given


@pytest.mark.parametrize(
    ("keys", "missing", "ears", "models", "voices"),
    [
        ({}, {}, OfflineEar, [OfflineBrain.__name__], [OfflineVoice.__name__]),
        (
            DEEPGRAM | CLAUDE | ELEVENLABS,
            {},
            Deepgram,
            [f"{Claude.__name__} claude-haiku-5-5", f"{Claude.__name__} claude-haiku-4-5"],
            [ElevenLabs.__name__, OfflineVoice.__name__],
        ),
        (
            DEEPGRAM | CLAUDE | ELEVENLABS | {"anthropic_fallback_model": "claude-haiku-5-5"},
            {"mute": MUTE},
            Deepgram,
            [f"{Claude.__name__} claude-haiku-5-5"],
            [ElevenLabs.__name__],
        ),
    ],
)
async def test_the_preferred_provider_is_asked_first_and_the_others_stand_by(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: dict[str, str],
    missing: dict[str, str],
    ears: type,
    models: list[str],
    voices: list[str],
) -> None:
    lacks(monkeypatch, **missing)
    with noted(monkeypatch) as given:
        async with (
            LoopbackDeepgram([]) as deepgram,
            Providers(settings(tmp_path, **keys, deepgram_url=deepgram.url, elevenlabs_url=NOBODY)) as here,
            here.kit(PHONE, Manners()) as kit,
        ):
            assert type(kit.ears) is ears
            assert given == {"models": models, "voices": voices}
            served = {part.name: part.serves for part in here.parts}
            assert list(kit.parts.values()) == [served["Hearing"], served["Thinking"], served["Speaking"]]
            assert list(kit.parts) == ["stt", "llm", "tts"]


@contextmanager
def paced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Pace]]]:
    """For each call, what is known of the pace of its models."""
    calls: list[dict[str, Pace]] = []

    class Models(Mind):
        def __init__(self, models: Any, manners: Manners, paces: Any = ()) -> None:
            # Not strict: a model may have no pace.
            calls.append({getattr(model, "_model", ""): pace for model, pace in zip(models, paces, strict=False)})
            super().__init__([], manners)

    monkeypatch.setattr(module, "Mind", Models)
    yield calls


@asynccontextmanager
async def two_calls(path: Path, **keys: Any) -> AsyncIterator[None]:
    async with (
        LoopbackDeepgram([]) as deepgram,
        Providers(settings(path, **DEEPGRAM, **keys, deepgram_url=deepgram.url)) as here,
        here.kit(PHONE, Manners()),
        here.kit(PHONE, Manners()),
    ):
        yield


async def test_all_calls_learn_together_how_long_each_model_takes_and_share_one_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with paced(monkeypatch) as calls:
        async with two_calls(tmp_path, **CLAUDE):
            first, second = calls
    assert list(first) == ["claude-haiku-5-5", "claude-haiku-4-5"]
    assert [first[name] is second[name] for name in first] == [True, True]
    assert len({id(pace) for pace in first.values()}) == 2
    assert len({id(pace.budget) for pace in first.values()}) == 1


async def test_the_offline_brain_is_never_asked_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with paced(monkeypatch) as calls:
        async with two_calls(tmp_path):
            assert calls == [{}, {}]


async def test_a_call_that_nobody_could_hear_gets_no_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacks(monkeypatch, deaf=DEAF, mute=MUTE)
    async with Providers(settings(tmp_path)) as here:
        with pytest.raises(ProviderError, match="the package moonshine_voice is not installed"):
            async with here.kit(PRACTICE, Manners()):
                pass


# --- the lines --------------------------------------------------------------------------------------------------


async def test_each_line_reaches_the_server_at_its_own_address(tmp_path: Path) -> None:
    async with Providers(settings(tmp_path, **TWILIO, media_server_port=8123)) as here, here.carriers() as carriers:
        assert carriers[LineKind.PHONE].callback("/x") == "https://example.ngrok.app/x"
        assert carriers[LineKind.PHONE].stream_url("/x") == "wss://example.ngrok.app/x"
        assert carriers[LineKind.PRACTICE].stream_url("/x") == "ws://127.0.0.1:8123/x"


async def test_without_engines_the_server_starts_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks(monkeypatch, deaf=DEAF, mute=MUTE)
    chosen = settings(tmp_path)
    async with (
        serve(create_app(chosen)) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        http.headers["Authorization"] = f"Bearer {chosen.token}"
        setup = (await http.get("/api/setup")).json()
        advice = {part["name"]: part["advice"] for part in setup["parts"] if not part["serves"]}
        assert (setup["lines"], setup["live_calls"]) == ([], 0)
        assert (advice["Practice line"], advice["Hearing"], advice["Speaking"]) == (DEAF, DEAF, MUTE)
        refused = await http.post("/api/calls", json={"to": PRACTICE.to, "action": PRACTICE.action})
        assert (refused.status_code, refused.json()["detail"]) == (422, f"There is no practice line: {DEAF}")


async def test_without_engines_but_with_keys_the_operator_can_still_be_the_callee(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacks(monkeypatch, deaf=DEAF, mute=MUTE)
    async with Providers(settings(tmp_path, **DEEPGRAM | ELEVENLABS)) as here, here.carriers() as lines:
        assert list(lines) == [LineKind.PRACTICE]
        assert (here.why_not(IN_BROWSER), here.why_not(PRACTICE)) == ("", DEAF)


async def test_with_only_the_practice_line_that_is_what_the_setup_offers(tmp_path: Path) -> None:
    chosen = settings(tmp_path, public_host="example.ngrok.app")
    async with (
        serve(create_app(chosen)) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        http.headers["Authorization"] = f"Bearer {chosen.token}"
        setup = (await http.get("/api/setup")).json()
        assert (setup["lines"], setup["default_line"]) == (["practice"], "practice")
        assert "cooperative" in [persona["key"] for persona in setup["personas"]]
