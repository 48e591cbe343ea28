"""The offline brain holds whole calls: scripted ones from `dialogues/`, and properties for callees of any kind."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.bench.scripted import FOLDER, Script, hold, opening_of, scripts
from backend.brain import agreement, conduct
from backend.call.manners import handed_back
from backend.llm import offline
from backend.llm.offline import OfflineBrain
from backend.models import Brief, Conversation, Outcome, Said, Speaker, ToolUse

SCRIPTS = scripts()
CLINIC = next(script.brief for script in SCRIPTS if script.name.startswith("clinic:"))
TRADES = (
    *("clinic", "garage", "school", "delivery", "landlord", "bank", "survey", "restaurant", "charity", "utility"),
)


def heard(conversation: Conversation, hint: str = "") -> tuple[list[str], ToolUse | None]:
    """One answer of the brain: its pieces, and the request to end the call if there is one."""

    async def collect() -> list[Any]:
        async with OfflineBrain() as brain:
            await brain.warm(conversation)
            return [piece async for piece in brain.answer(conversation, hint)]

    pieces = asyncio.run(collect())
    said = [piece.text for piece in pieces if isinstance(piece, Said)]
    tools = [piece for piece in pieces if isinstance(piece, ToolUse)]
    assert len(said) + len(tools) == len(pieces)
    ends = [tool for tool in tools if tool.name == "end_call"]
    assert ends in ([], pieces[-1:])
    return said, ends[0] if ends else None


NOT_FOUND = {
    "parcel: asks about the floor, the old sofa and the price",
    "survey: asks whether it is anonymous and whether ten is good",
    "utility: asks what is going on with brown water",
    "viewing: asks when it is free and whether there is a garden",
    "poll: asks what happens with the answers",
}
"""Whose answers stand in the brief in such other words that they are not found; then the agent does not know."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_scripted_call_ends_as_it_should(script: Script) -> None:
    async def held() -> Any:
        async with OfflineBrain() as brain:
            await brain.warm(Conversation(script.brief))
            return await hold(script, brain)

    call = asyncio.run(held())
    assert call.outcome in script.outcomes, f"{call.outcome} ({call.note}) after {call.said}"
    assert script.note.lower() in call.note.lower()
    assert call.leaked == ()
    if script.name not in NOT_FOUND:
        assert call.missing == ()
        assert call.unsaid == 0, f"the agent hung up too early: {call.said}"


def test_there_are_enough_scripted_calls_of_every_trade() -> None:
    assert len(SCRIPTS) >= 100
    assert all(sum(script.trade == trade for script in SCRIPTS) >= 8 for trade in TRADES)
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS)
    assert {path.suffix for path in FOLDER.iterdir()} == {".toml", ".md"}


# --- one answer at a time -------------------------------------------------------------------------------------


def clinic(*turns: str) -> Conversation:
    """A call that went on with these turns, the agent's and the callee's by turns, from the opening on."""
    conversation = Conversation(CLINIC).plus(Speaker.AGENT, opening_of(CLINIC))
    for place, turn in enumerate(turns):
        conversation = conversation.plus(Speaker.AGENT if place % 2 else Speaker.CALLEE, turn)
    return conversation


def said(conversation: Conversation, hint: str = "") -> str:
    return "".join(heard(conversation, hint)[0])


def test_the_first_piece_is_a_whole_sentence() -> None:
    pieces, _ = heard(clinic("yes"))
    assert pieces[0] == "I'm calling to confirm the dental cleaning on Thursday at 2:30 p.m."
    assert pieces[1].strip() == "Does that still work for you?"


def test_a_reason_that_was_talked_over_is_given_again() -> None:
    cut = clinic("yes").plus(Speaker.AGENT, "I'm calling to", cut=True).plus(Speaker.CALLEE, "yes go on")
    assert "confirm the dental cleaning" in said(cut)


def test_a_yes_to_a_reason_that_was_heard_but_for_its_question_counts() -> None:
    reason = "I'm calling to confirm the dental cleaning on Thursday at 2:30 p.m. Does"
    cut = clinic("yes").plus(Speaker.AGENT, reason, cut=True).plus(Speaker.CALLEE, "yes that works")
    _, end = heard(cut)
    assert end is not None
    assert end.arguments["outcome"] == "confirmed"


def test_an_agent_cut_off_without_a_word_takes_up_its_question() -> None:
    reason = "I'm calling to confirm the dental cleaning on Thursday at 2:30 p.m."
    assert "still work for you?" in said(clinic("yes").plus(Speaker.AGENT, reason, cut=True))


REASON = "I'm calling to confirm the dental cleaning on Thursday at 2:30 p.m. Does that still work for you?"


def test_a_yes_to_a_colleague_who_asked_something_else_confirms_nothing() -> None:
    talk = clinic("yes", REASON).plus(Speaker.OPERATOR, "Hi, Maya here. Can you hear me well?")
    pieces, end = heard(talk.plus(Speaker.CALLEE, "Yes."))
    assert "still work for you?" in "".join(pieces) and end is None


