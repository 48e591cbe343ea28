"""The headset in a real browser: how late the operator hears, and that the microphone reaches its own callee only."""

from __future__ import annotations

import asyncio
import re
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from backend import audio, tickets
from backend.audio import Samples
from backend.call.events import Pause
from backend.practice.dialled_call import DialledCall
from backend.practice.handset import FarEnd, Handset
from tests.browser import PATIENCE, open_page
from tests.practice_world import CALLEE, Person
from tests.served import TOKEN, Served, world

OTHER = "+12025550144"
STEP = 160
"""Samples of one value of an envelope: 20 ms."""
BEHIND = 0.3
"""Seconds that listening in may be behind the wire."""

_STAMPS = """
    window.heard = [];
    const connect = AudioNode.prototype.connect;
    AudioNode.prototype.connect = function (to, ...more) {
        if (to instanceof AudioDestinationNode && !(this instanceof AnalyserNode) && this.numberOfInputs === 0) {
            const eye = new AnalyserNode(this.context, { fftSize: 512 });
            connect.call(this, eye);
            const samples = new Float32Array(512);
            let quiet = 0;
            setInterval(() => {
                eye.getFloatTimeDomainData(samples);
                const loud = samples.some((sample) => Math.abs(sample) > 0.05);
                if (loud && quiet > 30) window.heard.push(Date.now() / 1000);
                quiet = loud ? 0 : quiet + 1;
            }, 4);
        }
        return connect.call(this, to, ...more);
    };
"""
"""Notes when something is heard after a silence, at the last place before the loudspeaker."""


def voice(seconds: float = 6.0) -> Samples:
    """Syllables as a voice makes them, of no even length, so that they can be found again."""
    dice = np.random.default_rng(7)
    parts: list[NDArray[np.float64]] = []
    while sum(len(part) for part in parts) < seconds * audio.RATE:
        pitch, length = dice.uniform(110, 220), round(dice.uniform(0.12, 0.4) * audio.RATE)
        at = np.arange(length) / audio.RATE
        tones = [np.sin(2 * np.pi * pitch * k * (at + 0.1 * at**2)) / k for k in range(1, 15)]
        parts += [0.25 * np.hanning(length) * np.sum(tones, axis=0)]
        parts += [np.zeros(round(dice.uniform(0.05, 0.35) * audio.RATE))]
    return np.concatenate(parts).astype(np.float32)


