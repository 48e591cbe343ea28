"""Who picked up: a person, or which kind of machine. Judged purely from what happens in a call's first seconds.

Four witnesses are heard. Words, which weigh most: there are sentences that only machines say. Tones: a beep, a fax, a
dead number. Cadence: whoever says a few words and waits is a person. The carrier's own detection, which goes by length
alone and so takes receptionists for machines: it may support what the words say, and never proves anything.

The one rule above the others: a person must never be treated as a machine. So nothing makes a machine certain but
words or tones that no person makes, and whatever shows a person, shows one. In between `sure` is False, and whoever
needs to know more may ask a language model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from backend.call.pickup.greetings import Kind, Reading, read
from backend.call.pickup.tones import Signal, Tone
from backend.models import Answerer

_KINDS = {
    Kind.FULL: Answerer.FULL_MAILBOX,
    Kind.SCREENER: Answerer.SCREENER,
    Kind.VOICEMAIL: Answerer.VOICEMAIL,
    Kind.MENU: Answerer.MENU,
    Kind.HOLD: Answerer.HOLD,
    Kind.MACHINE: Answerer.VOICEMAIL,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """All times in seconds."""

    short: float = 2.5
    """A greeting that is over within this is a person's, unless its words say otherwise."""
    long: float = 4.0
    """Nobody who waits for an answer talks longer than this without a pause; receptionists do, rarely."""
    pause: float = 1.2
    """Silence that parts two stretches of speech."""
    answers: float = 0.4
    """A person who has greeted is quiet for this long: one may speak."""
    goes_on: float = 1.3
    """The same after words with which recordings begin: "you've reached Tom"."""
    more: float = 1.8
    """Silence after what may be a sentence of a menu or a queue, which then would go on."""
    greeting_over: float = 2.7
    """Silence after a voicemail's greeting that means that it records, although no beep was heard."""
    beep_comes: float = 3.5
    """The same where a beep was announced."""
    after_beep: float = 0.3
    """From the beep's end to our first word, for machines that listen late."""
    silent: float = 5.0
    """With nothing to hear for this long, probably nobody is there."""
    dead: float = 10.0
    """The same, where it is sure."""
    music: float = 4.0
    """Sound without a word for this long is music, or a very noisy room."""
    wordless: float = 0.7
    """A shorter sound without words is a click or a cough."""


@dataclass(frozen=True, slots=True)
class _Judgement:
    who: Answerer | None = None
    sure: bool = False
    why: str = "Nothing was heard yet."


@dataclass(frozen=True, slots=True)
class _Known:
    """What the words since a person was last heard give away, and whether one was."""

    kind: Kind | None = None
    """The most telling of what only machines say."""
    phrase: str = ""
    proofs: int = 0
    """How many of these phrases there were."""
    hints: frozenset[str] = frozenset()
    person: bool = False
    """Whether a person was certainly heard since the last machine."""

    def and_then(self, turn: Reading) -> _Known:
        """With what one more turn gives away. A person's words after a machine's: somebody comes to the phone."""
        if self._gives_way_to(turn):
            return _Known(person=True)
        if turn.human and turn.proofs < 2:
            return replace(self, person=self.person or not turn.proofs)
        more = replace(self, hints=self.hints | turn.hints, proofs=self.proofs + turn.proofs)
        if turn.kind and (self.kind is None or turn.kind.telling >= self.kind.telling):
            return replace(more, kind=turn.kind, phrase=turn.phrase)
        return more

    def _gives_way_to(self, turn: Reading) -> bool:
        if turn.kind or len(turn.hints) > 1:
            return turn.arrives and turn.kind not in {Kind.SCREENER, Kind.MENU}
        machine = self.kind is not None or len(self.hints) > 1
        return machine and not turn.hints - {"sorry"} and (turn.arrives or turn.human)


