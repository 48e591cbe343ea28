"""Several language models as one: who is slow is asked again, who fails is replaced, and nobody is left running."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.bench.stand_ins import Model, Plan, Warm
from backend.bench.virtual_time import in_virtual_time, run
from backend.call.hedge import Budget, Pace
from backend.call.manners import Manners
from backend.call.mind import GO_ON, Mind
from backend.models import Answered, Brief, Conversation, ProviderError, Said, Speaker, ToolUse, Trouble

CONVERSATION = Conversation(Brief(to="+12025550143", action="Confirm the visit")).plus(Speaker.CALLEE, "Hello?")
MANNERS = Manners(first_words=2.6, next_words=3.0)
LATE = "The language model gave no words for 2.6 seconds."
QUICK, SLOW = (0.4, "Fine."), (1.6, "Fine.")
"""Four times slower, as the slow answers of a real model are."""
LATE_AFTER = 0.45
"""What counts as late for a model that usually needs 0.4 s."""


def known(usual: float = 0.4, allowed: int = 3) -> Pace:
    """The pace of a model that has answered often before, with so many second requests saved up."""
    pace = Pace(Budget(100))
    for _ in range(50):
        pace.answered(usual)
    for _ in range(allowed):
        pace.budget.earn()
    return pace


@dataclass
class Heard:
    """One answer as its reader saw it."""

    pieces: list[Answered] = field(default_factory=list)
    first: float = 0.0
    """Seconds to the first piece, and to the end."""
    took: float = 0.0

    @property
    def words(self) -> str:
        return "".join(piece.text for piece in self.pieces if isinstance(piece, Said))

    @property
    def troubles(self) -> list[str]:
        return [piece.what for piece in self.pieces if isinstance(piece, Trouble)]


async def ask(mind: Mind, heard: Heard | None = None, hint: str = "") -> Heard:
    heard, clock = heard or Heard(), asyncio.get_running_loop().time
    began = clock()
    async with aclosing(mind.answer(CONVERSATION, hint)) as answer:
        async for piece in answer:
            heard.first = heard.first or clock() - began
            heard.pieces.append(piece)
    heard.took = clock() - began
    return heard


def mind_of(*plans: Sequence[Plan], paces: Sequence[Pace] = (), manners: Manners = MANNERS) -> tuple[Mind, list[Model]]:
    """A mind of one model for each of these; each has a plan for every request, the last one repeated."""
    models = [Model(plan) for plan in plans]
    return Mind(models, manners, paces), models


# --- asked a second time --------------------------------------------------------------------------------------------


@in_virtual_time
async def test_a_late_answer_is_asked_for_again_and_the_quicker_one_is_heard() -> None:
    mind, (model,) = mind_of([(1.6, "Slow words."), (0.4, "Quick ", "words.")], paces=[known()])
    heard = await ask(mind)
    assert heard.pieces == [Said("Quick "), Said("words.")]
    assert heard.first == pytest.approx(LATE_AFTER + 0.4)
    assert (len(model.asked), model.open) == (2, 0)
    assert mind.counts == Counter({"requests": 1, "hedges": 1, "hedges won": 1})


@in_virtual_time
async def test_the_loser_is_let_go_while_the_winner_still_speaks() -> None:
    mind, (model,) = mind_of([(1.6, "Slow."), (0.4, "Quick ", 2.0, "words.")], paces=[known()])
    asking = asyncio.create_task(ask(mind))
    await asyncio.sleep(LATE_AFTER + 0.39)
    assert model.open == 2
    await asyncio.sleep(0.02)
    assert model.open == 1
    assert (await asking).words == "Quick words."


@in_virtual_time
async def test_the_first_request_may_still_win() -> None:
    mind, (model,) = mind_of([(0.6, "First ", 0.5, "words."), (0.4, "Second words.")], paces=[known()])
    heard = await ask(mind)
    assert heard.words == "First words."
    assert heard.first == pytest.approx(0.6)
    assert (len(model.asked), model.open) == (2, 0)
    assert mind.counts == Counter({"requests": 1, "hedges": 1, "hedges won": 0})


@in_virtual_time
async def test_of_two_that_begin_together_the_earlier_request_is_heard() -> None:
    both = known(0.5)
    mind, (model,) = mind_of([(both.late_after + 0.25, "First."), (0.25, "Second.")], paces=[both])
    assert (await ask(mind)).words == "First."
    assert (len(model.asked), model.open) == (2, 0)


@in_virtual_time
async def test_an_answer_in_its_usual_time_is_asked_for_once() -> None:
    mind, (model,) = mind_of([(0.44, "Fine.")], paces=[known()])
    assert (await ask(mind)).words == "Fine."
    assert len(model.asked) == 1
    assert mind.counts == Counter({"requests": 1})


@pytest.mark.parametrize(
    ("paces", "manners"),
    [
        ((), MANNERS),
        ((known(allowed=0),), Manners(hedge=False)),
        ((Pace(Budget()),), MANNERS),
    ],
    ids=["a model that is never asked twice", "switched off", "nothing to spend"],
)
def test_a_late_answer_is_waited_for_when_it_may_not_be_asked_for_again(
    paces: Sequence[Pace], manners: Manners
) -> None:
    async def scene() -> None:
        mind, (model,) = mind_of([SLOW], paces=paces, manners=manners)
        assert (await ask(mind)).first == pytest.approx(1.6)
        assert (len(model.asked), mind.counts["hedges"]) == (1, 0)

    run(scene())


@in_virtual_time
async def test_where_a_model_keeps_failing_another_one_is_asked_the_second_time() -> None:
    failing = known()
    failing.failed()
    failing.failed()
    mind, (first, second) = mind_of([SLOW], [(0.3, "From the other.")], paces=[failing, known(0.3)])
    heard = await ask(mind)
    assert (heard.words, heard.troubles) == ("From the other.", [])
    assert (len(first.asked), len(second.asked), first.open) == (1, 1, 0)
    assert (await ask(mind)).first == pytest.approx(0.3), "the one that answered is asked first from then on"
    assert (len(first.asked), len(second.asked)) == (1, 2)


@in_virtual_time
async def test_when_a_model_hangs_for_everybody_a_new_call_is_answered_by_the_other_within_its_patience() -> None:
    pace, other = known(), known(0.3)
    for _ in range(12):
        mind, _ = mind_of([(60.0,)], [(0.3, "Here.")], paces=[pace, other], manners=Manners(hedge=False))
        assert (await ask(mind)).troubles
    mind, _ = mind_of([(60.0,)], [(0.3, "Here.")], paces=[pace, other])
    heard = await ask(mind)
    assert (heard.words, heard.troubles) == ("Here.", [])
    assert heard.first == pytest.approx(1.3)


# --- what goes wrong --------------------------------------------------------------------------------------------------

GONE = ProviderError("Claude is gone.")


@pytest.mark.parametrize(
    "plans", [[(0.6, GONE), (0.5, "Here.")], [(0.9, "Here."), (0.1, GONE)]], ids=["the first", "the second"]
)
def test_a_request_that_fails_beside_its_twin_is_no_failure(plans: list[Plan]) -> None:
    async def scene() -> None:
        mind, (model, other) = mind_of(plans, [("Not asked.",)], paces=[known(), known()])
        heard = await ask(mind)
        assert heard.pieces == [Said("Here.")]
        assert (len(model.asked), len(other.asked), model.open) == (2, 0, 0)

    run(scene())


@in_virtual_time
async def test_a_model_that_fails_twice_is_one_trouble() -> None:
    plans = [(0.6, GONE), (0.3, ProviderError("Claude is gone for good."))]
    mind, (_, other) = mind_of(plans, [("Here.",)], paces=[known(), known()])
    heard = await ask(mind)
    assert heard.pieces == [Trouble("Claude is gone for good."), Said("Here.")]
    assert len(other.asked) == 1


@in_virtual_time
async def test_a_failing_model_is_replaced_at_once_and_asked_last_from_then_on() -> None:
    mind, (first, second) = mind_of([(GONE,)], [("Here.",)], paces=[known(), known()])
    assert (await ask(mind)).pieces == [Trouble("Claude is gone."), Said("Here.")]
    assert (await ask(mind)).pieces == [Said("Here.")]
    assert (len(first.asked), len(second.asked)) == (1, 2)
    assert mind.counts["requests"] == 3


@in_virtual_time
async def test_the_ladder_ends_within_two_deadlines() -> None:
    mind, models = mind_of([(60.0,)], [(60.0,)], paces=[known(), known()])
    heard = Heard()
    with pytest.raises(ProviderError, match="No language model answered"):
        await ask(mind, heard)
    assert heard.troubles == [LATE, LATE]
    assert asyncio.get_running_loop().time() == pytest.approx(5.2)
    assert [(len(model.asked), model.open) for model in models] == [(2, 0), (2, 0)]


@in_virtual_time
async def test_the_next_model_need_not_wait_until_the_late_one_has_let_go() -> None:
    @dataclass
    class Clinging(Model):
        async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
            self.open += 1
            try:
                await asyncio.sleep(60)
                yield Said("Never.")
            finally:
                await asyncio.sleep(0.5)
                self.open -= 1

    late = Clinging()
    heard = await ask(Mind([late, Model([(0.2, "Here.")])], MANNERS))
    assert (heard.words, late.open) == ("Here.", 0)
    assert heard.first == pytest.approx(2.6)
    assert heard.took == pytest.approx(3.1)


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [(GONE, "Claude is gone."), (60.0, "The language model gave no words for 3 seconds.")],
)
def test_an_answer_that_breaks_off_is_gone_on_with_by_the_next_model(fault: float | Exception, trouble: str) -> None:
    async def scene() -> None:
        mind, (first, second) = mind_of(
            [(1.6, "Never heard."), (0.4, "It is on ", fault)], [("Thursday.",)], paces=[known(), known()]
        )
        heard = await ask(mind, hint="Be brief.")
        assert heard.pieces == [Said("It is on "), Trouble(trouble), Said("Thursday.")]
        ((conversation, hint),) = second.asked
        assert (conversation.lines[-1].text, hint) == ("It is on ", f"Be brief. {GO_ON}")
        assert (first.open, second.open) == (0, 0)

    run(scene())


@pytest.mark.parametrize("nothing", [(), (" ",), (ToolUse("unheard_of", {}),)])
def test_an_answer_of_nothing_is_none_and_the_next_model_is_asked(nothing: Plan) -> None:
    async def scene() -> None:
        mind, (first, second) = mind_of([nothing], [("Thursday.",)])
        heard = await ask(mind)
        assert heard.words.strip() == "Thursday."
        assert heard.troubles == ["The language model answered without words."]
        await ask(mind)
        assert (len(first.asked), len(second.asked)) == (1, 2), "it is asked last from then on"

    run(scene())


@in_virtual_time
async def test_when_no_model_has_anything_to_say_it_is_an_error() -> None:
    mind, _ = mind_of([()], [("",)])
    with pytest.raises(ProviderError, match="No language model"):
        await ask(mind)


@pytest.mark.parametrize("tool", ["end_call", "press_keys", "ask_operator"])
def test_a_tool_alone_is_an_answer(tool: str) -> None:
    async def scene() -> None:
        mind, (_, second) = mind_of([(ToolUse(tool, {}),)], [("Not asked.",)])
        assert (await ask(mind)).pieces == [ToolUse(tool, {})]
        assert second.asked == []

    run(scene())


@in_virtual_time
async def test_a_sentence_that_broke_off_may_have_been_all() -> None:
    mind, _ = mind_of([("It is on Thursday.", ProviderError("gone"))], [()])
    assert (await ask(mind)).words == "It is on Thursday."


@pytest.mark.parametrize("plans", [[(ValueError("a bug"),)], [(1.6, "Slow."), (0.1, ValueError("a bug"))]])
def test_a_mistake_of_ours_is_not_taken_for_a_failing_model(plans: list[Plan]) -> None:
    async def scene() -> None:
        mind, (model, other) = mind_of(plans, [("Here.",)], paces=[known(), known()])
        with pytest.raises(ValueError, match="a bug"):
            await ask(mind)
        assert (model.open, len(other.asked)) == (0, 0)

    run(scene())


STEPS = st.lists(
    st.one_of(st.sampled_from([0.2, 0.5, 1.0, 2.0, 2.9, 60.0]), st.sampled_from(["Well, ", "fine."]), st.just(GONE)),
    max_size=6,
)


@settings(max_examples=300)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=1, max_size=3), st.integers(0, 3))
def test_whatever_the_models_do_something_comes_before_each_deadline_and_nobody_is_left_running(
    plans: list[list[Plan]], allowed: int
) -> None:
    async def scene() -> None:
        mind, models = mind_of(*plans, paces=[known(allowed=allowed) for _ in plans])
        clock = asyncio.get_running_loop().time
        for _ in range(3):
            heard, failed, times = Heard(), False, [clock()]
            try:
                async with aclosing(mind.answer(CONVERSATION)) as answer:
                    async for piece in answer:
                        heard.pieces.append(piece)
                        times.append(clock())
            except ProviderError:
                failed = True
            times.append(clock())
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert max(gaps) <= MANNERS.next_words + 1e-6
            assert gaps[0] <= MANNERS.first_words + 1e-6
            assert (len(heard.troubles) == len(models)) == failed
            assert [model.open for model in models] == [0] * len(models)
        asked = sum(len(model.asked) for model in models)
        assert asked == mind.counts["requests"] + mind.counts["hedges"]
        assert mind.counts["hedges won"] <= mind.counts["hedges"]

    run(scene())


# --- cancelled and closed ---------------------------------------------------------------------------------------------


@dataclass
class Slow(Model):
    """Takes its time to let go of a request, as a connection may."""

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        async with aclosing(super().answer(conversation, hint)) as pieces:  # type: ignore[type-var]
            try:
                async for piece in pieces:
                    yield piece
            finally:
                self.open += 1
                try:
                    await asyncio.sleep(0.05)
                finally:
                    self.open -= 1


@settings(max_examples=200)
@given(st.floats(0, 4), st.integers(1, 3), st.sampled_from([0.0, 0.01, 0.03]))
def test_cancelled_at_any_moment_and_any_number_of_times_it_waits_until_all_requests_are_gone(
    moment: float, times: int, apart: float
) -> None:
    async def scene() -> None:
        models = [Slow([(2.0, "Slow ", 0.4, "words."), (0.9, "Quick ", 0.4, "words.", 60.0)]), Slow([(60.0,)])]
        asking = asyncio.create_task(ask(Mind(models, MANNERS, [known(), known()])))
        await asyncio.sleep(moment)
        for _ in range(times):
            asking.cancel()
            await asyncio.sleep(apart)
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert [model.open for model in models] == [0, 0]

    run(scene())


@in_virtual_time
async def test_closed_after_any_piece_it_waits_until_all_requests_are_gone() -> None:
    for enough in (1, 2):
        mind, (model,) = mind_of([(1.6, "Slow."), (0.4, "Quick ", "words ", "go on.")], paces=[known()])
        answer = mind.answer(CONVERSATION)
        for _ in range(enough):
            await anext(answer)
        await answer.aclose()
        assert (len(model.asked), model.open) == (2, 0)


@in_virtual_time
async def test_a_cancelled_answer_tells_nothing_about_the_pace() -> None:
    """Replies prepared in vain are cancelled all the time, before their first words as often as after."""
    pace = Pace(Budget())
    mind, _ = mind_of([(0.4, "Fine.", 60.0)], paces=[pace])
    for patience in [0.1] * 20 + [0.41] * 10:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await ask(mind)
    assert pace.late_after == pytest.approx(LATE_AFTER)


@in_virtual_time
async def test_two_requests_let_go_at_the_same_time() -> None:
    mind = Mind([Slow([(60.0,)])], MANNERS, [known()])
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await ask(mind)
    assert asyncio.get_running_loop().time() == pytest.approx(1.05)


# --- what is learned --------------------------------------------------------------------------------------------------


class Noted(Pace):
    """A pace that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(Budget(100))
        self.told: list[tuple[str, float]] = []

    def answered(self, seconds: float) -> None:
        self.told.append(("answered", round(seconds, 3)))
        super().answered(seconds)

    def overtaken(self, seconds: float) -> None:
        self.told.append(("overtaken", round(seconds, 3)))
        super().overtaken(seconds)

    def failed(self) -> None:
        self.told.append(("failed", 0.0))
        super().failed()


