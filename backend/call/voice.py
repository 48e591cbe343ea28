"""Several voices behind one, with the phrases known by heart: whoever fails is replaced in mid-sentence, and nobody's
silence around a clause is waited through.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, MutableMapping, Sequence, Set
from contextlib import AsyncExitStack, aclosing
from typing import Self

from backend.call import manners as known
from backend.call.manners import Manners
from backend.call.patience import patiently
from backend.call.sound.trim import Trim
from backend.models import Denied, ProviderError, Spoken, Trouble, Voiced
from backend.seams import TextToSpeech

_TRIES = 2
"""How often a voice may fail while phrases are prepared, until the rest is left to the next one."""

Phrasebook = MutableMapping[str, tuple[Spoken, ...]]
"""Speech made in advance, by its text; shared by all calls that use the same voice."""


class Voice:
    """A `TextToSpeech` made of a list of them, the preferred one first, that remembers what it has prepared."""

    def __init__(
        self,
        voices: Sequence[TextToSpeech],
        manners: Manners,
        shared: Phrasebook,
        one_by_one: asyncio.Lock | None = None,
    ) -> None:
        """
        Args:
            shared: the phrases known by heart, for all calls that use the same voice.
            one_by_one: held while one of these is voiced, by all those calls: begun together, they would else ask for
                each phrase many times over, and for more at once than a small plan allows.
        """
        self._voices = list(voices)
        self._preferred = next(iter(voices), None)
        self._manners = manners
        self._shared = shared
        self._one_by_one = one_by_one or asyncio.Lock()
        self._own: Phrasebook = {}
        self._failures: Counter[int] = Counter()
        """While phrases were prepared, by the voice's identity."""
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for voice in self._voices:
            await self._stack.enter_async_context(voice)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def prepare(self, texts: Iterable[str], by_heart: Iterable[str], trouble: Callable[[str], None]) -> None:
        """Voice these now, so that they can be said at once later. What fails is left for the moment it is needed.

        Args:
            texts: for this call alone, such as its opening.
            by_heart: the same in every call; kept for the next ones, so that they are paid for once.
            trouble: told of whatever goes wrong.
        """
        for text in texts:
            await self._learn(self._own, text, trouble)
        for text in by_heart:
            async with self._one_by_one:
                await self._learn(self._shared, text, trouble)

    async def _learn(self, book: Phrasebook, text: str, trouble: Callable[[str], None]) -> None:
        if text in book:
            return
        pieces = []
        if self._next(set(), preparing=True) is not self._preferred:
            # Fine for this call, but not to be remembered for others.
            book = self._own
        try:
            async for piece in self._live(text, preparing=True):
                if isinstance(piece, Trouble):
                    trouble(piece.what)
                    book = self._own
                else:
                    pieces.append(piece)
        except ProviderError as error:
            trouble(str(error))
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
        left, failed = text, set[int]()
        while voice := self._next(failed, preparing):
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
                why = ProviderError(f"The voice gave no sound for {late}.")
            except ProviderError as error:
                why = error
            yield Trouble(str(why))
            if (last := trim.finish()) and not any(map(str.isalnum, last.text)):
                # A full stop in the silence after the last word is no reason to say that word again.
                said += last.text
                yield last
            failed.add(id(voice))
            self._note_failure(voice, for_good=not preparing or isinstance(why, Denied))
            if not (left := _unsaid(left, said)):
                return
            if said and not said[-1].isspace():
                yield Spoken(b"", " ", (0,))
        raise ProviderError("No voice could speak.")

    def _next(self, failed: Set[int], preparing: bool) -> TextToSpeech | None:
        """Who is asked after these have failed. While it rings there is time to ask the same voice again."""
        for voice in self._voices:
            again = preparing and voice is not self._voices[-1]
            if self._failures[id(voice)] < _TRIES if again else id(voice) not in failed:
                return voice
        return None

    def _note_failure(self, voice: TextToSpeech, for_good: bool) -> None:
        """The call keeps the voice that works: no waiting for the broken one at every clause.

        Args:
            for_good: False where it was only slow to get ready, which is no reason for another voice in a whole call.
        """
        self._failures[id(voice)] += not for_good
        if for_good:
            self._voices = [each for each in self._voices[:-1] if each is not voice] + self._voices[-1:]


def _unsaid(text: str, said: str) -> str:
    """What is left of the text after these characters, from the last word boundary on."""
    reached = len(said)
    if reached < len(text) and said and not said[-1].isspace() and not text[reached].isspace():
        reached = said.rfind(" ") + 1
    return text[reached:].strip()
