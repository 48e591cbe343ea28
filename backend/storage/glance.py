"""A running call as a list of many shows it: one row, read for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backend.models import LineKind, Speaker, Status, TurnState


@dataclass(frozen=True, slots=True)
class Glance:
    """What is to be seen of a call from afar."""

    id: str
    name: str
    number: str
    """E.164."""
    line: LineKind
    agent_name: str
    status: Status
    created: float
    """Unix seconds, as is `answered`."""
    answered: float | None
    troubled: bool
    """Whether anything has gone wrong so far."""
    speaker: Speaker | None
    """Who said the last words; None: nobody has spoken yet."""
    words: str
    """The last words: of the agent only what was heard, and while nothing was, what it is about to say."""
    speaking: bool
    """Whether they are still being said."""
    delay: float | None
    """Milliseconds from the callee's last sound to the agent's first, of the latest answer."""
    question: str
    """What the agent asks the operator now; empty: nothing."""


GLANCES = """
    select c.id, c.callee_name as name, c."to" as number, c.line, c.agent_name, c.status, c.created, c.answered,
        c.troubles != '[]' as troubled, t.speaker, t.state,
        case when t.heard = '' then t.text else t.heard end as words,
        (
            select json_extract(a.timings, '$.decided') + json_extract(a.timings, '$.first_sound') from turns as a
            where a.call_id = c.id and json_extract(a.timings, '$.decided') is not null
                and json_extract(a.timings, '$.first_sound') is not null
            order by a.number desc limit 1
        ) as delay,
        (
            select q.text from questions as q where q.call_id = c.id and q.settled is null and q.until > ?
            order by q.id limit 1
        ) as question
    from listing as l join calls as c on c.id = l.call_id left join turns as t on t.call_id = c.id and t.number = (
        select max(number) from turns where call_id = c.id and speaker != 'note'
    )
    where l.status in ({}) order by c.created desc, c.rowid desc
""".format(", ".join(f"'{status}'" for status in Status if not status.final))
"""Takes the moment, in Unix seconds, up to which a question must be open."""


def glance(row: dict[str, Any]) -> Glance:
    """A row of `GLANCES`."""
    state = row.pop("state")
    kinds = {
        "line": LineKind(row["line"]),
        "status": Status(row["status"]),
        "speaker": Speaker(row["speaker"]) if row["speaker"] else None,
        "troubled": bool(row["troubled"]),
        "speaking": state == TurnState.OPEN,
        "words": row["words"] or "",
        "question": row["question"] or "",
    }
    return Glance(**row | kinds)
