"""The callee's phone in the browser: the far end in virtual time, and the doors of the server that lead to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backend import tickets
from backend.audio import FRAME, SILENCE
from backend.bench.stand_ins import read_back
from backend.bench.virtual_time import in_virtual_time, run
from backend.config import Settings, load
from backend.models import ME, Brief, Outcome, Status
from backend.practice.clock import Clock
from backend.practice.dialled_call import DialledCall
from backend.practice.personas import PERSONAS, WHO_PICKS_UP
from backend.practice.softphone import EAR, MOUTH, PATIENCE, READY, Softphone, Softphones, State
from backend.routes import browser
from backend.routes.browser import embedders, from_own_page
from tests.practice.test_telephone import Exchange, exchange
from tests.practice_world import Person
from tests.served import TOKEN, Served, until, world

TICK = 0.02


def frame(number: int) -> bytes:
    return bytes([number]) * FRAME


# --- the far end --------------------------------------------------------------------------------------------------


@asynccontextmanager
async def ringing(phone: Softphone) -> AsyncIterator[asyncio.Task[bool]]:
    task = asyncio.create_task(phone.ring(Clock()))
    await asyncio.sleep(TICK)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[Softphone, Exchange, asyncio.Task[None]]]:
    """A phone that was picked up, the carrier's end of it, and the call as the carrier holds it."""
    phone = Softphone()
    async with ringing(phone), exchange() as there:
        phone.take()
        phone.pick_up()
        held = asyncio.create_task(phone.answer(there.phone))
        await asyncio.sleep(TICK)
        try:
            yield phone, there, held
        finally:
            held.cancel()
            await asyncio.gather(held, return_exceptions=True)


@pytest.mark.parametrize("picked_up", [True, False])
@in_virtual_time
async def test_it_rings_until_somebody_picks_up_or_declines(picked_up: bool) -> None:
    phone = Softphone()
    async with ringing(phone) as rung:
        await asyncio.sleep(40)
        assert (rung.done(), phone.state) == (False, State.RINGING)
        phone.pick_up() if picked_up else phone.decline()
        assert await rung is picked_up
    assert phone.state is (State.RINGING if picked_up else State.OVER)


@in_virtual_time
async def test_when_the_ringing_is_stopped_the_browser_is_told() -> None:
    phone = Softphone()
    async with ringing(phone):
        pass
    assert phone.state is State.OVER


@in_virtual_time
async def test_the_first_choice_counts() -> None:
    phone = Softphone()
    async with ringing(phone) as rung:
        phone.decline()
        phone.pick_up()
        assert await rung is False


@in_virtual_time
async def test_a_browser_that_leaves_while_it_rings_may_come_back_and_answer() -> None:
    phone = Softphone()
    async with ringing(phone) as rung:
        assert phone.take()
        phone.leave()
        await asyncio.sleep(1)
        assert phone.take() and not rung.done()
        phone.pick_up()
        assert await rung


@pytest.mark.parametrize("when", ["before the carrier knows of it", "while talking"])
@in_virtual_time
async def test_a_browser_that_leaves_after_it_has_picked_up_has_hung_up(when: str) -> None:
    phone = Softphone()
    async with ringing(phone) as rung, exchange() as there:
        phone.take()
        phone.pick_up()
        if when == "while talking":
            asyncio.get_running_loop().call_later(3, phone.leave)
        else:
            phone.leave()
        assert await rung
        async with asyncio.timeout(4):
            await phone.answer(there.phone)
    assert phone.state is State.OVER


@in_virtual_time
async def test_only_one_browser_at_a_time_has_the_phone() -> None:
    phone = Softphone()
    assert [phone.take(), phone.take()] == [True, False]
    phone.leave()
    assert phone.take()


@in_virtual_time
async def test_what_is_said_at_the_browser_is_spoken_whole_and_in_order_although_it_comes_unevenly() -> None:
    async with talking() as (phone, there, _):
        began = asyncio.get_running_loop().time()
        for number in range(60):
            # Every tenth frame is 40 ms late, and holds those after it up until then.
            due = began + (number + 2 * (number % 10 == 0)) * TICK
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            phone.speak(frame(number + 1))
        await asyncio.sleep(1)
    assert there.spoken.strip(SILENCE) == b"".join(frame(number + 1) for number in range(60))


@in_virtual_time
async def test_a_moment_without_the_browser_costs_no_word_and_its_delay_is_over_with_the_next_pause() -> None:
    async with talking() as (phone, there, _):
        for number in range(1, 21):
            phone.speak(frame(number))
        await asyncio.sleep(10 * TICK)
        for _ in range(25):
            phone.speak(SILENCE * FRAME)
            await asyncio.sleep(TICK)
        phone.speak(frame(200))
        before = there.ticks
        while frame(200) not in there.spoken:
            phone.speak(SILENCE * FRAME)
            await asyncio.sleep(TICK)
        assert there.ticks - before <= READY + 1
    assert [number for number in there.spoken[::FRAME] if number != 255] == [*range(1, 21), 200]


