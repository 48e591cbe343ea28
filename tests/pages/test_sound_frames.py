"""Where a page shows the media server's own pages, which carry the sound of calls."""

from __future__ import annotations

from types import SimpleNamespace

import _ui
import pytest

from backend.config import load


class Shown:
    """What a page draws, from wherever its dashboard is looked at."""

    def __init__(self, url: str | None) -> None:
        self.context = SimpleNamespace(url=url)
        self.frames: list[str] = []
        self.captions: list[str] = []

    def iframe(self, url: str, height: int) -> None:
        self.frames.append(url)

    def caption(self, text: str) -> None:
        self.captions.append(text)


@pytest.mark.parametrize(
    ("looked_at", "public_host", "frames"),
    [
        ("http://localhost:8501/live", "", ["http://127.0.0.1:8000/headset"]),
        (None, "", ["http://127.0.0.1:8000/headset"]),
        ("http://localhost:8501/live", "media.example.com", ["http://127.0.0.1:8000/headset"]),
        ("https://desk.example.com/live", "media.example.com", ["https://media.example.com/headset"]),
        ("https://desk.example.com/live", "", []),
    ],
)
def test_sound_comes_from_where_the_browser_reaches_it_or_the_page_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, looked_at: str | None, public_host: str, frames: list[str]
) -> None:
    shown = Shown(looked_at)
    monkeypatch.setattr(_ui, "st", shown)
    monkeypatch.setattr(_ui, "settings", lambda: load(_env_file=None, public_host=public_host))
    _ui.media_page("/headset", 190)
    assert shown.frames == frames
    assert [r"PUBLIC\_HOST" in caption for caption in shown.captions] == ([] if frames else [True])
