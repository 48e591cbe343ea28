"""What callers of all kinds want, read from their words."""

from __future__ import annotations

import pytest

from backend.practice.wish import Wish, named_time, wish_of


@pytest.mark.parametrize(
    ("turn", "wish"),
    [
        ("Hi Jordan, this is Alex calling for Green Valley Dental. Do you have a quick moment?", Wish.MOMENT),
        ("Hi, is this a good time?", Wish.MOMENT),
        ("Hello, this is Alex, an AI assistant with Acme. Have I caught you at a bad time?", Wish.MOMENT),
        ("Could you spare two minutes?", Wish.MOMENT),
        ("Am I speaking with Jordan?", Wish.WHO),
        ("Hi, may I speak to Jordan, please?", Wish.WHO),
        ("Is this Jordan?", Wish.WHO),
        ("Hi Jordan, how are you today?", Wish.MANNERS),
        ("I'm calling to confirm your appointment on Tuesday at three. Does that still work for you?", Wish.BUSINESS),
        ("We wanted to let you know that your car is ready.", Wish.BUSINESS),
        ("How about Thursday at two?", Wish.BUSINESS),
        ("We have Wednesday at ten or Thursday at two. Which would you prefer?", Wish.BUSINESS),
        ("Which works better for you, Wednesday at ten or Thursday at two?", Wish.BUSINESS),
        ("We have a free slot on Friday morning.", Wish.BUSINESS),
        ("So that's Friday at ten. Is that right?", Wish.BUSINESS),
        ("How does that sound?", Wish.BUSINESS),
        ("I don't have that information, but someone will follow up with you.", Wish.BUSINESS),
        ("What time would work better for you?", Wish.WHEN),
        ("I understand. When would suit you?", Wish.WHEN),
        ("What time on Friday works for you?", Wish.WHEN),
        ("When would be a good time to call you back?", Wish.WHEN),
        ("Is there a better time to reach you?", Wish.WHEN),
        ("Please let me know what day works for you.", Wish.WHEN),
        ("What's your date of birth?", Wish.DETAIL),
        ("Why is that?", Wish.DETAIL),
        ("I'm calling to ask how many of you will come. Could you tell me that?", Wish.DETAIL),
        ("Could you tell me whether you can make it?", Wish.BUSINESS),
        ("The office is closed on Monday. Do you have any questions about that?", Wish.MORE),
        ("Great, you're all set. Is there anything else I can help you with?", Wish.MORE),
        ("Do you have any other questions for me?", Wish.MORE),
        ("Hello? Are you still there?", Wish.PRESENT),
        ("Can you hear me?", Wish.PRESENT),
        ("Hello?", Wish.PRESENT),
        ("Sorry, I didn't catch that. Could you say that again?", Wish.REPEAT),
        ("I'm sorry, I didn't quite hear you.", Wish.REPEAT),
        ("One moment, please.", Wish.HOLD),
        ("Let me just check that for you.", Wish.HOLD),
        ("Okay, great.", Wish.NOTHING),
        ("Thank you very much.", Wish.NOTHING),
        ("", Wish.NOTHING),
        ("...", Wish.NOTHING),
        ("Thanks for your time, Jordan. Have a great day. Goodbye.", Wish.GOODBYE),
        ("Perfect, I've noted that. Have a great rest of your day!", Wish.GOODBYE),
        ("You’re all set. We’ll see you on Tuesday.", Wish.GOODBYE),
        ("Alright, bye bye.", Wish.GOODBYE),
        ("If there's anything else, just call us. Take care.", Wish.GOODBYE),
        ("Hi John, this is Alex, an AI assistant calling.", Wish.NOTHING),
        ("Hi, John. This is Alex, an AI assistant calling for Green Dental.", Wish.NOTHING),
        ("Hi John, this is Alex calling. Do you have a quick Mormon?", Wish.MOMENT),
        ("This is Alex calling to confirm your visit on Tuesday.", Wish.BUSINESS),
        ("This is Alex calling for your visit on Tuesday at ten.", Wish.BUSINESS),
    ],
)
def test_what_a_turn_wants(turn: str, wish: Wish) -> None:
    assert wish_of(turn) is wish


@pytest.mark.parametrize(
    ("turn", "time"),
    [
        ("Does Tuesday at three still work?", "Tuesday at three"),
        ("It's on Tuesday, at 3 PM. Can you make it?", "Tuesday, at 3 PM"),
        ("It's on Tuesday at 3 p.m. with Dr. Lee.", "Tuesday at 3 p.m."),
        ("It's at 3 PM. Can you make it?", "3 PM"),
        ("We could do Wednesday at ten or Thursday at two. Which would you like?", "Wednesday at ten"),
        ("Friday isn't free, but how about Thursday at two?", "Thursday at two"),
        ("I'm afraid Friday is not available. Someone will call you.", ""),
        ("Your car is ready.", ""),
    ],
)
def test_the_time_that_a_turn_names(turn: str, time: str) -> None:
    assert named_time(turn) == time
