"""How a conversation went, judged from what was played and what was said: pure, on one clock, in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from backend.bench.stage.guest import Sounded
from backend.bench.stage.readback import Piece, joint, played_words, words_of
from backend.models import Speaker, Turn

_BREATH = 0.3
"""Seconds; a shorter silence between two clauses is no break in what is said."""
_SKIP = 0.03
"""Seconds; the same inside a clause: more than a frame."""
_MURMUR = 0.02
"""Seconds of both at once that nobody would call an overlap: one frame."""


@dataclass(frozen=True, slots=True)
class Run:
    """Pieces of one answer that were played without a break."""

    pieces: tuple[Piece, ...]

    @property
    def began(self) -> float:
        loud = [piece.loud_from for piece in self.pieces if piece.loud_from is not None]
        return loud[0] if loud else self.pieces[0].began

    @property
    def ended(self) -> float:
        """Of what can be heard."""
        return max((piece.loud_until for piece in self.pieces), default=0.0) or self.pieces[-1].ended


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply of the agent, as it was played."""

    text: str
    runs: tuple[Run, ...]

    @property
    def pieces(self) -> list[Piece]:
        return [piece for run in self.runs for piece in run.pieces]

    def joint(self, before: Piece, after: Piece) -> tuple[int, int]:
        """Words repeated and words lost between these two of its pieces."""
        texts = list(dict.fromkeys(id(piece.speech) for piece in self.pieces))
        return joint(before, after, back=texts.index(id(after.speech)) < texts.index(id(before.speech)))

    @property
    def complete(self) -> bool:
        """Whether it was played to its last word."""
        last = self.pieces[-1]
        words = words_of(last.speech)
        return self.text.endswith(last.speech.text.strip()) and bool(words) and words[-1].end <= last.end


def answers(pieces: Iterable[Piece], whole: Callable[[str], str]) -> list[Answer]:
    """The pieces by the reply that they are of. `whole`: the reply that a piece's text belongs to."""
    found: list[tuple[str, list[Run]]] = []
    for piece in pieces:
        text = whole(piece.speech.text)
        if not found or found[-1][0] != text:
            found.append((text, [Run((piece,))]))
            continue
        runs = found[-1][1]
        before = runs[-1].pieces[-1]
        if joint(before, piece) == (0, 0) and piece.began - before.ended < _pause(before, piece):
            runs[-1] = Run((*runs[-1].pieces, piece))
        else:
            runs.append(Run((piece,)))
    return [Answer(text, tuple(runs)) for text, runs in found]


def _pause(before: Piece, after: Piece) -> float:
    return _SKIP if before.speech is after.speech else _BREATH


# --- talking over the agent ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Overlap:
    """Sound of the callee's while the agent was speaking, that was not meant to stop it."""

    label: str
    stopped: bool
    """The reply was never played to its end, and nothing later can have been the cause."""
    resumed: float | None
    """From the end of the callee's sound to the agent's again, where the agent broke off."""
    repeated: int
    lost: int
    """Words."""


def overlaps(said: Sequence[Sounded], replies: Sequence[Answer], until: float) -> list[Overlap]:
    """What became of the reply that each of these sounds fell on; those that fell on none are left out.

    Args:
        until: when the call ended; a reply that was still going on then was not stopped.
    """
    found = []
    for place, sound in enumerate(said):
        reply = _under(sound, replies)
        if reply is None:
            continue
        following = said[place + 1].began if place + 1 < len(said) else until
        last_on_it = following > reply.runs[-1].ended
        stopped = last_on_it and not reply.complete and until - reply.runs[-1].ended > 1.0
        breaks = [(a, b) for a, b in zip(reply.runs, reply.runs[1:], strict=False) if sound.began < a.ended < following]
        waits = [max(0.0, b.began - max(sound.ended, a.ended)) for a, b in breaks]
        joints = [reply.joint(a.pieces[-1], b.pieces[0]) for a, b in breaks]
        repeated, lost = (sum(words) for words in zip(*joints, strict=True)) if joints else (0, 0)
        found.append(Overlap(sound.label, stopped, max(waits, default=None), repeated, lost))
    return found


@dataclass(frozen=True, slots=True)
class Interruption:
    """The callee took the floor from the agent."""

    yielded: float
    """From the first of the callee's sound to the last of the agent's before it fell silent."""
    returned: bool
    """Sound of the same reply was heard after that."""
    played: int
    """Words of the reply that were played to their end."""
    heard: int | None
    """Words that the product says were heard; None where it says nothing of the reply."""

    @property
    def true(self) -> bool:
        """Whether the product knows what was heard, to one word."""
        return self.heard is not None and abs(self.heard - self.played) <= 1


def interruption(sound: Sounded, replies: Sequence[Answer], turns: Iterable[Turn]) -> Interruption | None:
    """How the agent gave way to this sound; None where it was not speaking."""
    reply = _under(sound, replies)
    if reply is None:
        return None
    run = [run for run in reply.runs if run.began <= sound.began][-1]
    heard = [turn.heard for turn in turns if turn.speaker is Speaker.AGENT and _alike(turn.text, reply.text)]
    words = len(" ".join(heard).split()) if heard else None
    played = len(played_words(reply.pieces))
    return Interruption(max(0.0, run.ended - sound.began), reply.runs[-1] is not run, played, words)


def _under(sound: Sounded, replies: Sequence[Answer]) -> Answer | None:
    """The reply that was being spoken when this sound began."""
    speaking = [reply for reply in replies if reply.runs[0].began <= sound.began <= reply.runs[-1].ended]
    return speaking[-1] if speaking and not sound.missed else None


def _alike(one: str, other: str) -> bool:
    size = min(len(one), len(other), 24)
    return size > 8 and one[:size] == other[:size]


# --- talking when it is the callee's turn ---------------------------------------------------------------------------


def talked_over(sound: Sounded, pieces: Iterable[Piece]) -> bool:
    """Whether the agent spoke between the first and the last of this sound, pauses included."""
    return any(
        piece.loud_from is not None and min(piece.loud_until, sound.ended) - max(piece.loud_from, sound.began) > _MURMUR
        for piece in pieces
    )


def answered(sound: Sounded, pieces: Iterable[Piece], until: float) -> float | None:
    """From the end of this sound to the agent's first, if that came before then."""
    began = [piece.loud_from for piece in pieces if piece.loud_from is not None and piece.loud_from >= sound.ended]
    return began[0] - sound.ended if began and began[0] < until else None
