"""The pages as an operator uses them, in Streamlit's own test bench, over the real API and a real store."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from backend.call.events import Hint, Say
from backend.models import Brief, Call, Claim, Fact, LineKind, Outcome, Report, Speaker, Status, Turn, TurnState
from backend.storage.store import Store
from tests.media_server import MediaServer, media_server

MAIN = Path(__file__).parents[2] / "pages" / "main.py"
NOBODY_LISTENS = "9"
"""The discard port: nothing on a test machine answers there."""


@pytest.fixture(autouse=True)
def same_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest leaves a page behind as the main module, which processes started by later tests would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MediaServer]:
    """The server and store that the pages are pointed at."""
    with media_server(tmp_path / "calls.db") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        st.cache_resource.clear()
        yield server
    st.cache_resource.clear()


def page(name: str = "", **query: str) -> AppTest:
    """The dashboard, opened on this page."""
    bench = AppTest.from_file(str(MAIN), default_timeout=20)
    bench.run()
    for key, value in query.items():
        bench.query_params[key] = value
    if name:
        bench.switch_page(f"{name}.py")
    bench.run()
    assert not bench.exception
    return bench


def shown(bench: AppTest) -> str:
    """Every word on the page, without the escapes that keep typed text from being Markdown."""
    lists = (bench.title, bench.markdown, bench.caption, bench.error, bench.warning, bench.subheader, bench.table)
    return "\n".join(str(element.value) for elements in lists for element in elements).replace("\\", "")


def a_call(store: Store, call_id: str = "one", turns: tuple[Turn, ...] = (), **changes: object) -> Call:
    brief = Brief("+12025550143", "Confirm the visit", callee_name="John Smith", organization="Brightside")
    row: dict[str, object] = {"id": call_id, "brief": brief, "created": time.time() - 60}
    call = Call(**(row | changes))  # type: ignore[arg-type]
    store.add(call)
    for turn in turns:
        store.write_turn(call_id, turn)
    return call


def over(store: Store, call_id: str = "one", **changes: object) -> Call:
    now = time.time()
    done: dict[str, object] = {"status": Status.COMPLETED, "outcome": Outcome.CONFIRMED, "ending": "They said goodbye."}
    return a_call(store, call_id, TURNS, **(done | {"answered": now - 50, "ended": now - 8} | changes))


def agent(number: int, text: str, heard: str, state: TurnState, first_sound: float = 640.0) -> Turn:
    return Turn(
        number, Speaker.AGENT, text, heard, state, 10.0 * number, None, {"decided": 0.0, "first_sound": first_sound}
    )


TURNS = (
    agent(1, "Hi John, this is Alex.", "Hi John, this is Alex.", TurnState.DONE, 300.0),
    Turn(2, Speaker.CALLEE, "It is *fine*, $5 or $6", "It is *fine*, $5 or $6", TurnState.DONE, 20.0),
    agent(3, "Your visit is on Tuesday at ten.", "Your visit is", TurnState.CUT, 900.0),
)


# --- Call -----------------------------------------------------------------------------------------------------


def test_the_first_visit_offers_an_example_that_can_be_called_at_once(server: MediaServer) -> None:
    bench = page()
    assert bench.text_input(key="call_organization").value == "Brightside Dental"
    assert "(202) 555-0143 · United States" in shown(bench)
    bench.button(key="call_button").click().run()
    [call] = server.desk.placed
    assert (call.brief.to, call.brief.line, call.brief.persona) == ("+12025550143", LineKind.PRACTICE, "cooperative")
    assert "Wednesday, March 4" in call.brief.context


def test_placing_a_call_leads_to_its_live_page(server: MediaServer) -> None:
    bench = page()
    bench.button(key="call_button").click().run()
    assert not bench.exception
    assert bench.query_params["call"] == "call-1"
    assert bench.title[0].value == "John Smith"


def test_a_double_click_rings_once_and_a_changed_form_rings_again(server: MediaServer) -> None:
    bench = page()
    for _ in range(2):
        bench.button(key="call_button").click().run()
        bench.switch_page("call.py").run()
    assert len(server.desk.placed) == 1
    bench.text_input(key="call_callee_name").set_value("Maria Gomez").run()
    bench.button(key="call_button").click().run()
    assert [call.brief.callee_name for call in server.desk.placed] == ["John Smith", "Maria Gomez"]


def test_the_number_is_checked_while_it_is_typed(server: MediaServer) -> None:
    bench = page()
    bench.text_input(key="call_to").set_value("911").run()
    assert "an emergency number, which is never dialled" in shown(bench)


def test_a_refused_call_says_why_and_keeps_what_was_typed(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_action").set_value("  ").run()
    assert "Write in one sentence" in shown(bench)
    bench.text_area(key="call_context").set_value("It takes an hour.").run()
    bench.button(key="call_button").click().run()
    assert "What to get done is missing" in shown(bench)
    assert bench.text_area(key="call_context").value == "It takes an hour."
    assert server.desk.placed == []


def test_what_was_typed_survives_a_look_at_another_page(server: MediaServer) -> None:
    bench = page()
    bench.text_area(key="call_action").set_value("Move the visit").run()
    bench.switch_page("settings.py").run()
    bench.switch_page("call.py").run()
    assert bench.text_area(key="call_action").value == "Move the visit"


def test_clearing_the_form_keeps_the_caller(server: MediaServer) -> None:
    bench = page()
    bench.button(key="call_clear").click().run()
    assert not bench.exception
    assert bench.text_input(key="call_to").value == ""
    assert bench.text_input(key="call_organization").value == "Brightside Dental"


def test_without_a_media_server_every_page_says_so_and_the_form_stays(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_call(server.store, status=Status.IN_PROGRESS, answered=time.time())
    monkeypatch.setenv("MEDIA_SERVER_PORT", NOBODY_LISTENS)
    bench = page()
    assert "The media server does not answer" in shown(bench)
    bench.text_area(key="call_action").set_value("Confirm the visit").run()
    bench.button(key="call_button").click().run()
    assert bench.text_area(key="call_action").value == "Confirm the visit"
    for name in ("live", "settings"):
        assert "The media server does not answer" in shown(page(name))


# --- Live -----------------------------------------------------------------------------------------------------


def test_live_without_any_call_leads_to_the_form(server: MediaServer) -> None:
    bench = page("live")
    assert "No call has been placed yet" in shown(bench)
    assert [link.value for link in bench.page_link] == ["Place the first one"]


def test_live_shows_the_running_call_rather_than_a_newer_one_that_is_over(server: MediaServer) -> None:
    a_call(server.store, "running", status=Status.RINGING, created=time.time() - 100)
    over(server.store, "newer")
    bench = page("live")
    assert bench.query_params["call"] == "running"
    assert "Ringing" in shown(bench)
    assert bench.button(key="say_running_button").disabled
    assert not bench.button(key="hang_up").disabled


def test_what_was_not_heard_is_struck_and_the_partial_word_is_open(server: MediaServer) -> None:
    partial = Turn(4, Speaker.CALLEE, "Sorry, Tues", "Sorry, Tues", TurnState.OPEN, 45.0)
    a_call(
        server.store, turns=(*TURNS, partial), status=Status.IN_PROGRESS, answered=5.0, troubles=("The voice stalled.",)
    )
    text = shown(page("live", call="one"))
    assert "Your visit is :gray[~~on Tuesday at ten.~~]" in text
    assert "Alex · 0:25 · answered in 0.9 s · cut off" in text
    assert "Sorry, Tues :gray[…]" in text
    assert "The voice stalled." in text


def test_words_that_look_like_markup_are_shown_as_they_were_said(server: MediaServer) -> None:
    over(server.store)
    [said] = [m.value for m in page("live", call="one").markdown if "fine" in m.value]
    assert said.startswith(r"It is \*fine\*\, \$5 or \$6")


def test_the_operator_speaks_hints_and_hangs_up(server: MediaServer) -> None:
    a_call(server.store, status=Status.IN_PROGRESS, answered=time.time())
    bench = page("live", call="one")
    bench.text_input(key="say_one").set_value("One moment, please.")
    bench.button(key="say_one_button").click().run()
    assert bench.text_input(key="say_one").value == ""
    bench.text_input(key="hint_one").set_value("Offer Friday.")
    bench.button(key="hint_one_button").click().run()
    assert server.desk.commands == [("one", Say("One moment, please.")), ("one", Hint("Offer Friday."))]
    bench.button(key="hang_up").click().run()
    assert "The operator hung up." in shown(bench)
    assert "hang_up" not in [button.key for button in bench.button]


def test_words_that_the_server_refuses_stay_in_the_field(server: MediaServer) -> None:
    a_call(server.store, status=Status.IN_PROGRESS, answered=time.time())
    bench = page("live", call="one")
    server.desk.deaf = "This call is over."
    bench.text_input(key="say_one").set_value("One moment, please.")
    bench.button(key="say_one_button").click().run()
    assert "This call is over." in shown(bench)
    assert bench.text_input(key="say_one").value == "One moment, please."


@pytest.mark.parametrize(
    ("status", "ending"), [(Status.BUSY, "The line was busy."), (Status.FAILED, "The carrier could not connect.")]
)
def test_a_call_that_did_not_come_about_says_why(server: MediaServer, status: Status, ending: str) -> None:
    a_call(server.store, status=status, outcome=Outcome.NO_ANSWER, ending=ending, ended=time.time())
    text = shown(page("live", call="one"))
    assert ending in text
    assert "Nothing was said in this call." in text


@pytest.mark.parametrize("name", ["live", "record", "history"])
def test_an_unknown_call_is_said_to_be_unknown(server: MediaServer, name: str) -> None:
    assert "There is no such call here" in shown(page(name, call="nobody"))


# --- Past calls -----------------------------------------------------------------------------------------------


def names(bench: AppTest) -> list[str]:
    """The calls in the list, by their links."""
    return [link.value.replace("\\", "").strip("*") for link in bench.page_link]


def test_no_calls_yet_and_no_matches_are_told_apart(server: MediaServer) -> None:
    assert "No call has been placed yet." in shown(page("history"))
    over(server.store)
    bench = page("history")
    bench.text_input(key="past_words").set_value("nobody said this").run()
    assert "No call matches." in shown(bench)
    bench.button(key="past_all").click().run()
    assert names(bench) == ["John Smith"]


def test_the_list_is_narrowed_by_words_outcome_line_trouble_and_time(server: MediaServer) -> None:
    long_ago = time.time() - 90 * 86_400
    server.store.write_turn("plain", Turn(9, Speaker.CALLEE, "Bananas", "Bananas", TurnState.DONE, 1.0))
    over(server.store, "plain", brief=Brief("+12025550143", "Ask", callee_name="Ann"))
    over(server.store, "bad", brief=Brief("+12025550144", "Ask", callee_name="Bob"), troubles=("Slow.",))
    over(server.store, "old", brief=Brief("+12025550145", "Ask", callee_name="Cem"), created=long_ago)
    over(
        server.store,
        "phone",
        brief=Brief("+12025550146", "Ask", callee_name="Dee", line=LineKind.PHONE),
        outcome=Outcome.DECLINED,
    )
    bench = page("history")
    assert set(names(bench)) == {"Ann", "Bob", "Cem", "Dee"}
    bench.text_input(key="past_words").set_value("banan").run()
    assert names(bench) == ["Ann"]
    bench.text_input(key="past_words").set_value("").run()
    bench.toggle(key="past_troubled").set_value(True).run()
    assert names(bench) == ["Bob"]
    bench.toggle(key="past_troubled").set_value(False).run()
    bench.multiselect(key="past_outcomes").set_value([Outcome.DECLINED]).run()
    assert names(bench) == ["Dee"]
    bench.multiselect(key="past_outcomes").set_value([]).run()
    bench.selectbox(key="past_span").set_value("Last 30 days").run()
    assert set(names(bench)) == {"Ann", "Bob", "Dee"}


def test_a_long_list_is_shown_in_pages(server: MediaServer) -> None:
    for number in range(20):
        over(server.store, f"call-{number}", brief=Brief("+12025550143", "Ask", callee_name=f"N{number}"))
    bench = page("history")
    assert names(bench) == [f"N{number}" for number in range(19, 4, -1)]
    assert "20 calls, newest first" in shown(bench)


def test_one_call_in_full(server: MediaServer) -> None:
    parts = {"stt": "Deepgram", "llm": "Claude", "tts": "ElevenLabs"}
    counts = {"prepared replies used": 3, "prepared replies wasted": 1, "tokens wasted": 12, "characters wasted": 40}
    counts |= {"hedges": 1, "hedges won": 1}
    over(server.store, note="Tuesday at ten is fine.", parts=parts, counts=counts, troubles=("The voice stalled.",))
    bench = page("record", call="one")
    text = shown(bench)
    for sentence in ("Tuesday at ten is fine.", "They said goodbye.", "The voice stalled.", "Hi John, this is Alex."):
        assert sentence in text
    assert ":gray[Hearing:] Deepgram" in text
    assert "3 of 4 answers that were prepared early could be used" in text
    assert "about 12 tokens and 40 characters of voice" in text
    assert "The model was slow and asked again 1 time; 1 time that helped." in text
    figures = [("Talk", "0:42"), ("Answers in", "0.6 s"), ("95 % of them in", "0.9 s")]
    assert [(metric.label, metric.value) for metric in bench.metric] == figures
    assert len(bench.get("vega_lite_chart")) == 1
    assert [button.proto.label for button in bench.get("download_button")] == ["Page", "Text", "JSON"]


# --- what came of it, with its evidence -------------------------------------------------------------------------

REPORT = Report(
    Outcome.RESCHEDULED,
    Claim("Rescheduled to *Friday* at 10 a.m.", (2, 3), 0.9),
    summary=(Claim("John takes Friday.", (2,), 0.9), Claim("He was busy.", (3,), 0.3)),
    agreed=(Claim("The visit is on Friday.", (3,), 0.9), Claim("He pays in cash.", (), 0.9)),
    questions=(Claim("Is there parking?", (2,), 0.9),),
    author="Claude",
)


@pytest.mark.parametrize("name", ["record", "live"])
def test_every_claim_opens_the_turns_that_prove_it(server: MediaServer, name: str) -> None:
    over(server.store, report=REPORT, outcome=Outcome.RESCHEDULED)
    bench = page(name, call="one")
    text = shown(bench)
    for words in ("**Rescheduled to *Friday* at 10 a.m.**", "John takes Friday.", "Is there parking?"):
        assert words in text
    assert "Report by Claude." in text
    assert "Proof" not in text
    labels = {button.key: button.label for button in bench.button if str(button.key).startswith("proof_")}
    assert labels == {
        "proof_result": "Turns 2, 3",
        "proof_summary_0": "Turn 2",
        "proof_summary_1": "Turn 3",
        "proof_check_circle_0": "Turn 3",
        "proof_help_0": "Turn 2",
    }
    bench.button(key="proof_result").click().run()
    assert not bench.exception
    assert bench.query_params["turn"] == "2,3"
    assert shown(bench).count("Proof") == 2


def test_what_is_not_proved_is_for_review_and_not_among_what_was_agreed(server: MediaServer) -> None:
    over(server.store, report=REPORT)
    text = shown(page("record", call="one"))
    assert text.count("To review") == 2
    assert text.index("Perhaps") < text.index("He pays in cash.")
    assert "Nothing that was said in the call proves this." in text
    assert "does not bear this out for certain" in text


def test_a_report_without_words_to_prove_it_is_no_matter_of_doubt(server: MediaServer) -> None:
    busy = Report(Outcome.NO_ANSWER, Claim("The line was busy.", (), 0.9, "how the call ended"), author="rules")
    a_call(server.store, status=Status.BUSY, outcome=Outcome.NO_ANSWER, ending="The line was busy.", report=busy)
    text = shown(page("record", call="one"))
    assert "To review" not in text
    assert text.count("The line was busy.") == 1
    assert "Report by rules on this machine." in text


def test_a_call_that_is_just_over_says_that_its_report_is_on_its_way(server: MediaServer) -> None:
    over(server.store, note="Tuesday at ten.")
    over(server.store, "old", note="Monday at ten.", created=1.0, answered=1.0, ended=9.0)
    fresh, old = shown(page("record", call="one")), shown(page("record", call="old"))
    assert "Tuesday at ten." in fresh and "The report is being written" in fresh
    assert "Monday at ten." in old and "The report is being written" not in old


@pytest.mark.parametrize("turn", ["", "x", "99", "2;DROP", "1,2,3,4,5,6,7,8,9,10", "<script>", "9" * 400])
def test_an_address_with_odd_turns_opens_what_there_is(server: MediaServer, turn: str) -> None:
    over(server.store, report=REPORT)
    bench = page("record", call="one", turn=turn)
    assert shown(bench).count("Proof") <= 3


def test_the_list_tells_the_result_and_what_is_to_be_reviewed(server: MediaServer) -> None:
    over(server.store, "sure", report=REPORT)
    doubtful = replace(REPORT, result=Claim("Perhaps Friday.", (), 0.9))
    over(server.store, "unsure", report=doubtful, brief=Brief("+12025550144", "Ask", callee_name="Ann"))
    text = shown(page("history"))
    assert "Rescheduled to *Friday* at 10 a.m." in text
    assert text.count("To review") == 1


def test_what_the_agent_told_shows_where_it_comes_from(server: MediaServer) -> None:
    facts = (
        Fact("ten", "context", "Tuesday at 10 a.m."),
        Fact("John", "names", "John"),
        Fact("six", "callee", "$6", 2),
    )
    turn = Turn(1, Speaker.AGENT, "At ten, John, for six.", "At ten, John, for six.", TurnState.DONE, 1.0, facts=facts)
    a_call(server.store, turns=(turn,), status=Status.COMPLETED, ended=2.0)
    text = shown(page("record", call="one"))
    assert "“ten” from what the agent may say: Tuesday at 10 a.m." in text
    assert "“John” from the names given ·" in text
    assert "“six” from the other side, turn 2: $6" in text


# --- Settings -------------------------------------------------------------------------------------------------


def test_settings_tell_real_from_practice_and_show_no_secret(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    bench = page("settings")
    text = shown(bench)
    assert "Deepgram flux-general-en" in text
    assert "Set ANTHROPIC_API_KEY in .env for Claude." in text
    assert "60 at most" in text
    for secret in ("sk-very-secret", server.environment["API_TOKEN"]):
        assert secret not in text


def test_settings_that_cannot_be_used_are_explained_instead_of_any_page(
    server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELEVENLABS_API_KEY", "half-of-it")
    bench = page()
    assert "cannot be used" in shown(bench)
    assert "ELEVENLABS_VOICE_ID: missing" in bench.code[0].value
    assert not bench.button


# --- questions and refusals ---------------------------------------------------------------------------------------


def test_the_agents_question_is_answered_on_the_live_page(server: MediaServer) -> None:
    a_call(server.store, "one", TURNS, status=Status.IN_PROGRESS, answered=time.time() - 30)
    question = server.store.ask("one", "Is there a *lift*?", time.time(), time.time() + 8)
    bench = page("live", call="one")
    assert "The agent asks you:** Is there a *lift*?" in shown(bench)
    assert "one" in server.desk.watched, "the agent must know that somebody is there to answer"
    bench.text_input(key=f"answer_{question.id}").set_value("Yes, beside the stairs.")
    bench.button(key=f"answer_{question.id}_button").click().run()
    [kept] = server.store.questions("one")
    assert (kept.answer, kept.settled is not None) == ("Yes, beside the stairs.", True)
    assert "The agent asks you" not in shown(page("live", call="one"))


def test_a_question_that_nobody_answered_in_time_is_left_to_follow_up(server: MediaServer) -> None:
    over(server.store, "one")
    question = server.store.ask("one", "Is there a lift?", time.time() - 60, time.time() - 52)
    bench = page("record", call="one")
    assert "To follow up:** Is there a lift?" in shown(bench)
    bench.button(key=f"settle_{question.id}").click().run()
    assert server.store.open_questions() == []


def test_an_answer_that_came_too_late_says_so(server: MediaServer) -> None:
    a_call(server.store, "one", TURNS, status=Status.IN_PROGRESS, answered=time.time() - 30)
    question = server.store.ask("one", "Is there a lift?", time.time(), time.time() + 8)
    bench = page("live", call="one")
    server.store.settle(question.id, time.time(), "Somebody else's answer.")
    bench.text_input(key=f"answer_{question.id}").set_value("Yes.")
    bench.button(key=f"answer_{question.id}_button").click().run()
    assert "settled already" in shown(bench)


def test_what_was_done_and_not_said_stands_in_the_transcript(server: MediaServer) -> None:
    note = Turn(4, Speaker.NOTE, "Pressed 2", "Pressed 2", TurnState.DONE, 50.0)
    a_call(server.store, "one", (*TURNS, note), status=Status.IN_PROGRESS, answered=time.time() - 30)
    bench = page("live", call="one")
    assert ":material/dialpad: :small[Pressed 2" in shown(bench)


def test_numbers_are_put_on_and_taken_off_the_list_of_those_never_called(server: MediaServer) -> None:
    bench = page("settings")
    assert "Nobody has asked not to be called again." in shown(bench)
    bench.text_input(key="refusal_number").set_value("+1 202 555 0143")
    bench.button(key="refusal_add").click().run()
    assert [refusal.number for refusal in server.store.refusals()] == ["+12025550143"]
    assert "+12025550143" in shown(bench)
    assert "Take it off only if they have agreed to be called again." in shown(bench), "it is asked once more"
    bench.button(key="allow_+12025550143").click().run()
    assert server.store.refusals() == []


def test_what_is_no_number_cannot_be_put_on_the_list(server: MediaServer) -> None:
    bench = page("settings")
    bench.text_input(key="refusal_number").set_value("12")
    bench.button(key="refusal_add").click().run()
    assert server.store.refusals() == []
    assert bench.error
