"""Before the call: the number as it is typed, and texts that are used again, in the test bench and in a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import _number
import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from backend.hours import there
from backend.models import Direction, Outcome, Refusal, Status
from backend.storage.store import Store
from backend.telephony.gate import described
from tests.browser import Dashboard, dashboard, open_page
from tests.media_server import MediaServer, media_server
from tests.pages.test_pages import NOBODY_LISTENS, a_call, page, same_main, server, shown

__all__ = ["same_main", "server"]

AROUND_THE_WORLD = ["+12025550143", "+18085550143", "+442079460958", "+918123456789", "+81312345678"]


def typed(bench: AppTest, number: str) -> str:
    bench.text_input(key="call_to").set_value(number).run()
    assert not bench.exception
    return shown(bench)


# --- the number ---------------------------------------------------------------------------------------------------


def test_a_number_is_shown_with_its_country_and_the_time_there(server: MediaServer) -> None:
    said = typed(page(), "+44 20 7946 0958")
    assert re.search(r"020 7946 0958 · Britain \(UK\) · \d\d:\d\d there", said)


@pytest.mark.parametrize("hour", (1, 13))
def test_it_is_said_when_it_is_night_there_and_only_then(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch, hour: int
) -> None:
    moment = datetime(2026, 1, 20, hour, 30, tzinfo=UTC).timestamp()
    monkeypatch.setattr(_number, "time", SimpleNamespace(time=lambda: moment))
    bench = page()
    nights = 0
    for number in AROUND_THE_WORLD:
        said = typed(bench, number)
        now = there(described(number).time_zones, moment)
        assert now
        assert ("It is night there" in said) == now.asleep, number
        nights += now.asleep
    assert nights, "somewhere it always is"


def test_a_number_of_many_time_zones_tells_from_when_to_when(server: MediaServer) -> None:
    assert re.search(r"Russia · \d\d:\d\d to \d\d:\d\d there", typed(page(), "+7 912 345 67 89"))


def test_a_number_half_typed_lacks_digits(server: MediaServer) -> None:
    assert "“+1 202 555” is too short for a phone number: digits are missing" in typed(page(), "+1 202 555")


def test_a_number_that_is_never_called_is_told_before_the_call(server: MediaServer) -> None:
    server.store.refuse(Refusal("+442079460958", time.time(), "They asked not to be called again."))
    bench = page()
    assert "never-call list" not in shown(bench)
    assert "on the never-call list" in typed(bench, "+44 20 7946 0958")
    assert "They asked not to be called again." in shown(bench)


def earlier(store: Store) -> None:
    """Four calls with one number, and one with another."""
    now = time.time()
    kinds = [Outcome.NO_ANSWER, Outcome.VOICEMAIL, Outcome.CALL_BACK, Outcome.CONFIRMED]
    for number, outcome in enumerate(kinds):
        a_call(store, f"c{number}", created=now - 1000 + number, status=Status.COMPLETED, outcome=outcome)
    call = a_call(store, "other", created=now)
    store._db.execute('update calls set "to" = ? where id = ?', ["+442079460958", call.id])


def test_the_last_three_calls_with_the_number_stand_beneath_it(server: MediaServer) -> None:
    earlier(server.store)
    bench = page()
    typed(bench, "(202) 555-0143")
    badges = [text.value for text in bench.markdown if "-badge[" in str(text.value)]
    outcomes = [word for word in ("Confirmed", "Call back", "Voicemail left", "No answer") if word in str(badges)]
    assert outcomes == ["Confirmed", "Call back", "Voicemail left"]
    assert "Last calls with this number" in shown(bench)
    assert "Last call" not in typed(bench, "+81 3 1234 5678")


def test_calls_with_a_number_come_back_the_newest_first_whoever_called(tmp_path: Path) -> None:
    with Store(tmp_path / "calls.db") as store:
        earlier(store)
        store._db.execute("update calls set direction = ? where id = 'c2'", [Direction.INBOUND])
        assert [call.id for call in store.calls_with("+12025550143")] == ["c3", "c2", "c1"]
        assert [call.id for call in store.calls_with("+12025550143", limit=9)] == ["c3", "c2", "c1", "c0"]
        assert store.calls_with("+12025550199") == []
        plan = store._db.execute('explain query plan select * from calls where "to" = ? order by created desc', ["+1"])
        assert "USING INDEX idx_calls_to_created" in str(plan.fetchall()), "it is looked up while somebody types"


# --- templates ----------------------------------------------------------------------------------------------------


def chosen(server: MediaServer, bench: AppTest, name: str) -> AppTest:
    """The form, with this template chosen."""
    number = next(template.id for template in server.store.templates() if template.name == name)
    bench.selectbox(key="call_template").set_value(number).run()
    assert not bench.exception
    return bench


def fill(bench: AppTest, **values: str) -> None:
    for key, value in values.items():
        bench.text_input(key=f"fill_{key.replace('_', ' ')}").set_value(value)
    bench.run()
    assert not bench.exception


def click(bench: AppTest, key: str) -> AppTest:
    bench.button(key=key).click().run()
    assert not bench.exception
    return bench


CAR = "Car ready at the garage"
CAR_VALUES = {
    "car": "blue Golf",
    "work_done": "new brakes",
    "amount": "$340",
    "address": "1 Oak St",
    "closing_time": "6",
}


def test_a_template_fills_the_form_and_asks_for_what_it_needs(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    assert str(bench.text_area(key="call_action").value).startswith("Tell {first name} that the {car} is ready")
    assert {field.label for field in bench.text_input} >= {"Car", "Work done", "Amount", "Address", "Closing time"}
    said = shown(bench)
    assert "Tell :green-background[John] that the :orange-background[{car}] is ready" in said
    fill(bench, car="*blue* Golf")
    assert "that the :green-background[*blue* Golf] is ready" in shown(bench)


def test_nothing_is_dialled_before_every_placeholder_is_filled_in(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    fill(bench, **CAR_VALUES | {"amount": "  "})
    bench.text_input(key="call_callee_name").set_value("").run()
    click(bench, "call_button")
    assert "Fill in “Name” and “Amount” first." in shown(bench)
    assert server.desk.placed == []
    bench.text_input(key="call_callee_name").set_value("Maria Gomez").run()
    fill(bench, amount="$340")
    click(bench, "call_button")
    [call] = server.desk.placed
    assert call.brief.action == "Tell Maria that the blue Golf is ready, and ask when Maria will pick it up."
    assert "The bill comes to $340." in call.brief.context


def test_nobody_is_called_while_a_blank_of_a_rehearsal_is_left(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_context").set_value("You can park ___.\nIt costs 120 dollars.").run()
    click(bench, "call_button")
    assert "Fill in the blanks (___) first" in shown(bench)
    assert not server.desk.placed
    bench.text_area(key="call_context").set_value("It costs 120 dollars.").run()
    click(bench, "call_button")
    assert [call.brief.context for call in server.desk.placed] == ["It costs 120 dollars."]


def test_a_placeholder_that_is_typed_becomes_a_field(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_action").set_value("Confirm {Day} with {name}").run()
    fill(bench, day="Tuesday")
    click(bench, "call_button")
    assert [call.brief.action for call in server.desk.placed] == ["Confirm Tuesday with John Smith"]


def test_braces_that_are_no_placeholder_are_called_with_as_they_are(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_context").set_value('Code {"a": 1} and {}').run()
    click(bench, "call_button")
    assert [call.brief.context for call in server.desk.placed] == ['Code {"a": 1} and {}']


def test_a_rehearsal_too_waits_for_what_is_missing(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    click(bench, "call_rehearse")
    bench.session_state["rehearsal"]._thread.join(20)
    bench.run()
    assert "Fill in “Car”" in shown(bench)


def kept(server: MediaServer) -> dict[str, str]:
    return {template.name: template.action for template in server.store.templates()}


def test_the_text_of_the_form_is_saved_as_it_stands_and_replaced(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_action").set_value("Confirm {day}").run()
    click(bench, "template_open")
    bench.text_input(key="template_name").set_value("  My   visit ").run()
    click(bench, "template_keep")
    assert kept(server)["My visit"] == "Confirm {day}"
    assert bench.selectbox(key="call_template").value is not None
    bench.text_area(key="call_action").set_value("Move {day}").run()
    click(bench, "template_open")
    assert bench.button(key="template_keep").label == "Replace the template"
    click(bench, "template_keep")
    assert (kept(server)["My visit"], len(kept(server))) == ("Move {day}", 4)


def test_what_cannot_be_saved_says_why_in_the_menu(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = click(page(), "template_open")
    click(bench, "template_keep")
    assert "First give it a name." in shown(bench)
    bench.text_input(key="template_name").set_value("Empty").run()
    bench.text_area(key="call_action").set_value(" ").run()
    click(bench, "template_keep")
    assert "First write what to get done." in shown(bench)
    assert len(kept(server)) == 3


def test_a_template_is_renamed_and_cannot_take_anothers_name(server: MediaServer) -> None:
    bench = click(chosen(server, page(), CAR), "template_open")
    bench.text_input(key="template_name").set_value("Appointment confirmation").run()
    assert "template_rename" not in [button.key for button in bench.button]
    bench.text_input(key="template_name").set_value("Car is ready").run()
    click(bench, "template_rename")
    assert set(kept(server)) == {"Appointment confirmation", "Car is ready", "Friendly payment reminder"}


def test_a_deleted_template_is_gone_and_can_be_had_back_at_once(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    text = kept(server)[CAR]
    click(bench, "template_open")
    click(bench, "template_delete")
    assert CAR not in kept(server)
    assert bench.text_area(key="call_action").value == text, "the form keeps its text"
    click(bench, "template_back")
    assert kept(server)[CAR] == text
    assert "template_back" not in [button.key for button in bench.button]


def test_a_text_that_a_template_took_the_place_of_comes_back(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_action").set_value("My own words").run()
    chosen(server, bench, CAR)
    click(bench, "template_back")
    assert bench.text_area(key="call_action").value == "My own words"
    assert bench.selectbox(key="call_template").value is None


def test_another_template_or_person_begins_with_empty_fields(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    fill(bench, **CAR_VALUES)
    chosen(server, bench, "Appointment confirmation")
    assert bench.text_input(key="fill_address").value == "", "it was another one's"
    fill(bench, address="1 Oak St")
    click(bench, "call_clear")
    assert bench.selectbox(key="call_template").value is None
    chosen(server, bench, "Appointment confirmation")
    assert bench.text_input(key="fill_address").value == ""


def test_what_was_filled_in_survives_a_look_at_another_page(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    fill(bench, **CAR_VALUES)
    bench.switch_page("settings.py").run()
    bench.switch_page("call.py").run()
    assert bench.text_input(key="fill_car").value == "blue Golf"
    assert bench.selectbox(key="call_template").value is not None


def test_a_template_that_somebody_else_deleted_is_no_longer_chosen(server: MediaServer) -> None:
    bench = chosen(server, page(), CAR)
    server.store.forget_template(int(bench.selectbox(key="call_template").value or 0))
    bench.run()
    assert not bench.exception
    assert bench.selectbox(key="call_template").value is None


def test_without_a_media_server_saving_says_what_to_start(server: MediaServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIA_SERVER_PORT", NOBODY_LISTENS)
    bench = click(page(), "template_open")
    bench.text_input(key="template_name").set_value("Mine").run()
    click(bench, "template_keep")
    assert shown(bench).count("start it with `make run`") == 2


# --- in a browser -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[MediaServer, Dashboard]]:
    with (
        media_server(tmp_path_factory.mktemp("data") / "calls.db") as server,
        dashboard(server.environment) as running,
    ):
        yield server, running
    assert not running.faults


def tab_to(page: Page, name: str) -> None:
    """Go there as somebody without a mouse does."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        label = focused.get_attribute("aria-label") or focused.inner_text()
        if label.split("\n")[-1].strip() == name:
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def save_as(page: Page, action: str, name: str) -> None:
    page.get_by_role("textbox", name="What to get done").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type(action)
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    tab_to(page, "Name of the template")
    page.keyboard.type(name)
    tab_to(page, "Save as template")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (390, True)])
