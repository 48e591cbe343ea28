"""Twilio over REST: placing calls, ending them, and telling Twilio's own requests from anybody else's."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from aiohttp import ClientError, ClientSession
from starlette.datastructures import ImmutableMultiDict
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from backend.models import Call, LineKind, ProviderError
from backend.proxy import proxy_url
from backend.telephony import twiml

_PATIENCE = 10.0
"""Seconds for one request; the SDK itself would wait for ever."""
_FINDS_THE_PAGE = 60
"""Seconds that it rings in a browser: somebody has to open the page, and to allow the microphone."""
LONGEST = 4 * 3600
"""Seconds two people may talk once a call is handed over; Twilio's own limit."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who calls: one Twilio account, and the number that the callee sees."""

    sid: str
    """AC and 32 hexadecimal digits."""
    token: str = field(repr=False)
    """The auth token: it opens the account and signs what Twilio sends us."""
    number: str
    """The caller ID in E.164; must belong to the account."""
    api_url: str
    """Where the REST API is, without trailing slash: Twilio, or the practice carrier."""
    operator: str = ""
    """The operator's phone in E.164, to which calls are handed over; empty: there is none."""


class Twilio:
    """One account's REST client, used as `async with`; its requests fail as `ProviderError` in plain words."""

    def __init__(self, account: Account, callback_url: str, patience: float = _PATIENCE) -> None:
        """`callback_url` is where Twilio reaches us, without path; `patience` is the seconds one request may take."""
        self._account = account
        self._callback_url = callback_url.rstrip("/")
        self._patience = patience
        self._signatures = RequestValidator(account.token)

    async def __aenter__(self) -> Self:
        self._http = _Http(self._account)
        self._client = Client(self._account.sid, self._account.token, http_client=self._http)
        # Touched here because the SDK imports half its API on first use: 100 ms that no call should wait for.
        self._calls = self._client.calls
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        await self._http.close()

    # --- addresses -----------------------------------------------------------------------------------------

    def callback(self, path_and_query: str) -> str:
        """The exact public URL of one of our endpoints: Twilio signs it to the letter."""
        return self._callback_url + path_and_query

    def stream_url(self, path: str) -> str:
        """The same for a WebSocket: wss, or ws where the callbacks are http (the practice carrier)."""
        return "ws" + self.callback(path).removeprefix("http")

    def genuine(self, url: str, params: Mapping[str, str | list[str]], signature: str) -> bool:
        """Whether Twilio sent this: `signature` is the X-Twilio-Signature of a request to our public `url`.

        `params` are the form's fields, blank ones included. A WebSocket's handshake has none, and has been seen signed
        with and without a slash at the end.
        """
        if urlsplit(url).scheme in {"ws", "wss"}:
            bare = url.rstrip("/")
            return any(self._signatures.validate(either, {}, signature) for either in (bare, bare + "/"))
        return bool(self._signatures.validate(url, _fields(params), signature))

    # --- calls ---------------------------------------------------------------------------------------------

    async def dial(self, call: Call, time_limit: int, ring_timeout: int = 25) -> str:
        """Place the call and return Twilio's SID for it; both times are in seconds.

        Twilio lets it ring about five seconds longer than asked; voicemail picks up after 20 to 30.

        Raises:
            ProviderError: it was not placed, or (after a time-out) nobody knows.
        """
        which = urlencode({"call": call.id})
        async with self._request("place the call"):
            placed = await self._calls.create_async(
                to=call.brief.to,
                from_=self._account.number,
                url=self.callback(f"/twilio/voice?{which}"),
                status_callback=self.callback(f"/twilio/status?{which}"),
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                # Asynchronous, since Twilio would otherwise keep a person waiting in silence while it decides.
                machine_detection="DetectMessageEnd",
                async_amd="true",
                async_amd_status_callback=self.callback(f"/twilio/machine?{which}"),
                timeout=_FINDS_THE_PAGE if call.brief.rings_here else ring_timeout,
                time_limit=time_limit,
                **_practice(call),
            )
            if not placed.sid:
                raise ValueError("no SID in the answer")
        return str(placed.sid)

    async def hang_up(self, sid: str, farewell: str = "") -> None:
        """End a call in whatever state it is; ending one that is over is a success.

        Raises:
            ProviderError: the call may go on.
        """
        if farewell:
            # Only a call in progress can be spoken to, and hanging up matters more than saying goodbye.
            with suppress(ProviderError):
                if await self._change(sid, twiml=twiml.farewell(farewell)):
                    return
        await self._change(sid, status="completed")

    async def transfer(self, sid: str) -> None:
        """Connect the callee with the operator's phone. The media stream of the call ends; the call does not.

        Raises:
            ProviderError: the callee is still with us, or gone.
        """
        if not self._account.operator:
            raise ProviderError("There is no operator's phone to hand calls over to: write TRANSFER_NUMBER into .env")
        then = self.callback("/twilio/transferred")
        document = twiml.transfer(self._account.operator, self._account.number, then)
        # The limit of the agent's part of a call is no limit on what two people have to say to each other.
        if not await self._change(sid, "hand the call over", twiml=document, time_limit=LONGEST):
            raise ProviderError("The call was over before it could be handed over")

    async def _change(self, sid: str, doing: str = "hang up", **change: str | int) -> bool:
        """Update a live call; False when Twilio says that there is none."""
        async with self._request(doing):
            try:
                await self._calls(sid).update_async(**change)
            except TwilioRestException as error:
                if error.code not in {20404, 21220}:
                    raise
                return False
        return True

    async def check(self) -> None:
        """Try the account out without calling anybody.

        Raises:
            ProviderError: Twilio cannot be reached, or the account cannot call with its number; and what to do.
        """
        async with self._request("open the account"):
            account = await self._client.api.accounts(self._account.sid).fetch_async()
            owned = await self._client.incoming_phone_numbers.list_async(phone_number=self._account.number, limit=1)
            known = owned or await self._client.outgoing_caller_ids.list_async(
                phone_number=self._account.number, limit=1
            )
        if account.status != "active":
            raise ProviderError(f"The Twilio account is {account.status}: see Twilio's console for the reason")
        if not known:
            raise ProviderError(
                f"{self._account.number} does not belong to the Twilio account: write one of its numbers, "
                "or a caller ID verified there, as TWILIO_PHONE_NUMBER into .env"
            )

    @asynccontextmanager
    async def _request(self, doing: str) -> AsyncIterator[None]:
        """Bound what is asked of Twilio, and say plainly what went wrong with it."""
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            raise ProviderError(
                f"Twilio did not answer within {self._patience:g} seconds when asked to {doing}, so it may or may not "
                "have happened: check the internet connection"
            ) from None
        except (TwilioRestException, TwilioServiceException) as error:
            raise ProviderError(_plain(error, doing)) from error
        except (ClientError, OSError) as error:
            host = urlsplit(self._account.api_url).netloc
            raise ProviderError(
                f"Twilio could not be reached at {host} to {doing} ({type(error).__name__}): check the internet "
                "connection, and TWILIO_API_URL if it is set"
            ) from error
        except (TwilioException, ValueError, TypeError, LookupError, AttributeError) as error:
            # The SDK takes it on trust that JSON came back, and of the right shape.
            raise ProviderError(
                f"What came back when Twilio was asked to {doing} was not Twilio's answer: check TWILIO_API_URL, "
                "and whether a proxy is in the way"
            ) from error


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK has no types
    """The SDK's client, aimed at another host: it offers no setting for that."""

    def __init__(self, account: Account) -> None:
        # A session of our own, since the SDK's knows no proxy.
        super().__init__(pool_connections=False)
        self.session = ClientSession(proxy=proxy_url(account.api_url))
        # A dozen lines a request, numbers among them.
        self.logger.setLevel(logging.WARNING)
        self._api_url = account.api_url
        self._authorization = f"Basic {b64encode(f'{account.sid}:{account.token}'.encode()).decode()}"

    async def request(self, method: str, url: str, **more: Any) -> Any:
        # The SDK's own way with `auth` makes aiohttp warn that it is going to be removed.
        more |= {"auth": None, "headers": {**more["headers"], "Authorization": self._authorization}}
        there = urlsplit(url)
        query = f"?{there.query}" if there.query else ""
        return await super().request(method, f"{self._api_url}{there.path}{query}", **more)


