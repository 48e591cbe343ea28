"""Past calls as charts: what came of them, how quick they were, when people pick up and what a success costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import _ui
import altair as alt
import streamlit as st

from backend.models import Outcome
from backend.storage.store import Search
from backend.storage.tallies import Came, Quick, Reached, Tallies

_HEIGHT = 270
_LEGEND = alt.Legend(title=None, orient="top", columns=2)

_DONE = "Done"
_KINDS = {
    _DONE: (Outcome.CONFIRMED, Outcome.RESCHEDULED, Outcome.TRANSFERRED),
    "To follow up": (Outcome.CALL_BACK, Outcome.FOLLOW_UP, Outcome.VOICEMAIL),
    "Declined": (Outcome.DECLINED, Outcome.WRONG_PERSON, Outcome.OPTED_OUT),
    "Not reached": (Outcome.NO_ANSWER,),
    "Broken off": (Outcome.HUNG_UP, Outcome.STOPPED, Outcome.FAILED, Outcome.UNCLEAR),
    "Still running": (None,),
}
"""Fourteen outcomes in one bar cannot be told apart; these kinds can."""
_COLOURS = ("#2f9e7c", "#4c8fd0", "#c98a2b", "#9aa3a0", "#cf5f4e", "#8d78c4")
_KIND = {outcome: kind for kind, outcomes in _KINDS.items() for outcome in outcomes}


def shown(search: Search) -> None:
    """Read and draw them for the calls that are looked for."""
    zone = _ui.now().tzinfo
    assert zone is not None
    counted = _ui.read(lambda archive: archive.tallies(search, zone), Tallies(False, (), (), ()))
    each = "week" if counted.weekly else "day"
    with st.grid(2, min_column_width=380):
        with st.container(border=True):
            st.subheader(f"What came of the calls of each {each}")
            _outcomes(counted.came, counted.weekly)
        with st.container(border=True):
            st.subheader("How soon the agent answered")
            _delays(counted.quick, counted.weekly)
        with st.container(border=True):
            st.subheader("When people pick up")
            _hours(counted.reached)
        with st.container(border=True):
            st.subheader("What a call that is done costs")
            _costs(counted.came, counted.weekly)


def _outcomes(came: Sequence[Came], weekly: bool) -> None:
    numbers: dict[tuple[date, str], int] = {}
    for one in came:
        place = one.day, _KIND[one.outcome]
        numbers[place] = numbers.get(place, 0) + one.calls
    rows = [
        {**_days(day, weekly), "Outcome": kind, "Calls": n, "Order": list(_KINDS).index(kind)}
        for (day, kind), n in numbers.items()
    ]
    chart: alt.Chart = _over_time(rows, alt.Y("Calls:Q", axis=alt.Axis(tickMinStep=1)), bars=True).encode(
        color=alt.Color("Outcome:N", legend=_LEGEND, scale=alt.Scale(domain=list(_KINDS), range=list(_COLOURS))),
        order="Order:Q",
        tooltip=["When:N", "Outcome:N", "Calls:Q"],
    )
    told = ", ".join(f"{kind.lower()} {sum(n for (_, k), n in numbers.items() if k == kind)}" for kind in _KINDS)
    st.altair_chart(chart, alt=f"Calls by what came of them: {told}", key="past_chart_outcomes")


def _delays(quick: Sequence[Quick], weekly: bool) -> None:
    if not quick:
        st.caption("Nothing was measured in these calls.")
        return
    rows = [
        {**_days(one.day, weekly), "Calls": name, "Seconds": ms / 1000}
        for one in quick
        for name, ms in (("Half of the calls", one.half), ("19 of 20", one.most))
    ]
    chart = _over_time(rows, "Seconds:Q").encode(
        color=alt.Color("Calls:N", legend=_LEGEND, scale=alt.Scale(range=[_COLOURS[2], _COLOURS[0]])),
        tooltip=["When:N", "Calls:N", alt.Tooltip("Seconds:Q", format=".2f")],
    )
    worst = max(one.most for one in quick) / 1000
    st.altair_chart(chart, alt=f"Seconds to an answer; at worst 19 of 20 within {worst:.1f}", key="past_chart_delays")
    st.caption("Half of the calls, and 19 of 20, had their usual answer within this time.")


def _hours(reached: Sequence[Reached]) -> None:
    rows = [
        {"Hour": f"{one.hour}:00", "Share": one.people / one.calls, "Calls": one.calls, "People": one.people}
        for one in reached
    ]
    if not rows:
        st.caption("None of these calls was placed from here.")
        return
    chart = (
        alt.Chart(alt.InlineData(values=rows), height=_HEIGHT)
        .mark_bar(cornerRadiusEnd=3, color=_COLOURS[0])
        .encode(
            x=alt.X("Hour:O", title="Hour, by your clock", sort=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("Share:Q", title="Reached a person", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            tooltip=["Hour:O", alt.Tooltip("Share:Q", format=".0%"), "Calls:Q", "People:Q"],
        )
    )
    best = max(reached, key=lambda one: one.people / one.calls)
    share = best.people / best.calls
    st.altair_chart(
        chart, alt=f"Share of calls that reached a person; best at {best.hour}:00: {share:.0%}", key="past_chart_hours"
    )


def _costs(came: Sequence[Came], weekly: bool) -> None:
    """All calls are paid for; only those that are done were worth it."""
    rows = []
    for day in dict.fromkeys(one.day for one in came):
        those = [one for one in came if one.day == day]
        known = [one.cost for one in those if one.cost is not None]
        done = sum(one.calls for one in those if _KIND[one.outcome] == _DONE)
        if known and done:
            rows.append({**_days(day, weekly), "Dollars": sum(known) / done, "Done": done})
    if not rows:
        st.caption("No cost is known of a call among these that is done.")
        return
    chart = _over_time(rows, alt.Y("Dollars:Q", title="US dollars", axis=alt.Axis(format="$.2f")), bars=True).encode(
        color=alt.value(_COLOURS[1]), tooltip=["When:N", alt.Tooltip("Dollars:Q", format="$.2f"), "Done:Q"]
    )
    st.altair_chart(chart, alt="US dollars for each call that is done, all others included", key="past_chart_costs")
    st.caption("The cost of all calls, shared among those that were confirmed, rescheduled or handed over.")


def _days(day: date, weekly: bool) -> dict[str, Any]:
    """Where it stands on the axis, and how it is called."""
    last = day + timedelta(days=6)
    called = f"{day.day} {day:%b} – {last.day} {last:%b %Y}" if weekly else f"{day:%A}, {day.day} {day:%b %Y}"
    return {"Day": day.isoformat(), "When": called}


def _over_time(rows: Sequence[Mapping[str, Any]], y: alt.Y | str, bars: bool = False) -> alt.Chart:
    """Days on which nobody called are left out, as weekends often are."""
    chart = alt.Chart(alt.InlineData(values=list(rows)), height=_HEIGHT)
    marked = chart.mark_bar() if bars else chart.mark_line(point=len({row["Day"] for row in rows}) < 40)
    written = "timeFormat(toDate(datum.value + 'T00:00:00'), '%-d %b')"
    axis = alt.Axis(labelExpr=written, labelAngle=0, labelOverlap=True, ticks=False)
    placed: alt.Chart = marked.encode(x=alt.X("Day:O", title=None, axis=axis), y=y)
    return placed
