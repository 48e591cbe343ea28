"""Tells another program what came of a call: one signed POST when its report is written."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from typing import Self

import httpx2
from pydantic import TypeAdapter

from backend.models import Call
from backend.proxy import proxy_url
from backend.storage.store import Store

_LOG = logging.getLogger(__name__)

SIGNATURE = "X-Signature"
"""The header: "sha256=" and the body's HMAC-SHA256 with the secret, in hexadecimal digits."""
DEADLINE = 10.0
"""Seconds for one POST."""
AGAIN = (5.0, 60.0)
"""Seconds after which a message that was not taken is sent again; then it is given up."""
_MOST_WAITING = 500
"""More messages than this do not wait: whoever takes none for so long asks the API."""
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
        self._waiting: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._failures: dict[str, int] = {}
        """By call, how often its message was not taken; those under way only."""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._url:
            self._task = asyncio.create_task(self._work(), name="results")
        return self

    async def __aexit__(self, *error: object) -> None:
        for timer in self._timers.values():
            timer.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    def tell(self, call_id: str) -> None:
        """Send this call and its report, soon."""
        self._timers.pop(call_id, None)
        if not self._url:
            return
        try:
            self._waiting.put_nowait(call_id)
        except asyncio.QueueFull:
            self._give_up(call_id, "too many others wait")

    async def done(self) -> None:
        """Wait until nothing is to be sent, apart from what was not taken and is sent again later."""
        await self._waiting.join()

    async def _work(self) -> None:
        # Its own `trust_env` would take passwords out of `.netrc`.
        async with httpx2.AsyncClient(timeout=None, trust_env=False, proxy=proxy_url(self._url)) as http:
            while True:
                call_id = await self._waiting.get()
                try:
                    await self._send(http, call_id)
                except Exception:
                    # The messages of all other calls go on.
                    _LOG.exception("the result of call %s could not be sent", call_id)
                finally:
                    self._waiting.task_done()

    async def _send(self, http: httpx2.AsyncClient, call_id: str) -> None:
        call = self._store.call(call_id)
        if call is None:  # it was deleted meanwhile
            return
        body = _MESSAGE.dump_json({"call": call})
        headers = {"Content-Type": "application/json", SIGNATURE: signature(body, self._secret)}
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await http.post(self._url, content=body, headers=headers)
            wrong = "" if answer.is_success else f"it answered HTTP {answer.status_code}"
        except TimeoutError:
            wrong = f"it did not answer within {DEADLINE:.0f} s"
        except httpx2.HTTPError as error:
            wrong = f"it cannot be reached ({type(error).__name__})"
        self._settle(call_id, wrong)

    def _settle(self, call_id: str, wrong: str) -> None:
        """Put down how it went; empty: well."""
        failed = self._failures.pop(call_id, 0)
        if not wrong:
            return
        if failed >= len(AGAIN):
            self._give_up(call_id, wrong)
            return
        self._failures[call_id] = failed + 1
        self._timers[call_id] = asyncio.get_running_loop().call_later(AGAIN[failed], self.tell, call_id)

    def _give_up(self, call_id: str, wrong: str) -> None:
        self._failures.pop(call_id, None)
        self._store.trouble(call_id, f"RESULT_URL was not told of this call: {wrong}.")
