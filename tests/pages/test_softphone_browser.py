"""Being the callee, in real Chromium with the whole product: rung up, talked with, and alone with one's own agent.

The microphone is Chromium's fake one, which plays a spoken file from the moment it is opened.
"""

from __future__ import annotations

import asyncio
import os
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, WebSocket, expect

from backend import audio, tickets
from backend.answers import CallInFull
from backend.client import Client
from backend.engines.installed import missing
from backend.engines.pool import VOICES, Engines
from backend.models import ME, Outcome, Speaker, Status
from tests.browser import dashboard, open_page
from tests.practice.test_practice_call import ACTION, CONTEXT, TOKEN, client, phone_agent

pytestmark = [
    pytest.mark.skipif(bool(missing()) and "CI" not in os.environ, reason="the offline engines are not installed"),
    pytest.mark.timeout(240),
]

SAYINGS = {
    "bicycle": ("Hello. My yellow bicycle is broken.", "man", "the coffee club"),
    "grandmother": ("Hello. My grandmother bought a kitchen table.", "older", "the city library"),
}
"""By a word of it: what is said into a browser's microphone, in which voice, and for whom that call's agent calls."""
SOON = 60.0
"""Seconds for anything in a call, on a machine that does other things as well."""
GAPS = 0.15
"""The share of a talk in which a browser may play silence because the sound came late, on such a machine."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with phone_agent(tmp_path_factory.mktemp("softphone")) as environment:
        yield environment


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file for each saying."""

    async def voiced() -> dict[str, bytes]:
        async with Engines(1) as engines:
            return {word: await engines.synthesise(text, VOICES[voice]) for word, (text, voice, _) in SAYINGS.items()}

    folder = tmp_path_factory.mktemp("spoken")
    return {word: _file(folder / f"{word}.wav", sound) for word, sound in asyncio.run(voiced()).items()}


