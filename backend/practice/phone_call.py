"""One call's life at the carrier: ringing, what the TwiML says to do, hanging up, and the reports of all that."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate

from backend.audio import RATE, SILENCE, seconds
from backend.models import Direction, Status
from backend.practice.call_record import CallRecord
from backend.practice.clock import Clock
from backend.practice.handset import FarEnd
from backend.practice.machine_detection import MachineDetection, Verdict
from backend.practice.media_stream import MediaStream
from backend.practice.playback import Playback
from backend.practice.race import first
from backend.practice.telephone import Telephone
from backend.practice.twiml import BadDocument, Dial, Document, Hangup, Pause, Redirect, Reject, Say, Stream, parse
from backend.practice.webhooks import Unanswered, Webhooks

REPORTS = 64
"""Callbacks that may wait for a slow server; a call has a handful."""
PUT_THROUGH = "On a real line your own phone would ring now, and you would be put through."
"""What the callee of the practice line hears instead of an operator."""
_EVENTS = {Status.INITIATED: "initiated", Status.RINGING: "ringing", Status.IN_PROGRESS: "answered"}

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Network:
    """What all calls of a carrier share."""

    account_sid: str
    webhooks: Webhooks
    clock: Clock
    voice: Callable[[str], Awaitable[bytes]] | None
    """Speaks `<Say>`, mu-law; None leaves half a second of silence."""
    stalls: Sequence[tuple[float, float]] = ()
    """See `MediaStream`."""


class PhoneCall:
    """One call. `live` is all of it; the rest are interventions from outside."""

    def __init__(self, record: CallRecord, pick_up: Callable[[], FarEnd | Status], network: Network) -> None:
        self.record = record
        self._pick_up = pick_up
        self._network = network
        self._clock = network.clock
        self._phone = Telephone()
        self._stream: MediaStream | None = None
        self._announcement = Playback()
        self._detection = MachineDetection(record.dialled.detection) if record.dialled.detection else None
        self._reports: asyncio.Queue[tuple[str, dict[str, str]] | None] = asyncio.Queue(REPORTS)
        self._reported = 0
        self._replacement: asyncio.Queue[Document] = asyncio.Queue(1)
        self._hung_up = asyncio.Event()

    async def live(self) -> None:
        """From dialling to the last callback. A far end that breaks ends this call only."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._post_reports())
            try:
                outcome = await self._course()
            except Exception:
                _LOG.exception("the far end of practice call %s broke", self.record.sid)
                self.record.fault("the far end broke; the log says how")
                outcome = Status.FAILED
            self._enter(outcome)
            await self._reports.put(None)

    def hang_up(self) -> None:
        """End the call, or stop the ringing."""
        self._hung_up.set()

    def replace(self, document: Document) -> None:
        """Drop what the call is doing and follow this document instead."""
        if self._replacement.full():
            self._replacement.get_nowait()
        self._replacement.put_nowait(document)

    # --- the course of a call ---------------------------------------------------------------------------------

    async def _course(self) -> Status:
        if self.record.direction is Direction.INBOUND:
            return await self._come_in()
        return await self._go_out()

    async def _go_out(self) -> Status:
        self._enter(Status.INITIATED)
        far_end = self._pick_up()
        if isinstance(far_end, Status):
            return far_end
        self._enter(Status.RINGING)
        outcome = await first(self._ring(far_end), self._ring_limit(), self._canceled())
        if outcome is Status.IN_PROGRESS:
            outcome = await self._talk(far_end, None)
        return outcome

    async def _come_in(self) -> Status:
        self._enter(Status.RINGING)
        document = await self._opening()
        far_end = self._pick_up()
        if document is None or isinstance(far_end, Status):
            return Status.FAILED
        if document and isinstance(document[0], Reject):
            return Status.BUSY if document[0].reason == "busy" else Status.NO_ANSWER
        return await self._talk(far_end, document)

    async def _ring(self, far_end: FarEnd) -> Status:
        return Status.IN_PROGRESS if await far_end.ring(self._clock) else Status.BUSY

    async def _ring_limit(self) -> Status:
        await self._clock.sleep(self.record.dialled.ring_limit)
        return Status.NO_ANSWER

    async def _canceled(self) -> Status:
        await self._hung_up.wait()
        return Status.CANCELED

    async def _talk(self, far_end: FarEnd, document: Document | None) -> Status:
        self._enter(Status.IN_PROGRESS)
        began = asyncio.get_running_loop().time()
        try:
            self.record.ending = await first(
                self._hold(far_end),
                self._follow(document),
                self._hung_up_by_product(),
                self._time_limit(),
                self._clock.each_frame(self._tick),
            )
        finally:
            self._phone.hang_up()
            self.record.duration = round((asyncio.get_running_loop().time() - began) * self._clock.speed)
        return Status.COMPLETED

    # --- what may end it: each returns the reason ----------------------------------------------------------------

    async def _hold(self, far_end: FarEnd) -> str:
        await far_end.answer(self._phone)
        return "the far end hung up"

    async def _hung_up_by_product(self) -> str:
        await self._hung_up.wait()
        return "hung up over REST"

    async def _time_limit(self) -> str:
        await self._clock.sleep(self.record.dialled.time_limit)
        return "the time limit was reached"

    async def _follow(self, document: Document | None) -> str:
        if document is None:
            document = await self._opening()
        while document:
            document = await first(self._perform(document), self._replacement.get())
        return "application error" if document is None else "the document ended"

    # --- TwiML -----------------------------------------------------------------------------------------------------

    async def _opening(self) -> Document | None:
        dialled = self.record.dialled
        return self._parsed(dialled.twiml) if dialled.twiml else await self._fetch(dialled.url)

    async def _fetch(self, url: str, more: dict[str, str] | None = None) -> Document | None:
        """The document at this URL; None, and a fault on the record, is Twilio's "application error"."""
        try:
            return self._parsed(await self._network.webhooks.post(url, self._fields() | (more or {})))
        except Unanswered as error:
            self.record.fault(str(error))
            return None

    def _parsed(self, twiml: str) -> Document | None:
        try:
            return parse(twiml)
        except BadDocument as error:
            self.record.fault(str(error))
            return None

    async def _perform(self, document: Document) -> Document | None:
        """Follow a document to its end; returns the one to go on with, empty to hang up."""
        for verb in document:
            match verb:
                case Say(text):
                    await self._say(text)
                case Pause(length):
                    await self._clock.sleep(length)
                case Stream():
                    await self._connect(verb)
                case Dial(_, then):
                    await self._say(PUT_THROUGH)
                    return await self._fetch(then, {"DialCallStatus": "completed"}) if then else ()
                case Redirect(url):
                    return await self._fetch(url)
                case Hangup() | Reject():
                    return ()
        return ()

    async def _say(self, text: str) -> None:
        self.record.said.append(text)
        voice = self._network.voice
        sound = await voice(text) if voice else SILENCE * (RATE // 2)
        self._announcement.add(sound)
        try:
            # Two frames more: the next one may be nearly due when the sound comes, and the last must be heard out.
            await self._clock.sleep(seconds(sound) + 0.04)
        finally:
            self._announcement.clear()

    async def _connect(self, verb: Stream) -> None:
        stream = self._stream = MediaStream(verb, self.record, self._network.account_sid, self._network.stalls)
        self._report_stream(verb, stream.sid, "stream-started")
        try:
            await stream.run(self._network.webhooks.signature(verb.url))
        finally:
            self._stream = None
            self._report_stream(verb, stream.sid, "stream-stopped")

    def _tick(self) -> None:
        """20 ms of the call, at most one stream at a time; without one the far end hears the carrier's own voice."""
        microphone, pressed = self._phone.take()
        heard = self._stream.tick(microphone, pressed) if self._stream else self._announcement.next_frame().sound
        self._phone.give(heard)
        verdict = self._detection.hear(microphone) if self._detection else None
        if verdict:
            self._report_machine(verdict)

    # --- reports -----------------------------------------------------------------------------------------------------

    def _enter(self, status: Status) -> None:
        """The call is now in this state; whoever asked for that is told."""
        record, dialled = self.record, self.record.dialled
        record.status = status
        record.statuses.append(status)
        if status is Status.IN_PROGRESS:
            record.answered = time.time()
        if status.final:
            record.ended = time.time()
        if _EVENTS.get(status, "completed") in dialled.events:
            self._report(dialled.status_url, self._progress())

    def _progress(self) -> dict[str, str]:
        fields = {
            **self._fields(),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._reported),
            "Timestamp": formatdate(),
        }
        self._reported += 1
        if self.record.status.final:
            minutes = -(-self.record.duration // 60)
            fields |= {"CallDuration": str(self.record.duration), "Duration": str(minutes), "SipResponseCode": "200"}
        return fields

    def _fields(self) -> dict[str, str]:
        """What every webhook says; blank fields too, since they count in the signature."""
        record, dialled = self.record, self.record.dialled
        return {
            "CallSid": record.sid,
            "AccountSid": self._network.account_sid,
            "From": dialled.from_,
            "To": dialled.to,
            "Caller": dialled.from_,
            "Called": dialled.to,
            "CallStatus": record.status,
            "Direction": "inbound" if record.direction is Direction.INBOUND else "outbound-api",
            "ApiVersion": "2010-04-01",
            "FromCity": "",
            "ToCity": "",
        }

    def _report_machine(self, verdict: Verdict) -> None:
        self.record.answered_by = verdict.answered_by
        fields = {
            "CallSid": self.record.sid,
            "AccountSid": self._network.account_sid,
            "AnsweredBy": verdict.answered_by,
            "MachineDetectionDuration": str(verdict.after_ms),
        }
        self._report(self.record.dialled.detection_url, fields)

    def _report_stream(self, verb: Stream, stream_sid: str, event: str) -> None:
        fields = {
            "CallSid": self.record.sid,
            "AccountSid": self._network.account_sid,
            "StreamSid": stream_sid,
            "StreamName": verb.name,
            "StreamEvent": event,
            "Timestamp": formatdate(),
        }
        self._report(verb.status_url, fields)

    def _report(self, url: str, fields: dict[str, str]) -> None:
        if not url:
            return
        if self._reports.full():
            self.record.fault(f"the server is too slow: more than {REPORTS} callbacks wait for {url}")
            return
        self._reports.put_nowait((url, fields))

    async def _post_reports(self) -> None:
        """In order, beside the call: a slow server delays its own news and nothing else."""
        while report := await self._reports.get():
            try:
                await self._network.webhooks.post(*report)
            except Unanswered as error:
                self.record.fault(str(error))
