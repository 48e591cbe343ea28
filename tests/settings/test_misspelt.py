"""Keys in `.env` that are no settings are named, with the setting that was probably meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.config import Settings
from backend.settings.misspelt import Unknown, unknown

KEYS = [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MAX_CALL_PER_HOUR", "MAX_CALLS_PER_HOUR"),
        ("ANTROPIC_API_KEY", "ANTHROPIC_API_KEY"),
        ("CALLING_HOUR", "CALLING_HOURS"),
        ("twilio_phonenumber", "TWILIO_PHONE_NUMBER"),
    ],
)
def test_a_misspelt_key_is_named_with_the_one_that_was_meant(written: str, meant: str) -> None:
    [found] = unknown([written])
    assert str(found) == f"{written} in .env is no setting: did you mean {meant}?"


def test_a_key_like_no_other_is_named_too() -> None:
    assert unknown(["GIZMO"]) == [Unknown("GIZMO")]
    assert str(unknown(["GIZMO"])[0]) == "GIZMO in .env is no setting; docs/configuration.md has them all."


@pytest.mark.parametrize(
    "key", ["STREAMLIT_SERVER_PORT", "FORWARDED_ALLOW_IPS", "HTTPS_PROXY", "TZ", "NGROK_AUTHTOKEN"]
)
def test_what_other_programs_read_is_passed_over(key: str) -> None:
    assert unknown([key, key.lower()]) == []


@given(st.sampled_from(KEYS), st.data())
def test_every_setting_is_known_and_found_again_without_one_of_its_letters(key: str, data: st.DataObject) -> None:
    assert unknown([key]) == unknown([key.lower()]) == []
    gone = data.draw(st.integers(0, len(key) - 1))
    [found] = unknown([key[:gone] + key[gone + 1 :]]) or [Unknown(key, key)]
    assert found.meant