@in_virtual_time
async def test_nothing_piles_up_where_nobody_reads() -> None:
    async with talking() as (phone, there, _):
        for number in range(500):
            phone.speak(frame(number % 256))
        await asyncio.sleep(60)
        assert len(there.spoken.strip(SILENCE)) <= (MOUTH + READY) * FRAME
        shown = phone.shown()
        assert await anext(shown) is State.TALKING
        first = [await anext(shown) for _ in range(EAR)]
        # Half a second behind at most, and from there on in real time.
        assert first[-1] == frame((there.ticks - 1) % 256)
        await shown.aclose()  # type: ignore[attr-defined]


@in_virtual_time
async def test_the_browser_is_shown_each_state_and_played_every_frame_until_the_call_is_over() -> None:
    phone, seen = Softphone(), list[State | bytes]()

    async def watch() -> None:
        async for news in phone.shown():
            seen.append(news)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(1)
    async with ringing(phone) as rung, exchange() as there:
        phone.pick_up()
        await rung
        asyncio.get_running_loop().call_later(1, phone.hang_up)
        await phone.answer(there.phone)
    async with asyncio.timeout(1):
        await watching
    assert [news for news in seen if isinstance(news, State)] == list(State)
    heard = [news for news in seen if isinstance(news, bytes)]
    assert len(heard) >= 45
    assert heard == [frame((heard[0][0] + place) % 256) for place in range(len(heard))]


@in_virtual_time
async def test_a_browser_does_not_wait_for_ever_for_a_call_that_never_rings() -> None:
    began = asyncio.get_running_loop().time()
    shown = Softphone().shown()
    assert await anext(shown) is State.WAITING
    with pytest.raises(TimeoutError):
        await anext(shown)
    assert asyncio.get_running_loop().time() - began == pytest.approx(PATIENCE, abs=0.1)


@in_virtual_time
async def test_keys_are_pressed_while_talking_and_others_do_not_exist() -> None:
    idle = Softphone()
    await idle.press("1")
    async with talking() as (phone, there, _):
        for key in "12#":
            await phone.press(key)
        with pytest.raises(ValueError, match="no key"):
            await phone.press("A")
        await asyncio.sleep(3 * TICK)
        assert there.pressed == ["1", "2", "#"]


@in_virtual_time
async def test_sound_that_is_no_frame_is_dropped() -> None:
    async with talking() as (phone, there, _):
        for sound in (b"", b"\1", frame(1)[:-1], frame(1) * 2, b"\1" * 100_000):
            phone.speak(sound)
        await asyncio.sleep(1)
        assert there.spoken.strip(SILENCE) == b""


_DEEDS: dict[str, Callable[[Softphone], object]] = {
    "take": Softphone.take,
    "leave": Softphone.leave,
    "pick up": Softphone.pick_up,
    "decline": Softphone.decline,
    "hang up": Softphone.hang_up,
    "speak": lambda phone: phone.speak(frame(1)),
}


_DEED = st.tuples(st.sampled_from(sorted(_DEEDS)), st.floats(0, 3))


@settings(deadline=None)
@given(deeds=st.lists(_DEED, max_size=12), limit=st.floats(0.1, 10))
def test_whatever_a_browser_does_a_call_only_goes_forward_and_is_talked_in_only_if_picked_up(
    deeds: list[tuple[str, float]], limit: float
) -> None:
    async def main() -> None:
        phone, states, done = Softphone(), list[State](), list[str]()

        async def carrier() -> None:
            picked_up = False
            with suppress(TimeoutError):
                async with asyncio.timeout(limit):
                    picked_up = await phone.ring(Clock())
            if picked_up:
                with suppress(TimeoutError):
                    async with exchange() as there, asyncio.timeout(4):
                        await phone.answer(there.phone)

        async def watch() -> None:
            async for news in phone.shown():
                states.extend([news] if isinstance(news, State) else [])

        call, watching = asyncio.create_task(carrier()), asyncio.create_task(watch())
        for deed, pause in deeds:
            await asyncio.sleep(pause)
            done += [deed] if phone.state is State.RINGING else []
            _DEEDS[deed](phone)
        await call
        async with asyncio.timeout(1):
            await watching
        order = [list(State).index(state) for state in states]
        assert order == sorted(set(order)) and states[-1] is State.OVER
        choices = [deed for deed in done if deed in {"pick up", "decline"}]
        if State.TALKING in states:
            assert choices[0] == "pick up"

    run(main())


