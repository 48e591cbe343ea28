"""Questions of callees, and the sentence of the context that answers each; or none, and then nothing is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.brain.intents import plain
from backend.brain.retrieval import answer, offers, sentences

TRADES = {
    "clinic": (
        "the dental cleaning on Thursday at 2:30 p.m.",
        """
        The appointment is with Dr. Smith at Green Valley Dental, 12 Main Street. It takes 45 minutes. Parking is free
        behind the building. Please bring the insurance card. Do not eat for two hours before the cleaning. If Thursday
        does not work, Friday at 10 a.m. or Monday at 3 p.m. are free.
        """,
    ),
    "garage": (
        "the car is ready",
        """
        The repair costs 240 dollars. The garage is open until 6 p.m. on weekdays. The garage is at 4 Elm Street. You
        can pay by card or cash. There is a one year warranty on the brakes. The loan car must be returned with a full
        tank.
        """,
    ),
    "school": (
        "Maya can come to the museum trip on June 12",
        """
        - Trip: the city museum on June 12, by bus
        - The bus leaves at 8:15 a.m.
        - Children need a packed lunch and a rain jacket
        - The trip is free
        - Mrs. Adams comes along as a helper
        """,
    ),
    "landlord": (
        "the plumber comes on Monday at 9 a.m.",
        """
        The plumber is Mr. Novak. He repairs the kitchen sink. It takes about two hours. There is no charge. The water
        is off from 9 to 11 a.m. Pets should stay in another room.
        """,
    ),
    "restaurant": (
        "your table for four on Saturday at 7 p.m.",
        """
        The table is on the terrace. The kitchen closes at 10 p.m. There is a vegetarian menu. Dogs are welcome. The
        table is held for 15 minutes.
        """,
    ),
    "collections": (
        "the electricity bill of $84.50 was due on November 3",
        """
        The bill can be paid online or by bank transfer. Paying in two parts is possible. After November 30 there is a
        late fee of $10. Questions about the bill go to billing@north.example or 555-0143.
        """,
    ),
}
ANSWERED = [
    ("clinic", "where do I park?", "Parking is free"),
    ("clinic", "is there parking", "Parking is free"),
    ("clinic", "do i have to pay for parking", "Parking is free"),
    ("clinic", "can I park my car there", "Parking is free"),
    ("clinic", "how much is parking", "Parking is free"),
    ("clinic", "where is it", "12 Main Street"),
    ("clinic", "what's the address", "12 Main Street"),
    ("clinic", "how long does it take", "45 minutes"),
    ("clinic", "how long is the appointment", "45 minutes"),
    ("clinic", "how long will I be there", "45 minutes"),
    ("clinic", "who is it with", "Dr. Smith"),
    ("clinic", "which doctor will i see", "Dr. Smith"),
    ("clinic", "what do i need to bring", "insurance card"),
    ("clinic", "should I bring anything", "insurance card"),
    ("clinic", "do you need my insurance card", "insurance card"),
    ("clinic", "can i eat before the cleaning", "Do not eat"),
    ("garage", "how much is the repair", "240 dollars"),
    ("garage", "what does the repair cost", "240 dollars"),
    ("garage", "how late are you open", "6 p.m."),
    ("garage", "where is the garage", "4 Elm Street"),
    ("garage", "can I pay with a card", "card or cash"),
    ("garage", "do you take cash", "card or cash"),
    ("garage", "is there a guarantee on the brakes", "warranty"),
    ("school", "when does the bus leave", "8:15 a.m."),
    ("school", "what time does the bus leave", "8:15 a.m."),
    ("school", "do the kids need lunch", "packed lunch"),
    ("school", "how much does the trip cost", "The trip is free"),
    ("school", "is the trip free", "The trip is free"),
    ("school", "does she need a jacket", "rain jacket"),
    ("landlord", "who is the plumber", "Mr. Novak"),
    ("landlord", "how long will it take", "about two hours"),
    ("landlord", "do i have to pay anything", "no charge"),
    ("landlord", "what does it cost", "no charge"),
    ("landlord", "when is the water off", "The water is off"),
    ("landlord", "what about my pets", "Pets should stay"),
    ("restaurant", "can i bring my dog", "Dogs are welcome"),
    ("restaurant", "do you have vegetarian food", "vegetarian menu"),
    ("restaurant", "when does the kitchen close", "10 p.m."),
    ("restaurant", "is the table outside on the terrace", "terrace"),
    ("restaurant", "how long do you hold the table", "15 minutes"),
    ("collections", "can i pay online", "paid online"),
    ("collections", "how much is the late fee", "late fee of $10"),
    ("collections", "what number can i call", "555-0143"),
]
UNKNOWN = [
    ("clinic", "how much does it cost"),
    ("clinic", "how much is the cleaning"),
    ("clinic", "do you accept visa"),
    ("clinic", "can i bring my daughter"),
    ("clinic", "will it hurt"),
    ("clinic", "is there a bus stop nearby"),
    ("clinic", "where is the bathroom"),
    ("clinic", "what floor is it on"),
    ("clinic", "is the building wheelchair accessible"),
    ("clinic", "who is the receptionist"),
    ("clinic", "how did you get my number"),
    ("clinic", "do you speak spanish"),
    ("clinic", "is dr smith married"),
    ("clinic", "can you whiten my teeth"),
    ("garage", "did you change the oil"),
    ("garage", "where do i park"),
    ("garage", "how long did the repair take"),
    ("garage", "who repaired it"),
    ("garage", "do you have winter tyres"),
    ("garage", "are you open on sunday morning for breakfast"),
    ("school", "how many teachers are there"),
    ("school", "is there a toilet on the bus"),
    ("school", "can she bring her phone"),
    ("landlord", "can he fix the heating as well"),
    ("landlord", "will the rent go up"),
    ("landlord", "does he speak english"),
    ("restaurant", "do you have natural wine"),
    ("restaurant", "how much is the menu"),
    ("restaurant", "is there parking"),
    ("restaurant", "who is the chef"),
    ("collections", "why is the bill so high"),
    ("collections", "can i get a discount"),
    ("collections", "what is my account number"),
]


def test_there_are_enough_questions_of_both_kinds() -> None:
    assert len(ANSWERED) >= 40
    assert len(UNKNOWN) >= 20


@pytest.mark.parametrize(("trade", "question", "words"), ANSWERED)
def test_a_question_is_answered_by_its_sentence(trade: str, question: str, words: str) -> None:
    topic, context = TRADES[trade]
    assert words in answer(plain(question), context, topic)


@pytest.mark.parametrize(("trade", "question"), UNKNOWN)
def test_what_the_context_does_not_say_is_not_answered(trade: str, question: str) -> None:
    topic, context = TRADES[trade]
    assert answer(plain(question), context, topic) == ""


@given(st.text(max_size=80), st.text(max_size=200))
def test_an_answer_is_a_sentence_of_the_context(question: str, context: str) -> None:
    assert answer(question, context) in {"", *sentences(context)}


def test_a_title_or_a_time_does_not_end_a_sentence() -> None:
    context = "Dr. Smith is in at 10 a.m. on Friday. The fee is $1.50. Ask Mr. Lee."
    assert sentences(context) == ("Dr. Smith is in at 10 a.m. on Friday.", "The fee is $1.50.", "Ask Mr. Lee.")


def test_a_line_that_was_wrapped_is_one_sentence() -> None:
    assert sentences("Two people carry it\nupstairs.\nIt is free") == ("Two people carry it upstairs.", "It is free")


@pytest.mark.parametrize(
    ("context", "times"),
    [
        (TRADES["clinic"][1], ["Friday at 10 a.m.", "Monday at 3 p.m."]),
        ("Available instead: Thursday at 5 p.m. and Friday at 6 p.m.", ["Thursday at 5 p.m.", "Friday at 6 p.m."]),
        ("Viewings are possible on Tuesday between 9 and 11 a.m.", ["Tuesday between 9 and 11 a.m."]),
        ("We are open Monday to Friday from 9 a.m. to 7 p.m.", []),
        ("The appointment is on Thursday at 2 p.m.", []),
    ],
)
def test_only_times_that_are_given_away_are_offered(context: str, times: list[str]) -> None:
    assert [when.text for when in offers(context)] == times
