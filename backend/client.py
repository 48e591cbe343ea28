"""The media server's control API for the dashboard and the command line: typed, synchronous, errors as sentences."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import TypeAdapter, ValidationError

from backend.answers import CallInFull, Health, Number, Placed, RehearsalNews, Running, Setup
from backend.models import Call, LineKind, Outcome, Question, Refusal, Status
from backend.templates import Template


class ServerError(Exception):
    """The media server refused or failed; the message is its own sentence, fit for an operator."""

    def __init__(self, message: str, status: int = 0) -> None:
        """`status` is the HTTP status, 0 when there was no answer."""
        super().__init__(message)
        self.status = status


class ServerDown(ServerError):
    """Nothing answers, or not in time."""

    def __init__(self, message: str, asked: bool = False) -> None:
        """`asked`: the request went out, so nobody knows whether it was granted."""
        super().__init__(message)
        self.asked = asked


class ServerSlow(ServerDown):
    """Something takes requests there, and does not answer them in time."""


T = TypeVar("T")

OPERATOR = "X-Operator"
"""The header that names who gives an order: percent-encoded UTF-8."""

_RINGS_MAYBE = "It is not known whether the phone rings: look at Live before you call again."
_NEWS = 60.0
"""Seconds in which a rehearsal that goes on has something to tell."""

_KINDS: tuple[Any, ...] = (
    *(Placed, CallInFull, list[Call], Number, Setup, Health, RehearsalNews),
    *(list[Question], list[Refusal], Refusal, list[Running], list[Template], Template),
)
_ANSWERS: dict[Any, TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in _KINDS}
"""Made once: building one takes longer than a request."""


class Client:
    """One connection pool to one media server; safe to share between threads. Close it, or use it in a `with`.

    Every method raises ServerDown when nothing answers, and ServerError with the server's own sentence otherwise.
    """

    def __init__(self, url: str, token: str, timeout: float = 20.0, operator: Callable[[], str] | None = None) -> None:
        """Args:
        timeout: seconds for each request; placing a call waits for the carrier's answer.
        operator: who is giving orders just now, for the log of the call; empty where nobody signs in.
        """
        self._url = url
        self._operator = operator or str
        # trust_env off: a proxy from the environment must never see the token or get between two local programs.
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 3.0)),
            # Shorter than the server keeps an idle connection, so that no command is lost on one it is just closing.
            limits=httpx2.Limits(keepalive_expiry=2.0),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def place(
        self,
        to: str,
        action: str,
        context: str = "",
        *,
        callee_name: str = "",
        agent_name: str = "Alex",
        organization: str = "",
        line: LineKind | None = None,
        persona: str = "cooperative",
        dial: bool = True,
        request: str = "",
        any_hour: bool = False,
    ) -> Placed:
        """Place a call, or with `dial` off only register it. No `line`: the phone where there is one.

        Args:
            request: any text that is this request's own: sent again with the same, it gives the same call, and no
                phone rings twice.
            any_hour: they expect the call, whatever time it is there.
        """
        brief = {"to": to, "action": action, "context": context, "callee_name": callee_name, "agent_name": agent_name}
        more = {"organization": organization, "line": line, "persona": persona, "dial": dial, "any_hour": any_hour}
        try:
            return self._read(Placed, "POST", "/api/calls", json=brief | more | {"request": request})
        except ServerDown as down:
            raise type(down)(f"{down} {_RINGS_MAYBE}" if down.asked else str(down), down.asked) from None

    def calls(
        self,
        search: str = "",
        statuses: Iterable[Status] = (),
        outcomes: Iterable[Outcome] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> list[Call]:
        """The newest calls first."""
        wanted = {"search": search, "status": list(statuses), "outcome": list(outcomes)}
        return self._read(list[Call], "GET", "/api/calls", params=wanted | {"limit": limit, "offset": offset})

    def call(self, call_id: str) -> CallInFull:
        return self._read(CallInFull, "GET", _path(call_id))

    def call_backs(self, limit: int = 100, offset: int = 0) -> list[Call]:
        """The calls of the last 30 days after which somebody should be called again, the newest first."""
        return self._read(list[Call], "GET", "/api/call-backs", params={"limit": limit, "offset": offset})

    def follow_up(self, call_id: str) -> None:
        """Tick off a call that is over: the number need not be called again for it."""
        self._send("POST", _path(call_id, "follow-up"))

    def review(self, call_id: str) -> None:
        """Say that somebody has read the report of a call."""
        self._send("POST", _path(call_id, "review"))

    def remove(self, call_id: str) -> None:
        """Delete a call that is over, with everything that is known of it."""
        self._send("DELETE", _path(call_id))

    def remove_recording(self, call_id: str) -> None:
        """Delete the recording of a call that is over."""
        self._send("DELETE", _path(call_id, "recording"))

    def hang_up(self, call_id: str) -> None:
        """End the call, also while it rings."""
        self._send("POST", _path(call_id, "hangup"))

    def say(self, call_id: str, text: str) -> None:
        """Have exactly this said as soon as the callee is not speaking."""
        self._send("POST", _path(call_id, "say"), json={"text": text})

    def hint(self, call_id: str, text: str) -> None:
        """Advise the agent for its next answer."""
        self._send("POST", _path(call_id, "hint"), json={"text": text})

    def pause(self, call_id: str) -> None:
        """Silence the agent at once; it goes on listening."""
        self._send("POST", _path(call_id, "pause"))

    def resume(self, call_id: str) -> None:
        """Let the agent talk again; it answers what the callee has said meanwhile."""
        self._send("POST", _path(call_id, "resume"))

    def take_over(self, call_id: str) -> None:
        """Silence the agent, and let the callee hear the operator's own voice."""
        self._send("POST", _path(call_id, "take-over"))

    def hand_back(self, call_id: str) -> None:
        """Let the agent go on, which knows what was said meanwhile."""
        self._send("POST", _path(call_id, "hand-back"))

    def press(self, call_id: str, keys: str) -> None:
        """Press these keys at once: digits, `*` and `#`; `w` waits half a second."""
        self._send("POST", _path(call_id, "keys"), json={"keys": keys})

    def transfer(self, call_id: str) -> None:
        """Hand the call over to the operator's phone."""
        self._send("POST", _path(call_id, "transfer"))

    def running(self, watching: bool = False) -> list[Running]:
        """The calls that ring or run, and in whose hands they are.

        Args:
            watching: somebody has all of them before them now, and can answer the agents' questions.
        """
        return self._read(list[Running], "GET", "/api/running", params={"watching": watching}, timeout=2.0)

    def watch(self, call_id: str) -> None:
        """Tell that somebody has this call before them now, and can answer the agent's questions."""
        self._send("POST", _path(call_id, "watch"), timeout=2.0)

    def questions(self) -> list[Question]:
        """What agents could not answer and nobody has settled yet, the newest first."""
        return self._read(list[Question], "GET", "/api/questions")

    def answer(self, question: int, text: str) -> None:
        """Answer an agent's question; it tells the callee where the call still runs."""
        self._send("POST", f"/api/questions/{question}/answer", json={"text": text})

    def settle(self, question: int) -> None:
        """Tick a question off as followed up."""
        self._send("POST", f"/api/questions/{question}/settle")

    def refusals(self) -> list[Refusal]:
        """The numbers that are never dialled, the newest first."""
        return self._read(list[Refusal], "GET", "/api/refusals")

    def refuse(self, number: str) -> Refusal:
        """Never dial this number again."""
        return self._read(Refusal, "POST", "/api/refusals", json={"number": number})

    def allow(self, number: str) -> None:
        """Let this number, in E.164, be dialled again."""
        self._send("DELETE", f"/api/refusals/{quote(number, safe='')}")

    def number(self, text: str) -> Number:
        """How this number would be dialled; a ServerError says why it would not."""
        return self._read(Number, "GET", "/api/numbers", params={"text": text})

    def rehearse(
        self,
        action: str,
        context: str = "",
        *,
        callee_name: str = "",
        agent_name: str = "Alex",
        organization: str = "",
        line: LineKind | None = None,
        personas: Sequence[str] = (),
    ) -> Generator[RehearsalNews, None, None]:
        """Hold the call in text with these personas, or all there are, and tell what happens; closing it stops them."""
        brief = {"action": action, "context": context, "callee_name": callee_name, "agent_name": agent_name}
        more = {"organization": organization, "line": line, "personas": list(personas)}
        with self._errors(), self._http.stream("POST", "/api/rehearsals", json=brief | more, timeout=_NEWS) as response:
            if not response.is_success:
                response.read()
            self._checked(response)
            for told in response.iter_lines():
                yield self._parse(RehearsalNews, told)

    def templates(self) -> list[Template]:
        """The texts that are kept to be used again, by name."""
        return self._read(list[Template], "GET", "/api/templates")

    def keep_template(self, name: str, action: str, context: str = "") -> Template:
        """Keep this text under a name, in the place of what was kept under it."""
        text = {"name": name, "action": action, "context": context}
        return self._read(Template, "PUT", "/api/templates", json=text)

    def rename_template(self, template: int, name: str) -> None:
        """Call it by another name, which no other template may have."""
        self._send("PUT", f"/api/templates/{template}/name", json={"name": name})

    def forget_template(self, template: int) -> None:
        """Delete it for good."""
        self._send("DELETE", f"/api/templates/{template}")

    def setup(self) -> Setup:
        return self._read(Setup, "GET", "/api/setup")

    def health(self) -> Health:
        """Whether it answers; not in two seconds means no."""
        return self._read(Health, "GET", "/health", timeout=2.0)

    def _read(self, kind: type[T], method: str, path: str, **request: Any) -> T:
        answer: T = self._parse(kind, self._send(method, path, **request).content)
        return answer

    def _parse(self, kind: Any, answered: str | bytes) -> Any:
        try:
            return _ANSWERS[kind].validate_json(answered)
        except ValidationError:
            # Another program on the port, or a server of another version.
            raise ServerError(
                f"What answers at {self._url} is not this version's media server: stop it, and start it again with "
                "`make run`, or set another MEDIA_SERVER_PORT in .env."
            ) from None

    def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        with self._errors():
            response = self._http.request(method, path, headers={OPERATOR: quote(self._operator())}, **request)
        return self._checked(response)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Whatever the network does, as a sentence."""
        try:
            yield
        except httpx2.ReadTimeout:
            raise ServerSlow(
                f"The media server at {self._url} took too long to answer; its log says why.", True
            ) from None
        except httpx2.TransportError as error:
            raise ServerDown(
                f"The media server does not answer at {self._url}: start it with `make run`, or `phone-agent serve`.",
                asked=not isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)),
            ) from None

    def _checked(self, response: httpx2.Response) -> httpx2.Response:
        if not response.is_success:
            raise ServerError(_sentence(response), response.status_code)
        return response


def _path(call_id: str, command: str = "") -> str:
    """The id may come from an address bar."""
    return f"/api/calls/{quote(call_id, safe='')}" + (f"/{command}" if command else "")


def _sentence(response: httpx2.Response) -> str:
    """What the server says is wrong: its own sentence, or one line for each field it could not accept."""
    try:
        detail = response.json()["detail"]
    except (ValueError, LookupError, TypeError):
        return f"The media server failed (HTTP {response.status_code}); its log says why."
    if isinstance(detail, list):
        return "\n".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in detail)
    return str(detail)