def test_the_carrier_and_the_browser_of_a_call_have_the_same_phone_and_no_other_call_has_it() -> None:
    async def main() -> None:
        phones = Softphones()
        mine, other = phones.of("a"), phones.of("b")
        assert phones.of("a") is mine is not other
        mine.take()
        del mine
        assert phones.of("a").take(), "a phone that nobody has any more was kept"

    run(main())


def test_the_call_is_known_by_the_url_that_the_product_gave() -> None:
    assert DialledCall(to="", from_="", url="http://x/twilio/voice?call=a-b_c%3D&y=1").call_id == "a-b_c="
    assert DialledCall(to="", from_="", url="http://x/voice").call_id == ""


def test_nobody_is_oneself_by_accident() -> None:
    assert ME not in PERSONAS
    assert list(WHO_PICKS_UP) == [*PERSONAS, ME]
    assert Brief("", "", persona=ME).rings_here
    assert not Brief("", "").rings_here


# --- the server's doors -------------------------------------------------------------------------------------------


def ticket(call_id: str, purpose: str = "softphone", token: str = TOKEN, since: float = 0.0) -> str:
    return tickets.issue(token, purpose, call_id, time.time() - since)


def phone_of(server: Served, call_id: str, given: str | None = None, origin: str | None = None) -> connect:
    """The page's websocket."""
    asked = urlencode({"call": call_id, "ticket": ticket(call_id) if given is None else given})
    url = f"{server.url}/softphone/stream?{asked}"
    own = server.url if origin is None else origin
    headers = {"Origin": own} if own else {}
    url = "ws" + url.removeprefix("http")
    return connect(url, additional_headers=headers, proxy=None, compression=None, max_queue=None)


async def state(socket: ClientConnection, wanted: str) -> dict[str, str]:
    """The news of this state; sound before it is not listened to."""
    async with asyncio.timeout(8):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and json.loads(message)["state"] == wanted:
                return dict(json.loads(message))


async def call_me(server: Served, **more: str) -> str:
    return await server.placed(line="practice", persona=ME, **more)


