"""Tells another program what came of a call: one signed POST when its report is written."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from contextlib import AsyncExitStack
from typing import Self

import httpx2
from pydantic import TypeAdapter

from backend.models import Call
from backend.outcome.errands import Errands
from backend.proxy import proxy_url
from backend.storage.store import Store

SIGNATURE = "X-Signature"
"""The header: "sha256=" and the body's HMAC-SHA256 with the secret, in hexadecimal digits."""
DEADLINE = 10.0
"""Seconds for one POST."""
AGAIN = (5.0, 60.0)
"""Seconds after which a message that was not taken is sent again; then it is given up."""
_MESSAGE = TypeAdapter(dict[str, Call])


def signature(body: bytes, secret: str) -> str:
    """The value of SIGNATURE."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


class Messenger:
    """Enter it to have results sent; leaving stops at once, and what is not sent by then is not sent any more."""

    def __init__(self, store: Store, url: str, secret: str) -> None:
        """`url`: where to; without one nothing is sent."""
        self._store = store
        self._url, self._secret = url, secret
        self._errands = Errands("the message", self._send, AGAIN)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        if self._url:
            # Its own `trust_env` would take passwords out of `.netrc`.
            http = httpx2.AsyncClient(timeout=None, trust_env=False, proxy=proxy_url(self._url))
            self._http = await self._stack.enter_async_context(http)
            await self._stack.enter_async_context(self._errands)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    def tell(self, call_id: str) -> None:
        """Send this call and its report, soon."""
        if self._url and not self._errands.add(call_id):
            self._give_up(call_id, "too many others wait")

    async def done(self) -> None:
        """Wait until nothing is to be sent, apart from what was not taken and is sent again later."""
        await self._errands.done()

    async def _send(self, call_id: str) -> None:
        call = self._store.call(call_id)
        if call is None:  # it was deleted meanwhile
            return
        if not (wrong := await self._post(_MESSAGE.dump_json({"call": call}))):
            self._errands.settled(call_id)
        elif not self._errands.failed(call_id, self.tell):
            self._give_up(call_id, wrong)

    async def _post(self, body: bytes) -> str:
        """What went wrong; empty: nothing."""
        headers = {"Content-Type": "application/json", SIGNATURE: signature(body, self._secret)}
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await self._http.post(self._url, content=body, headers=headers)
        except TimeoutError:
            return f"it did not answer within {DEADLINE:.0f} s"
        except httpx2.HTTPError as error:
            return f"it cannot be reached ({type(error).__name__})"
        return "" if answer.is_success else f"it answered HTTP {answer.status_code}"

    def _give_up(self, call_id: str, wrong: str) -> None:
        self._errands.settled(call_id)
        self._store.trouble(call_id, f"RESULT_URL was not told of this call: {wrong}.")
