"""An OpenID Connect provider on this machine that signs in whoever comes, by the claims that the test has chosen."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey

from backend.serving import serve

CLIENT = "phone-agent"


@dataclass
class Provider:
    claims: dict[str, object]
    port: int = 0
    nonces: dict[str, str] = field(default_factory=dict)
    """Of each code that was given out."""

    def __post_init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def secrets(self, dashboard: str) -> str:
        """What stands in Streamlit's secrets.toml."""
        return (
            f'[auth]\nredirect_uri = "{dashboard}/oauth2callback"\ncookie_secret = "a-secret-for-this-test-only"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "secret"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    def app(self) -> FastAPI:
        app = FastAPI()
        app.get("/.well-known/openid-configuration")(self._metadata)
        app.get("/authorize", response_model=None)(self._authorize)
        app.post("/token")(self._token)
        app.get("/keys")(lambda: {"keys": [self.key.as_dict(private=False)]})
        return app

    def _metadata(self) -> dict[str, object]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _authorize(self, redirect_uri: str, state: str, nonce: str) -> RedirectResponse:
        code = f"code-{len(self.nonces)}"
        self.nonces[code] = nonce
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}")

    async def _token(self, request: Request) -> dict[str, object]:
        form = await request.form()
        now = int(time.time())
        base = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": self.nonces[str(form["code"])]}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, base | self.claims, self.key)
        return {"access_token": "unused", "token_type": "Bearer", "expires_in": 300, "id_token": token}


@contextmanager
def openid_provider(**claims: object) -> Iterator[Provider]:
    """Serve from a thread of its own until the block is left."""
    provider = Provider(claims)
    ready, stop = threading.Event(), threading.Event()

    async def serving() -> None:
        async with serve(provider.app()) as port:
            provider.port = port
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serving()), daemon=True)
    thread.start()
    try:
        assert ready.wait(20)
        yield provider
    finally:
        stop.set()
        thread.join(20)
