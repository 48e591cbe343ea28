"""What came of a call, with its evidence: each claim opens the turns that prove it, in the transcript on the same page.

Which turns are open is in the address, as `?turn=4,5`, so that a proof can be shown to somebody else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import _orders
import _ui
import streamlit as st

from backend.models import Call, Claim, Fact, Report

_UNWRITTEN = 240.0
"""Seconds after a call for which its report may still be on its way."""
_POLL = 1.0
_PART = "report"

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
    _orders.refusal(_PART)
    if call.report:
        _written(call, call.report)
    else:
        waits = time.time() - (call.ended or call.created) < _UNWRITTEN
        st.fragment(run_every=_POLL if waits else None)(_unwritten)(call.id, waits)
    _ticks(call)


def _unwritten(call_id: str, waits: bool) -> None:
    call = _ui.read(lambda archive: archive.call(call_id), None)
    if call is None or call.report:
        st.rerun()
    for sentence in filter(None, [call.note, call.ending]):
        st.markdown(_ui.plain(sentence))
    if waits:
        st.caption(":material/hourglass_top: The report is being written…")


def _ticks(call: Call) -> None:
    """What somebody has ticked off, and who it was; before that, the way to do so."""
    if call.report and call.report.doubtful and not call.reviewed:
        st.button(
            "Mark as reviewed",
            key="review",
            icon=":material/check:",
            on_click=_review,
            args=(call.id,),
            help="You have read what is to review, and know what to make of it.",
        )
    for done, tick in (("Reviewed", call.reviewed), ("Followed up", call.followed_up)):
        if tick:
            by = f"{done} by {tick.by}" if tick.by else done
            st.caption(f":material/check: {_ui.plain(f'{by} · {_ui.when(tick.at)}')}")


def _review(call_id: str) -> None:
    _orders.give(_PART, lambda: _ui.client().review(call_id), call_id)


def _written(call: Call, report: Report) -> None:
    listed, unread = (*report.agreed, *report.questions), call.reviewed is None
    with st.container(gap=None, key="report"):
        _line(report.result, "result", unread, "{}" if report.result.doubtful else "**{}**")
        for number, claim in enumerate(report.summary):
            _line(claim, f"summary_{number}", unread)
        _lines("Agreed", "check_circle", unread, _agreed(report))
        _lines("Open questions", "help", unread, [claim for claim in report.questions if not claim.doubtful])
        # Not among what was agreed, however much it sounds like it.
        _lines("Perhaps", "question_mark", unread, [claim for claim in listed if claim.doubtful])
        by = "rules on this machine" if report.author == "rules" else report.author
        ended = call.ending if call.ending != report.result.text else ""
        st.caption(_ui.plain(" ".join(filter(None, [ended, f"Report by {by}."]))))


def _agreed(report: Report) -> list[Claim]:
    """What was agreed is often the whole result, which stands above already."""
    return [claim for claim in report.agreed if not claim.doubtful and claim.text != report.result.text]


def _lines(title: str, icon: str, unread: bool, claims: Sequence[Claim]) -> None:
    if claims:
        st.markdown(f":small[:gray[{title}]]")
    for number, claim in enumerate(claims):
        _line(claim, f"{icon}_{number}", unread, f":material/{icon}: {{}}")


def _line(claim: Claim, key: str, unread: bool, form: str = "{}") -> None:
    """One claim, the control that opens its proof, and why it is to review where it still is."""
    review = unread and claim.doubtful
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
        if review:
            st.badge("To review", icon=":material/rate_review:", color="orange")
    if review:
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


def agreed(call: Call) -> str:
    """As `short`, with what was agreed besides."""
    besides = _agreed(call.report) if call.report else []
    return " · ".join([short(call), *(claim.text for claim in besides)])


def to_review(call: Call) -> bool:
    """Whether nobody has read a result yet that somebody should."""
    return call.report is not None and call.report.result.doubtful and call.reviewed is None


# --- where an agent's words come from ---------------------------------------------------------------------------


def sources(facts: Sequence[Fact]) -> str:
    """Small print below a turn; empty where it told no facts."""
    told = [f"“{_ui.plain(fact.text)}” from {_source(fact)}" for fact in facts]
    return f":small[:gray[:material/verified: {' · '.join(told)}]]" if told else ""


def _source(fact: Fact) -> str:
    source = _SOURCES.get(fact.source, _ui.plain(fact.source)) + (f", turn {fact.turn}" if fact.turn else "")
    same = fact.quote.strip().lower() in {"", fact.text.strip().lower()}
    return source if same else f"{source}: {_ui.plain(_ui.short(fact.quote, 80))}"
