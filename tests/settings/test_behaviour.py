"""What the settings say of the agent's behaviour is how it behaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.call.manners import Manners, voicemail
from backend.config import load
from backend.models import Brief
from backend.settings.behaviour import manners, read_out

CALLEE = Brief("+12025550143", "Confirm the visit", callee_name="Dana")


def test_what_is_not_set_is_as_it_was_measured() -> None:
    assert manners(load()) == Manners()


def test_the_settings_are_the_manners() -> None:
    settings = load(ai_disclosure=False, record_calls=True, operator_wait=0, one_moment_after=2.2, max_call_minutes=1)
    found = manners(settings)
    assert (found.discloses, found.records, found.notice) == (False, True, "This call is recorded.")
    assert (found.operator_wait, found.longest_call, found.filler_after) == (0, 60, 2.2)
    assert found.voiceless_after == pytest.approx(2.5)


@given(st.floats(0.5, 2.2))
def test_nobody_hears_more_silence_than_is_promised_whatever_is_set(after: float) -> None:
    assert max(manners(load(one_moment_after=after)).filler_after, manners(load()).voiceless_after) <= 2.5


@pytest.mark.parametrize(
    ("number", "region", "said"),
    [
        ("", "US", ""),
        ("+12025550143", "US", "2 0 2, 5 5 5, 0 1 4 3"),
        ("+12025550143", "GB", "plus 1, 2 0 2, 5 5 5, 0 1 4 3"),
        ("+442071838750", "GB", "0 2 0, 7 1 8 3, 8 7 5 0"),
    ],
)
def test_a_number_is_read_out_as_people_there_say_it(number: str, region: str, said: str) -> None:
    assert read_out(number, region) == said


def test_a_message_names_the_number_to_call_back_where_there_is_one() -> None:
    message = voicemail(CALLEE, callback=manners(load(callback_number="+12025550177")).callback)
    assert "Please call us back at 2 0 2, 5 5 5, 0 1 7 7, when you have a moment." in message
    assert "Please call us back when you have a moment." in voicemail(CALLEE)
