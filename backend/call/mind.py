"""Several language models behind one: whoever fails or is too slow is replaced in the middle of the answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Self

from backend.call.manners import Manners
from backend.call.patience import patiently
from backend.models import Answered, Conversation, ProviderError, Said, Speaker, Trouble
from backend.seams import LanguageModel

GO_ON = "You were cut off by a fault after your last words. Go on from there without repeating them."


class Mind:
    """A `LanguageModel` made of a list of them, the preferred one first. Not one of them may cause dead air."""

    def __init__(self, models: Sequence[LanguageModel], manners: Manners) -> None:
        self._models = list(models)
        self._manners = manners
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for model in self._models:
            await self._stack.enter_async_context(model)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def warm(self, conversation: Conversation) -> None:
        await self._models[0].warm(conversation)

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncGenerator[Answered, None]:
        """As `LanguageModel.answer`; yields a `Trouble` for each model given up.

        Raises:
            ProviderError: none of the models could answer, or finish the answer.
        """
        said = ""
        for model in tuple(self._models):
            asked = conversation.plus(Speaker.AGENT, said, cut=True) if said else conversation
            advice = f"{hint} {GO_ON}".strip() if said else hint
            stream = patiently(model.answer(asked, advice), self._manners.first_words, self._manners.next_words)
            try:
                async with aclosing(stream):
                    async for piece in stream:
                        said += piece.text if isinstance(piece, Said) else ""
                        yield piece
                return
            except TimeoutError as late:
                yield Trouble(f"The language model gave no words for {late}.")
            except ProviderError as error:
                yield Trouble(str(error))
            # The next answer is asked of the others first: one failure must not cost its deadline on every turn.
            self._models.remove(model)
            self._models.append(model)
        raise ProviderError("No language model answered.")
