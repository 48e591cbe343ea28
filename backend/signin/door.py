"""The dashboard's door: a layer around all of Streamlit, so that nothing of a call leaves before somebody is known.

Not a page of the dashboard, for three reasons. A page can set no cookie that scripts cannot read, so a reload would
sign everybody out. Streamlit's WebSocket and its files would be open beside it. And here a link to a call stays what it
is: the form is shown in its place, and leads to it.

With OpenID Connect, Streamlit's own `st.login` needs that WebSocket; there the pages ask (`pages/_signin.py`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.config import Settings, SignIn, is_loopback
from backend.signin import cookie, form
from backend.signin.cookie import cleaned
from backend.signin.password import fits
from backend.signin.tries import Tries
from backend.tickets import LASTS

HEALTH = "/_stcore/health"
"""Streamlit says "ok" there and nothing else; the launcher asks."""
SIGN_OUT = "/auth/logout"
"""Where `st.logout` leads the browser."""

_LARGEST_FORM = 8_192
"""Bytes."""
_FORM_WITHIN = 10.0
"""Seconds for a form to arrive."""
_WAITING = 20
"""Passwords that may wait for their turn: each costs 50 ms and 64 MB, so they are tried one by one."""

_HERE_ONLY = "This dashboard serves only its own machine. To let others in, see DASHBOARD_ADDRESS in .env.example."

_log = logging.getLogger(__name__)


class Door:
    """ASGI middleware. Settings that cannot be used count as no sign-in: only this machine gets to read why."""

    def __init__(self, app: ASGIApp, settings: Settings | None, clock: Callable[[], float] = time.time) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._tries = Tries()
        self._looking = asyncio.Lock()
        self._waiting = 0
        self._seats: dict[str, set[asyncio.Timeout]] = {}
        """Of each cookie, the deadlines of its WebSockets."""
        self._ended: dict[str, float] = {}
        """Cookies that were signed out, until they would have ended anyhow."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        sign_in = self._settings.sign_in if self._settings else SignIn.NONE
        if sign_in is SignIn.OPENID:
            await self._app(scope, receive, _unframed(send))
        elif sign_in is SignIn.PASSWORD and self._settings:
            await self._known_only(self._settings, scope, receive, send)
        elif at_home(scope):
            await self._app(scope, receive, _unframed(send))
        else:
            await _refuse(PlainTextResponse(_HERE_ONLY, 403), scope, receive, send)

    async def _known_only(self, settings: Settings, scope: Scope, receive: Receive, send: Send) -> None:
        given = HTTPConnection(scope).cookies.get(cookie.NAME, "")
        ticket = None if given in self._ended else cookie.read(settings, given, self._clock())
        if scope["type"] == "websocket":
            if ticket:
                await self._seated(given, ticket.until, scope, receive, send)
            else:
                await _refuse(Response(), scope, receive, send)
            return
        request = Request(scope, receive)
        if _is_form(request):
            await (await self._signed_in(settings, request))(scope, receive, send)
        elif request.method == "GET" and scope["path"].endswith(SIGN_OUT):
            await self._signed_out(request, given)(scope, receive, send)
        elif ticket or scope["path"] == HEALTH:
            await self._app(scope, receive, _unframed(send))
        else:
            await _asked(request)(scope, receive, send)

    async def _seated(self, given: str, until: float, scope: Scope, receive: Receive, send: Send) -> None:
        """Streamlit's WebSocket, by which every page is sent: it ends with the ticket, or when its holder signs out."""
        try:
            async with asyncio.timeout(until - self._clock()) as limit:
                seats = self._seats.setdefault(given, set())
                seats.add(limit)
                try:
                    await self._app(scope, receive, send)
                finally:
                    seats.discard(limit)
                    if not seats:
                        self._seats.pop(given, None)
        except TimeoutError:
            if not limit.expired():
                raise
            await send({"type": "websocket.close", "code": 1008})

    async def _signed_in(self, settings: Settings, request: Request) -> Response:
        """The answer to a form: the page that was asked for, with the cookie; or the form again."""
        if not _same_origin(request.headers):
            return PlainTextResponse("Sign in on the dashboard's own page.", 403)
        try:
            async with asyncio.timeout(_FORM_WITHIN):
                fields = await _fields(request)
        except (TimeoutError, ValueError):
            return PlainTextResponse("That is not the sign-in form.", 400)
        name = cleaned(fields.get("name", ""))
        if not name:
            return _asked(request, problem="Type your name too: it is noted beside what you do.")
        problem = await self._problem(settings, request, fields.get("password", ""))
        if problem:
            return _asked(request, name, problem)
        now = self._clock()
        response = RedirectResponse(_here(request.scope["path"], request.scope["query_string"].decode("latin-1")), 303)
        _set_cookie(response, request, cookie.issue(settings, name, now), LASTS)
        return response

    async def _problem(self, settings: Settings, request: Request, password: str) -> str:
        """Why this password does not open the door; empty when it does."""
        address = request.client.host if request.client else ""
        wait = self._tries.begin(address, self._clock())
        if wait:
            return f"Too many wrong passwords: try again in {_seconds(wait)}."
        if self._waiting >= _WAITING:
            return "Too many people are signing in at once: try again in a moment."
        self._waiting += 1
        try:
            async with self._looking:
                right = await asyncio.to_thread(fits, settings.dashboard_password_hash, password)
        finally:
            self._waiting -= 1
        if right:
            self._tries.right(address)
            return ""
        _log.warning("Somebody at %s gave a wrong password.", address)
        return "The password is wrong."

    def _signed_out(self, request: Request, given: str) -> Response:
        """Every window of this browser is signed out. Not by a link on somebody else's page."""
        home = RedirectResponse(_here(request.scope["path"].removesuffix(SIGN_OUT)), 303)
        if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            return home
        now = self._clock()
        self._ended = {ended: until for ended, until in self._ended.items() if until > now}
        if self._settings and cookie.read(self._settings, given, now):
            self._ended[given] = now + LASTS
        for limit in self._seats.pop(given, ()):
            limit.reschedule(asyncio.get_running_loop().time())
        _set_cookie(home, request, "", 0)
        return home


