"""Requests to the carrier's addresses that the carrier has not signed: strangers, or a wrong setting of ours."""

from __future__ import annotations

import logging

_LOG = logging.getLogger(__name__)


class Unsigned:
    """Counts what this process has refused, so that a call which the carrier never reached can say why."""

    def __init__(self) -> None:
        self.count = 0

    def refused(self, path: str) -> None:
        """A request to this address was unsigned, or wrongly signed."""
        self.count += 1
        _LOG.warning("refused an unsigned or wrongly signed request to %s", path)

    def since(self, count: int) -> str:
        """What to look at if any were refused since there were this many; else nothing."""
        refused = self.count - count
        if not refused:
            return ""
        requests = "request from the carrier was" if refused == 1 else "requests from the carrier were"
        return f" {refused} {requests} refused as wrongly signed: check TWILIO_AUTH_TOKEN and PUBLIC_HOST."