@dataclass(slots=True)
class Pickup:
    """One call's pickup. Tell it everything in order; times are seconds on any clock that only goes forward."""

    patience: Patience = field(default_factory=Patience)
    _judgement: _Judgement = field(default_factory=_Judgement)
    _now: float = 0.0
    _began: float | None = None
    """When it was first told anything: somebody had picked up."""
    _turn: Reading = field(default_factory=Reading)
    """What the turn's words so far give away."""
    _text: str = ""
    _whole: bool = False
    """Whether the turn is over."""
    _before: _Known = field(default_factory=lambda: _Known())
    """What was known before this turn: its words are weighed anew with every word."""
    _known: _Known = field(default_factory=lambda: _Known())
    _conversed: bool = False
    _loud: bool = False
    _onset: float = float("-inf")
    """When it last became loud."""
    _stretch: float = 0.0
    """When the stretch of sound under way, or the last one, began."""
    _quiet_since: float | None = None
    """When it became quiet; None while there is sound, or there was none yet."""
    _wordless: float = 0.0
    """Seconds of sound since the last word."""
    _worded: bool = False
    _beep: float | None = None
    """When the last beep ended."""
    _tones: list[Signal] = field(default_factory=list)
    _verdict: str = ""

    # --- what is known ----------------------------------------------------------------------------------------

    @property
    def who(self) -> Answerer | None:
        """Who picked up, as far as it can be guessed; None: nothing was heard yet, or nobody is there to be heard."""
        return self._judgement.who

    @property
    def sure(self) -> bool:
        """Whether one may act on it. It may still change: people come to the phone, and voicemails begin with hello."""
        return self._judgement.sure

    @property
    def why(self) -> str:
        """One plain sentence for the call's row."""
        return self._judgement.why

    @property
    def dead(self) -> bool:
        """Whether the number leads nowhere: not in service, or busy. Then `who` is None, and sure."""
        return self._judgement.sure and self._judgement.who is None

    @property
    def speak_after(self) -> float | None:
        """When one may speak to whoever it is, at the earliest; None: not as things stand.

        To a person when the greeting is over. To a voicemail or a screener after the beep, or when its greeting has
        been over for so long that no beep will come; should one come later, this moves, and the message begins anew.
        """
        if self._quiet_since is None or self.dead:
            return None
        return self._speak_after(self._quiet_since)

    @property
    def ready(self) -> bool:
        """Whether one may speak now, as far as is known at the last event."""
        return self.speak_after is not None and self.speak_after <= self._now

    @property
    def deadline(self) -> float | None:
        """When `passes` should be called if nothing else happens: then time alone tells something."""
        if self._began is None or self.dead:
            return None
        waits = [self.speak_after, *self._silences(self._began)]
        return min((at for at in waits if at is not None and at > self._now), default=None)

    # --- what happens -----------------------------------------------------------------------------------------

    def passes(self, now: float) -> None:
        """Nothing happened until now."""
        self._judge(now)

    def sound(self, on: bool, now: float) -> None:
        """The callee's side became loud or quiet."""
        self._pass(now)
        if on and not self._loud:
            apart = self._quiet_since is None or now - self._quiet_since > self.patience.pause
            self._stretch = now if apart else self._stretch
        self._onset = now if on else self._onset
        self._quiet_since = None if on else now
        self._loud = on
        self._judge(now)

    def hears(self, text: str, complete: bool, now: float) -> None:
        """The words of the callee's turn so far; `complete`: the turn is over with them, and the next begins anew."""
        self._pass(now)
        if text.strip():
            if self._whole:
                self._before = self._known
            self._text, self._turn = text, read(text)
            self._known = self._before.and_then(self._turn)
            self._wordless, self._worded = 0.0, True
        self._whole = complete
        self._judge(now)

    def tone(self, tone: Tone, now: float) -> None:
        """A tone was heard."""
        self._pass(now)
        self._tones.append(tone.signal)
        del self._tones[:-_MOST_TONES]
        if tone.signal is Signal.BEEP:
            self._beep = now
        self._judge(now)

    def verdict(self, kind: str, now: float) -> None:
        """What the carrier's detection says: Twilio's `AnsweredBy`."""
        self._verdict = kind
        self._judge(now)

    def conversed(self, now: float) -> None:
        """The callee has answered something that the agent said."""
        self._conversed, self._beep = True, None
        self._before = self._known = _Known(person=True)
        self._judge(now)

    # --- judging ----------------------------------------------------------------------------------------------

    def _pass(self, now: float) -> None:
        if self._began is None:
            self._began = self._now = now
        if self._loud:
            self._wordless += max(0.0, now - self._now)
        self._now = max(self._now, now)

    def _judge(self, now: float) -> None:
        self._pass(now)
        self._judgement = self._by_tones() or self._by_words() or self._by_cadence()

    def _by_tones(self) -> _Judgement | None:
        """Tones that settle it, whatever else."""
        known = self._known
        if known.person:
            return None
        if Signal.CED in self._tones or self._tones.count(Signal.CNG) > 1:
            return _Judgement(Answerer.FAX, True, "A fax machine answered: its tone was heard.")
        if Signal.SIT in self._tones and known.kind in {None, Kind.DEAD, Kind.MACHINE}:
            return _Judgement(None, True, "The number is not in service: the network's three tones were heard.")
        if Signal.BUSY in self._tones and not self._worded:
            return _Judgement(None, True, "The line is busy: its tone was heard.")
        if Signal.CNG in self._tones and not self._worded:
            return _Judgement(Answerer.FAX, False, "A tone as of a fax machine was heard.")
        return None

    def _by_words(self) -> _Judgement | None:
        known = self._known
        if known.person and not (known.kind and self._proven_again(known)):
            why = "They talked with the agent." if self._conversed else f"Somebody said {_quoted(self._text)}."
            return _Judgement(Answerer.PERSON, True, why)
        if known.kind:
            return self._by_proof(known.kind, known)
        if self._turn.kind:
            why = f"A machine might say {_quoted(self._turn.phrase)}, but it probably was a person."
            return _Judgement(Answerer.PERSON, False, why)
        if self._beeped:
            return self._by_beep()
        if len(known.hints - _EMPTY) >= 2 and not self._turn.human:
            return self._by_hints()
        return None

    def _proven_again(self, known: _Known) -> bool:
        """Whether a machine has come after a person: put through to a voicemail, or to a queue."""
        return known.proofs >= 2 or (self._beeped and known.proofs >= 1)

    @property
    def _beeped(self) -> bool:
        """Whether the last that was heard was a beep: headsets and recorders beep too, but before somebody speaks."""
        return self._beep is not None and self._onset < self._beep

    def _by_proof(self, kind: Kind, known: _Known) -> _Judgement:
        # One phrase may be a person's all the same, and a sentence that begins as a machine's may go on as theirs.
        certain = known.proofs > 1 or (self._whole and known.proofs + len(known.hints - _EMPTY) > 1)
        sure = self._beeped or (certain and kind is not Kind.MACHINE)
        if kind is Kind.DEAD:
            return _Judgement(None, certain, f"The number leads nowhere: {_quoted(known.phrase)} was said.")
        return _Judgement(_KINDS[kind], sure, f"{'Only' if sure else 'Mostly'} a machine says {_quoted(known.phrase)}.")

    def _by_hints(self) -> _Judgement:
        if "message" not in self._known.hints and self._known.hints >= {"name", "hold"}:
            return _Judgement(Answerer.SCREENER, False, f"It asks as a call screener does: {_quoted(self._text)}.")
        # "The doctor isn't in, leave your number" is what a person says as well, but not at length.
        much = len(self._known.hints - _EMPTY) > 2 or self._length() >= self.patience.long
        sure = "message" in self._known.hints and self._whole and much
        return _Judgement(Answerer.VOICEMAIL, sure, f"It talks as a voicemail does: {_quoted(self._text)}.")

    def _by_beep(self) -> _Judgement:
        """There was a beep, but no words that only machines say."""
        hints = self._known.hints - _EMPTY - {"hold"}
        if hints and not self._turn.human:
            sure = "message" in hints or len(hints) > 1
            return _Judgement(Answerer.VOICEMAIL, sure, f"There was a beep after {_quoted(self._text)}.")
        if not self._worded:
            return _Judgement(Answerer.VOICEMAIL, False, "There was a beep, and nobody said anything.")
        if self._turn.human or self._length() < self.patience.short:
            return _Judgement(
                Answerer.PERSON, False, f"Somebody said {_quoted(self._text)}, although something beeped."
            )
        return _Judgement(Answerer.VOICEMAIL, False, "There was a beep after a long greeting.")

    def _by_cadence(self) -> _Judgement:
        if not self._worded:
            return self._by_sound()
        said = f"Somebody said {_quoted(self._text)}"
        if self._known.hints:
            # "You've reached Tom": a person waits now, a recording goes on.
            waited = self._quiet_since is not None and self._now - self._quiet_since >= self.patience.goes_on
            likely = "message" in self._known.hints and not self._turn.human
            if likely or not waited:
                who = Answerer.VOICEMAIL if likely else Answerer.PERSON
                return _Judgement(who, False, f"{said}, which may be a person or a recording.")
        if "hold" in self._known.hints and not self._turn.human:
            return _Judgement(Answerer.PERSON, False, f"{said}, which may be a person or a queue.")
        if self._length() >= self.patience.long and self._verdict != "human":
            return _Judgement(Answerer.PERSON, False, f"{said}, at the length of a recording.")
        return _Judgement(Answerer.PERSON, True, f"{said}.")

    def _by_sound(self) -> _Judgement:
        """No word was recognised yet."""
        if self._began is None:
            return _Judgement()
        if self._wordless >= self.patience.music:
            return _Judgement(Answerer.HOLD, False, "There is sound without words, as of music.")
        if Signal.RINGING in self._tones:
            return _Judgement(None, False, "It is still ringing.")
        silent = self._now - (self._began if self._quiet_since is None else self._quiet_since)
        if self._loud or (self._wordless >= self.patience.wordless and silent < self.patience.silent):
            return _Judgement(None, False, "There was a sound, but no word yet.")
        if silent >= self.patience.silent:
            # What began as music, and was then taken for the line's own noise, is not surely nobody.
            sure = silent >= self.patience.dead and self._wordless < self.patience.wordless
            return _Judgement(Answerer.SILENCE, sure, "Nobody said anything.")
        return _Judgement()

    def _length(self) -> float:
        """Seconds of the stretch of sound under way, or of the last one."""
        return (self._now if self._quiet_since is None else self._quiet_since) - self._stretch

    # --- when to speak ----------------------------------------------------------------------------------------

    def _speak_after(self, quiet_since: float) -> float | None:
        patience = self.patience
        if self._beep is not None and self.who in _RECORDING:
            return self._beep + patience.after_beep
        match self.who:
            case Answerer.VOICEMAIL:
                announced = self._known.kind is Kind.VOICEMAIL
                return quiet_since + (patience.beep_comes if announced else patience.greeting_over)
            case Answerer.SCREENER:
                return quiet_since + patience.goes_on
            case Answerer.PERSON:
                # After "you've reached Tom" a recording would go on.
                return quiet_since + (patience.answers if self.sure or self._turn.human else patience.goes_on)
            case Answerer.MENU | Answerer.HOLD | Answerer.FULL_MAILBOX if not self.sure:
                return quiet_since + patience.more
            case _:
                return None

    def _silences(self, began: float) -> list[float]:
        """When silence, or sound without words, becomes telling."""
        patience = self.patience
        since = began if self._quiet_since is None else self._quiet_since
        telling = [] if self._worded else [since + patience.silent, since + patience.dead]
        if self._loud:
            telling.append(self._now + patience.music - self._wordless)
        elif self._quiet_since is not None:
            telling.append(self._quiet_since + patience.goes_on)
        return telling


_RECORDING = frozenset({Answerer.VOICEMAIL, Answerer.SCREENER})
_MOST_TONES = 20
_EMPTY = frozenset({"sorry", "recorded"})
"""Hints that go with any machine, and with people too."""
_LONGEST_QUOTE = 60
"""Characters."""


def _quoted(text: str) -> str:
    """For a sentence: the words, or their end where there are too many."""
    words = " ".join(text.split())
    return f'"{words}"' if len(words) <= _LONGEST_QUOTE else f'"… {words[-_LONGEST_QUOTE:].split(" ", 1)[-1]}"'
