"""Several voices behind one, with the phrases known by heart: whoever fails is replaced in mid-sentence, and nobody's
silence around a clause is waited through.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterable, MutableMapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Self

from backend.call import manners as known
from backend.call.manners import Manners
from backend.call.patience import patiently
from backend.call.sound.trim import Trim
from backend.models import ProviderError, Spoken, Trouble, Voiced
from backend.seams import TextToSpeech

_LOG = logging.getLogger(__name__)

Phrasebook = MutableMapping[str, tuple[Spoken, ...]]
"""Speech made in advance, by its text; shared by all calls that use the same voice."""


class Voice:
    """A `TextToSpeech` made of a list of them, the preferred one first, that remembers what it has prepared."""

    def __init__(self, voices: Sequence[TextToSpeech], manners: Manners, shared: Phrasebook) -> None:
        self._voices = list(voices)
        self._manners = manners
        self._shared = shared
        self._own: Phrasebook = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for voice in self._voices:
            await self._stack.enter_async_context(voice)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def prepare(self, texts: Iterable[str], by_heart: Iterable[str]) -> None:
        """Voice these now, so that they can be said at once later. A failure is left for the moment they are needed.

        Args:
            texts: for this call alone, such as its opening.
            by_heart: the same in every call; kept for the next ones, so that they are paid for once.
        """
        for book, wanted in ((self._own, texts), (self._shared, by_heart)):
            for text in wanted:
                if text not in book:
                    await self._learn(book, text)

    async def _learn(self, book: Phrasebook, text: str) -> None:
        pieces = []
        try:
            async for piece in self._live(text, preparing=True):
                if isinstance(piece, Trouble):
                    # Another voice took over: fine for this call, but not to be remembered for others.
                    book = self._own
                else:
                    pieces.append(piece)
        except ProviderError as error:
            _LOG.warning("a phrase could not be prepared: %s", error)
        else:
            book[text] = tuple(pieces)

    def known(self, text: str) -> tuple[Spoken, ...]:
        """The prepared speech of this text; empty when there is none."""
        return self._own.get(text) or self._shared.get(text) or ()

    async def say(self, text: str) -> AsyncGenerator[Voiced, None]:
        """As `TextToSpeech.say`; prepared phrases come at once, and a `Trouble` for each voice given up.

        Raises:
            ProviderError: no voice could say it, or finish it.
        """
        if prepared := self.known(text):
            for piece in prepared:
                yield piece
            return
        stream = self._live(text)
        async with aclosing(stream):
            async for voiced in stream:
                yield voiced

    def _patience(self, last: bool, preparing: bool) -> float:
        """How long the voice may take to each piece."""
        if preparing:
            return self._manners.last_preparing_wait if last else self._manners.preparing_wait
        if last:
            return self._manners.last_voice_wait
        return self._manners.voice_wait if self.known(known.MOMENT) else self._manners.bare_voice_wait

    async def _live(self, text: str, preparing: bool = False) -> AsyncGenerator[Voiced, None]:
        left = text
        for voice in tuple(self._voices):
            wait = self._patience(voice is self._voices[-1], preparing)
            stream = patiently(voice.say(left), wait, wait)
            trim, said = Trim(left), ""
            try:
                async with aclosing(stream):
                    async for piece in stream:
                        trimmed = trim.take(piece) if isinstance(piece, Spoken) else piece
                        if trimmed is not None:
                            said += trimmed.text if isinstance(trimmed, Spoken) else ""
                            yield trimmed
                if rest := trim.finish():
                    yield rest
                return
            except TimeoutError as late:
                yield Trouble(f"The voice gave no sound for {late}.")
            except ProviderError as error:
                yield Trouble(str(error))
            if (last := trim.finish()) and not any(map(str.isalnum, last.text)):
                # A full stop in the silence after the last word is no reason to say that word again.
                said += last.text
                yield last
            # From here on the call keeps the voice that works: no waiting for the broken one at every clause.
            if len(self._voices) > 1:
                self._voices.remove(voice)
            if not (left := _unsaid(left, said)):
                return
            if said and not said[-1].isspace():
                yield Spoken(b"", " ", (0,))
        raise ProviderError("No voice could speak.")


def _unsaid(text: str, said: str) -> str:
    """What is left of the text after these characters, from the last word boundary on."""
    reached = len(said)
    if reached < len(text) and said and not said[-1].isspace() and not text[reached].isspace():
        reached = said.rfind(" ") + 1
    return text[reached:].strip()
