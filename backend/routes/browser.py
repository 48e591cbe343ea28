"""What browsers load of the pages with sound: modules and stylesheets, the same for everybody; and the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException, Request, Response, WebSocket

from backend.config import Settings, is_loopback

router = APIRouter(prefix="/browser", tags=["browser"], include_in_schema=False)

_TYPES = {"css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_SITE = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(?=/|$)")
"""Where a page comes from, at the beginning of its address."""
_ALWAYS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    kind: str
    etag: str


def _shipped() -> dict[str, _File]:
    """Every file of the folder, by its name: what is not in here is not served, however it is asked for."""
    found = {}
    for file in files("backend.browser").iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2], "")
        if kind:
            content = file.read_bytes()
            found[file.name] = _File(content, kind, f'"{sha256(content).hexdigest()[:32]}"')
    return found


_FILES = _shipped()


@router.get("/{name}")
async def file(request: Request, name: str) -> Response:
    """A module or a stylesheet. It is asked for anew each time, and sent only if it has changed."""
    found = _FILES.get(name)
    if found is None or found.kind == _TYPES["html"]:
        raise HTTPException(404)
    headers = _ALWAYS | {"Cache-Control": "no-cache", "ETag": found.etag}
    if request.headers.get("If-None-Match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.kind, headers=headers)


def page(request: Request, name: str) -> Response:
    """One of the HTML pages, for the dashboard to embed; it may load only what this server has."""
    found = _FILES[name]
    settings: Settings = request.app.state.settings
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "media-src": "'self' blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": " ".join(embedders(settings, request.headers.get("Referer", ""))),
    }
    headers = _ALWAYS | {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    }
    return Response(found.content, media_type=found.kind, headers=headers)


def from_own_page(socket: WebSocket, settings: Settings) -> bool:
    """Whether a page of this server opens the websocket; a browser lets no page lie about where it comes from."""
    try:
        origin, host = urlsplit(socket.headers.get("origin", "")), socket.headers.get("host", "")
    except ValueError:
        return False
    ours = {urlsplit(url).hostname for url in (settings.server_url, settings.public_url)}
    # The names are compared as well, since a stranger's name may be made to mean this machine.
    return origin.netloc == host and (is_loopback(origin.hostname or "") or origin.hostname in ours - {None})


def embedders(settings: Settings, asked_from: str = "") -> list[str]:
    """Where pages may be embedded: this machine, the public host, and the site whose page asks (`asked_from`).

    That site is a dashboard that is reached from elsewhere: only a dashboard can make the ticket that a page needs.
    """
    here = ["'self'", "http://localhost:*", "http://127.0.0.1:*"]
    public = [f"https://{settings.public_host}"] if settings.public_host else []
    site = _SITE.match(asked_from)
    return here + public + ([site[0]] if site else [])