def test_a_yes_to_going_on_after_a_colleague_takes_up_the_open_question() -> None:
    talk = clinic("yes", REASON).plus(Speaker.OPERATOR, "Hi, Maya here. I just wanted to say hello.")
    talk = talk.plus(Speaker.AGENT, handed_back(CLINIC)).plus(Speaker.CALLEE, "Sure.")
    pieces, end = heard(talk)
    assert "still work for you?" in "".join(pieces) and end is None
    asked = talk.plus(Speaker.AGENT, "".join(pieces)).plus(Speaker.CALLEE, "Yes, that works.")
    _, end = heard(asked)
    assert end is not None and end.arguments["outcome"] == "confirmed"


def test_a_no_to_going_on_ends_the_call_and_cancels_nothing() -> None:
    talk = clinic("yes", REASON).plus(Speaker.OPERATOR, "Hi, Maya here. We are all set then.")
    talk = talk.plus(Speaker.AGENT, handed_back(CLINIC)).plus(Speaker.CALLEE, "No, that's it.")
    _, end = heard(talk)
    assert end is not None and end.arguments["outcome"] != "declined"


def test_a_colleague_who_asks_the_open_question_gets_the_answer_to_it() -> None:
    talk = clinic("yes").plus(Speaker.OPERATOR, "Maya here. " + REASON).plus(Speaker.CALLEE, "Yes, that works for me.")
    _, end = heard(talk)
    assert end is not None and end.arguments["outcome"] == "confirmed"


def test_two_turns_without_an_answer_between_them_are_one() -> None:
    reason = "I'm calling to confirm the dental cleaning on Thursday at 2:30 p.m. Does that still work for you?"
    both = clinic("yes", reason, "yes that works").plus(Speaker.CALLEE, "and where do I park")
    assert "Parking is free behind the building." in said(both)


def test_a_voicemail_gets_one_message_and_the_call_ends() -> None:
    pieces, end = heard(clinic(), "The call was answered by voicemail: leave a message.")
    message = "".join(pieces)
    assert "this is Alex, an AI assistant calling for Green Valley Dental" in message
    assert "dental cleaning on Thursday at 2:30 p.m." in message
    assert "call us back" in message
    assert end is not None
    assert end.arguments["outcome"] == "voicemail left"


def test_an_operators_fact_answers_the_question_in_hand() -> None:
    reason = "I'm calling to confirm the dental cleaning on Thursday at 2:30 p.m. Does that still work for you?"
    asked = clinic("yes", reason, "how much does it cost")
    answer = said(asked, "The cleaning costs 80 dollars")
    assert answer.startswith("The cleaning costs 80 dollars.")
    assert "don't have" not in answer


def test_an_operators_word_is_turned_to_the_callee() -> None:
    assert said(clinic(), "tell him that his card is here") == "Your card is here."


def test_advice_on_manners_is_not_read_out() -> None:
    assert said(clinic("yes"), "be friendlier and speak slowly") == said(clinic("yes"))


def test_advice_to_wrap_up_ends_the_call() -> None:
    _, end = heard(clinic("yes"), "wrap up now, time is nearly up")
    assert end is not None
    assert end.arguments["outcome"] == "follow-up needed"


def test_a_call_without_an_opening_begins_with_who_is_calling() -> None:
    text = said(Conversation(CLINIC))
    assert text.startswith("Hi John, this is Alex, an AI assistant calling for Green Valley Dental.")


def test_the_same_conversation_always_gets_the_same_answer() -> None:
    assert heard(clinic("who is this")) == heard(clinic("who is this"))


ORDERS = [
    ("Remind him that the car is ready", "I'm calling to remind you that the car is ready."),
    ("Tell her that her room is free", "I'm calling to let you know that your room is free."),
    ("Let the customer know that their sofa has arrived", "I'm calling to let you know that your sofa has arrived."),
    ("Ask when he picks it up", "I'm calling with a short question. Could you tell me when you pick it up?"),
    ("Find out which size she wants", "Could you tell me which size you want?"),
    ("Ask them whether they are coming to the dinner", "Are you coming to the dinner?"),
    ("Ask if he received the invoice and thank him", "Could you tell me whether you received the invoice?"),
    ("Ask John to bring his passport", "Could you please bring your passport?"),
    ("Confirm that he still wants the table", "I'm calling to confirm that you still want the table. Is that right?"),
    ("Remind her about the lesson on Friday at 3 p.m.", "Will you be able to make it?"),
    ("Collect the overdue payment of $120", "I'm calling about the overdue payment of $120. Could you see to that?"),
    (
        "Schedule a viewing of the flat",
        "I'm calling to schedule a viewing of the flat. Which day and time would suit you?",
    ),
    ("Invite him to the open day on Saturday", "I'm calling to invite you to the open day on Saturday."),
    ("Water the plants", "I'm calling about this: Water the plants. Is that all right with you?"),
]