def test_a_template_is_saved_chosen_filled_in_and_called_with_by_keyboard_alone(
    desk: tuple[MediaServer, Dashboard], width: int, dark: bool
) -> None:
    server, running = desk
    name = f"Visit {width}"
    with open_page(width=width, dark=dark) as page:
        page.goto(running.url)
        save_as(page, "Confirm the visit of {name} on {day}", name)
        page.reload()
        page.get_by_role("combobox", name=re.compile("^Template")).focus()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        day = page.get_by_role("textbox", name="Day")
        expect(day).to_be_visible()
        action = page.get_by_role("textbox", name="What to get done")
        expect(action).to_have_value("Confirm the visit of {name} on {day}")
        for label, words in (("Phone number", "+12025550143"), ("Name", "John Smith")):
            page.get_by_role("textbox", name=label, exact=True).fill(words)
            page.keyboard.press("Tab")
        page.get_by_role("button", name=re.compile("Call$")).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Fill in “Day” first.")).to_be_visible()
        day.focus()
        page.keyboard.type("Monday")
        expect(page.get_by_text("Confirm the visit of John Smith on Monday", exact=True)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tab_to(page, "Call")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("/live"))
    assert server.desk.placed[-1].brief.action == "Confirm the visit of John Smith on Monday"


def test_another_template_empties_the_fields_that_are_seen(desk: tuple[MediaServer, Dashboard]) -> None:
    with open_page() as page:
        page.goto(desk[1].url)
        choice, address = page.get_by_role("combobox", name=re.compile("^Template")), page.get_by_label("Address")
        choice.click()
        page.get_by_role("option", name=CAR).click()
        address.fill("1 Oak St")
        expect(page.get_by_text("The address is 1 Oak St.", exact=True)).to_be_visible()
        choice.click()
        page.get_by_role("option", name="Appointment confirmation").click()
        expect(page.get_by_label("Other free times")).to_be_visible()
        # The field of the template before is still on the page while the rest of it is being drawn.
        expect(address).to_have_count(1)
        expect(address).to_have_value("")
        address.fill("2 Elm St")
        page.get_by_role("button", name="Clear the form").click()
        expect(address).to_have_count(0)
        expect(choice).to_have_value("")
        expect(page.get_by_role("textbox", name="What to get done")).to_have_value("")


def test_an_earlier_call_is_one_step_away(desk: tuple[MediaServer, Dashboard]) -> None:
    server, running = desk
    now = time.time()
    a_call(server.store, "earlier", created=now + 60, status=Status.COMPLETED, outcome=Outcome.VOICEMAIL, ended=now)
    with open_page() as page:
        page.goto(running.url)
        page.get_by_role("textbox", name="Phone number").fill("+1 202 555 0143")
        page.locator(".st-key-call_earlier").get_by_role("link").first.click()
        expect(page).to_have_url(re.compile(r"/record\?call=earlier$"))
