"""Calls from dial to settled row on the real server: whatever happens, the phone is down and the row says why."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from websockets.exceptions import InvalidStatus

from backend.call.events import FloorEvent
from backend.models import Brief, Call, LineKind, Outcome, ProviderError, Refusal, Status, ToolUse, TurnEnd
from backend.practice.carrier import practice_carrier
from backend.practice.dialled_call import DialledCall
from backend.practice.phone_call import PUT_THROUGH
from backend.server import MediaServer
from backend.storage.store import Store
from backend.switchboard import engagement
from backend.switchboard.engagement import Engagement
from backend.telephony.twilio import Twilio
from backend.telephony.twiml import NOBODY_THERE
from tests.practice_world import CALLEE, Person
from tests.served import ACTION, Served, begin, closed, served, until, world


async def report(server: Served, call: str, status: str, sequence: int) -> None:
    answer = await server.webhook(
        f"/twilio/status?call={call}", CallSid="CA1", CallStatus=status, SequenceNumber=str(sequence)
    )
    assert answer.status_code == 204


# --- handing over ---------------------------------------------------------------------------------------------------


async def test_a_call_is_handed_over_and_its_row_closes_when_the_two_have_finished(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person(), transfer_number="+12025550199") as server:
        call = await server.placed()
        await server.connected(call)
        cast = server.providers.casts[0]
        cast.model.plans = [("Of course. ", ToolUse("transfer", {"reason": "wants a person"}))]
        await until(lambda: bool(server.handed(call, "ReplyDone")))
        cast.ears.tell(TurnEnd("Can I talk to a person, please?"))
        row = await server.over(call)
        assert (row.status, row.outcome, row.note) == (Status.COMPLETED, Outcome.TRANSFERRED, "wants a person")
        record = server.record(call)
        await server.carrier.idle()
        assert list(record.said) == [PUT_THROUGH]
        assert (record.ending, list(record.errors), row.troubles) == ("the document ended", [], ())


async def test_a_callee_whom_the_operators_phone_does_not_take_is_told_so(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        missed = await server.webhook("/twilio/transferred", CallSid="CA1", DialCallStatus="no-answer")
        talked = await server.webhook("/twilio/transferred", CallSid="CA1", DialCallStatus="completed")
    assert NOBODY_THERE in missed.text and "<Say" not in talked.text
    assert [answer.text.count("<Hangup") for answer in (missed, talked)] == [1, 1]


async def test_an_incoming_call_that_was_handed_over_ends_with_the_operators_phone(tmp_path: Path) -> None:
    """Nothing else tells of its end where the number's calls are not reported."""
    async with world(tmp_path, inbound_action="Take a message", transfer_number="+12025550199") as server:
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await until(lambda: bool(server.store.call_of(record.sid)))
        call = server.store.call_of(record.sid)
        assert call
        await until(lambda: bool(server.handed(call.id, "Speaking")))
        await server.operator.post(f"/api/calls/{call.id}/transfer")
        row = await server.over(call.id)
        assert (row.status, row.outcome) == (Status.COMPLETED, Outcome.TRANSFERRED)
        await until(lambda: server.switchboard.live == 0)


# --- numbers that are never called again ----------------------------------------------------------------------------


