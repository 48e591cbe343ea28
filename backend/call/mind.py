"""Several language models behind one: who is unusually slow is asked a second time, and who fails is replaced."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Self

from backend.call.hedge import Budget, Pace
from backend.call.manners import Manners
from backend.call.patience import patiently
from backend.call.race import Race, Request, winner
from backend.call.tools import wish
from backend.models import Answered, Conversation, ProviderError, Said, Speaker, ToolUse, Trouble
from backend.seams import LanguageModel

GO_ON = "You were cut off by a fault after your last words. Go on from there without repeating them."


@dataclass(frozen=True, slots=True, eq=False)
class _Thinker:
    model: LanguageModel
    pace: Pace


class Mind:
    """A `LanguageModel` made of a list of them, the preferred one first. Not one of them may cause dead air.

    The ladder: a model that is late by its own measure is asked a second time, and the first words win; one that has
    still said nothing after `Manners.first_words`, or goes silent for `Manners.next_words`, or fails, or ends without
    having said or done anything, is given up for the next one; after the last one the answer has failed.
    """

    def __init__(self, models: Sequence[LanguageModel], manners: Manners, paces: Sequence[Pace] = ()) -> None:
        """
        Args:
            paces: one for each model, shared with the other calls; a model without one is never asked a second time.
        """
        self.counts: Counter[str] = Counter()
        """Since the call began: "requests" (the ordinary ones), "hedges" (made besides) and "hedges won"."""
        self._manners = manners
        self._thinkers = [_Thinker(model, pace or Pace(Budget(0))) for model, pace in zip_longest(models, paces)]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for thinker in self._thinkers:
            await self._stack.enter_async_context(thinker.model)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def warm(self, conversation: Conversation) -> None:
        await self._thinkers[0].model.warm(conversation)

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncGenerator[Answered, None]:
        """As `LanguageModel.answer`; yields a `Trouble` for each model given up.

        Closing or cancelling it waits until every request it made is gone.

        Raises:
            ProviderError: none of the models could answer, or finish the answer.
        """
        said, left = "", list(self._thinkers)
        async with Race() as race:
            while left:
                asked = conversation.plus(Speaker.AGENT, said, cut=True) if said else conversation
                advice = f"{hint} {GO_ON}".strip() if said else hint
                attempt = _Attempt(race, (asked, advice), self._manners, self.counts, going_on=bool(said))
                async with aclosing(attempt.answer(left)) as stream:
                    async for piece in stream:
                        said += piece.text if isinstance(piece, Said) else ""
                        yield piece
                if not attempt.given_up:
                    if attempt.replaced:
                        self._put_last(left[0])
                    return
                for thinker, why in attempt.given_up.items():
                    left.remove(thinker)
                    self._put_last(thinker)
                    yield Trouble(why)
        raise ProviderError("No language model answered.")

    def _put_last(self, thinker: _Thinker) -> None:
        """The next answer is asked of the others first: one failure must not cost its deadline on every turn."""
        self._thinkers.remove(thinker)
        self._thinkers.append(thinker)


class _Attempt:
    """One model's try at an answer, with the second request it may need."""

    def __init__(
        self, race: Race, question: tuple[Conversation, str], manners: Manners, counts: Counter[str], going_on: bool
    ) -> None:
        """
        Args:
            going_on: whether there are words already, so that no more may be all that was missing.
        """
        self.given_up: dict[_Thinker, str] = {}
        """Who failed, and how; empty after a whole answer."""
        self.replaced = False
        """Whether another model answered than was asked first."""
        self._race = race
        self._question = question
        self._manners = manners
        self._counts = counts
        self._answered = going_on
        self._asked: dict[Request, _Thinker] = {}

    async def answer(self, thinkers: Sequence[_Thinker]) -> AsyncGenerator[Answered, None]:
        """Ask the first of them, and perhaps the second one in its place. It never fails: see `given_up`."""
        if chosen := await self._winner(thinkers):
            try:
                async with aclosing(self._pieces(chosen)) as pieces:
                    async for piece in pieces:
                        self._answered = self._answered or _tells(piece)
                        yield piece
                if not self._answered:
                    chosen.failure = "The language model answered without words."
            except TimeoutError as late:
                chosen.failure = f"The language model gave no words for {late}."
            except ProviderError as error:
                chosen.failure = str(error)
        self._judge(whole=chosen is not None and not chosen.failure)

    async def _pieces(self, chosen: Request) -> AsyncGenerator[Answered, None]:
        """All of its answer."""
        wait = self._manners.next_words
        if piece := chosen.first.result():
            yield piece
            async with aclosing(patiently(chosen.stream, wait, wait)) as rest:
                async for piece in rest:
                    yield piece

    async def _winner(self, thinkers: Sequence[_Thinker]) -> Request | None:
        """The request whose answer it is to be; None when nobody began in time."""
        first, pace = self._ask(thinkers[0]), thinkers[0].pace
        self._counts["requests"] += 1
        pace.budget.earn()
        late, deadline = first.asked + pace.late_after, first.asked + self._manners.first_words
        begun = await winner(self._asked, min(late, deadline))
        if not begun and first.running and late < deadline and self._manners.hedge and pace.budget.spend():
            self._counts["hedges"] += 1
            self._ask(thinkers[1] if pace.failing and len(thinkers) > 1 else thinkers[0])
        begun = begun or await winner(self._asked, deadline)
        self._time(begun, first)
        self._leave_all_but(begun)
        return begun

    def _ask(self, thinker: _Thinker) -> Request:
        request = self._race.ask(thinker.model.answer(*self._question))
        self._asked[request] = thinker
        return request

    def _time(self, begun: Request | None, first: Request) -> None:
        """Note how long each model took: one time for each answer, or the slow ones would seem fewer than they are."""
        now, pace = asyncio.get_running_loop().time(), self._asked[first].pace
        if not first.failure:
            (pace.answered if begun is first else pace.overtaken)(now - first.asked)
        if begun and begun is not first:
            self._counts["hedges won"] += 1
            self.replaced = self._asked[begun] is not self._asked[first]
            if first.failure or self.replaced:
                self._asked[begun].pace.answered(now - begun.asked)

    def _leave_all_but(self, begun: Request | None) -> None:
        for request in self._asked:
            if begun is None and not request.failure:
                request.failure = f"The language model gave no words for {self._manners.first_words:g} seconds."
            if request is not begun:
                request.leave()

    def _judge(self, whole: bool) -> None:
        failures = {thinker: request.failure for request, thinker in self._asked.items() if request.failure}
        for thinker in failures:
            thinker.pace.failed()
        if not whole:
            self.given_up = failures


def _tells(piece: Answered) -> bool:
    """Whether there is anything in it for the callee."""
    match piece:
        case Said(text):
            return bool(text.strip())
        case ToolUse():
            return wish(0, piece) is not None
        case _:
            return False
