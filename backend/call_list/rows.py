"""The lines of a list, as calls; and what is written down of each. Pure.

A list has a line for each person: `number`, `name`, and what the template's placeholders stand for, under their names.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from io import StringIO

from backend.models import Brief, Call, Refused
from backend.templates import Blank, Template, blanks, filled, known, listed

NOT_PLACED = "not placed"
"""The status of a line whose call the carrier did not take; it is called at the next run."""
RESULTS = ("status", "outcome", "result", "call")
"""The columns beside those of the list."""
_SHOWN = 5
"""Lines with mistakes that are named."""


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[str, ...]
    """The line as it stands in the file."""
    brief: Brief

    def request(self, today: date, tries: int) -> str:
        """By this name the server knows the call again: whoever is called today is not rung twice for one line."""
        said = "\0".join([*self.cells, self.brief.action, self.brief.context, today.isoformat(), str(tries)])
        return f"list {hashlib.sha256(said.encode()).hexdigest()}"


def table(text: str) -> list[list[str]]:
    """The lines that are not blank, the heading first; with commas, semicolons or tabs, as spreadsheets write them."""
    heading = text.partition("\n")[0]
    sign = max(",;\t", key=heading.count)
    lines = csv.reader(StringIO(text), delimiter=sign)
    return [[cell.strip() for cell in line] for line in lines if any(map(str.strip, line))]


def rows(lines: Sequence[Sequence[str]], template: Template, usual: Brief) -> list[Row]:
    """A call for each line; a line that stands there twice is called once.

    Args:
        lines: with their heading, as `table` gives them.
        usual: what is the same in all calls.

    Raises:
        Refused: a column is missing, or something in a line; nobody is to be called then.
    """
    keys = [Blank(name).key for name in lines[0]] if lines else []
    wanted = ["number", *(key for key in blanks(template.action, template.context) if key not in known(usual))]
    if missing := [f"“{key}”" for key in wanted if key not in keys]:
        raise Refused(f"The list has no column {listed(missing)}: name it in the first line.")
    made = {tuple(line): _row(line, keys, template, usual) for line in lines[1:]}
    if wrong := [f"line {number}: {said}" for number, said in _mistakes(lines, keys, made.values())]:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise Refused(f"Nobody was called. {'; '.join(wrong[:_SHOWN])}{more}.")
    return list(made.values())


def _row(line: Sequence[str], keys: Sequence[str], template: Template, usual: Brief) -> Row:
    told = dict(zip(keys, line, strict=False))
    brief = replace(usual, to=told.get("number", ""), callee_name=told.get("name", ""))
    values = known(brief) | {key: value for key, value in told.items() if value}
    context = filled(template.context, values)
    return Row(tuple(line), replace(brief, action=filled(template.action, values), context=context))


def _mistakes(lines: Sequence[Sequence[str]], keys: Sequence[str], made: Iterable[Row]) -> Iterator[tuple[int, str]]:
    """The numbers of lines, counted as spreadsheets do where none is blank, and what is wrong with them."""
    by_cells = {row.cells: row for row in made}
    for number, line in enumerate(lines[1:], 2):
        row = by_cells[tuple(line)]
        left = [f"“{blank.key}”" for blank in blanks(row.brief.action, row.brief.context).values()]
        if len(line) > len(keys):
            yield number, "it has more cells than the heading"
        elif not row.brief.to:
            yield number, "there is no number"
        elif left:
            yield number, f"there is nothing for {listed(left)}"


# --- what came of it ------------------------------------------------------------------------------------------------


def settled(results: Sequence[Sequence[str]]) -> tuple[set[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """The lines that have a result, and how often the call of the others could not be placed.

    Args:
        results: the file of results with its heading.
    """
    tries: Counter[tuple[str, ...]] = Counter()
    done = set()
    for line in results[1:]:
        cells, status = tuple(line[: -len(RESULTS)]), line[-len(RESULTS)] if len(line) >= len(RESULTS) else ""
        if status == NOT_PLACED:
            tries[cells] += 1
        else:
            done.add(cells)
    return done, tries


def result(row: Row, call: Call) -> list[str]:
    """The line that is written down of a call."""
    said = call.report.result.text if call.report else call.note or call.ending
    return written(row, call.status, call.outcome or "", said, call.id)


def written(row: Row, *told: str) -> list[str]:
    """A stranger's words must not become a formula in somebody's spreadsheet."""
    return [*row.cells, *(f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in told)]
