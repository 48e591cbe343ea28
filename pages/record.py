"""One past call in full: what was said and heard, what came of it, how fast. `?call=` names it."""

from __future__ import annotations

import _again
import _call_page
import _deletion
import _export
import _full
import _player
import _report
import _ui
import streamlit as st

from backend.models import Call, Turn


def _show(call: Call, turns: list[Turn]) -> None:
    st.title(_ui.plain(_ui.who(call)))
    with st.container(horizontal=True, vertical_alignment="center"):
        _ui.outcome_badge(call)
        _ui.line_badge(call)
        _ui.incoming_badge(call)
        st.caption(_ui.plain(f"{_ui.when(call.created)} · {call.brief.to}"), width="content")
        if call.status.final:
            _again.link(call)
    if call.status.final:
        _report.shown(call)
    else:
        query = {"call": call.id}
        st.page_link("live.py", label="Still running: watch it", icon=":material/graphic_eq:", query_params=query)
    _full.questions(call)
    wide, side = st.columns([5, 3], gap="large")
    with wide:
        _player.shown(call, turns)
        with st.container(border=True, gap=None):
            _full.spoken(call, turns, recording=True)
    _report.scroll_to_opened()
    with side:
        _full.figures(call, turns)
        with st.container(border=True):
            _ui.about(call)
        _export_call(call, turns)
        _deletion.buttons(call)


def _export_call(call: Call, turns: list[Turn]) -> None:
    with st.container(horizontal=True):
        _ui.download("Page", _call_page.page(call, turns, _ui.local), f"call-{call.id}.html", "text/html")
        _ui.download("Text", _export.call_as_text(call, turns, _ui.local), f"call-{call.id}.txt", "text/plain")
        _ui.download("JSON", _export.call_as_json(call, turns), f"call-{call.id}.json", "application/json")


asked = st.query_params.get("call", "")
call = _ui.read(lambda archive: archive.call(asked), None)
st.page_link("history.py", label="All past calls", icon=":material/arrow_back:")
if _deletion.gone():
    st.switch_page("history.py")
elif call:
    _show(call, _ui.read(lambda archive: archive.turns(asked), []))
else:
    st.title("Past call")
    _ui.unknown_call()
