"""The dashboard's door: what passes it, and that nothing else does."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive, Scope, Send

from backend.bench.virtual_time import in_virtual_time, run
from backend.config import Settings, load
from backend.signin import cookie
from backend.signin.door import Door
from backend.signin.tries import FREE
from backend.tickets import LASTS
from tests.signin.test_signin import PASSWORD, SETTINGS

NOW = 1_000.0
NO_SIGN_IN = load(_env_file=None, dashboard_password_hash="", dashboard_operators="")
OPENID = load(_env_file=None, dashboard_operators="*")
BROWSER = {"accept": "text/html,*/*", "host": "desk.example.com"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Streamlit:
    """Stands where Streamlit stands, and counts who got to it."""

    reached: list[str] = field(default_factory=list)
    left: int = 0
    """WebSockets that ended."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.reached.append(scope["path"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            try:
                while (await receive())["type"] != "websocket.disconnect":
                    pass
            finally:
                self.left += 1
        else:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"Maria Gomez, +12025550143"})


@dataclass
class World:
    """A door before a Streamlit, and a browser that knocks."""

    settings: Settings | None = SETTINGS
    now: float = NOW
    behind: Streamlit = field(default_factory=Streamlit)

    def __post_init__(self) -> None:
        self.door = Door(self.behind, self.settings, lambda: self.now)

    async def ask(
        self,
        path: str = "/",
        headers: dict[str, str] | None = None,
        body: bytes | None = b"",
        **scope: object,
    ) -> Answer:
        """`body` None never arrives."""
        answer = Answer()
        whole = request(path, BROWSER | (headers or {}), **scope)
        await self.door(whole, _sends(body), answer.take)
        return answer

    async def sign_in(
        self,
        path: str = "/",
        password: str = PASSWORD,
        name: str = "Maya",
        headers: dict[str, str] | None = None,
        **scope: object,
    ) -> Answer:
        body = urlencode({"name": name, "password": password}).encode()
        return await self.ask(path, FORM | (headers or {}), body, method="POST", **scope)


@dataclass
class Answer:
    messages: list[Message] = field(default_factory=list)

    async def take(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode().lower(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def kinds(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def cookie(self) -> str:
        return SimpleCookie(self.headers["set-cookie"])[cookie.NAME].value


def request(path: str, headers: dict[str, str], **scope: object) -> Scope:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    path, _, query = path.partition("?")
    usual = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "server": ("127.0.0.1", 8501),
        "client": ("10.0.0.1", 9),
    }
    return usual | {"path": path, "query_string": query.encode("latin-1"), "headers": raw, "root_path": ""} | scope


def _sends(body: bytes | None) -> Receive:
    messages = [{"type": "http.request", "body": body}] if body is not None else []

    async def receive() -> Message:
        if messages:
            return messages.pop()
        return await asyncio.Future()

    return receive


def with_cookie(value: str) -> dict[str, str]:
    return {"cookie": f"{cookie.NAME}={value}"}


SIGNED_IN = with_cookie(cookie.issue(SETTINGS, "Maya", NOW))


# --- without a sign-in ------------------------------------------------------------------------------------------

HOME = {"host": "localhost:8501"}


@pytest.mark.parametrize("settings", [NO_SIGN_IN, None])
@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "localhost"])
async def test_without_a_sign_in_this_machine_is_served(settings: Settings | None, host: str) -> None:
    world = World(settings)
    assert (await world.ask("/record?call=one", {"host": host})).status == 200
    window = asyncio.create_task(_window(world, {"host": host, "origin": f"http://{host}"}))
    await asyncio.sleep(0)
    window.cancel()
    assert world.behind.reached == ["/record", "/_stcore/stream"]


