"""Shared fixtures: no test ever reads the developer's own `.env`, keys or database."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings as hypothesis_settings

from backend.config import Settings

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# How long one example takes says more about what else the machine does than about the code.
hypothesis_settings.register_profile("unhurried", deadline=None)
hypothesis_settings.load_profile("unhurried")

_WITH_SPEECH = frozenset(
    "test_practice_call test_machines test_softphone_browser test_headset_page test_recorded_call test_player_page "
    "test_voicemail_bench test_bench test_callee test_engines test_onset".split()
)
"""Files in which speech is made and recognised in real time, so that browsers at work beside them would be noticed."""

_ALONE = frozenset({"test_desk"})
"""Files in which many calls are drawn at once, for which a busy machine has no time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in _ALONE:
            item.add_marker(pytest.mark.alone)
        if item.path.stem in _WITH_SPEECH:
            item.add_marker(pytest.mark.speech)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    yield
