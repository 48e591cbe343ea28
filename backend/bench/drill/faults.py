"""The fault drill: thousands of calls on the virtual clock in which things break, measured as the callee hears it.

Every call goes through the real session, floor, playout, mind, voice, diary and store; only the providers, the phone
and the callee are stand-ins. A call is drawn from its seed alone, so that it can be looked at again:
`python -m backend.bench.drill.faults SEED` shows everything that happened in it.
`backend.bench.drill.own_turn` says what counts as silence.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.bench.drill.call import LONGEST_SILENCE, Drill, FaultCall
from backend.bench.drill.plan import plan
from backend.bench.figures import Sheet, Target, share, single, spread
from backend.storage.store import Store

_AT_ONCE = 25
"""Calls, at most, that a process is given at a time, and that share a database."""
_MOST_SHOWN = 10
"""Violations that a report lists."""
_MOST_MS = 1000 * LONGEST_SILENCE + 20
"""Silence is counted in the carrier's frames of 20 ms."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """All calls, in the order of their seeds."""

    calls: tuple[Drill, ...]

    @property
    def worst(self) -> Drill:
        """The call with the longest own-turn silence."""
        return max(self.calls, key=lambda call: call.silence)

    @property
    def violations(self) -> list[tuple[int, str]]:
        """What should not have been, with the seed of its call."""
        return [(call.seed, what) for call in self.calls for what in call.violations]

    def sheet(self) -> Sheet:
        """For the report: of each call the longest silence, and what went wrong with the seed to see it again."""
        own, both = [call.silence for call in self.calls], [call.quiet for call in self.calls]
        survivable = [call for call in self.calls if call.survivable]
        lost = [call.seed for call in survivable if call.failed]
        lines = (
            spread("own-turn silence, faults", own, Target(most=_MOST_MS, column="worst")),
            spread("silence of both, faults", both),
            share("calls given up needlessly, faults", len(lost), len(survivable)),
            single("broken rules, faults", "", float(len(self.violations)), Target(most=0)),
        )
        shown = "`python -m backend.bench.drill.faults` with its number shows it"
        notes = (
            (f"The longest own-turn silence was in call {self.worst.seed} of the fault drill; {shown}.",) if own else ()
        )
        problems = tuple(f"Call {seed} of the fault drill: {what}." for seed, what in self.violations[:_MOST_SHOWN])
        return Sheet("Faults", lines, notes, problems)


def drill(
    calls: int = 2000, seed: int = 1, progress: Callable[[int], object] = lambda _: None, processes: int = 1
) -> Drilled:
    """Hold so many calls, with the seeds `seed`, `seed + 1` and so on. About ten a second on one core.

    It runs event loops of its own, so it is not for coroutines.

    Args:
        progress: is told how many more calls are over.
        processes: with more than one, the calls are held in so many processes of their own, which a daemonic process
            may not have.
    """
    seeds = range(seed, seed + calls)
    size = max(1, min(_AT_ONCE, -(-calls // processes)))
    batches = [seeds[at : at + size] for at in range(0, calls, size)]
    held: list[Drill] = []
    for batch in _parallel(batches, processes) if processes > 1 else map(_batch, batches):
        held += batch
        progress(len(batch))
    return Drilled(tuple(sorted(held, key=lambda call: call.seed)))


def replay(seed: int) -> str:
    """The call of this seed: its plan, everything that happened with its seconds from pick-up, and the verdict."""
    with _store() as store:
        call = FaultCall(plan(seed), store)
        verdict = call.measure()
    return "\n".join([repr(call.plan), *call.log(), repr(call.ending), repr(verdict)])


def _parallel(batches: Sequence[Sequence[int]], processes: int) -> Iterator[list[Drill]]:
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    try:
        for done in as_completed([pool.submit(_batch, batch) for batch in batches]):
            yield done.result()
    finally:
        # Whoever interrupts it does not want to wait for the rest.
        pool.shutdown(cancel_futures=True)


def _batch(seeds: Sequence[int]) -> list[Drill]:
    with _store() as store:
        return [FaultCall(plan(seed), store).measure() for seed in seeds]


@contextmanager
def _store() -> Iterator[Store]:
    """A database for a few calls. What goes wrong in them is meant to, and nothing for the log."""
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with TemporaryDirectory(prefix="phone-agent-drill-") as folder, Store(Path(folder) / "calls.db") as store:
            yield store
    finally:
        logging.disable(disabled)


if __name__ == "__main__":
    sys.stdout.write(replay(int(sys.argv[1])) + "\n")
