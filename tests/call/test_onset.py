"""The detector measured on telephone sound: bounds well on the safe side of what it does."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import pytest_asyncio

from backend.bench.sounds import onset as sound_onset
from backend.bench.sounds.onset import (
    ECHO,
    FIRST,
    HANDSET,
    NOISY,
    PURE_ECHO,
    PURE_NOISE,
    QUIET,
    ROUGH_ECHO,
    Figures,
    Scene,
    notice,
    scenes,
    summary,
    table,
)
from backend.call.sound.loudness import Change
from backend.engines.pool import Engines


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def staged() -> AsyncIterator[list[Scene]]:
    async with Engines(workers=1) as engines:
        await engines.ready()
        yield await scenes(engines, each=16, seed=3)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def measured(staged: list[Scene]) -> AsyncIterator[dict[str, Figures]]:
    yield {row.name: row for row in summary(sound_onset.play(staged))}


async def test_words_are_noticed_in_time_on_a_quiet_and_on_a_noisy_line(measured: dict[str, Figures]) -> None:
    for name in (QUIET, NOISY):
        row = measured[f"{name}: words"]
        assert row.noticed == row.count
        assert 0.02 < row.median < 0.08
        assert row.p95 < 0.16
        assert 0.2 < row.over < 0.28


async def test_words_are_noticed_over_the_agent_and_over_its_echo(measured: dict[str, Figures]) -> None:
    assert measured[f"{HANDSET}: words"].noticed == measured[f"{HANDSET}: words"].count
    assert measured[f"{ECHO}: words"].noticed >= 0.9 * measured[f"{ECHO}: words"].count
    assert measured[f"{ECHO}: words"].median < 0.1
    assert measured[f"{FIRST}: words"].noticed >= 0.5 * measured[f"{FIRST}: words"].count


async def test_clicks_are_not_noticed(measured: dict[str, Figures]) -> None:
    assert sum(row.noticed for name, row in measured.items() if name.endswith("clicks")) == 0


async def test_nothing_is_noticed_where_there_is_only_echo_or_noise(measured: dict[str, Figures]) -> None:
    assert measured[PURE_ECHO].per_minute <= 0.2
    assert measured[PURE_NOISE].per_minute <= 0.2
    assert measured[f"{FIRST}: words"].per_minute == 0
    assert measured[ROUGH_ECHO].per_minute <= 6


async def test_there_are_more_than_two_hundred_scenes_all_different(staged: list[Scene]) -> None:
    assert len(staged) >= 200
    assert len({b"".join(scene.theirs) for scene in staged}) == len(staged)


class Deaf:
    """Notices nothing."""

    def feed(self, mulaw: bytes, ours: bytes = b"") -> Change | None:
        return None


class Nervous:
    """Notices something all the time."""

    def __init__(self) -> None:
        self._count = 0

    def feed(self, mulaw: bytes, ours: bytes = b"") -> Change | None:
        self._count += 1
        return Change.ON if self._count % 5 else Change.OFF


async def test_a_deaf_detector_is_found_out(staged: list[Scene]) -> None:
    rows = summary([notice(scene, Deaf()) for scene in staged])
    assert all(row.noticed == 0 and row.per_minute == 0 and math.isnan(row.median) for row in rows)


async def test_a_nervous_detector_is_found_out(staged: list[Scene]) -> None:
    rows = summary([notice(scene, Nervous()) for scene in staged])
    assert all(row.per_minute > 1000 for row in rows)


async def test_the_table_has_a_line_for_every_situation(staged: list[Scene]) -> None:
    few = [scene for name in (QUIET, PURE_ECHO) for scene in staged if scene.name == name][::8]
    assert table(few).row_count == len(summary(sound_onset.play(few)))
