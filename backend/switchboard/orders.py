"""What operators do with the calls of this server while these ring or run."""

from __future__ import annotations

from collections.abc import Callable

from backend.answers import Running
from backend.call.diary import Diary
from backend.call.events import (
    Ending,
    HandBack,
    HangUp,
    Hint,
    OperatorAnswers,
    Pause,
    Press,
    Resume,
    Say,
    TakeOver,
    Transfer,
)
from backend.call.tap import Tap
from backend.config import Settings
from backend.models import LineKind, Outcome
from backend.storage.store import Store
from backend.switchboard.engagement import Engagement

Command = Say | Hint | Pause | Resume | TakeOver | HandBack | Press | Transfer | HangUp | OperatorAnswers
"""What an operator can have done in a running call."""


class NoSuchCall(Exception):
    """There is no call of this id."""


class CallOver(Exception):
    """The call is over, or has not begun: nothing can be said or done in it."""


class Orders:
    """The operators' side of the switchboard, which finds the call that is meant."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._engaged: dict[str, Engagement] = {}

    async def command(self, call_id: str, order: Command) -> None:
        """Have it done in a running call; returns when it was, and the page that reads the database can show it.

        Raises:
            NoSuchCall
            CallOver: it makes no sense there; the message says why.
        """
        engagement = self._running(call_id)
        if isinstance(order, Transfer) and not self.hands_over(engagement.call.brief.line):
            raise CallOver("There is no phone to hand this call over to: set TRANSFER_NUMBER in .env, and restart.")
        if not engagement.connected:
            raise CallOver("Nobody has picked up yet.")
        self._diary(call_id).ordered(type(order).__name__, order.by)
        done = await engagement.command(order)
        self._store.hurry()
        if not done:
            raise CallOver("The agent is no longer in this call.")

    async def take_over(self, call_id: str, by: str = "") -> None:
        """Let the callee hear the operator's own voice, from `speak`, and the agent no more.

        Raises:
            NoSuchCall, CallOver
        """
        await self.command(call_id, TakeOver(by))

    async def hand_back(self, call_id: str, by: str = "") -> None:
        """Let the agent go on; nothing happens where nobody has taken over.

        Raises:
            NoSuchCall, CallOver
        """
        await self.command(call_id, HandBack(by))

    def speak(self, call_id: str, mulaw: bytes) -> bool:
        """The operator's own voice, 8 kHz mu-law of any length, as it comes from the microphone.

        Returns:
            Whether the call is taken over; else it goes nowhere.
        """
        engagement = self._engaged.get(call_id)
        return engagement is not None and engagement.speak(mulaw)

    def tap(self, call_id: str) -> Tap:
        """Where both sides of a call can be heard, from its dialling on.

        Raises:
            NoSuchCall, CallOver
        """
        return self._running(call_id).tap

    def running(self) -> list[Running]:
        """The calls that ring or run, and in whose hands they are."""
        return [Running(call_id, engaged.hands, engaged.phase) for call_id, engaged in self._engaged.items()]

    def hands_over(self, line: LineKind) -> bool:
        """Whether calls of this line can be handed over; the practice line has a phone of its own for it."""
        return line is LineKind.PRACTICE or bool(self._settings.transfer_number)

    def watch(self, call_id: str) -> None:
        """Somebody at the desk has this call before them; nothing happens where it does not run."""
        if engagement := self._engaged.get(call_id):
            engagement.watch()

    async def answer(self, question_id: int, text: str, by: str = "") -> bool:
        """Keep the operator's answer to a question, and let the agent tell it while the call runs; False: settled.

        Raises:
            CallOver: the agent is leaving, so nobody was told; the question stays open.
        """
        question = self._store.question(question_id)
        if question is None or not self._store.settle(question_id, self._clock(), text):
            return False
        self._diary(question.call_id).ordered("OperatorAnswers", by)
        engagement = self._engaged.get(question.call_id)
        if engagement and not await engagement.command(OperatorAnswers(question.text, text, by)):
            self._store.reopen(question_id)
            raise CallOver("The call ended before the agent could tell them; call them back.")
        self._store.hurry()
        return True

    def settle(self, question_id: int) -> bool:
        """Tick a question off; False where it was already."""
        return self._store.settle(question_id, self._clock())

    async def hang_up(self, call_id: str, by: str = "") -> None:
        """End a call, also while it is still ringing.

        Raises:
            NoSuchCall, CallOver
        """
        engagement = self._running(call_id)
        self._diary(call_id).ordered("HangUp", by)
        await engagement.hang_up(HangUp(Ending(f"{by or 'The operator'} hung up.", Outcome.STOPPED), by))
        self._store.hurry()

    def _running(self, call_id: str) -> Engagement:
        if call_id in self._engaged:
            return self._engaged[call_id]
        call = self._store.call(call_id)
        if call is None:
            raise NoSuchCall(call_id)
        raise CallOver("This call is over." if call.status.final else "This call has not begun.")

    def _diary(self, call_id: str) -> Diary:
        """For what is written on a call's row by somebody else than its engagement."""
        return Diary(self._store, call_id, self._clock)
