"""After which calls somebody should be called again, and how the database is asked for them. Pure."""

from __future__ import annotations

from backend.models import Outcome

WITHIN = 30 * 86_400.0
"""Seconds for which a call waits to be dealt with; what nobody has done by then is only in the past calls."""

OPEN = (Outcome.CALL_BACK, Outcome.FOLLOW_UP, Outcome.VOICEMAIL, Outcome.NO_ANSWER)
"""They leave something to be done. The column `to_call` of `listing` says so, until somebody ticks the call off."""
_REACHED = (
    *(Outcome.CONFIRMED, Outcome.RESCHEDULED, Outcome.TRANSFERRED),
    *(Outcome.DECLINED, Outcome.WRONG_PERSON, Outcome.OPTED_OUT),
)
"""They leave nothing, whatever was open before."""

TO_CALL = """
    from listing as one where to_call and created >= ? and number not in (select number from refusals)
        and not exists (
            select 1 from listing as later where later.number = one.number and one.number like '+%'
                and later.created > one.created and later.line = one.line and later.outcome in ({})
                and (later.callee = one.callee or '' in (later.callee, one.callee))
        )
""".format(", ".join(f"'{outcome}'" for outcome in (*_REACHED, *OPEN)))
"""Takes the moment, in Unix seconds, from which on. A later call with the same number settles the matter, or stands in
its place; unless it was for somebody else there, or for practice. Callers who hide their number have none.
"""
NEWEST = "order by created desc, serial desc"
