"""How long somebody waits after wrong passwords. Pure: the clock comes in."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

FREE = 5
"""Tries before anybody has to wait: people mistype."""
LONGEST = 60.0
"""Seconds between two tries at last."""
_FORGOTTEN = 900.0
"""Seconds after which wrong passwords no longer count."""
_KEPT = 10_000
"""Addresses remembered at most; the one that tried longest ago is forgotten first."""


@dataclass(slots=True)
class _Tried:
    times: int
    last: float


class Tries:
    """Counts by network address, so that a stranger's guesses never keep an operator out."""

    def __init__(self) -> None:
        self._tried: dict[str, _Tried] = {}

    def begin(self, address: str, now: float) -> float:
        """Seconds this address must still wait; 0 when it may try now, which then counts as a wrong password.

        Counted at the beginning, so that a hundred tries at once are a hundred.
        """
        key = _household(address)
        before = self._tried.pop(key, None)
        if before is None or now - before.last > _FORGOTTEN:
            before = _Tried(0, now)
        wait = before.last + _pause(before.times) - now
        if wait <= 0:
            before = _Tried(before.times + 1, now)
        self._tried[key] = before
        while len(self._tried) > _KEPT:
            del self._tried[next(iter(self._tried))]
        return max(0.0, wait)

    def right(self, address: str) -> None:
        """The password was right: this address starts anew."""
        self._tried.pop(_household(address), None)


def _pause(times: int) -> float:
    """Seconds after so many wrong passwords: 1, 2, 4 and so on, once the free ones are used up."""
    return min(2.0 ** min(times - FREE, 30), LONGEST) if times >= FREE else 0.0


def _household(address: str) -> str:
    """An IPv6 network of 64 bits is one customer, who has more addresses than anybody could count."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 4 or ip.ipv4_mapped:
        return address
    return str(IPv6Address(int(ip) >> 64 << 64))
