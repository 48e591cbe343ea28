"""A rehearsal in this process: it needs a language model and nothing else, so no media server has to run for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from datetime import date

from rich.console import Console

from backend.answers import Findings, Rehearsed
from backend.config import Settings
from backend.models import Brief
from backend.providers import Providers
from backend.rehearsal.callees import chosen
from backend.rehearsal.rehearsal import rehearse
from backend.rehearsal.shown import followed
from backend.settings.behaviour import manners


async def rehearse_here(
    settings: Settings, brief: Brief, personas: Sequence[str], out: Console | None
) -> tuple[list[Rehearsed], Findings]:
    """Hold it with these personas, or all there are, with the model that the settings choose.

    Raises:
        Refused: one of them is not known, or there is nothing to rehearse.
    """
    callees = chosen(brief, personas)
    async with (
        Providers(settings, speech=False) as providers,
        aclosing(rehearse(brief, callees, providers.thinker, date.today(), manners=manners(settings))) as news,
    ):
        return await followed(news, out)
