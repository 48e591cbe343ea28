"""Past calls: the list, narrowed, put in order, counted and taken along. `?call=` goes on to that one call."""

from __future__ import annotations

from collections.abc import Iterator

import _deletion
import _export
import _report
import _search
import _ui
import streamlit as st

from backend.models import Call, LineKind
from backend.storage.search import MARK, Search, Sorting
from backend.storage.store import Archive

_A_PAGE = 15
_AT_ONCE, _A_CALL = 2_000, 0.0006
"""Calls whose files are made without being asked twice; seconds that one takes."""
_VIEWS = {"calls": ":material/list: Calls", "charts": ":material/bar_chart: Charts"}


def _past() -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Past calls", width="content")
        view = st.segmented_control(
            "Show",
            list(_VIEWS),
            format_func=_VIEWS.__getitem__,
            default="calls",
            required=True,
            key="past_view",
            label_visibility="collapsed",
            persist_state="session",
        )
    search, order = _search.fields()
    found = _ui.read(lambda archive: archive.count(search), 0)
    if not found:
        _nothing(search)
    elif view == "charts":
        # Only here: what draws them takes a while to load, and the list is to be there at once.
        import _charts

        st.caption(_calls(found))
        _charts.shown(search)
    else:
        _list(search, order, found)


def _list(search: Search, order: Sorting, found: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{_calls(found)}, {_search.ORDERS[order].lower()}", width="content")
        _export_found(search, order, found)
    slot = st.container()
    pages = -(-found // _A_PAGE)
    # Another search begins at its first page: the key makes it another widget.
    page = st.pagination(pages, key=f"past_page_{search}_{order}") if pages > 1 else 1

    def a_page(archive: Archive) -> tuple[list[Call], dict[str, str]]:
        calls = archive.calls(search, _A_PAGE, (page - 1) * _A_PAGE, order)
        return calls, archive.passages(search, calls)

    calls, passages = _ui.read(a_page, (list[Call](), dict[str, str]()))
    with slot:
        for call in calls:
            _row(call, order, passages.get(call.id, ""))


def _calls(found: int) -> str:
    return f"{found:,} call{'' if found == 1 else 's'}"


def _nothing(search: Search) -> None:
    if search == Search():
        st.markdown("No call has been placed yet.")
        st.page_link("call.py", label="Place the first one", icon=":material/call:")
    else:
        st.markdown("No call matches.")
        every = _search.show_everything
        st.button("Show all calls", on_click=every, key="past_all", icon=":material/filter_list_off:")


def _row(call: Call, order: Sorting, passage: str) -> None:
    with st.container(border=True, gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name = f"**{_ui.plain(_ui.who(call))}**"
            st.page_link(
                "record.py" if call.status.final else "live.py",
                label=name,
                icon=":material/chevron_right:",
                icon_position="right",
                query_params={"call": call.id},
            )
            _ui.outcome_badge(call)
            _ui.incoming_badge(call)
            if call.brief.line is LineKind.PRACTICE:
                _ui.line_badge(call)
            if _report.to_review(call):
                st.badge("To review", icon=":material/rate_review:", color="orange")
            if call.troubles:
                st.badge("Trouble", icon=":material/warning:", color="orange")
        st.markdown(_ui.plain(_ui.short(_report.short(call))))
        if passage:
            st.markdown(f":small[:gray[:material/format_quote:] {_marked(passage)}]")
        talk = _ui.lasted(call)
        facts = [_ui.when(call.created), call.brief.to, "" if talk is None else _ui.clock(talk), _measured(call, order)]
        st.caption(_ui.plain(" · ".join(filter(None, facts))))


def _marked(passage: str) -> str:
    """What was said, with the words that were looked for in bold."""
    line = " ".join(passage.split())
    return "".join(
        f"**{_ui.plain(part)}**" if marked % 2 else _ui.plain(part) for marked, part in enumerate(line.split(MARK))
    )


def _measured(call: Call, order: Sorting) -> str:
    """What put this call at its place, where its row does not say so anyway."""
    if order is Sorting.SLOWEST and call.delay_worst is not None:
        return f"slowest answer {call.delay_worst / 1000:.1f} s"
    if order is Sorting.DEADEST and call.dead_air is not None:
        return f"dead air {call.dead_air:.1f} s"
    if order is Sorting.DEAREST and call.cost is not None:
        return f"${call.cost:.2f}"
    return ""


def _export_found(search: Search, order: Sorting, found: int) -> None:
    """What is found, all pages of it; read only while the menu is open, since it may be a hundred thousand calls.

    The files are made before their buttons are drawn: Streamlit forgets one that is to be made on the click when the
    page is drawn anew in the same moment.
    """
    with st.popover("Export", icon=":material/download:", key="past_export", on_change="rerun") as menu:
        if not menu.open:
            return
        if found > _AT_ONCE:
            st.caption(f"Files of {_calls(found)} take about {max(2, round(found * _A_CALL))} seconds to make.")
            if not st.button("Make the files", key="past_make", icon=":material/hourglass_top:"):
                return
        with st.spinner("Making the files…"):
            written = _ui.read(lambda archive: _files(archive.each_call(search, order=order)), ("", ""))
        _ui.download("CSV, for spreadsheets", written[0], "calls.csv", "text/csv")
        _ui.download("JSON, for programs", written[1], "calls.json", "application/json")


def _files(calls: Iterator[Call]) -> tuple[str, str]:
    kept = list(calls)
    return _export.as_csv(kept, _ui.local), _export.as_json(kept)


if asked := st.query_params.get("call"):
    st.switch_page("record.py", query_params={"call": asked})
_deletion.told()
_past()
