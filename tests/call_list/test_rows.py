"""The lines of a list as calls, and what came of them as lines."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call_list.rows import NOT_PLACED, RESULTS, Row, result, rows, settled, table, written
from backend.models import Brief, Call, Claim, LineKind, Outcome, Refused, Report, Status
from backend.templates import Template

TEMPLATE = Template(1, "Visit", "Confirm {first name}'s visit on {day}.", "It is at {Address}.")
USUAL = Brief("", "", agent_name="Sam", organization="Lakeside", line=LineKind.PHONE)
HEADING = ["Number", "Name", "day", "address"]
MAYA = ["+1 202 555 0143", "Maya Chen", "Tuesday", "12 Garden Street"]
TODAY = date(2026, 11, 23)


def refusal(*lines: Sequence[str]) -> str:
    with pytest.raises(Refused) as refused:
        rows(lines, TEMPLATE, USUAL)
    return str(refused.value)


def test_a_line_is_a_call_with_the_templates_words() -> None:
    [row] = rows([HEADING, MAYA], TEMPLATE, USUAL)
    assert row.brief == Brief(
        "+1 202 555 0143",
        "Confirm Maya's visit on Tuesday.",
        "It is at 12 Garden Street.",
        callee_name="Maya Chen",
        agent_name="Sam",
        organization="Lakeside",
        line=LineKind.PHONE,
    )


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_list_is_read_as_spreadsheets_write_it(sign: str) -> None:
    text = "\r\n".join(sign.join(cells) for cells in (HEADING, MAYA, ["", "", "", ""]))
    assert table(text) == [HEADING, MAYA]


def test_a_column_that_is_missing_is_named() -> None:
    assert refusal(["name", "day"], ["Maya", "Tuesday"]) == (
        "The list has no column “number” and “address”: name it in the first line."
    )
    assert "no column “number”" in refusal()


def test_nobody_is_called_while_something_is_missing_in_a_line() -> None:
    said = refusal(HEADING, MAYA, ["", "Jo", "Friday", "here"], ["+12025550144", "Al", "", "here"], [*MAYA, "more"])
    assert said == (
        "Nobody was called. line 3: there is no number; line 4: there is nothing for “day”; "
        "line 5: it has more cells than the heading."
    )


def test_a_line_that_stands_there_twice_is_called_once() -> None:
    assert len(rows([HEADING, MAYA, MAYA], TEMPLATE, USUAL)) == 1


def test_a_call_has_one_name_on_a_day_and_another_after_it_could_not_be_placed() -> None:
    [row] = rows([HEADING, MAYA], TEMPLATE, USUAL)
    assert row.request(TODAY, 0) == row.request(TODAY, 0)
    assert len({row.request(TODAY, 0), row.request(TODAY, 1), row.request(date(2026, 11, 24), 0)}) == 3
    assert len(row.request(TODAY, 0)) <= 100


def test_a_result_is_what_was_proved() -> None:
    [row] = rows([HEADING, MAYA], TEMPLATE, USUAL)
    call = Call("abc", row.brief, Status.COMPLETED, Outcome.CONFIRMED, note="fine", ending="They hung up.")
    report = Report(Outcome.CONFIRMED, Claim("Confirmed for Tuesday.", (2,), 0.9))
    assert result(row, call) == [*MAYA, "completed", "confirmed", "fine", "abc"]
    assert result(row, Call("abc", row.brief, Status.BUSY, report=report))[-2] == "Confirmed for Tuesday."


@given(st.text())
def test_no_words_of_a_stranger_become_a_formula(words: str) -> None:
    [row] = rows([HEADING, MAYA], TEMPLATE, USUAL)
    assert not written(row, words)[-1].startswith(("=", "+", "-", "@"))


cell = st.text("abc ,;\"'\n=+1é", max_size=8).map(str.strip)


@given(st.lists(st.tuples(cell.filter(bool), cell), max_size=5), st.data())
def test_what_is_written_down_is_passed_over_next_time(lines: list[tuple[str, str]], data: st.DataObject) -> None:
    file = StringIO()
    out = csv.writer(file)
    out.writerow(["number", "name", *RESULTS])
    done = set()
    for line in lines:
        status = data.draw(st.sampled_from(["completed", NOT_PLACED]))
        out.writerow(written(Row(line, USUAL), status, "", "well; then", "id"))
        done |= {line} if status == "completed" else set()
    found, tries = settled(table(file.getvalue()))
    assert found == done
    assert set(tries) == {line for line in lines if line not in done} | (set(tries) & done)
