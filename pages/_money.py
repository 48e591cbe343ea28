"""Money: what a call has cost and what of that was for nothing, what the next one may cost, and at which prices."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import _ui
import phonenumbers
import streamlit as st

from backend.models import Brief, Call, LineKind
from backend.money.costs import Costs, cost
from backend.money.forecast import Forecast, Parts
from backend.money.forecast import forecast as foreseen
from backend.money.prices import Table, read

_LATEST = 200
"""How many earlier calls a forecast looks at."""
_KEPT = 60.0
"""Seconds for which these are not read again: the form is drawn with each key that is pressed."""
_DOUBT = 0.0005
"""Dollars; less of a difference than is shown."""


def dollars(amount: float | None) -> str:
    """Such as $1.20, or $0.034 below a dollar and $0.0075 below a cent; a question mark for what nobody knows."""
    if amount is None:
        return "?"
    if 0 < amount < 0.0001:
        return "under $0.0001"
    return f"${amount:.2f}" if amount >= 1 or amount == 0 else f"${amount:.3f}" if amount >= 0.01 else f"${amount:.4f}"


def _table() -> Table:
    return read(_ui.settings().prices_file)


# --- one call ---------------------------------------------------------------------------------------------------


def so_far(call: Call) -> str:
    """The sum alone, for a headline; empty where nothing is paid for."""
    costs = cost(call, _table().prices, time.time())
    return _sum(costs) if costs.items else ""


def day() -> str:
    """What was spent in the last 24 hours, of what may be."""
    most = _ui.settings().max_cost_per_day
    since = time.time() - 86_400
    spent = sum(cost for _, cost in _ui.read(lambda archive: archive.costs_since(since), list[tuple[float, float]]()))
    return f"{dollars(spent)}, {dollars(most)} at most" if most else f"{dollars(spent)}, without a limit"


def shown(call: Call) -> None:
    """What the call has cost by now, or altogether."""
    prices, over = _table().prices, call.status.final
    costs = cost(call, prices, time.time())
    with st.container(border=True, gap="xsmall", key="money"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**Cost**" if over else "**Cost so far**", width="content")
            st.markdown(f"**{_ui.plain(_sum(costs))}**", width="content")
        if not costs.items:
            st.caption("Practice parts cost nothing.")
            return
        sums = {provider: _ui.plain(dollars(amount)) for provider, amount in costs.by_provider.items()}
        st.table(sums, border="horizontal", alt="Cost by provider")
        st.caption("  \n".join(map(_ui.plain, _notes(call, costs))))
        if over:
            _details(costs)


def _sum(costs: Costs) -> str:
    return dollars(costs.known) if costs.total is not None else f"{dollars(costs.known)} and more"


def _notes(call: Call, costs: Costs) -> list[str]:
    """What is to know about the sum, a sentence each."""
    notes = []
    if costs.wasted:
        notes.append(f"{dollars(costs.wasted)} of it for answers prepared in vain and requests left for a faster one.")
    if costs.unpriced:
        notes.append(f"Without a price in the table: {'; '.join(costs.unpriced)}.")
    if call.cost is not None and abs(call.cost - costs.known) >= _DOUBT:
        notes.append(f"Written down as {dollars(call.cost)}, at the prices of that day.")
    if call.brief.line is LineKind.PRACTICE:
        notes.append("Practice parts cost nothing.")
    return [*notes, f"Prices: {costs.version}."]


def _details(costs: Costs) -> None:
    with st.expander("What was used", icon=":material/receipt_long:"):
        rows = {
            _ui.plain(
                ", ".join(filter(None, [item.what, item.of]))
            ): f"{item.amount:,} · {_ui.plain(dollars(item.cost))}"
            for item in costs.items
        }
        st.table(rows, border="horizontal", alt="What was used, and what it cost")


# --- before a call ----------------------------------------------------------------------------------------------


def forecast(brief: Brief) -> None:
    """What this call may cost, below the form; nothing while there is no number to call."""
    settings = _ui.settings()
    if number := _number(brief.to, settings.region):
        earlier, limit = _earlier(str(settings.database_path)), settings.max_call_minutes * 60
        found = foreseen(replace(brief, to=number), _parts(), _table().prices, earlier, limit)
        st.caption(f":material/payments: {_ui.plain(_sentence(brief, found))}")


def _number(typed: str, region: str) -> str:
    """In E.164, by which prices go; empty for what is none."""
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parts() -> Parts:
    """What the keys in the settings make serve, as the media server does."""
    settings = _ui.settings()
    return Parts(
        settings.deepgram_model if settings.deepgram_api_key else "",
        settings.anthropic_model if settings.anthropic_api_key else "",
        settings.elevenlabs_model if settings.elevenlabs_api_key else "",
    )


@st.cache_data(ttl=_KEPT, max_entries=4, show_spinner=False)
def _earlier(database: str) -> Sequence[Call]:
    """`database` only tells one set of calls from another."""
    return _ui.read(lambda archive: archive.calls(limit=_LATEST), list[Call]())


def _sentence(brief: Brief, found: Forecast) -> str:
    if not found.high and not found.unpriced:
        return "This call costs nothing: nothing outside this computer takes part in it."
    low, high = dollars(found.low), dollars(found.high)
    sum_ = low if low == high else f"{low} to {high}"
    lengths = dict.fromkeys(map(_ui.clock, (found.shortest, found.longest)))
    length = f"{' to '.join(lengths)} of talk"
    basis = f"as in {found.earlier} earlier calls" if found.earlier else "assumed, as there are too few earlier calls"
    said = f"Answered, it will cost about {sum_}: {length}, {basis}."
    if brief.line is LineKind.PHONE:
        said += " If nobody picks up, next to nothing."
    if found.unpriced:
        said += f" Not in it, for want of a price: {'; '.join(found.unpriced)}."
    return said


# --- the prices ---------------------------------------------------------------------------------------------------


def table() -> None:
    """The prices that count for what is set up here, and where to change them."""
    known = _table()
    if known.problem:
        st.error(
            _ui.plain(f"{known.problem}. Until that is put right, the prices of the product count."),
            icon=":material/price_change:",
        )
    st.table(_in_use(known), border="horizontal", alt="Prices")
    own = _ui.place(_ui.settings().prices_file)
    source = f"Lines of {own} are in it." if known.own else f"Your own prices go into {own}."
    st.caption(
        f"In US dollars, before tax. This table: {_ui.plain(known.prices.version)}. {source} docs/configuration.md "
        "tells how. Nobody has compared the list prices of the product with an invoice."
    )


def _in_use(known: Table) -> dict[str, str]:
    settings, prices = _ui.settings(), known.prices
    rows = {
        f"Calling {prefix}, a minute": _price(prices.twilio.outbound(prefix))
        for prefix in prices.twilio.outbound_minute
    }
    rows["Being called, a minute"] = _price(prices.twilio.inbound_minute)
    rows["Sound to and from the agent, a minute"] = _price(prices.twilio.stream_minute)
    rows["Finding out who picked up, a call"] = _price(prices.twilio.machine_detection)
    rows["Handed over to your phone, a minute"] = _price(prices.twilio.transfer_minute)
    rows[f"Hearing with {settings.deepgram_model}, a minute"] = _price(prices.listening(settings.deepgram_model))
    rows[f"Speaking with {settings.elevenlabs_model}, 1,000 characters"] = _price(
        prices.voicing(settings.elevenlabs_model)
    )
    for model in dict.fromkeys([settings.anthropic_model, settings.anthropic_fallback_model]):
        each = prices.thinking(model)
        million = f"${each.input:g} in, ${each.output:g} out, ${each.cache_read:g} cached" if each else "no price"
        rows[f"Thinking with {model}, a million tokens"] = million
    return {_ui.plain(what): _ui.plain(price) for what, price in rows.items()}


def _price(each: float | None) -> str:
    return "no price" if each is None else f"${each:g}"
