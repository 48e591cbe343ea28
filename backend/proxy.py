"""Which proxy leads to a vendor: the one that the environment names, but none to this machine."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from backend.settings.values import is_loopback


def proxy_to(url: str) -> Literal[True] | None:
    """As `websockets.connect` wants it: True for what `HTTPS_PROXY` and `NO_PROXY` say, None for a straight way."""
    return None if is_loopback(urlsplit(url).hostname or "") else True


def proxy_url(url: str) -> str | None:
    """As aiohttp wants it: the same by its address. Its own `trust_env` would take passwords out of `.netrc`."""
    there = urlsplit(url)
    if proxy_to(url) is None or proxy_bypass(there.netloc):
        return None
    return getproxies().get(there.scheme)