def _file(path: Path, sound: bytes) -> Path:
    # Chromium plays it again and again: what a busy machine made unintelligible is said once more after a while.
    before, after = (np.zeros(round(seconds * audio.RATE), np.float32) for seconds in (0.5, 15.0))
    samples = np.concatenate([before, audio.decode(sound), after])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes((audio.resample(samples, audio.RATE, 48_000).clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def fake_microphone(file: Path) -> tuple[str, ...]:
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
    )


def call_me(api: Client, organization: str = "") -> str:
    return api.place(
        "+12025550143", ACTION, CONTEXT, callee_name="John Smith", organization=organization, persona=ME
    ).id


def phone_page(environment: dict[str, str], call_id: str) -> str:
    given = {"call": call_id, "ticket": tickets.issue(TOKEN, "softphone", call_id, time())}
    return f"http://127.0.0.1:{environment['MEDIA_SERVER_PORT']}/softphone?{urlencode(given)}"


def until(page: Page, seen: Callable[[], bool], what: str) -> None:
    """Wait for what another process does; the page goes on meanwhile."""
    began = monotonic()
    while not seen():
        assert monotonic() < began + SOON, f"{what} did not happen"
        page.wait_for_timeout(200)


def words(found: CallInFull, speaker: Speaker) -> str:
    return " ".join(turn.text.lower() for turn in found.turns if turn.speaker is speaker)


def answer(phone: Page | FrameLocator) -> None:
    phone.get_by_role("button", name="Answer", exact=True).click(timeout=SOON * 1000)
    expect(phone.get_by_role("button", name="Hang up")).to_be_visible()


# --- one call, from the dashboard -----------------------------------------------------------------------------------


def test_the_operator_is_rung_up_on_the_live_page_and_talks_with_the_agent(
    server: dict[str, str], spoken: dict[str, Path]
) -> None:
    with dashboard(server) as desk, client(server) as api, open_page(flags=fake_microphone(spoken["bicycle"])) as page:
        call_id = call_me(api, "Lakeside Dental")
        page.goto(f"{desk.url}/live?call={call_id}")
        phone = page.frame_locator("iframe[src*='/softphone']")
        expect(phone.get_by_text("Alex, Lakeside Dental")).to_be_visible()
        expect(phone.get_by_text("You are John Smith")).to_be_visible()
        answer(phone)
        transcript = page.get_by_test_id("stChatMessage")
        expect(transcript.filter(has_text="bicycle").first).to_be_visible(timeout=SOON * 1000)
        expect(transcript.filter(has_text="this is Alex").first).to_be_visible(timeout=SOON * 1000)

        began = monotonic()
        loudest = 0
        while loudest < 40:
            assert monotonic() < began + SOON, "the browser never played the agent's voice"
            loudest = max(loudest, int(phone.get_by_label("Agent").get_attribute("aria-valuenow") or 0))
            page.wait_for_timeout(100)
        talk = phone.locator("main").evaluate("main => ({...main.dataset, talked: performance.now() / 1000})")
        assert float(talk["silent"]) <= GAPS * talk["talked"], talk

        phone.get_by_role("button", name="Keypad").click()
        phone.get_by_role("button", name="5", exact=True).click()
        expect(transcript.filter(has_text="pressed 5").first).to_be_visible()
        phone.get_by_role("button", name="Hang up").click()
        until(page, lambda: api.call(call_id).call.status.final, "the end of the call")
        expect(page.locator("iframe[src*='/softphone']")).to_have_count(0)
        ended = api.call(call_id).call
        assert (ended.status, ended.ending, ended.troubles) == (Status.COMPLETED, "They hung up.", ())


# --- two calls ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Talk:
    found: CallInFull
    played: bytes
    """What the browser was sent to play."""


def _converse(environment: dict[str, str], word: str, file: Path) -> Talk:
    """Answer a call in a browser of its own, and let the agent say its first words."""
    played = bytearray()

    def watch(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: played.extend(payload if isinstance(payload, bytes) else b""))

    with client(environment) as api, open_page(flags=fake_microphone(file)) as page:
        page.on("websocket", watch)
        call_id = call_me(api, SAYINGS[word][2])
        page.goto(phone_page(environment, call_id))
        answer(page)

        def said() -> bool:
            found = api.call(call_id)
            theirs = " ".join(turn.heard for turn in found.turns if turn.speaker is Speaker.AGENT)
            return SAYINGS[word][2] in theirs and word in words(found, Speaker.CALLEE)

        until(page, said, f"the talk about the {word}")
        page.get_by_role("button", name="Hang up").click()
        until(page, lambda: api.call(call_id).call.status.final, "the end of the call")
        return Talk(api.call(call_id), bytes(played))


def test_two_calls_at_once_never_hear_each_other(server: dict[str, str], spoken: dict[str, Path]) -> None:
    with ThreadPoolExecutor(2) as two:
        talks = dict(zip(spoken, two.map(lambda word: _converse(server, word, spoken[word]), spoken), strict=True))
    began = max(talk.found.call.answered or 0 for talk in talks.values())
    assert began < min(talk.found.call.ended or 0 for talk in talks.values()), "they were not held at once"

    async def read() -> dict[str, str]:
        async with Engines(1) as engines:
            return {word: (await engines.transcribe(talk.played)).lower() for word, talk in talks.items()}

    heard = asyncio.run(read())
    for mine, other in [("bicycle", "grandmother"), ("grandmother", "bicycle")]:
        recognised = words(talks[mine].found, Speaker.CALLEE)
        assert mine in recognised and other not in recognised
        for word, wanted in ((mine, True), (other, False)):
            assert (SAYINGS[word][2].split()[-1] in heard[mine]) is wanted, heard


# --- without a microphone, and without a mouse --------------------------------------------------------------------


def test_a_refused_microphone_is_said_plainly_and_the_call_can_be_heard_all_the_same(server: dict[str, str]) -> None:
    with client(server) as api, open_page() as page:
        call_id = call_me(api)
        page.goto(phone_page(server, call_id))
        page.get_by_role("button", name="Answer", exact=True).click(timeout=SOON * 1000)
        expect(page.get_by_role("alert")).to_contain_text("microphone")
        assert api.call(call_id).call.status is not Status.IN_PROGRESS
        page.get_by_role("button", name="Answer without a microphone").click()
        expect(page.get_by_role("button", name="Hang up")).to_be_visible()
        until(page, lambda: "this is alex" in words(api.call(call_id), Speaker.AGENT), "the agent's first words")
        # Whoever leaves the page has hung up.
        page.goto("about:blank")
        until(page, lambda: api.call(call_id).call.status.final, "the end of the call")
        assert api.call(call_id).call.outcome is Outcome.HUNG_UP


def test_the_phone_is_declined_and_answered_by_keys_alone(server: dict[str, str], spoken: dict[str, Path]) -> None:
    with client(server) as api, open_page(flags=fake_microphone(spoken["bicycle"])) as page:
        for key, status in (("Escape", Status.BUSY), ("Enter", Status.COMPLETED)):
            call_id = call_me(api)
            page.goto(phone_page(server, call_id))
            expect(page.get_by_role("button", name="Answer", exact=True)).to_be_focused(timeout=SOON * 1000)
            page.keyboard.press(key)
            if key == "Enter":
                expect(page.get_by_role("button", name="Hang up")).to_be_focused()
                page.keyboard.press("Enter")
            until(page, lambda: api.call(call_id).call.status.final, "the end of the call")  # noqa: B023
            assert api.call(call_id).call.status is status


# --- the codec ----------------------------------------------------------------------------------------------------


def test_the_browsers_mu_law_is_that_of_the_phone_network(server: dict[str, str]) -> None:
    with open_page() as page:
        page.goto(f"http://127.0.0.1:{server['MEDIA_SERVER_PORT']}/browser/page.css")
        decoded, encoded, levels = page.evaluate(
            """async () => {
                const { decode, encode, level } = await import("/browser/sound.js");
                const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
                const samples = Float32Array.from({ length: 20001 }, (_, i) => (i - 10000) / 9000);
                const loud = [0xff, 0x10, 0x00].map((byte) => level(new Uint8Array(160).fill(byte)));
                return [[...decode(bytes)], [...encode(samples)], loud];
            }"""
        )
    np.testing.assert_array_equal(np.float32(decoded), audio.decode(bytes(range(256))))
    samples = (np.arange(20001) - 10000).astype(np.float32) / np.float32(9000)
    assert bytes(encoded) == audio.encode(samples)
    assert levels[0] == 0 < levels[1] < levels[2] <= 1