def _practice(call: Call) -> dict[str, str]:
    """The practice carrier reads from the call's reason (at most 50 characters) who picks up, and by what name."""
    if call.brief.line is not LineKind.PRACTICE:
        return {}
    return {"call_reason": f"{call.brief.persona} {call.brief.first_name}".strip()[:50]}


def _fields(params: Mapping[str, str | list[str]]) -> ImmutableMultiDict[str, str]:
    """Repeated fields in the one shape of them that the SDK's validator can read."""
    return ImmutableMultiDict(
        [(name, value) for name, given in params.items() for value in ([given] if isinstance(given, str) else given)]
    )


_ADVICE: dict[int, str] = {
    10004: "too many calls are up at once for this account; wait until one ends, or ask Twilio for a higher limit",
    20003: "the account SID or auth token is wrong; check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in .env",
    20404: "there is no such account; check TWILIO_ACCOUNT_SID in .env",
    20429: "too many requests at once; try again in a minute",
    21205: "it cannot use the address of this server; check PUBLIC_HOST in .env",
    21208: "it cannot use the address of this server; check PUBLIC_HOST in .env",
    21210: "the caller's number is not the account's; check TWILIO_PHONE_NUMBER in .env, or verify it with Twilio",
    21211: "the number called is not a phone number; check its digits",
    21212: "the caller's number cannot be used; check TWILIO_PHONE_NUMBER in .env",
    21214: "the number called cannot be reached; check its digits",
    21215: "the account may not call that country; allow it in Twilio's console under Voice, Geo permissions",
    21216: "the number called is on Twilio's list of blocked numbers; it cannot be called",
    21217: "the number called does not look like a phone number; check its digits",
    21219: "a trial account may only call verified numbers; verify this one in Twilio's console, or upgrade",
    573005: "a trial account may only call verified numbers; verify this one in Twilio's console, or upgrade",
}
"""What Twilio's error codes mean to the person who placed the call, and what to do."""


def _plain(error: Any, doing: str) -> str:
    """Twilio's refusal as a sentence; `error` is of either of the SDK's two kinds."""
    if error.status >= 500:
        return f"Twilio is in trouble itself (HTTP {error.status}) and did not {doing}: try again in a minute"
    said = error.detail or error.title if isinstance(error, TwilioServiceException) else error.msg
    # The SDK puts "Unable to create record: " before what Twilio says.
    advice = _ADVICE.get(error.code) or said.rpartition(" record: ")[2]
    return f"Twilio did not {doing} (error {error.code}): {advice}"