# --- decisions --------------------------------------------------------------------------------------------------


def at_home(scope: Scope) -> bool:
    """Whether the connection ends on this machine, under its own name and, for a WebSocket, from its own page.

    The name matters: a stranger's page may have its host's name lead to 127.0.0.1, and would then be let in.
    """
    server, _ = scope.get("server") or ("", None)
    headers = Headers(scope=scope)
    own_page = scope["type"] != "websocket" or _same_origin(headers)
    return is_loopback(server) and is_loopback(_host(headers)) and own_page


def _host(headers: Headers) -> str:
    """The name by which the browser knows us, without the port; empty if that is nonsense."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname or ""
    except ValueError:
        return ""


def _same_origin(headers: Headers) -> bool:
    """Whether the browser says that a page of this host asks; programs that are no browser say nothing."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return request.method == "POST" and kind == "application/x-www-form-urlencoded"


def _here(path: str, query: str = "") -> str:
    """A place to lead the browser to, never on another host: two slashes would begin a host's name."""
    return "/" + quote(path.lstrip("/\\")) + (f"?{query}" if query else "")


def _encrypted(request: Request) -> bool:
    return request.scope["scheme"] == "https" or is_loopback(_host(request.headers))


def _seconds(wait: float) -> str:
    seconds = int(wait) + 1
    return "a second" if seconds == 1 else f"{seconds} seconds"


# --- answers ----------------------------------------------------------------------------------------------------


def _asked(request: Request, name: str = "", problem: str = "") -> Response:
    """The form in the place of the page; programs get a sentence."""
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(problem or "Sign in first.", 401)
    return HTMLResponse(form.page(name, problem, _encrypted(request)), 401, form.HEADERS)


async def _fields(request: Request) -> Mapping[str, str]:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _LARGEST_FORM:
            raise ValueError("too large")
    return {key: values[0] for key, values in parse_qs(body.decode(), max_num_fields=10).items()}


def _set_cookie(response: Response, request: Request, value: str, lasts: float) -> None:
    secure = request.scope["scheme"] == "https"
    response.set_cookie(cookie.NAME, value, int(lasts), httponly=True, secure=secure, samesite="lax")


async def _refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)


def _unframed(send: Send) -> Send:
    """No other site may show the dashboard inside its own page, and have people click on what they do not see."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("content-security-policy", "frame-ancestors 'self'")
        await send(message)

    return sent
