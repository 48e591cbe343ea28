"""Texts that are used again: chosen, saved, renamed and deleted; and what their placeholders stand for in this call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import _ui
import streamlit as st

from backend.client import ServerError
from backend.models import Brief
from backend.templates import LONGEST_NAME, Blank, Template, blanks, filled, known, listed, pieces

_IN_THE_FORM = {
    "name": "Name",
    "first name": "Name",
    "organisation": "Calls for",
    "organization": "Calls for",
    "agent": "Agent's name",
}
"""Where the form asks for what it fills in by itself."""


def chooser() -> None:
    """A text to start from; and keeping, renaming and deleting one."""
    kept = {template.id: template for template in _ui.read(lambda archive: archive.templates(), list[Template]())}
    if st.session_state.get("call_template") not in kept:
        st.session_state["call_template"] = None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Template",
            list(kept),
            index=None,
            format_func=lambda number: kept[number].name,
            key="call_template",
            placeholder="Start from a template" if kept else "None is saved yet",
            on_change=_use,
            args=(kept,),
            persist_state="session",
        )
        st.button(
            "Save",
            on_click=_open,
            icon=":material/bookmark:",
            key="template_open",
            help="Saves what to get done and what the agent may say, to use it again.",
        )
    if st.session_state.get("template_menu"):
        _menu(kept)
    _undo()


def fields(brief: Brief) -> None:
    """What the placeholders stand for in this call, with the text as the agent will get it."""
    texts = brief.action, brief.context
    found = blanks(*texts)
    if not found:
        return
    with st.container(border=True, key="call_blanks"):
        own = [blank for blank in found.values() if blank.key not in _IN_THE_FORM]
        for row in (own[at : at + 2] for at in range(0, len(own), 2)):
            for column, blank in zip(st.columns(len(row)), row, strict=True):
                column.text_input(
                    blank.label, key=f"fill_{blank.key}", max_chars=500, live="400ms", persist_state="session"
                )
        values = _values(brief)
        st.caption("What the agent will know")
        st.markdown("  \n".join(f":small[{line}]" for line in _preview(texts, values)))


def complete(brief: Brief) -> Brief:
    """The call as the agent gets it: with every placeholder filled in for which there is something."""
    values = _values(brief)
    return replace(brief, action=filled(brief.action, values), context=filled(brief.context, values))


def missing(brief: Brief) -> str:
    """What must be filled in before this call, which is complete otherwise, as a sentence; empty where nothing must."""
    left = blanks(brief.action, brief.context).values()
    names = dict.fromkeys(f"“{_IN_THE_FORM.get(blank.key, blank.label)}”" for blank in left)
    return f"Fill in {listed(list(names))} first." if names else ""


def clear() -> None:
    """For the next person: no template, nothing filled in."""
    _forget_values()
    st.session_state["call_template"], st.session_state["template_undo"] = None, None
    st.session_state["template_name"] = ""


# --- the text in the form -----------------------------------------------------------------------------------------


def _texts() -> tuple[str, str]:
    return st.session_state.get("call_action") or "", st.session_state.get("call_context") or ""


def _values(brief: Brief) -> dict[str, str]:
    own = {str(key): value for key, value in st.session_state.items() if str(key).startswith("fill_")}
    return {key.removeprefix("fill_"): str(value or "") for key, value in own.items()} | known(brief)


def _preview(texts: tuple[str, ...], values: Mapping[str, str]) -> Iterator[str]:
    """Line by line, what was filled in and what is still missing standing out."""

    def shown(piece: str | Blank) -> str:
        if isinstance(piece, str):
            return _ui.plain(piece)
        value = _ui.plain(values.get(piece.key, "").strip())
        return f":green-background[{value}]" if value else f":orange-background[{_ui.plain(piece.written)}]"

    for line in "\n".join(filter(None, texts)).splitlines():
        if line.strip():
            yield "".join(map(shown, pieces(line)))


def _put(action: str, context: str) -> None:
    st.session_state["call_action"], st.session_state["call_context"] = action, context
    _forget_values()


def _forget_values() -> None:
    """One person's day is not the next one's. Emptied, since a field whose value is only deleted still shows it."""
    for key in [key for key in st.session_state if str(key).startswith("fill_")]:
        st.session_state[key] = ""


# --- choosing and keeping -----------------------------------------------------------------------------------------


def _use(kept: Mapping[int, Template]) -> None:
    """Fill the form with the chosen one; what stood there can be had back."""
    chosen = kept.get(st.session_state["call_template"])
    if chosen is None:
        return
    before = _texts()
    theirs = any(before) and before not in [(template.action, template.context) for template in kept.values()]
    st.session_state["template_undo"] = Template(0, "", *before) if theirs else None
    st.session_state["template_name"] = chosen.name
    _put(chosen.action, chosen.context)


def _open() -> None:
    st.session_state["template_menu"] = True


def _close() -> None:
    st.session_state["template_menu"] = False


@st.dialog("Save as template", on_dismiss=_close)
def _menu(kept: Mapping[int, Template]) -> None:
    """A dialog and no popover: the keyboard finds its way into it, and with Escape out again."""
    state = st.session_state
    if not state.get("template_menu"):
        # Only the dialog itself was drawn anew; the page must be, for it to go.
        st.rerun()
    st.text_input(
        "Name of the template", key="template_name", max_chars=LONGEST_NAME, live="400ms", persist_state="session"
    )
    name = _name()
    same = [template for template in kept.values() if template.name.lower() == name.lower()]
    chosen = kept.get(state["call_template"] or 0)
    st.caption(
        "What changes from call to call goes in braces, such as {day}: it becomes a field. "
        "{name} and {first name} fill themselves in."
    )
    if refused := state.pop("template_refused", None):
        st.error(_ui.sentence(refused), icon=":material/block:")
    st.button(
        "Replace the template" if same else "Save as template",
        on_click=_keep,
        type="primary",
        icon=":material/bookmark_add:",
        width="stretch",
        key="template_keep",
    )
    if chosen:
        _change(chosen, name, free=name != chosen.name and same in ([], [chosen]))


def _change(chosen: Template, name: str, free: bool) -> None:
    """What can be done with the chosen one besides; `free`: it may have this name."""
    shown = _ui.plain(_ui.short(chosen.name, 30))
    if name and free:
        label, icon = f"Rename “{shown}”", ":material/edit:"
        st.button(label, on_click=_rename, args=(chosen,), icon=icon, width="stretch", key="template_rename")
    label, icon = f"Delete “{shown}”", ":material/delete:"
    st.button(label, on_click=_delete, args=(chosen,), icon=icon, width="stretch", key="template_delete")


def _name() -> str:
    """As it is typed now, which a button that was drawn before does not know."""
    return " ".join((st.session_state.get("template_name") or "").split())


def _keep() -> None:
    name, (action, context) = _name(), _texts()
    if not name or not action.strip():
        lacks = "give it a name" if not name else "write what to get done"
        st.session_state["template_refused"] = f"First {lacks}."
        return

    def keep() -> None:
        st.session_state["call_template"] = _ui.client().keep_template(name, action, context).id

    _done(keep, f"“{name}” is saved.")


def _rename(chosen: Template) -> None:
    name = _name()
    _done(lambda: _ui.client().rename_template(chosen.id, name), f"It is called “{name}” now.")


def _delete(chosen: Template) -> None:
    def delete() -> None:
        _ui.client().forget_template(chosen.id)
        st.session_state["call_template"] = None
        st.session_state["template_name"] = ""
        st.session_state["template_undo"] = chosen

    _done(delete, f"“{chosen.name}” is deleted.")


def _done(order: Callable[[], object], said: str) -> None:
    """Carry it out and close the menu; or say there why not."""
    try:
        order()
    except ServerError as error:
        st.session_state["template_refused"] = str(error)
        return
    _close()
    st.toast(_ui.plain(said), icon=":material/bookmark:")


def _undo() -> None:
    before: Template | None = st.session_state.get("template_undo")
    if before:
        label = f"Undo deleting “{_ui.plain(before.name)}”" if before.name else "Back to the text that was here"
        st.button(
            label, on_click=_restore, args=(before,), type="tertiary", icon=":material/undo:", key="template_back"
        )


def _restore(before: Template) -> None:
    state = st.session_state
    state["template_undo"] = None
    if not before.name:
        state["call_template"], state["template_name"] = None, ""
        _put(before.action, before.context)
        return
    try:
        state["call_template"] = _ui.client().keep_template(before.name, before.action, before.context).id
        state["template_name"] = before.name
    except ServerError as error:
        state["template_undo"] = before
        st.toast(_ui.sentence(str(error)), icon=":material/block:")