async def test_a_number_on_the_list_is_not_dialled_on_the_phone_and_says_why(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        server.store.refuse(Refusal(CALLEE, 1.0, "They asked during a call not to be called again."))
        refused = await server.place(line="phone")
        assert refused.status_code == 422
        assert f"{CALLEE} is on the list of numbers that are never called" in refused.json()["detail"]
        (await server.operator.delete(f"/api/refusals/{CALLEE}")).raise_for_status()
        assert (await server.place(line="phone")).status_code == 201


# --- the operator's answers -----------------------------------------------------------------------------------------


async def test_an_answer_reaches_the_call_and_counts_once(tmp_path: Path) -> None:
    async with world(tmp_path, lambda _: Person()) as server:
        call = await server.placed()
        await server.connected(call)
        question = server.store.ask(call, "Is there a lift?", 1.0, 9.0)
        (await server.operator.post(f"/api/calls/{call}/watch")).raise_for_status()
        path = f"/api/questions/{question.id}/answer"
        assert (await server.operator.post(path, json={"text": "Yes."})).status_code == 202
        assert (await server.operator.post(path, json={"text": "No."})).status_code == 404
        # Without waiting: the answer to the request says that the floor has it.
        answered = {"question": "Is there a lift?", "answer": "Yes.", "by": ""}
        assert server.handed(call, "OperatorAnswers") == [answered]
        assert len(server.handed(call, "OperatorWatches")) == 1
        await server.operator.post(f"/api/calls/{call}/hangup")
        await server.over(call)
        [kept] = server.store.questions(call)
        assert (kept.answer, kept.settled is not None) == ("Yes.", True)


async def test_an_answer_that_comes_too_late_for_the_agent_leaves_the_question_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def left(engagement: Engagement, event: FloorEvent) -> bool:
        return False

    async with world(tmp_path) as server:
        call = await server.placed()
        await server.connected(call)
        question = server.store.ask(call, "Is there a lift?", 1.0, 9.0)
        monkeypatch.setattr(Engagement, "command", left)
        late = await server.operator.post(f"/api/questions/{question.id}/answer", json={"text": "Yes."})
        assert (late.status_code, late.json()["detail"]) == (
            409,
            "The call ended before the agent could tell them; call them back.",
        )
        assert server.store.open_questions() == [question]
        monkeypatch.undo()
        assert (await server.operator.post(f"/api/questions/{question.id}/settle")).status_code == 204


# --- what the carrier reports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome", "why"),
    [
        (Status.BUSY, Outcome.NO_ANSWER, "The line was busy."),
        (Status.NO_ANSWER, Outcome.NO_ANSWER, "Nobody picked up."),
        (Status.FAILED, Outcome.FAILED, "The carrier could not connect the call."),
        (Status.CANCELED, Outcome.STOPPED, "The call was cancelled while it was ringing."),
    ],
)
async def test_a_call_that_nobody_took_says_so(tmp_path: Path, status: Status, outcome: Outcome, why: str) -> None:
    async with world(tmp_path, lambda _: status) as server:
        row = await server.over(await server.placed())
        assert (row.status, row.outcome, row.ending, row.troubles) == (status, outcome, why, ())
        assert (row.answered, row.ended is not None) == (None, True)
        await until(lambda: server.switchboard.live == 0)
        assert server.providers.casts[0].left