def save(path: Path, samples: Samples) -> Path:
    """As the file of Chromium's pretended microphone."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def envelope(samples: Samples) -> Samples:
    pieces = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
    return np.asarray(np.sqrt((pieces**2).mean(axis=1)), np.float32)


def likeness(heard: bytes, said: Samples) -> float:
    """How well what was said is found in what was heard, at the best place: 1 for the same."""
    long, short = envelope(audio.decode(heard)), envelope(said)[:150]
    if len(long) < len(short):
        return 0.0
    places = np.lib.stride_tricks.sliding_window_view(long, len(short))
    moved = places - places.mean(axis=1, keepdims=True)
    wanted = short - short.mean()
    size = np.sqrt((moved**2).sum(axis=1) * (wanted**2).sum()) + 1e-9
    return float(((moved @ wanted) / size).max())


def page_of(server: Served, call_id: str) -> str:
    given = tickets.issue(TOKEN, "headset", call_id, time.time(), "Maya")
    return f"{server.url}/headset?{urlencode({'call': call_id, 'ticket': given})}"


class Ears:
    """Callees who listen, each to its own phone, and call out once a second if they are told to."""

    def __init__(self, calling: bool = False) -> None:
        self.heard: dict[str, bytearray] = {CALLEE: bytearray(), OTHER: bytearray()}
        self.calls: list[float] = []
        self._calling = calling

    def pick_up(self, call: DialledCall) -> FarEnd:
        async def act(handset: Handset) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(handset, self.heard[call.to]))
                if self._calling:
                    group.create_task(self._call_out(handset))

        return Person(act)

    async def _listen(self, handset: Handset, into: bytearray) -> None:
        async for frame in handset.hear():
            into += frame

    async def _call_out(self, handset: Handset) -> None:
        # No pure tone: that would be taken for a voicemail's.
        sound = audio.encode(voice(0.3)[: audio.RATE // 4])
        while True:
            await handset.speak(audio.SILENCE * audio.RATE)
            self.calls.append(time.time())
            await handset.speak(sound)


async def in_browser(look: Callable[[Page], Any], flags: tuple[str, ...] = (), **more: Any) -> Any:
    """Look at a page in a thread of its own; the server goes on in this one."""

    def run() -> Any:
        with open_page(flags=flags, **more) as page:
            return look(page)

    return await asyncio.to_thread(run)


def microphone(file: Path) -> tuple[str, ...]:
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={file}",
    )


@pytest.mark.timeout(120)
async def test_the_operator_hears_within_300_ms(tmp_path: Path) -> None:
    ears = Ears(calling=True)

    def look(page: Page) -> list[float]:
        page.add_init_script(_STAMPS)
        page.goto(address)
        page.get_by_role("button", name="Listen").click()
        heard, until = list[float](), time.time() + 40
        while len(heard) < 6 and time.time() < until:
            page.wait_for_timeout(500)
            heard = page.evaluate("window.heard")
        return heard

    async with world(tmp_path, ears.pick_up) as server:
        call = await server.placed()
        await server.connected(call)
        await server.switchboard.command(call, Pause())
        address = page_of(server, call)
        heard = await in_browser(look)
        await server.switchboard.hang_up(call)
    delays = sorted(min(at - called for called in ears.calls if called <= at) for at in heard[1:])
    middle = delays[len(delays) // 2]
    worst = delays[-1] * 1000
    print(f"\nlistening in is {middle * 1000:.0f} ms behind the wire; of {len(delays)} calls the worst {worst:.0f}")  # noqa: T201
    assert middle <= BEHIND, delays


@pytest.mark.timeout(120)
async def test_the_microphone_reaches_its_own_callee_and_no_other(tmp_path: Path) -> None:
    ears, said = Ears(), voice()
    flags = microphone(save(tmp_path / "voice.wav", said))

    def look(page: Page) -> None:
        page.goto(address)
        page.get_by_role("button", name="Take over").click()
        expect(page.get_by_text("You are on the line", exact=True)).to_be_visible()
        for number in ears.heard:
            ears.heard[number].clear()
        page.wait_for_timeout(8_000)
        page.keyboard.press("m")
        expect(page.get_by_text("You are on the line, muted")).to_be_visible()
        page.wait_for_timeout(600)
        muted_from = len(ears.heard[CALLEE])
        page.wait_for_timeout(1_500)
        quiet.append(bytes(ears.heard[CALLEE][muted_from:]))
        for keys in ("Shift+H", "Shift+B", "Control+b", "Alt+b", "h"):
            page.keyboard.press(keys)
        page.wait_for_timeout(600)
        expect(page.get_by_text("You are on the line, muted")).to_be_visible()
        page.keyboard.press("b")
        expect(page.get_by_role("button", name="Take over")).to_be_visible()
        expect(page.get_by_text("You are on the line")).to_be_hidden()

    quiet: list[bytes] = []
    async with world(tmp_path, ears.pick_up) as server:
        calls = [await server.placed(to=number) for number in (CALLEE, OTHER)]
        for call in calls:
            await server.connected(call)
        address = page_of(server, calls[0])
        await in_browser(look, flags)
        for call in calls:
            await server.switchboard.hang_up(call)
    mine, others = (likeness(bytes(ears.heard[number]), said) for number in (CALLEE, OTHER))
    print(f"\nthe operator's voice: {mine:.2f} like it at its own callee, {others:.2f} at the other")  # noqa: T201
    # The browser works on what a microphone hears: echo, noise and loudness.
    assert mine > 0.6
    assert others < 0.45
    assert audio.level(quiet[0]) < -60, "the callee hears somebody who is muted"


@pytest.mark.timeout(120)
async def test_a_microphone_that_is_refused_changes_nothing_in_the_call(tmp_path: Path) -> None:
    def look(page: Page) -> None:
        page.goto(address)
        page.get_by_role("button", name="Take over").click()
        expect(page.get_by_role("alert")).to_contain_text("The agent goes on with the call.")
        expect(page.get_by_role("button", name="Take over")).to_be_enabled()
        expect(page.get_by_text("You are on the line")).to_be_hidden()

    async with world(tmp_path, Ears().pick_up) as server:
        call = await server.placed()
        await server.connected(call)
        address = page_of(server, call)
        await in_browser(look)
        assert not server.handed(call, "TakeOver")
        await server.switchboard.hang_up(call)


@pytest.mark.timeout(120)
async def test_the_page_listens_only_when_asked_shows_both_sides_and_says_when_it_is_over(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()

    def look(page: Page) -> None:
        page.goto(address)
        callee = page.get_by_role("meter", name="Them")
        expect(page.get_by_role("button", name="Listen")).to_be_enabled()
        assert server.switchboard.tap(call).hears == ()
        page.keyboard.press("l")
        expect(page.get_by_role("button", name="Stop listening")).to_be_visible()
        expect(callee).to_have_attribute("aria-valuenow", re.compile(r"[5-9]\d"))
        page.get_by_role("button", name="Mute the sound").click()
        expect(page.get_by_role("button", name="Mute the sound")).to_have_attribute("aria-pressed", "true")
        asyncio.run_coroutine_threadsafe(server.switchboard.hang_up(call), loop).result(10)
        expect(page.get_by_text("The call is over.")).to_be_visible()
        expect(page.get_by_role("button", name="Listen")).to_be_disabled()

    async with world(tmp_path, Ears(calling=True).pick_up) as server:
        call = await server.placed()
        await server.connected(call)
        address = page_of(server, call)
        await in_browser(look)


_LATE_MICROPHONE = """
    const { getUserMedia } = MediaDevices.prototype;
    MediaDevices.prototype.getUserMedia = function (wanted) {
        return new Promise((give) => {
            window.allow = () => give(getUserMedia.call(this, wanted).then((stream) => (window.stream = stream)));
        });
    };
    window.WebSocket = class extends WebSocket {
        constructor(...all) {
            super(...all);
            window.sockets = [...(window.sockets ?? []), this];
        }
    };
