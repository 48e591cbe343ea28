"""Shared fixtures: no test ever reads the developer's own `.env`, keys or database."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from backend.config import Settings

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    yield
