"""The benchmark of scripted dialogues: what it counts, and Claude's column against a loopback Anthropic."""

from __future__ import annotations

from pathlib import Path

from backend.bench import dialogues, invented
from backend.bench.scripted import TODAY, Held, Script, hold, scripts
from backend.config import Settings
from backend.llm.offline import OfflineBrain
from backend.loopback.anthropic import LoopbackAnthropic, Received, Reply, Tool
from backend.models import Brief, Conversation, Outcome, Speaker

BRIEF = Brief(
    to="+12025550143",
    action="Confirm the check-up on Thursday at 2:30 p.m.",
    context="It takes 45 minutes.",
    callee_name="John Miller",
    organization="Green Valley Dental",
)
SCRIPT = Script(
    "clinic",
    "clinic: agrees",
    BRIEF,
    "Hi John, this is Alex.",
    ("yes", "that works"),
    frozenset({Outcome.CONFIRMED}),
    note="confirmed",
    must_say=("Thursday at 2:30 p.m.",),
    must_not_say=("80 dollars",),
)
OTHER = Script("garage", "garage: hums", BRIEF, "Hi John.", ("hm",), frozenset({Outcome.DECLINED}))


def held(*agent: str, outcome: str = "confirmed", note: str = "confirmed") -> Held:
    """The script as held by an agent who said these."""
    conversation = Conversation(BRIEF, today=TODAY).plus(Speaker.AGENT, SCRIPT.opening)
    for turn, answer in zip(SCRIPT.callee, agent, strict=False):
        conversation = conversation.plus(Speaker.CALLEE, turn).plus(Speaker.AGENT, answer)
    return Held(SCRIPT, conversation, outcome, note, len(SCRIPT.callee) - len(agent))


def test_a_call_is_right_when_outcome_and_note_are() -> None:
    assert held("Thursday at 2:30 p.m.?", "Goodbye.").right
    assert not held("Hm.", outcome="declined").right
    assert not held("Hm.", note="moved").right
    assert held("Hm.", note="moved").ended


def test_what_was_not_said_and_what_should_not_have_been_is_told() -> None:
    call = held("It costs 80 dollars.")
    assert call.missing == ("Thursday at 2:30 p.m.",)
    assert call.leaked == ("80 dollars",)
    assert call.unsaid == 1


def test_only_what_nobody_said_is_made_up() -> None:
    assert invented.facts(held("It takes 45 minutes.", "See you on Thursday at 2:30 p.m.!")) == ()
    assert len(invented.facts(held("It costs 80 dollars."))) == 1


def test_what_the_operator_hints_is_not_made_up() -> None:
    hinted = Script("clinic", "x", BRIEF, "Hi.", ("#offer 80 dollars",), frozenset({Outcome.CONFIRMED}))
    said = Conversation(BRIEF, today=TODAY).plus(Speaker.AGENT, "Hi.").plus(Speaker.AGENT, "I can offer 80 dollars.")
    assert invented.facts(Held(hinted, said)) == ()


def test_the_table_tells_trades_apart_and_names_the_dialogues_that_failed() -> None:
    wrong = Held(OTHER, Conversation(BRIEF, today=TODAY).plus(Speaker.AGENT, "Hi John."))
    sheet = dialogues.sheet([held("Thursday at 2:30 p.m.?", "Goodbye."), wrong])
    values = {line.name.strip(): line.median for line in sheet.lines}
    assert values["right outcomes"] == 50
    assert (values["clinic"], values["garage"]) == (100, 0)
    assert values["invented facts"] == 0
    assert {line.name for line in sheet.broken} == {"right outcomes"}
    assert sheet.notes == ("garage: hums: ended as “not at all” (), not as “declined”.",)


async def test_without_a_key_only_the_offline_brain_is_measured(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    settings = Settings(anthropic_api_key="")
    sheet = await dialogues.measured(settings, [SCRIPT], False, lambda done, of: seen.append((done, of)))
    assert seen == [(1, 1)]
    assert not any("Claude" in line.name for line in sheet.lines)
    assert sheet.broken == ()


async def test_with_a_key_claude_holds_the_same_dialogues() -> None:
    def agree(received: Received) -> Reply:
        if "that works" in str(received.body["messages"][-1]):
            note: dict[str, object] = {"outcome": "confirmed", "note": "Thursday is fine."}
            return Reply("Great, see you on Thursday. Goodbye.", (Tool("end_call", note),))
        return Reply("It is about Thursday at half past two. It costs ninety dollars.")

    async with LoopbackAnthropic(agree, first_token=0, tokens_per_second=0) as server:
        settings = Settings(anthropic_api_key="test-key", anthropic_base_url=server.url)
        sheet = await dialogues.measured(settings, [SCRIPT], False, lambda done, of: None)
    values = {line.name: line.median for line in sheet.lines}
    assert values["right outcomes, Claude"] == 100
    assert values["invented facts, Claude"] == 1
    assert any("ninety dollars" in note for note in sheet.notes)
    assert sheet.broken == ()


async def test_a_claude_that_fails_is_a_problem_and_no_wrong_outcome() -> None:
    async with LoopbackAnthropic([], first_token=0, tokens_per_second=0) as server:
        settings = Settings(anthropic_api_key="another-key", anthropic_base_url=server.url)
        sheet = await dialogues.measured(settings, [SCRIPT], False, lambda done, of: None)
    assert len(sheet.problems) == 1
    assert "clinic: agrees" in sheet.problems[0]


async def test_a_callee_goes_on_for_a_model_that_does_not_end_the_call() -> None:
    call = await hold(OTHER, OfflineBrain(), ("no thank you goodbye", "bye"))
    assert call.outcome


def test_every_script_can_be_held_and_names_are_unique() -> None:
    names = [script.name for script in scripts()]
    assert len(set(names)) == len(names)