async def test_a_call_that_ends_before_its_stream_came_is_failed(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        await server.token(call, "CA1")
        await report(server, call, "completed", 3)
        row = await server.over(call)
        assert (row.status, row.outcome) == (Status.COMPLETED, Outcome.FAILED)
        assert row.ending == "The call ended before it was connected to the agent."


async def test_reports_that_come_late_or_twice_change_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        await server.token(call, "CA1")
        for status, sequence, then in [
            ("ringing", 1, Status.RINGING),
            ("ringing", 1, Status.RINGING),
            ("initiated", 0, Status.RINGING),
            ("in-progress", 2, Status.IN_PROGRESS),
            ("ringing", 1, Status.IN_PROGRESS),
            ("daydreaming", 7, Status.IN_PROGRESS),
        ]:
            await report(server, call, status, sequence)
            assert server.row(call).status is then
        await report(server, call, "busy", 3)
        row = await server.over(call)
        for status, sequence in [("busy", 3), ("in-progress", 2), ("completed", 4), ("failed", 9)]:
            await report(server, call, status, sequence)
            # Its report and its cost may be written meanwhile, which is none of the carrier's business.
            now = server.row(call)
            assert replace(now, report=None, cost=None) == replace(row, report=None, cost=None)
        assert row.status is Status.BUSY


async def test_a_registered_call_that_never_began_is_settled_by_its_report(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        await report(server, call, "no-answer", 2)
        row = server.row(call)
        assert (row.status, row.outcome, row.ending) == (Status.NO_ANSWER, Outcome.NO_ANSWER, "Nobody picked up.")


async def test_a_call_knows_when_it_was_answered_though_the_carrier_reported_it_first(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token = await server.token(call, "CA1")
        await report(server, call, "in-progress", 2)
        answered = server.row(call).answered
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            await server.connected(call)
            assert answered and server.row(call).answered == answered


async def test_the_report_that_the_callee_hung_up_ends_a_call_whose_socket_stays(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token = await server.token(call, "CA1")
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            await server.connected(call)
            await report(server, call, "completed", 3)
            await closed(socket)
        row = await server.over(call)
        assert (row.status, row.outcome, row.ending) == (Status.COMPLETED, Outcome.HUNG_UP, "They hung up.")


async def test_the_verdict_on_who_picked_up_reaches_the_call(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token = await server.token(call, "CA1")
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            await server.connected(call)
            answer = await server.webhook(f"/twilio/machine?call={call}", CallSid="CA1", AnsweredBy="human")
            await until(lambda: server.handed(call, "MachineAnswered") == [{"kind": "human"}])
            assert answer.status_code == 204


async def test_a_call_the_carrier_says_nothing_about_is_given_up_and_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engagement, "RING_LIMIT", 0.3)
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        call = await server.placed()
        row = await server.over(call)
        assert (row.status, row.outcome) == (Status.FAILED, Outcome.FAILED)
        assert row.ending == "The carrier never said that the call was answered, or that it was not."
        await server.carrier.idle()
        assert server.record(call).status is Status.CANCELED
        assert server.switchboard.live == 0


async def test_a_phone_that_rings_though_its_dialling_was_given_up_is_hung_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dial = Twilio.dial

    async def answers_too_late(twilio: Twilio, call: Call, time_limit: int) -> str:
        await dial(twilio, call, time_limit)
        raise ProviderError("Twilio did not answer.")

    monkeypatch.setattr(Twilio, "dial", answers_too_late)
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        assert (await server.place()).status_code == 502
        await server.carrier.idle()
        [row], [record] = server.store.calls(), server.carrier.calls.values()
        assert (record.status, row.provider_sid) == (Status.CANCELED, record.sid)
        assert (row.status, row.ending) == (Status.FAILED, "Twilio did not answer.")


async def test_a_call_whose_stream_was_refused_says_what_to_check(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        await server.token(call, "CA1")
        with pytest.raises(InvalidStatus):
            async with server.stream("forged"):
                pass
        assert (await server.webhook(f"/twilio/machine?call={call}", "forged", CallSid="CA1")).status_code == 403
        await report(server, call, "completed", 3)
        assert (await server.over(call)).ending == (
            "The call ended before it was connected to the agent. 2 requests from the carrier were refused as wrongly "
            "signed: check TWILIO_AUTH_TOKEN and PUBLIC_HOST."
        )


async def test_a_stream_that_the_carrier_could_not_open_is_a_trouble_of_its_call(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        for event, error in (("stream-started", ""), ("stream-error", "Handshake failed"), ("stream-stopped", "")):
            path = f"/twilio/stream-events?call={call}"
            told = await server.webhook(path, CallSid="CA1", StreamEvent=event, StreamError=error)
            assert told.status_code == 204
        assert server.row(call).troubles == ("The carrier's media stream failed: Handshake failed",)
        nobody = await server.webhook("/twilio/stream-events?call=x", StreamEvent="stream-error", StreamError="x")
        assert nobody.status_code == 204


# --- calls beside each other ----------------------------------------------------------------------------------------


async def test_two_calls_at_once_keep_their_words_and_tokens_apart(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        names = {"Ann": await server.placed(callee_name="Ann"), "Bob": await server.placed(callee_name="Bob")}
        for name, call in names.items():
            await server.connected(call)
            cast = next(cast for cast in server.providers.casts if cast.brief.callee_name == name)
            cast.ears.tell(TurnEnd(f"Yes, {name} here."))
        await until(lambda: all(len(server.earpiece(call)) > 6 for call in names.values()))
        await until(lambda: all(server.handed(call, "TurnEnd") for call in names.values()))
        for name, call in names.items():
            assert server.earpiece(call).startswith(f"Hi {name}")
            assert server.handed(call, "TurnEnd") == [{"text": f"Yes, {name} here."}]
            other = "Bob" if name == "Ann" else "Ann"
            assert all(other not in turn.text for turn in server.store.turns(call))


async def test_each_call_has_a_token_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as server:
        first, second = await server.placed(dial=False), await server.placed(dial=False)
        tokens = await server.token(first, "CA1"), await server.token(second, "CA2")
        async with server.stream() as one, server.stream() as two:
            await begin(two, "CA2", tokens[1])
            await server.connected(second)
            await begin(one, "CA1", tokens[0])
            await server.connected(first)
            await server.operator.post(f"/api/calls/{first}/hangup")
            await closed(one)
            assert server.row(second).status is Status.IN_PROGRESS
        assert tokens[0] != tokens[1]


@pytest.fixture
def no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Faults on purpose need no printed tracebacks."""
    caplog.set_level("CRITICAL")


async def test_a_fault_in_one_call_ends_that_call_only(tmp_path: Path, no_log: None) -> None:
    async with world(tmp_path) as server:
        broken, sound = await server.placed(callee_name="Ann"), await server.placed(callee_name="Bob")
        await server.connected(broken)
        await server.connected(sound)
        cast = next(cast for cast in server.providers.casts if cast.brief.callee_name == "Ann")
        cast.ears.tell(ZeroDivisionError("on purpose"))
        row = await server.over(broken)
        assert (row.status, row.outcome) == (Status.FAILED, Outcome.FAILED)
        assert row.ending == "A fault in the program ended this call; the log has the details."
        assert row.troubles == ("Fault: ZeroDivisionError('on purpose')",)
        await until(lambda: server.record(broken).status is Status.COMPLETED)
        assert (server.record(broken).ending, cast.left) == ("hung up over REST", True)
        await until(lambda: server.earpiece(sound).startswith("Hi Bob"))
        assert (server.row(sound).status, server.switchboard.live) == (Status.IN_PROGRESS, 1)


@pytest.mark.parametrize(
    ("error", "ending", "trouble"),
    [
        (ProviderError("Nobody can hear."), "Nobody can hear.", "Nobody can hear."),
        (
            ZeroDivisionError("on purpose"),
            "A fault in the program ended this call; the log has the details.",
            "Fault: ZeroDivisionError('on purpose')",
        ),
    ],
)
async def test_a_call_whose_providers_cannot_be_opened_is_not_dialled(
    tmp_path: Path, no_log: None, error: Exception, ending: str, trouble: str
) -> None:
    def broken() -> None:
        raise error

    async with world(tmp_path, open_kit=broken) as server:
        answer = await server.place()
        [row] = server.store.calls()
        assert (answer.status_code, answer.json()["detail"]) == (502, ending)
        assert (row.status, row.outcome, row.ending, row.troubles) == (
            Status.FAILED,
            Outcome.FAILED,
            ending,
            (trouble,),
        )
        assert (server.carrier.calls, server.switchboard.live) == ({}, 0)


async def test_an_incoming_call_whose_providers_cannot_be_opened_is_hung_up(tmp_path: Path, no_log: None) -> None:
    def broken() -> None:
        raise ProviderError("Nobody can hear.")

    async with world(tmp_path, open_kit=broken, inbound_action="Take a message") as server:
        record = await server.carrier.call_in("+12025550177", f"{server.url}/twilio/voice", Person())
        await server.carrier.idle()
        row = server.store.call_of(record.sid)
        assert row
        row = await server.over(row.id)
        assert (row.status, row.ending) == (Status.FAILED, "Nobody can hear.")
        assert record.status is Status.COMPLETED


async def test_a_row_that_cannot_be_written_takes_no_other_call_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_log: None
) -> None:
    async with world(tmp_path) as server:
        first, second = await server.placed(callee_name="Ann"), await server.placed(callee_name="Bob")
        await server.connected(first)
        await server.connected(second)
        advance = server.store.advance

        def full(call_id: str, *columns: Any, **more: Any) -> bool:
            if call_id == first:
                raise sqlite3.OperationalError("disk is full")
            return advance(call_id, *columns, **more)

        monkeypatch.setattr(server.store, "advance", full)
        await server.operator.post(f"/api/calls/{first}/hangup")
        await until(lambda: server.switchboard.live == 1)
        await until(lambda: server.earpiece(second).startswith("Hi Bob"))
        await server.operator.post(f"/api/calls/{second}/hangup")
        assert (await server.over(second)).outcome is Outcome.STOPPED
        assert server.row(first).status is Status.IN_PROGRESS
        monkeypatch.setattr(server.store, "advance", advance)
    with Store(tmp_path / "calls.db") as store:
        row = store.call(first)
        assert row and (row.outcome, row.ending) == (Outcome.STOPPED, "The operator hung up.")


# --- hanging up at the wrong moment -----------------------------------------------------------------------------------


async def test_a_call_ended_while_the_carrier_is_being_asked_rings_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer_now, dial = asyncio.Event(), asyncio.Event(), Twilio.dial

    async def slowly(twilio: Twilio, call: Call, time_limit: int) -> str:
        sid = await dial(twilio, call, time_limit)
        asked.set()
        await answer_now.wait()
        return sid

    monkeypatch.setattr(Twilio, "dial", slowly)
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        placing = asyncio.create_task(server.place())
        await asked.wait()
        [row] = server.store.calls()
        assert (await server.operator.post(f"/api/calls/{row.id}/hangup")).status_code == 202
        answer_now.set()
        await placing
        await server.carrier.idle()
        assert (server.record(row.id).status, server.row(row.id).status) == (Status.CANCELED, Status.CANCELED)


async def test_a_call_that_could_not_be_hung_up_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(twilio: Twilio, sid: str, farewell: str = "") -> None:
        raise ProviderError("Twilio could not be reached.")

    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        call = await server.placed()
        monkeypatch.setattr(Twilio, "hang_up", unreachable)
        assert (await server.operator.post(f"/api/calls/{call}/hangup")).status_code == 202
        row = server.row(call)
        assert (row.status, row.troubles) == (Status.CANCELED, ("Twilio could not be reached.",))


# --- the same request twice ---------------------------------------------------------------------------------------


async def test_a_request_that_is_sent_again_gives_the_same_call_and_rings_nobody_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answer_now, dial = asyncio.Event(), asyncio.Event(), Twilio.dial

    async def slowly(twilio: Twilio, call: Call, time_limit: int) -> str:
        asked.set()
        await answer_now.wait()
        return await dial(twilio, call, time_limit)

    monkeypatch.setattr(Twilio, "dial", slowly)
    async with world(tmp_path, lambda _: Person(rings=None)) as server:
        first = asyncio.create_task(server.placed(request="one"))
        await asked.wait()
        again = await server.placed(request="one")
        answer_now.set()
        assert again == await first == await server.placed(request="one")
        assert await server.placed(request="two") != again
        assert (server.store.count(), len(server.carrier.calls)) == (2, 2)


async def test_a_request_that_failed_is_told_so_again(tmp_path: Path) -> None:
    def broken() -> None:
        raise ProviderError("Nobody can hear.")

    async with world(tmp_path, open_kit=broken) as server:
        answers = [await server.place(request="one") for _ in range(2)]
        assert [(answer.status_code, answer.json()["detail"]) for answer in answers] == [(502, "Nobody can hear.")] * 2
        assert server.store.count() == 1


# --- the end of a line, and of the server -------------------------------------------------------------------------


async def stop(socket: Any) -> None:
    await socket.send(json.dumps({"event": "stop", "streamSid": "MZ1", "stop": {"callSid": "CA1"}}))


async def vanish(socket: Any) -> None:
    socket.transport.abort()


@pytest.mark.parametrize(
    ("leave", "why"), [(stop, "They hung up."), (vanish, "The connection to the carrier was lost.")]
)
async def test_a_line_that_ends_leaves_no_task_and_no_socket(
    tmp_path: Path, leave: Callable[[Any], Awaitable[None]], why: str
) -> None:
    async with world(tmp_path) as server:
        call = await server.placed(dial=False)
        token, before = await server.token(call, "CA1"), _tasks()
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            await server.connected(call)
            assert f"call {call}" in _tasks()
            left_at = time.monotonic()
            await leave(socket)
            row = await server.over(call)
            assert (row.status, row.ending) == (Status.COMPLETED, why)
            await closed(socket)
        await until(lambda: not _tasks() - before)
        assert (server.providers.casts[0].left, server.switchboard.live) == (True, 0)
        assert time.monotonic() - left_at < 2


def _tasks() -> set[str]:
    """Every task, without the calls that were already waiting for a stream."""
    return {task.get_name() for task in asyncio.all_tasks()}


@asynccontextmanager
async def as_a_program(app: FastAPI, port: int) -> AsyncIterator[None]:
    """Served as `phone-agent serve` does it, and then told to stop."""
    server = MediaServer(app)
    running = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield
    server.should_exit = True
    await running


@pytest.mark.parametrize("rings", [0.0, None])
async def test_a_server_that_is_stopped_hangs_up_and_leaves_nothing_behind(tmp_path: Path, rings: float | None) -> None:
    async with practice_carrier(lambda _: Person(rings=rings)) as carrier:
        before = asyncio.all_tasks()
        async with served(tmp_path, carrier, on=as_a_program) as server:
            call = await server.placed()
            if rings is None:
                await until(lambda: server.row(call).status is Status.RINGING)
            else:
                await until(lambda: server.earpiece(call).startswith("Hi"))
            stopped_at = time.monotonic()
        assert time.monotonic() - stopped_at < 3
        await carrier.idle()
        [record] = carrier.calls.values()
        assert record.status is (Status.COMPLETED if rings is not None else Status.CANCELED)
        assert record.ending == ("hung up over REST" if rings is not None else "")
        assert server.providers.casts[0].left
        await until(lambda: not [task for task in asyncio.all_tasks() - before if not task.done()])
    with Store(tmp_path / "calls.db") as store:
        row = store.call(call)
    assert row
    assert (row.status, row.outcome) == (Status.FAILED, Outcome.FAILED)
    assert (row.ending, row.ended is not None) == ("The media server was stopped during this call.", True)


# --- a new server over the rows of a dead one ---------------------------------------------------------------------


STOPPED = "The media server stopped during this call."


def left_behind(path: Path, status: Status, age: float, line: LineKind = LineKind.PHONE) -> str:
    """A row as a server leaves it that dies without a word."""
    brief = Brief(to=CALLEE, action=ACTION, callee_name="Ann", line=line)
    call = Call("left-behind", brief, status, created=time.time() - age, provider_sid="CA1")
    with Store(path / "calls.db") as store:
        store.add(call)
    return call.id


async def test_a_call_placed_by_a_dead_server_goes_on_with_the_next_one(tmp_path: Path) -> None:
    call = left_behind(tmp_path, Status.RINGING, age=5)
    async with world(tmp_path) as server:
        assert server.switchboard.live == 1
        token = await server.token(call, "CA1")
        async with server.stream() as socket:
            await begin(socket, "CA1", token)
            async with asyncio.timeout(5):
                while json.loads(await socket.recv())["event"] != "media":
                    pass
            assert server.row(call).status is Status.IN_PROGRESS
            await stop(socket)
            assert (await server.over(call)).outcome is Outcome.HUNG_UP


async def test_a_call_placed_by_a_dead_server_that_nobody_takes_is_settled(tmp_path: Path) -> None:
    call = left_behind(tmp_path, Status.RINGING, age=5)
    async with world(tmp_path) as server:
        await report(server, call, "no-answer", 3)
        assert (await server.over(call)).ending == "Nobody picked up."


@pytest.mark.parametrize(
    ("status", "age", "line", "why"),
    [
        (Status.IN_PROGRESS, 5, LineKind.PHONE, STOPPED),
        (Status.RINGING, 500, LineKind.PHONE, STOPPED),
        (Status.RINGING, 5, LineKind.PRACTICE, STOPPED),
        (Status.CREATED, 5, LineKind.PHONE, "It was never dialled."),
        (Status.CREATED, 4000, LineKind.PHONE, "It was never dialled."),
    ],
)
async def test_what_a_dead_server_left_open_is_closed_at_the_start(
    tmp_path: Path, status: Status, age: float, line: LineKind, why: str
) -> None:
    call = left_behind(tmp_path, status, age, line)
    async with world(tmp_path) as server:
        row = server.row(call)
        assert (row.status, row.outcome) == (Status.FAILED, Outcome.FAILED)
        assert (row.ending, row.ended is not None) == (why, True)
        assert server.switchboard.live == 0
        answer = await server.webhook(f"/twilio/voice?call={call}", CallSid="CA1")
        assert "<Hangup" in answer.text and "<Stream" not in answer.text


async def test_a_call_only_registered_still_waits_after_a_restart(tmp_path: Path) -> None:
    def no_carrier(dialled: DialledCall) -> Status:
        raise AssertionError("nothing may be dialled")

    async with practice_carrier(no_carrier) as carrier:
        async with served(tmp_path, carrier) as server:
            call = await server.placed(dial=False)
        async with served(tmp_path, carrier) as server:
            assert (server.row(call).status, server.switchboard.live) == (Status.CREATED, 0)
            assert await server.token(call, "CA1")
