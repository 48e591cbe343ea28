"""What the pages share: where their data comes from, and how a call, its words and its times look."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

import _signin
import streamlit as st

from backend.answers import Part, Setup
from backend.client import Client, ServerError
from backend.config import ROOT, Settings, is_loopback, load
from backend.models import Call, Direction, LineKind, Outcome, Status
from backend.storage.store import Archive

T = TypeVar("T")
Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]

LINES = {LineKind.PHONE: "Real phone", LineKind.PRACTICE: "Practice line"}
_NUMBERS = {Direction.OUTBOUND: "Number", Direction.INBOUND: "Called from"}
PARTS = {"stt": "Hearing", "llm": "Thinking", "tts": "Speaking"}

_STATUSES: dict[Status, tuple[str, Colour, str]] = {
    Status.CREATED: ("Getting ready", "gray", "hourglass_top"),
    Status.QUEUED: ("Dialling", "orange", "dialpad"),
    Status.INITIATED: ("Dialling", "orange", "dialpad"),
    Status.RINGING: ("Ringing", "orange", "ring_volume"),
    Status.IN_PROGRESS: ("On the call", "green", "graphic_eq"),
    Status.COMPLETED: ("Over", "gray", "call_end"),
    Status.BUSY: ("Busy", "gray", "phone_disabled"),
    Status.NO_ANSWER: ("No answer", "gray", "phone_missed"),
    Status.FAILED: ("Failed", "red", "error"),
    Status.CANCELED: ("Cancelled", "gray", "phone_disabled"),
}

_OUTCOMES: dict[Outcome, tuple[Colour, str]] = {
    Outcome.CONFIRMED: ("green", "check_circle"),
    Outcome.RESCHEDULED: ("green", "event_repeat"),
    Outcome.DECLINED: ("orange", "do_not_disturb_on"),
    Outcome.CALL_BACK: ("blue", "phone_callback"),
    Outcome.FOLLOW_UP: ("blue", "assignment_late"),
    Outcome.VOICEMAIL: ("blue", "voicemail"),
    Outcome.WRONG_PERSON: ("orange", "person_off"),
    Outcome.OPTED_OUT: ("red", "block"),
    Outcome.TRANSFERRED: ("green", "phone_forwarded"),
    Outcome.HUNG_UP: ("orange", "call_end"),
    Outcome.STOPPED: ("gray", "stop_circle"),
    Outcome.NO_ANSWER: ("gray", "phone_missed"),
    Outcome.FAILED: ("red", "error"),
    Outcome.UNCLEAR: ("gray", "help"),
}


# --- where data comes from ------------------------------------------------------------------------------------


@st.cache_resource
def settings() -> Settings:
    """Read once, like the media server does: changes to .env count for both after a restart."""
    return load()


@st.cache_resource(on_release=Client.close)
def client() -> Client:
    return Client(settings().server_url, settings().token, operator=_signin.who)


def read(ask: Callable[[Archive], T], otherwise: T) -> T:
    """Ask the store; `otherwise` when no media server has ever run here."""
    try:
        with Archive.open(settings().database_path) as archive:
            return ask(archive)
    except FileNotFoundError:
        return otherwise


def setup() -> Setup | None:
    """What the media server has to work with; None, and said on the page, when it cannot be asked."""
    try:
        return client().setup()
    except ServerError as error:
        server_trouble(error)
        return None


def at_home() -> bool:
    """Whether the operator's browser is on this machine, as far as its address bar tells."""
    host = urlsplit(st.context.url or "").hostname
    return host is None or is_loopback(host)


def media_page(path: str, height: int) -> None:
    """Show this page of the media server in ours, if the operator's browser can reach it."""
    elsewhere = not at_home()
    if elsewhere and not settings().public_host:
        advice = "The sound of calls reaches other machines only through a public host: set PUBLIC_HOST in .env."
        st.caption(f":material/headset_off: {plain(advice)}")
    else:
        st.iframe(f"{settings().public_url if elsewhere else settings().server_url}{path}", height=height)


def named(call: Call) -> str:
    """The end of a media page's address that tells it who is called; behind the #, which no server is sent."""
    return f"#{urlencode({'name': call.brief.callee_name})}" if call.brief.callee_name else ""


def server_trouble(error: ServerError) -> None:
    st.error(sentence(str(error)), icon=":material/cloud_off:")


def unknown_call() -> None:
    st.warning("There is no such call here: the link may be from another machine.", icon=":material/search_off:")


# --- words and times ------------------------------------------------------------------------------------------


_LIVE = re.compile(r"(?<=www)(?=\.)|(?<=://)|(?<=@)(?=\w)|(?<=:)(?=[\w+/-]+:)|(?<=[<>~-])(?=[<>=-])", re.IGNORECASE)
"""Where, in plain words, the browser would still see a link, an icon or an arrow: it looks for them after Markdown."""
_JOINER = "\u2060"
"""Nothing that is seen or spoken."""


