"""What a callee of the benchmark says or sounds like: frames, and for each the words that are over with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backend import audio
from backend.bench.delays import FRAME
from backend.bench.sounds.sounds import Clip, Kind, Part, frames

HEARD = -60.0
"""dBFS; a quieter frame is no speech, whatever its label says."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One utterance or noise."""

    label: str
    frames: tuple[bytes, ...]
    words: tuple[str | None, ...]
    """For each frame the words that are over with it; None where nobody speaks."""
    onset: float = 0.0
    """Seconds from its beginning to the first that can be heard."""
    ends: float = 0.0
    """Seconds from its beginning to the end of the last that can be heard."""


def of_clip(clip: Clip) -> Saying:
    """A clip with its words as a recogniser would write them."""
    cut, texts = frames(clip.sound), _written([part.text for part in clip.parts])
    words: list[str | None] = [None] * len(cut)
    for part, text in zip(clip.parts, texts, strict=True):
        if clip.kind is not Kind.NOISE:
            for place, said in _heard(cut, _spelt(part, text)):
                words[place] = said
    return Saying(f"{clip.kind}: {clip.text}", tuple(cut), tuple(words), clip.onset, clip.parts[-1].ends)


def of_noise(text: str, seconds: float, seed: int) -> Saying:
    """Sound as loud as speech that never repeats, in which these words are said, one after the other."""
    count = round(seconds / FRAME)
    samples = np.random.default_rng(seed).uniform(-0.3, 0.3, count * audio.FRAME)
    cut = frames(audio.encode(samples.astype(np.float32)))
    said = dict(_spelt(Part(text, 0.0, seconds), text))
    return Saying(text, tuple(cut), tuple(said[place] for place in range(count)), 0.0, seconds)


def _heard(cut: Sequence[bytes], spelt: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Only frames in which anything can be heard: a word that is over in a silent one is over with the last before.

    Silence is the same in every call, so a word told of it would be heard in all of them.
    """
    held: tuple[int, str] | None = None
    for place, said in spelt:
        if audio.level(cut[place]) > HEARD:
            if held:
                yield held
            held = place, said
        elif held:
            held = held[0], f"{held[1]} {said}".strip()
    if held:
        yield held


def _written(texts: Sequence[str]) -> list[str]:
    """With a capital at its beginning and a full stop at its end."""
    first, last = texts[0], texts[-1]
    written = [first[:1].upper() + first[1:], *texts[1:]]
    return [*written[:-1], written[-1] if last.endswith((".", "?", "!")) else written[-1] + "."]


def _spelt(part: Part, text: str) -> Iterator[tuple[int, str]]:
    """For each frame of the part, which words are over with it: they take time by their length."""
    first, last = round(part.begins / FRAME), max(round(part.begins / FRAME), round(part.ends / FRAME) - 1)
    words = text.split()
    total, so_far, over = sum(map(len, words)), 0, dict[int, list[str]]()
    for word in words:
        so_far += len(word)
        place = first + round((last - first + 1) * so_far / total) - 1
        over.setdefault(max(first, place), []).append(word)
    for place in range(first, last + 1):
        yield place, " ".join(over.get(place, ()))