@pytest.mark.parametrize(("action", "words"), ORDERS)
def test_an_order_becomes_words_to_the_callee(action: str, words: str) -> None:
    brief = Brief(to="+12025550143", action=action, callee_name="John Miller")
    opened = Conversation(brief).plus(Speaker.AGENT, opening_of(brief))
    conversation = opened.plus(Speaker.CALLEE, "yes this is john")
    assert words in said(conversation)


# --- callees of any kind --------------------------------------------------------------------------------------

SAID = """
yes | no | hello? | hold on | what? | who is this | are you a robot | thanks | maybe | bye | friday at ten |
where do I park | how much is it | can we do another day | I don't know | my dog ate the card |  | ... | ? |
tomorrow | the second one | not now | why | yes but where do I park | cancel it | I already did | you | 12
"""
PHRASES = st.sampled_from([phrase.strip() for phrase in SAID.replace("\n", " ").split("|")])
WORDS = st.lists(PHRASES | st.text(max_size=40), min_size=1, max_size=4).map(" ".join)
BRIEFS = st.sampled_from(sorted({script.brief for script in SCRIPTS}, key=lambda brief: brief.action)) | st.builds(
    Brief, to=st.just("+12025550143"), action=st.text(max_size=60), context=st.text(max_size=120)
)


def decided(conversation: Conversation, hint: str = "") -> conduct.Reply:
    return offline.decide(conversation, hint)


@settings(max_examples=150, deadline=None)
@given(BRIEFS, st.lists(WORDS, max_size=5), st.sampled_from(["", "", "", "the callee is silent", "offer Monday at 9"]))
def test_every_answer_can_be_spoken_or_ends_the_call(brief: Brief, turns: list[str], hint: str) -> None:
    conversation = Conversation(brief).plus(Speaker.AGENT, opening_of(brief))
    for turn in turns:
        conversation = conversation.plus(Speaker.CALLEE, turn)
        reply = decided(conversation, hint)
        assert reply.outcome in {None, *Outcome}
        assert all(re.search(r"\w", sentence) for sentence in reply.sentences)
        assert reply.sentences
        asked = sum(sentence.count("?") for sentence in reply.sentences if sentence not in brief.context)
        assert asked <= 1 + brief.action.count("?")
        conversation = conversation.plus(Speaker.AGENT, " ".join(reply.sentences))


@settings(max_examples=150, deadline=None)
@given(BRIEFS, WORDS)
@example(CLINIC, "hold on")
@example(CLINIC, "what?")
@example(CLINIC, "can we do another day")
def test_a_callee_who_says_the_same_for_ever_is_released(brief: Brief, phrase: str) -> None:
    conversation = Conversation(brief).plus(Speaker.AGENT, opening_of(brief))
    for _ in range(15):
        conversation = conversation.plus(Speaker.CALLEE, phrase)
        reply = decided(conversation)
        if reply.outcome:
            return
        conversation = conversation.plus(Speaker.AGENT, " ".join(reply.sentences))
    pytest.fail(f"still talking: {[line.text for line in conversation.lines]}")


OWN_WORDS = " ".join(
    value for module in (agreement, conduct, offline) for value in vars(module).values() if isinstance(value, str)
)
STARTERS = set(
    """
    I'm I Would Could Does Do Did Is Are Am Can Will Yes All Great Thank Thanks No You're Hello This
    It's It Please Of We I'd Which What AI Sure I'll That I've
    """.split()
)


def telling_words(text: str) -> set[str]:
    """The words that carry facts: with a digit or a capital letter."""
    return {word.strip("'") for word in re.findall(r"[\w'$€£:]+", text) if re.search(r"[\dA-Z]", word)}


@pytest.mark.parametrize(
    "brief", {script.brief.action: script.brief for script in SCRIPTS}.values(), ids=lambda brief: brief.action
)
def test_facts_come_from_the_brief_or_the_callee_only(brief: Brief) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(PHRASES, max_size=6))
    def holds(turns: list[str]) -> None:
        conversation = Conversation(brief).plus(Speaker.AGENT, opening_of(brief))
        for turn in turns:
            conversation = conversation.plus(Speaker.CALLEE, turn)
            spoken = " ".join(decided(conversation).sentences)
            known = " ".join(
                (
                    brief.action,
                    brief.context,
                    brief.callee_name,
                    brief.agent_name,
                    brief.organization,
                    opening_of(brief),
                    *turns,
                )
            )
            allowed = {
                word.lower() for word in telling_words(known) | telling_words(OWN_WORDS) | STARTERS | set(known.split())
            }
            assert {word for word in telling_words(spoken) if word.lower() not in allowed} == set()
            conversation = conversation.plus(Speaker.AGENT, spoken)

    holds()