async def test_the_browser_rings_is_answered_and_talks_with_the_agent(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await call_me(server, callee_name="John Smith", agent_name="Alex", organization="Bright Smile")
        async with phone_of(server, call) as socket:
            news = await state(socket, "ringing")
            assert (news["caller"], news["callee"]) == ("Alex, Bright Smile", "John Smith")
            assert server.row(call).status in {Status.QUEUED, Status.INITIATED, Status.RINGING}
            await socket.send("answer")
            await state(socket, "talking")
            heard = b""
            async with asyncio.timeout(8):
                while "this is Alex" not in read_back(heard):
                    message = await socket.recv()
                    assert isinstance(message, bytes) and len(message) == FRAME
                    heard += message
            await socket.send("press 7")
            await until(lambda: server.handed(call, "Digit") != [])
            await socket.send("hang-up")
            await state(socket, "over")
        row = await server.over(call)
        assert (row.status, row.outcome, row.troubles) == (Status.COMPLETED, Outcome.HUNG_UP, ())


async def test_the_browsers_sound_reaches_its_own_agent_and_no_other(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        calls = [await call_me(server) for _ in range(2)]
        async with phone_of(server, calls[0]) as one, phone_of(server, calls[1]) as other:
            for socket in (one, other):
                await state(socket, "ringing")
                await socket.send("answer")
                await state(socket, "talking")
            for _ in range(30):
                await one.send(b"\x10\x90" * (FRAME // 2))
                await asyncio.sleep(TICK)
            await until(lambda: bool(server.handed(calls[0], "SoundOn")))
            assert not server.handed(calls[1], "SoundOn")


async def test_declining_is_being_busy(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await call_me(server)
        async with phone_of(server, call) as socket:
            await state(socket, "ringing")
            await socket.send("decline")
            await state(socket, "over")
            await socket.wait_closed()
            assert socket.close_code == 1000
        assert (await server.over(call)).status is Status.BUSY


async def test_a_tab_that_is_closed_while_talking_hangs_up(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await call_me(server)
        async with phone_of(server, call) as socket:
            await state(socket, "ringing")
            await socket.send("answer")
            await state(socket, "talking")
            await server.connected(call)
        row = await server.over(call)
        assert (row.status, row.outcome) == (Status.COMPLETED, Outcome.HUNG_UP)


async def test_a_page_that_is_loaded_anew_while_it_rings_still_rings(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await call_me(server)
        for _ in range(2):
            async with phone_of(server, call) as socket:
                await state(socket, "ringing")
        await server.switchboard.hang_up(call)
        assert (await server.over(call)).status is Status.CANCELED


async def test_a_second_page_is_told_that_another_has_the_phone(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await call_me(server)
        async with phone_of(server, call) as first, phone_of(server, call) as second:
            await state(first, "ringing")
            with pytest.raises(ConnectionClosed):
                await second.recv()
            assert second.close_code == 4001
            await first.send("decline")
            await state(first, "over")
        await server.over(call)


async def test_a_page_of_a_call_that_is_over_is_told_so(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await call_me(server)
        await server.switchboard.hang_up(call)
        await server.over(call)
        async with phone_of(server, call) as socket:
            assert (await state(socket, "over"))["state"] == "over"


async def test_what_no_page_of_ours_says_ends_the_connection(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        for words in ("answer please now", "", "press", "press A", "{}"):
            call = await call_me(server)
            async with phone_of(server, call) as socket:
                await state(socket, "ringing")
                if words == "press A":
                    await socket.send("answer")
                    await state(socket, "talking")
                await socket.send(words)
                async with asyncio.timeout(8):
                    await socket.wait_closed()
            if not server.row(call).status.final:
                with suppress(Exception):
                    await server.switchboard.hang_up(call)
            await server.over(call)


async def test_strangers_get_neither_the_page_nor_the_phone(tmp_path: Path) -> None:
    nobody = Person(rings=None)
    async with (
        world(tmp_path, lambda _: nobody) as server,
        httpx2.AsyncClient(base_url=server.url, trust_env=False) as http,
    ):
        call, of_somebody_else = await call_me(server), await server.placed()
        bad = ["", "x", ticket("other"), ticket(call, "headset"), ticket(call, token="x" * 20), ticket(call, since=1e5)]
        for given in bad:
            with pytest.raises(InvalidStatus) as refused:
                await phone_of(server, call, given)
            assert refused.value.response.status_code == 403, given
            assert (await http.get("/softphone", params={"call": call, "ticket": given})).status_code == 403
        for origin in ("", "null", "https://example.com", f"http://example.com:{server.settings.media_server_port}"):
            with pytest.raises(InvalidStatus):
                await phone_of(server, call, origin=origin)
        for other in (of_somebody_else, "nothing"):
            with pytest.raises(InvalidStatus):
                await phone_of(server, other)
        good = await http.get("/softphone", params={"call": call, "ticket": ticket(call)})
        assert (good.status_code, good.headers["cache-control"]) == (200, "no-store")
        assert "frame-ancestors 'self' http://localhost:*" in good.headers["content-security-policy"]
        assert server.row(call).status is not Status.IN_PROGRESS
        for each in (call, of_somebody_else):
            await server.switchboard.hang_up(each)


class _Upgrade:
    def __init__(self, origin: str, host: str) -> None:
        self.headers = Headers({"origin": origin, "host": host})


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://localhost:8000", "localhost:8000", True),
        ("https://example.ngrok.app", "example.ngrok.app", True),
        ("http://127.0.0.1:8501", "127.0.0.1:8000", False),
        ("https://evil.example", "127.0.0.1:8000", False),
        # A stranger's name that was made to mean this machine.
        ("http://evil.example:8000", "evil.example:8000", False),
        ("null", "", False),
        ("http://[", "127.0.0.1:8000", False),
        ("", "", False),
    ],
)
def test_only_our_own_pages_open_the_phone(origin: str, host: str, ours: bool) -> None:
    ours_is = load(public_host="example.ngrok.app")
    assert from_own_page(_Upgrade(origin, host), ours_is) is ours  # type: ignore[arg-type]


def test_pages_are_embedded_by_the_dashboard_only() -> None:
    assert embedders(Settings(public_host="")) == ["'self'", "http://localhost:*", "http://127.0.0.1:*"]
    assert embedders(Settings(public_host="a.example"))[-1] == "https://a.example"


# --- what pages load ----------------------------------------------------------------------------------------------


async def test_modules_and_stylesheets_are_served_with_their_type_and_only_when_they_have_changed(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as server, httpx2.AsyncClient(base_url=server.url, trust_env=False) as http:
        for name, kind in {"sound.js": "text/javascript", "page.css": "text/css"}.items():
            answer = await http.get(f"/browser/{name}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["x-content-type-options"] == "nosniff"
            again = await http.get(f"/browser/{name}", headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")


async def test_nothing_else_is_served(tmp_path: Path) -> None:
    names = ["softphone.html", "__init__.py", "nothing.js", "..%2F..%2F.env", "..", "%2e%2e%2fserver.py", "sound.js%00"]
    async with world(tmp_path) as server, httpx2.AsyncClient(base_url=server.url, trust_env=False) as http:
        for name in names:
            assert (await http.get(f"/browser/{name}")).status_code == 404, name
    assert {"sound.js", "sound-worklet.js", "page.js", "page.css", "softphone.html"} <= set(browser._FILES)
