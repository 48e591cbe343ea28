"""The four things a call needs from outside. Everything a provider is known by stays behind these.

Each is made for one call and used as an async context manager: entering opens what must be warm, leaving closes it,
also under cancellation. Failures that a call can survive are `ProviderError`; anything else is a bug.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from backend.models import Answered, Conversation, Heard, LineEvent, Voiced


class Warm(Protocol):
    """Opened before it is needed, closed with the call."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Line(Protocol):
    """One phone call's audio, 8 kHz mu-law both ways."""

    async def pour(self, take: Callable[[LineEvent], None]) -> None:
        """Hand over everything as it comes in, ending with exactly one `Ended`; `take` must not block.

        Raises:
            Exception: what `take` raised.
        """
        ...

    async def play(self, sound: bytes, mark: str = "") -> None:
        """Append to what the carrier plays, and ask for `Mark(mark)`, if one is named, once all of it so far has been
        played or cleared. Never raises for a line that is gone: `pour` reports that.
        """
        ...

    async def clear(self) -> None:
        """Drop what the carrier has not played yet."""
        ...

    async def hang_up(self, farewell: str = "") -> None:
        """End the phone call, idempotently; `farewell` is spoken by the carrier's own voice first."""
        ...

    async def transfer(self) -> None:
        """Hand the phone call over to the operator's phone; from here on this line is gone, as after `hang_up`."""
        ...


@runtime_checkable
class Pouring(Protocol):
    """Sound that can also be handed over as it comes, instead of being waited for."""

    async def pour(self, take: Callable[[bytes], None]) -> None:
        """Until its end; `take` must not block."""
        ...


class SpeechToText(Warm, Protocol):
    def listen(self, sound: AsyncIterator[bytes]) -> AsyncIterator[Heard]:
        """Recognise until `sound` ends. Reconnects by itself, replaying recent sound, and reports that as `Trouble`.

        Who only passes the sound on does well to see whether it is `Pouring`.

        Raises:
            ProviderError: recognition is lost for good.
        """
        ...


class LanguageModel(Warm, Protocol):
    async def warm(self, conversation: Conversation) -> None:
        """Get ready for this conversation while the phone rings (connections, prompt cache). May do nothing."""
        ...

    def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        """What the agent says next. `hint` is the operator's or the house's advice for this answer only.

        Closing the iterator cancels the request.

        Raises:
            ProviderError: before or in the middle of the answer.
        """
        ...


class TextToSpeech(Warm, Protocol):
    def say(self, text: str) -> AsyncIterator[Voiced]:
        """Voice one clause. The sound may come faster than real time; closing the iterator stops it.

        Raises:
            ProviderError: no more sound will come; what was yielded stays valid.
        """
        ...
