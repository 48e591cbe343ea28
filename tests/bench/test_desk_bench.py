"""What the benchmark says of the operator's orders; that it can be held at all is shown by running it."""

from __future__ import annotations

from backend.bench.figures import Sheet
from backend.bench.stage import desk


def seen(seconds: float) -> desk.Seen:
    found = desk.Seen()
    for what in ("pause", "say", "keys", "take-over", "voice", "hand-back", "hangup"):
        found.effects[what] += [seconds, seconds]
    for what in ("pause", "say", "keys", "hint", "resume", "take-over", "hand-back"):
        found.confirmed[what] += [seconds, seconds]
    return found


def test_every_order_is_promised_within_300_ms() -> None:
    assert all(line.kept for line in desk.lines(seen(0.3)) if line.targets)
    late = Sheet("Desk", tuple(desk.lines(seen(0.31))))
    assert len(late.broken) == 13


def test_an_order_that_was_never_seen_to_take_effect_is_a_broken_promise() -> None:
    found = seen(0.01)
    found.effects["pause"].clear()
    (broken,) = Sheet("Desk", tuple(desk.lines(found))).broken
    assert (broken.name, broken.median) == ("pause, until the agent is silent", None)


def test_a_greeting_that_the_agent_keeps_waiting_for_is_no_promise() -> None:
    lines = {line.name: line for line in desk.lines(seen(0.4))}
    assert lines["hand back, until the agent's first sound"].kept is None
