"""ElevenLabs' messages are read in every spelling, and its errors become sentences a person can act on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.models import Denied, ProviderError
from backend.tts import elevenlabs_wire as wire
from backend.tts.alignment import Letter


def test_both_spellings_of_every_key_are_read() -> None:
    camel = {"chars": ["H"], "charStartTimesMs": [3], "charDurationsMs": [60]}
    plural = {"chars": ["H"], "charStartTimesMs": [3], "charsDurationsMs": [60]}
    snake = {"chars": ["H"], "char_start_times_ms": [3], "chars_durations_ms": [60]}
    for timing in (camel, plural, snake):
        assert wire.read(json.dumps({"audio": "/w==", "alignment": timing})).letters == [Letter("H", 3, 63)]
    for final in ({"contextId": "7", "isFinal": True}, {"context_id": "7", "is_final": True}):
        message = wire.read(json.dumps(final))
        assert (message.context, message.final) == ("7", True)


def test_characters_as_sent_are_preferred_to_those_spelt_out() -> None:
    sent, spelt = ({"chars": [char], "charStartTimesMs": [0], "charDurationsMs": [9]} for char in "2t")
    both = wire.read(json.dumps({"audio": "/w==", "alignment": sent, "normalizedAlignment": spelt}))
    one = wire.read(json.dumps({"audio": "/w==", "alignment": None, "normalizedAlignment": spelt}))
    assert (both.letters[0].char, one.letters[0].char) == ("2", "t")


@pytest.mark.parametrize("raw", ["", "[]", "hello", '{"audio": "a"}', '{"audio": 3}', b"\xff\xfe"])
def test_what_cannot_be_read_is_a_provider_error(raw: str | bytes) -> None:
    with pytest.raises(ProviderError, match="cannot be read"):
        wire.read(raw)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"message": "Invalid API key"}, Denied),
        ({"error": {"status": "quota_exceeded", "message": "x", "code": 1008}}, Denied),
        ({"message": "Your plan allows 3 concurrent requests", "error": "too_many_concurrent_requests"}, ProviderError),
        ({"detail": {"status": "quota_exceeded", "message": "You have 0 credits remaining."}}, Denied),
        ({"detail": "Your quota is used up."}, Denied),
        ({"detail": [{"loc": ["query"], "msg": "model_id is unknown"}]}, ProviderError),
        ({"error": {"code": 1008}, "message": {"of": "another shape"}}, ProviderError),
        ({"message": "voice_settings field must be provided in the first message"}, ProviderError),
    ],
)
def test_errors_are_known_by_name_or_else_by_their_sentence(message: dict[str, Any], kind: type[ProviderError]) -> None:
    with pytest.raises(ProviderError) as error:
        wire.read(json.dumps(message))
    assert type(error.value) is kind


@pytest.mark.parametrize(
    "alignment",
    [
        1,
        {"chars": ["H"], "charStartTimesMs": [None], "charDurationsMs": [9]},
        {"chars": "H", "charStartTimesMs": [0], "charDurationsMs": [9]},
        {"chars": ["H"], "charStartTimesMs": [float("inf")], "charDurationsMs": [9]},
    ],
)
def test_sound_whose_timing_cannot_be_read_is_still_sound(alignment: object) -> None:
    message = wire.read(json.dumps({"audio": "/w==", "alignment": alignment, "contextId": "7"}))
    assert (message.sound, message.letters, message.context) == (b"\xff", [], "7")


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("max_character_limit_exceeded", "so long a sentence"),
        ("max_active_conversations", "more than five sentences"),
        ("quota_exceeded", "no characters left"),
    ],
)
def test_each_limit_has_a_meaning_of_its_own(name: str, meaning: str) -> None:
    assert meaning in str(wire.complaint(name, ""))
