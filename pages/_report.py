"""What came of a call, with its evidence: each claim opens the turns that prove it, in the transcript on the same page.

Which turns are open is in the address, as `?turn=4,5`, so that a proof can be shown to somebody else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import _ui
import streamlit as st

from backend.models import Call, Claim, Fact, Report

_UNWRITTEN = 240.0
"""Seconds after a call for which its report may still be on its way."""
_POLL = 1.0

_SOURCES = {
    "action": "what to get done",
    "context": "what the agent may say",
    "names": "the names given",
    "callee": "the other side",
    "operator": "the operator",
    "today": "today's date",
}


# --- which turns are open ---------------------------------------------------------------------------------------


def opened() -> tuple[int, ...]:
    """The turns that the page was asked to show."""
    return tuple(int(number) for number in re.findall(r"\d{1,6}", st.query_params.get("turn", ""))[:8])


def _open(turns: tuple[int, ...]) -> None:
    st.query_params["turn"] = ",".join(map(str, turns))
    # A second click on the same claim is to scroll again, and a script that has not changed does not run again.
    st.session_state["proof_clicks"] = st.session_state.get("proof_clicks", 0) + 1


def scroll_to_opened() -> None:
    """Bring the first open turn into view; to be drawn after the transcript."""
    if turns := opened():
        # The number is one of ours, and nothing that anybody typed or said is in this script.
        place = f"document.querySelector('.st-key-turn-{min(turns)}')"
        script = f"requestAnimationFrame(() => {place}?.scrollIntoView({{block: 'center'}}))"
        clicks = st.session_state.get("proof_clicks", 0)
        st.html(f"<script>/* {int(clicks)} */ {script}</script>", unsafe_allow_javascript=True)


# --- the report -------------------------------------------------------------------------------------------------


def shown(call: Call) -> None:
    """The report of a call that is over; until it is written, what is known without it."""
    if call.report:
        _written(call, call.report)
        return
    waits = time.time() - (call.ended or call.created) < _UNWRITTEN
    st.fragment(run_every=_POLL if waits else None)(_unwritten)(call.id, waits)


def _unwritten(call_id: str, waits: bool) -> None:
    call = _ui.read(lambda archive: archive.call(call_id), None)
    if call is None or call.report:
        st.rerun()
    for sentence in filter(None, [call.note, call.ending]):
        st.markdown(_ui.plain(sentence))
    if waits:
        st.caption(":material/hourglass_top: The report is being written…")


def _written(call: Call, report: Report) -> None:
    listed = (*report.agreed, *report.questions)
    with st.container(gap=None, key="report"):
        _line(report.result, "result", "{}" if report.result.doubtful else "**{}**")
        for number, claim in enumerate(report.summary):
            _line(claim, f"summary_{number}")
        # What was agreed is often the whole result, which stands above already.
        said = report.result.text
        _lines("Agreed", "check_circle", [one for one in report.agreed if not one.doubtful and one.text != said])
        _lines("Open questions", "help", [claim for claim in report.questions if not claim.doubtful])
        # Not among what was agreed, however much it sounds like it.
        _lines("Perhaps", "question_mark", [claim for claim in listed if claim.doubtful])
        by = "rules on this machine" if report.author == "rules" else report.author
        ended = call.ending if call.ending != report.result.text else ""
        st.caption(_ui.plain(" ".join(filter(None, [ended, f"Report by {by}."]))))


def _lines(title: str, icon: str, claims: Sequence[Claim]) -> None:
    if claims:
        st.markdown(f":small[:gray[{title}]]")
    for number, claim in enumerate(claims):
        _line(claim, f"{icon}_{number}", f":material/{icon}: {{}}")


def _line(claim: Claim, key: str, form: str = "{}") -> None:
    """One claim, the control that opens its proof, and why it is to be looked at if it is."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(form.format(_ui.plain(claim.text)), width="content")
        if claim.turns:
            st.button(
                _turns(claim.turns),
                key=f"proof_{key}",
                icon=":material/format_quote:",
                type="tertiary",
                on_click=_open,
                args=(claim.turns,),
                help="Show these words in the transcript",
            )
        if claim.doubtful:
            st.badge("To review", icon=":material/rate_review:", color="orange")
    if claim.doubtful:
        st.markdown(f":small[:gray[{_why(claim)}]]")


def _turns(numbers: Sequence[int]) -> str:
    return f"Turn{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _why(claim: Claim) -> str:
    """Why nobody should rely on it yet."""
    if not claim.turns:
        return "Nothing that was said in the call proves this."
    return "What was said does not bear this out for certain: read it before you rely on it."


def short(call: Call) -> str:
    """One line for a list: what came of it, or else what was to be done."""
    return call.report.result.text if call.report else call.note or call.brief.action


def to_review(call: Call) -> bool:
    return call.report is not None and call.report.result.doubtful


# --- where an agent's words come from ---------------------------------------------------------------------------


def sources(facts: Sequence[Fact]) -> str:
    """Small print below a turn; empty where it told no facts."""
    told = [f"“{_ui.plain(fact.text)}” from {_source(fact)}" for fact in facts]
    return f":small[:gray[:material/verified: {' · '.join(told)}]]" if told else ""


def _source(fact: Fact) -> str:
    source = _SOURCES.get(fact.source, _ui.plain(fact.source)) + (f", turn {fact.turn}" if fact.turn else "")
    same = fact.quote.strip().lower() in {"", fact.text.strip().lower()}
    return source if same else f"{source}: {_ui.plain(_ui.short(fact.quote, 80))}"