@pytest.mark.parametrize("settings", [NO_SIGN_IN, None])
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("server", "host", "origin"),
    [
        (("192.168.1.20", 8501), "localhost:8501", ""),  # from the network
        (("127.0.0.1", 8501), "evil.example.com:8501", ""),  # a stranger's name that leads here
        (("127.0.0.1", 8501), "[nonsense", ""),
        (("127.0.0.1", 8501), "", ""),
        (("/run/desk.sock", None), "localhost:8501", ""),
        (None, "localhost:8501", ""),
    ],
)
async def test_without_a_sign_in_nobody_else_is(
    settings: Settings | None, kind: str, server: object, host: str, origin: str
) -> None:
    world = World(settings)
    answer = await world.ask("/record", {"host": host}, type=kind, server=server)
    assert world.behind.reached == []
    assert answer.kinds == (
        ["websocket.close"] if kind == "websocket" else ["http.response.start", "http.response.body"]
    )


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://evil.example.com", "null", "http://127.0.0.1:8501"]
)
async def test_a_page_from_elsewhere_opens_no_websocket(origin: str) -> None:
    world = World(NO_SIGN_IN)
    answer = await world.ask("/_stcore/stream", HOME | {"origin": origin}, type="websocket")
    assert (world.behind.reached, answer.kinds) == ([], ["websocket.close"])


@pytest.mark.parametrize("settings", [NO_SIGN_IN, SETTINGS, OPENID])
async def test_no_other_site_may_show_the_dashboard_in_its_own_page(settings: Settings) -> None:
    answer = await World(settings).ask("/", HOME | SIGNED_IN)
    assert answer.status == 200
    assert answer.headers["content-security-policy"] == "frame-ancestors 'self'"


async def test_with_openid_connect_the_pages_ask() -> None:
    world = World(OPENID)
    assert (await world.ask("/record", server=("192.168.1.20", 8501))).status == 200


# --- with a password --------------------------------------------------------------------------------------------


@given(
    path=st.text(st.characters(exclude_characters="?", codec="latin-1")).map(lambda text: f"/{text}"),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    given_cookie=st.text(st.characters(min_codepoint=33, max_codepoint=126)),
)
def test_nothing_passes_before_the_sign_in(path: str, method: str, given_cookie: str) -> None:
    async def knock() -> None:
        world = World()
        answer = await world.ask(path, with_cookie(given_cookie), method=method)
        assert answer.status in {401, 303}
        closed = await world.ask(path, with_cookie(given_cookie), type="websocket")
        assert closed.kinds == ["websocket.close"]
        assert world.behind.reached == []
        assert "Gomez" not in answer.text

    run(knock())


async def test_only_the_sign_of_life_is_open() -> None:
    world = World()
    await world.ask("/_stcore/health")
    await world.ask("/_stcore/health/../../record")
    await world.ask("/record/_stcore/health")
    assert world.behind.reached == ["/_stcore/health"]


async def test_the_form_is_shown_in_the_place_of_the_page_and_leads_to_it() -> None:
    world = World()
    asked = await world.ask("/record?call=one&turn=4,5")
    assert (asked.status, asked.headers["cache-control"]) == (401, "no-store")
    assert "frame-ancestors 'none'" in asked.headers["content-security-policy"]
    assert "Your name" in asked.text
    answer = await world.sign_in("/record?call=one&turn=4,5")
    assert (answer.status, answer.headers["location"]) == (303, "/record?call=one&turn=4,5")
    shown = await world.ask("/record?call=one", with_cookie(answer.cookie))
    assert shown.text == "Maria Gomez, +12025550143"


async def test_the_cookie_is_for_this_site_only_and_no_script_reads_it() -> None:
    answer = await World().sign_in()
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags and "samesite=lax" in flags and f"max-age={LASTS:.0f}" in flags
    assert "secure" not in flags
    assert "; secure" in (await World().sign_in(scheme="https")).headers["set-cookie"].lower()


async def test_a_program_gets_a_sentence_instead_of_a_page() -> None:
    answer = await World().ask("/media/abc.csv", {"accept": "*/*"})
    assert (answer.status, answer.text) == (401, "Sign in first.")


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(min_codepoint=33, max_codepoint=126)))
def test_signing_in_and_out_never_lead_to_another_host(path: str, query: str) -> None:
    async def places() -> list[str]:
        world = World()
        into = await world.sign_in(f"/{path}".replace("?", "") + f"?{query}")
        out = await world.ask(f"/{path}".replace("?", "") + "/auth/logout")
        return [answer.headers["location"] for answer in (into, out)]

    for place in run(places()):
        assert place[0] == "/"
        assert place[1:2] not in ("/", "\\")
        assert "\\" not in place.partition("?")[0] and "\r" not in place and "\n" not in place