def plain(text: str) -> str:
    """Text that somebody typed or said, so that it is shown as it is and does nothing."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", _LIVE.sub(_JOINER, text)).replace("\n", "  \n")


def sentence(text: str) -> str:
    """Like `plain`, but what stands in backticks, such as a command, looks like one."""
    parts = text.split("`")
    return "".join(f"`{part}`" if place % 2 else plain(part) for place, part in enumerate(parts))


def place(path: Path) -> str:
    """A file or folder, as short as whoever sits at this machine needs it."""
    return f"`{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}`"


def short(text: str, length: int = 110) -> str:
    """One line of at most this many characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def now() -> datetime:
    """The operator's own clock, as the browser tells its zone."""
    return local(time.time())


def local(moment: float) -> datetime:
    zone = st.context.timezone
    return datetime.fromtimestamp(moment, ZoneInfo(zone)) if zone else datetime.fromtimestamp(moment).astimezone()


def when(moment: float) -> str:
    """Such as "Today, 14:05" or "3 November 2026, 14:05"."""
    at = local(moment)
    days = (now().date() - at.date()).days
    day = {0: "Today", 1: "Yesterday"}.get(days, f"{at.day} {at:%B %Y}")
    return f"{day}, {at:%H:%M}"


def clock(seconds: float) -> str:
    """Such as 1:05, or 1:02:03 from an hour on."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def who(call: Call) -> str:
    return call.brief.callee_name or call.brief.to


def lasted(call: Call) -> float | None:
    """Seconds of talk, until now when it goes on; None when nobody picked up."""
    return None if call.answered is None else (call.ended or time.time()) - call.answered


def preparation(call: Call) -> str:
    """What getting answers ready early has won and cost, as sentences; empty where nothing was."""
    count = Counter(call.counts)
    used, wasted = count["prepared replies used"], count["prepared replies wasted"]
    said = []
    if used or wasted:
        said.append(f"{used} of {used + wasted} answers that were prepared early could be used")
    if wasted:
        tokens, characters = count["tokens wasted"], count["characters wasted"]
        said.append(f"the others cost about {tokens} tokens and {characters} characters of voice")
    if count["hedges"]:
        asked, won = (f"{n} time{'s' * (n != 1)}" for n in (count["hedges"], count["hedges won"]))
        said.append(f"the model was slow and asked again {asked}; {won} that helped")
    return ". ".join(part[0].upper() + part[1:] for part in said) + "." if said else ""


# --- how a call looks -----------------------------------------------------------------------------------------


def status_badge(call: Call) -> None:
    label, colour, icon = _STATUSES[call.status]
    st.badge(label, icon=f":material/{icon}:", color=colour)


def outcome_badge(call: Call) -> None:
    """What came of it; its status while that is open."""
    if call.outcome is None:
        status_badge(call)
        return
    colour, icon = _OUTCOMES[call.outcome]
    st.badge(call.outcome.words, icon=f":material/{icon}:", color=colour)


def line_badge(call: Call) -> None:
    if call.brief.line is LineKind.PRACTICE:
        st.badge("Practice", icon=":material/school:", color="violet")
    else:
        st.badge("Real phone", icon=":material/call:", color="gray")


def incoming_badge(call: Call) -> None:
    """Nothing for a call that we have made."""
    if call.brief.direction is Direction.INBOUND:
        st.badge("Incoming", icon=":material/call_received:", color="blue")


def part_badge(part: Part) -> None:
    if not part.serves:
        st.badge("Not set up", icon=":material/remove:", color="gray")
    elif part.real:
        st.badge("Real", icon=":material/check:", color="green")
    else:
        st.badge("Practice", icon=":material/school:", color="violet")


def about(call: Call) -> None:
    """What the call was to do, and who served it."""
    brief = call.brief
    agent = " of ".join(plain(name) for name in (brief.agent_name, brief.organization) if name)
    st.markdown(f"**What to get done**  \n{plain(brief.action)}")
    if brief.context:
        st.markdown(f"**What the agent may say**  \n{plain(brief.context)}")
    facts = {"Agent": agent, _NUMBERS[brief.direction]: plain(brief.to), "Line": LINES[brief.line]}
    facts |= {"Picked up": call.answerer.value.capitalize()} if call.answerer else {}
    facts |= {PARTS.get(key, key): plain(name) for key, name in call.parts.items()}
    st.markdown("  \n".join(f":gray[{name}:] {value}" for name, value in facts.items() if value))


def download(label: str, content: str, name: str, mime: str) -> None:
    """A button for a file. Made now: one made on the click would be lost to a redraw that the same click causes."""
    st.download_button(label, content, name, mime, icon=":material/download:", on_click="ignore", key=f"save_{name}")