@pytest.mark.parametrize(
    ("plans", "told"),
    [
        ([QUICK], [("answered", 0.4)]),
        ([(1.6, "Slow."), (0.4, "Quick.")], [("overtaken", 1.4)]),
        ([(1.2, "First."), (0.4, "Second.")], [("answered", 1.2)]),
        ([(1.2, GONE), (0.4, "Here.")], [("answered", 0.4), ("failed", 0.0)]),
        ([(0.2, GONE)], [("failed", 0.0)]),
        ([(60.0,)], [("overtaken", 2.6), ("failed", 0.0)]),
    ],
    ids=["alone", "overtaken", "still first", "failed beside its twin", "failed", "late"],
)
def test_each_answer_tells_one_time_at_most(plans: list[Plan], told: list[tuple[str, float]]) -> None:
    """Nothing is known of this model yet, so that it is late after one second."""

    async def scene() -> None:
        pace = Noted()
        mind, _ = mind_of(plans, paces=[pace])
        with suppress(ProviderError):
            await ask(mind)
        assert pace.told == told

    run(scene())


@in_virtual_time
async def test_nobody_is_asked_again_when_there_is_no_time_left_to_answer() -> None:
    mind, (model,) = mind_of([(60.0,)], paces=[known(3.0)])
    with pytest.raises(ProviderError):
        await ask(mind)
    assert (len(model.asked), mind.counts["hedges"]) == (1, 0)