async def test_a_wrong_password_opens_nothing_and_is_not_written_down(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await World().sign_in(password="wrong-horse", name="Maya Chen")
    assert answer.status == 401
    assert "set-cookie" not in answer.headers
    assert "The password is wrong." in answer.text and "wrong-horse" not in answer.text
    assert "Maya Chen" in answer.text
    assert "10.0.0.1" in caplog.text
    assert "wrong-horse" not in caplog.text and "Maya" not in caplog.text


async def test_a_name_is_asked_for() -> None:
    answer = await World().sign_in(name="  \n ")
    assert answer.status == 401 and "Type your name too" in answer.text


async def test_after_some_wrong_passwords_even_the_right_one_waits_and_others_do_not() -> None:
    world = World()
    answers = [await world.sign_in(password="wrong") for _ in range(FREE + 1)]
    assert "try again in 2 seconds" in answers[-1].text
    assert "try again in" in (await world.sign_in()).text
    assert (await world.sign_in(client=("10.0.0.2", 9))).status == 303
    world.now += 2
    assert (await world.sign_in()).status == 303


async def test_when_too_many_sign_in_at_once_the_last_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.signin.door._WAITING", 2)
    world = World()
    several = [world.sign_in(client=(f"10.0.0.{n}", 9)) for n in range(4)]
    assert sorted(answer.status for answer in await asyncio.gather(*several)) == [303, 303, 401, 401]
    assert (await world.sign_in()).status == 303


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", "http://desk.example.com:81"])
async def test_another_sites_form_signs_nobody_in(origin: str) -> None:
    answer = await World().sign_in(headers={"origin": origin})
    assert answer.status == 403 and "set-cookie" not in answer.headers
    assert (await World().sign_in(headers={"origin": "http://desk.example.com"})).status == 303


@in_virtual_time
async def test_a_form_that_is_too_large_broken_or_never_comes_is_refused() -> None:
    world = World()
    for body in (b"x" * 10_000, b"\xff=1", b"a=1&" * 100, None):
        answer = await world.ask("/", FORM, body, method="POST")
        assert answer.status == 400


async def test_a_cookie_ends_when_its_time_has_come() -> None:
    world = World()
    assert (await world.ask("/", SIGNED_IN)).status == 200
    world.now += LASTS
    assert (await world.ask("/", SIGNED_IN)).status == 401


# --- the WebSocket ----------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_websocket_ends_with_the_cookie() -> None:
    world = World(now=NOW + LASTS - 60)
    answer = await world.ask("/_stcore/stream", SIGNED_IN, None, type="websocket")
    assert asyncio.get_running_loop().time() == pytest.approx(60)
    assert answer.kinds == ["websocket.accept", "websocket.close"]
    assert world.behind.left == 1


@in_virtual_time
async def test_signing_out_ends_every_window_of_that_browser_and_no_other() -> None:
    world = World(now=NOW + LASTS - 60)
    other = with_cookie(cookie.issue(SETTINGS, "Bo", NOW))
    async with asyncio.TaskGroup() as tasks:
        own = [tasks.create_task(_window(world, SIGNED_IN)) for _ in range(2)]
        bos = tasks.create_task(_window(world, other))
        await asyncio.sleep(1)
        answer = await world.ask("/auth/logout", SIGNED_IN | {"sec-fetch-site": "same-origin"})
        assert (answer.status, answer.headers["location"], answer.cookie) == (303, "/", "")
        await asyncio.sleep(1)
        assert [task.done() for task in (*own, bos)] == [True, True, False]
        # Whoever has kept a copy of the cookie has nothing.
        assert (await world.ask("/", SIGNED_IN)).status == 401
        assert (await world.ask("/", other)).status == 200
    assert asyncio.get_running_loop().time() == pytest.approx(60)


@in_virtual_time
async def test_another_sites_link_signs_nobody_out() -> None:
    world = World()
    await world.ask("/auth/logout", SIGNED_IN | {"sec-fetch-site": "cross-site"})
    assert (await world.ask("/", SIGNED_IN)).status == 200


async def _window(world: World, headers: dict[str, str]) -> None:
    await world.ask("/_stcore/stream", headers, None, type="websocket")


async def test_a_websocket_that_breaks_says_so() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await Door(broken, SETTINGS, lambda: NOW)(
            request("/_stcore/stream", SIGNED_IN, type="websocket"), _sends(None), Answer().take
        )
