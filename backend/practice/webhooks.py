"""Requests from the carrier to the product's server, signed as Twilio signs them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx2
from twilio.request_validator import RequestValidator

DEADLINE = 15.0
"""Seconds that Twilio waits for a webhook's reply."""


class Unanswered(Exception):
    """No usable reply; the message begins with Twilio's error code."""


class Webhooks:
    """Speaks for one account."""

    def __init__(self, token: str, http: httpx2.AsyncClient) -> None:
        self._validator = RequestValidator(token)
        self._http = http

    def signature(self, url: str, fields: Mapping[str, str] | None = None) -> str:
        """Over the exact URL, with the form's fields; a WebSocket's handshake has none."""
        return str(self._validator.compute_signature(url, dict(fields or {})))

    async def post(self, url: str, fields: Mapping[str, str]) -> str:
        """Post a form; returns the reply's body.

        Raises:
            Unanswered: the server cannot be reached, takes too long, or replies with an error.
        """
        headers = {"X-Twilio-Signature": self.signature(url, fields), "User-Agent": "TwilioProxy/1.1"}
        try:
            async with asyncio.timeout(DEADLINE):
                reply = await self._http.post(url, data=dict(fields), headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise Unanswered(f"11205: {url} cannot be reached ({type(error).__name__})") from None
        if not reply.is_success:
            raise Unanswered(f"11200: {url} replied with HTTP {reply.status_code}")
        return str(reply.text)