"""
"""The microphone is given only on `allow()`; `sockets` can be closed, as a bad network does."""


def until(page: Page, true: str) -> None:
    """Wait for what a script says; the pages forbid what Playwright's own waiting does."""
    began = time.monotonic()
    while not page.evaluate(true):
        assert time.monotonic() < began + PATIENCE, true
        page.wait_for_timeout(100)


@pytest.mark.timeout(120)
async def test_a_connection_lost_while_the_microphone_is_asked_for_leaves_no_dead_button(tmp_path: Path) -> None:
    def look(page: Page) -> None:
        page.add_init_script(_LATE_MICROPHONE)
        page.goto(address)
        button = page.get_by_role("button", name="Take over")
        button.click()
        expect(page.get_by_text("Waiting for the microphone…")).to_be_visible()
        page.evaluate("window.sockets.at(-1).close()")
        until(page, "window.sockets.length > 1")
        expect(button).to_be_enabled()
        page.evaluate("window.allow()")
        until(page, "window.stream?.getTracks()[0].readyState === 'ended'")
        expect(page.get_by_text("You are on the line")).to_be_hidden()
        button.click()
        page.evaluate("window.allow()")
        expect(page.get_by_text("You are on the line", exact=True)).to_be_visible()

    async with world(tmp_path, Ears().pick_up) as server:
        call = await server.placed()
        await server.connected(call)
        address = page_of(server, call)
        await in_browser(look, microphone(save(tmp_path / "voice.wav", voice())))
        assert len(server.handed(call, "TakeOver")) == 1
        await server.switchboard.hang_up(call)