# --- what it is worth -------------------------------------------------------------------------------------------------


class Tailed(Warm):
    """A model with a slow tail: some answers take four times as long to begin."""

    def __init__(self, slow: float) -> None:
        self.asked = 0
        self._slow = slow
        self._chance = random.Random(7)

    async def warm(self, conversation: Conversation) -> None:
        return None

    async def answer(self, conversation: Conversation, hint: str = "") -> AsyncIterator[Answered]:
        self.asked += 1
        await asyncio.sleep(self._chance.gauss(0.35, 0.02) * (4 if self._chance.random() < self._slow else 1))
        yield Said("Fine.")


def first_words(slow: float, hedge: bool, answers: int = 2000) -> tuple[list[float], float]:
    """The times to the first words in ascending order, and the requests for each answer."""
    model = Tailed(slow)

    async def scene() -> list[float]:
        mind = Mind([model], Manners(hedge=hedge), [Pace(Budget())])
        return sorted([(await ask(mind)).first for _ in range(answers)])

    return run(scene(), limit=2.0 * answers), model.asked / answers


@pytest.mark.parametrize(("slow", "percent"), [(0.05, 99), (0.08, 95), (0.12, 95)])
def test_a_slow_tail_is_cut_short_for_few_more_requests(slow: float, percent: int) -> None:
    plain, _ = first_words(slow, hedge=False)
    hedged, requests = first_words(slow, hedge=True)
    at, middle = len(plain) * percent // 100, len(plain) // 2
    assert requests <= 1.15
    assert hedged[at] <= 0.7 * plain[at]
    assert hedged[middle] == pytest.approx(plain[middle], abs=0.01)


def test_a_model_that_is_slow_altogether_is_not_asked_twice_all_the_time() -> None:
    _, requests = first_words(1.0, hedge=True, answers=500)
    assert requests <= 1.02
