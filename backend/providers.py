"""Who serves: the one place that knows providers by name. A key makes the real one serve, else this machine does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

from backend.answers import Part
from backend.call.hedge import Budget, Pace
from backend.call.manners import Manners
from backend.call.mind import Mind
from backend.call.session import Kit
from backend.call.voice import Phrasebook, Voice
from backend.config import Settings
from backend.engines.installed import deaf, mute
from backend.engines.pool import VOICES, Engines
from backend.llm.offline import OfflineBrain
from backend.models import ME, Brief, LineKind, ProviderError
from backend.money.tally import Tally
from backend.outcome.reporter import Writer
from backend.practice.callee import Callee
from backend.practice.carrier import practice_carrier
from backend.practice.dialled_call import DialledCall
from backend.practice.handset import FarEnd
from backend.practice.personas import PERSONAS
from backend.practice.softphone import Softphones
from backend.seams import LanguageModel, SpeechToText, TextToSpeech
from backend.stt.deepgram import Deepgram
from backend.stt.keyterms import keyterms
from backend.stt.offline import OfflineEar
from backend.telephony.twilio import Account, Twilio
from backend.tts.elevenlabs import ElevenLabs, Patience
from backend.tts.offline import OfflineVoice

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

_NO_SPEECH = "Nothing is heard or said by this program."
_UNHURRIED = Manners(first_words=12.0, next_words=12.0, hedge=False)


class Providers:
    """The process-wide side of the providers: connections and worker processes that all calls share."""

    def __init__(self, settings: Settings, speech: bool = True) -> None:
        """`speech`: off where nothing is heard or voiced here, so that no speech engine is loaded."""
        self._settings = settings
        self._stack = AsyncExitStack()
        self._phrases: dict[str, Phrasebook] = {}
        self._learning = asyncio.Lock()
        self._budget = Budget()
        self._paces: dict[str, Pace] = {}
        """By the model's name: all calls learn together how long it takes."""
        self.softphones = Softphones()
        """Where the operator is the callee."""
        self._engines: Engines | None = None
        self._claude: AsyncAnthropic | None = None
        self._deaf, self._mute = (deaf(), mute()) if speech else (_NO_SPEECH, _NO_SPEECH)

    async def __aenter__(self) -> Self:
        settings = self._settings
        if settings.anthropic_api_key:
            # Only here, since the SDK takes more than a second to import and is not needed without a key.
            from backend.llm.claude import connect

            self._claude = connect(settings.anthropic_api_key, settings.anthropic_base_url)
            self._stack.push_async_callback(self._claude.close)
        if not (self._deaf and self._mute):
            self._engines = await self._stack.enter_async_context(Engines(self._workers))
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    # --- one call's providers -------------------------------------------------------------------------------

    @asynccontextmanager
    async def kit(self, brief: Brief, manners: Manners) -> AsyncIterator[Kit]:
        """Everything one call needs from providers, opened and warm.

        Raises:
            ProviderError: there is nobody to hear or to speak.
        """
        if why := self.why_not(brief):
            raise ProviderError(why)
        parts = {"stt": self._hearing.serves, "llm": self._thinking.serves, "tts": self._speaking.serves}
        phrases, tally = self._phrases.setdefault(parts["tts"], {}), Tally()
        async with (
            self._ears(brief, tally) as ears,
            self._mind(manners, brief.line, tally=tally) as mind,
            Voice(self._voices(tally), manners, phrases, self._learning) as voice,
        ):
            yield Kit(ears, mind, voice, parts, partial(self._ears, brief, tally), tally)

    def _ears(self, brief: Brief, tally: Tally) -> SpeechToText:
        settings = self._settings
        if settings.deepgram_api_key:
            url, key, model = settings.deepgram_url, settings.deepgram_api_key, settings.deepgram_model
            return Deepgram(url, key, model, keyterms(brief), tally=tally)
        return OfflineEar(self._running_engines())

    def _mind(
        self,
        manners: Manners,
        line: LineKind = LineKind.PRACTICE,
        timed: bool = True,
        tally: Tally | None = None,
    ) -> Mind:
        """`timed`: whether calls learn from it how long each model takes."""
        if self._claude is None:
            # It answers at once. To ask it twice would only cost this machine's time.
            return Mind([OfflineBrain()], manners)
        from backend.llm import prompt
        from backend.llm.claude import Claude

        names = dict.fromkeys([self._settings.anthropic_model, self._settings.anthropic_fallback_model])
        paces = [self._paces.setdefault(name, Pace(self._budget)) for name in names] if timed else []
        transfer = line is LineKind.PRACTICE or bool(self._settings.transfer_number)
        tools = prompt.tools(transfer, ask=manners.operator_wait > 0)
        return Mind([Claude(self._claude, name, tools=tools, tally=tally) for name in names], manners, paces)

    @asynccontextmanager
    async def thinker(self, line: LineKind | None = None) -> AsyncIterator[LanguageModel]:
        """The language model alone, for a conversation in text: nobody waits on a line, so it is asked only once.

        Args:
            line: on which the call would be held, with the tools it has there; the one that serves first if unset.
        """
        manners = replace(_UNHURRIED, operator_wait=self._settings.operator_wait)
        async with self._mind(manners, line or self._settings.default_line, timed=False) as mind:
            yield mind

    def report_writer(self) -> Writer | None:
        """Who reads a call when it is over and reports on it; None: the rules do."""
        if self._claude is None:
            return None
        from backend.llm.report import ClaudeReports

        return ClaudeReports(self._claude, self._settings.anthropic_model)

    def _voices(self, tally: Tally) -> list[TextToSpeech]:
        """The real voice first; this machine's takes over when that fails."""
        settings = self._settings
        voices: list[TextToSpeech] = []
        if settings.elevenlabs_api_key:
            key, voice = settings.elevenlabs_api_key, settings.elevenlabs_voice_id
            model, patience = settings.elevenlabs_model, Patience(first_sound=1.4, stall=1.0)
            # Each of its two tries fits into what a call waits for a voice's next piece (`Manners.voice_wait`).
            voices.append(ElevenLabs(settings.elevenlabs_url, key, voice, model, patience, tally))
        if not self._mute:
            voices.append(OfflineVoice(self._running_engines(), VOICES["agent"]))
        return voices

    def _running_engines(self) -> Engines:
        if self._engines is None:
            raise ProviderError(self._deaf or self._mute)
        return self._engines

    # --- the lines ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def carriers(self) -> AsyncIterator[dict[LineKind, Twilio]]:
        """What calls can be placed with: Twilio where its keys are set, the practice line where it works."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            carriers: dict[LineKind, Twilio] = {}
            if settings.has_phone:
                account = Account(
                    settings.twilio_account_sid,
                    settings.twilio_auth_token,
                    settings.twilio_phone_number,
                    settings.twilio_api_url,
                    settings.transfer_number,
                )
                carriers[LineKind.PHONE] = await stack.enter_async_context(Twilio(account, settings.public_url))
            if self._hearing.serves and self._speaking.serves:
                # Where only the callees are missing, the operator can still be one.
                say = None if self._mute else self._carrier_voice
                practice = await stack.enter_async_context(practice_carrier(self._far_end, say=say))
                twilio = Twilio(practice.account, settings.server_url)
                carriers[LineKind.PRACTICE] = await stack.enter_async_context(twilio)
            yield carriers

    @property
    def why_no_practice(self) -> str:
        """Why nobody here can be called for practice but the operator; empty when there are callees."""
        return self._deaf or self._mute

    def why_no_line(self, line: LineKind) -> str:
        """Why no call can be placed on this line."""
        if line is LineKind.PRACTICE:
            return f"There is no practice line: {self.why_no_practice}"
        return "There is no phone line: write the TWILIO_ keys and PUBLIC_HOST into .env, or use the practice line."

    def _far_end(self, dialled: DialledCall) -> FarEnd:
        """Who picks up on the practice line."""
        key, _, name = dialled.reason.partition(" ")
        if key == ME:
            return self.softphones.of(dialled.call_id)
        persona, engines = PERSONAS.get(key) or PERSONAS["cooperative"], self._running_engines()
        return Callee(persona, OfflineEar(engines), OfflineVoice(engines, VOICES[persona.voice]), name)

    async def _carrier_voice(self, text: str) -> bytes:
        return await self._running_engines().synthesise(text, VOICES["older"])

    # --- what serves, and how much of it --------------------------------------------------------------------

    @property
    def _workers(self) -> int:
        """Processes with the offline engines; where they only stand by for a failing voice, one is kept warm."""
        settings = self._settings
        standing_by = settings.has_phone and settings.deepgram_api_key and settings.elevenlabs_api_key
        return 1 if standing_by else min(os.cpu_count() or 1, 4)

    @property
    def capacity(self) -> int:
        """How many calls may use this machine's engines at once: one for each process that holds them.

        From the last word to the end of the turn, measured with practice calls (two ears and two voices each) on two
        cores: two calls 0.56 s (95 %: 0.69 s), three 0.61 s (0.95 s), four 1.3 s (2.7 s).
        """
        return self._settings.offline_calls or self._workers

    def uses_engines(self, brief: Brief) -> bool:
        """Whether a call needs this machine's engines all the time, not only when a provider fails."""
        settings = self._settings
        offline = not (settings.deepgram_api_key and settings.elevenlabs_api_key)
        return offline or _needs_callee(brief)

    def why_not(self, brief: Brief) -> str:
        """Why a call cannot be held at all; empty when it can."""
        for part in (self._hearing, self._speaking):
            if not part.serves:
                return part.advice
        return self.why_no_practice if _needs_callee(brief) else ""

    @property
    def parts(self) -> list[Part]:
        """What is real, what is practice and what is missing."""
        return [self._phone, self._practice, self._hearing, self._thinking, self._speaking]

    @property
    def _phone(self) -> Part:
        if self._settings.has_phone:
            return Part("Phone line", f"Twilio, calling from {self._settings.twilio_phone_number}", True)
        wanted = "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER and PUBLIC_HOST"
        return Part("Phone line", "", False, f"Set {wanted} in .env to call real phones.")

    @property
    def _practice(self) -> Part:
        serves = "" if self.why_no_practice else "Made-up people who pick up and talk; no phone rings"
        return Part("Practice line", serves, False, self.why_no_practice)

    @property
    def _hearing(self) -> Part:
        if self._settings.deepgram_api_key:
            return Part("Hearing", f"Deepgram {self._settings.deepgram_model}", True)
        if self._deaf:
            return Part("Hearing", "", False, self._deaf)
        return Part("Hearing", "Offline speech recognition", False, "Set DEEPGRAM_API_KEY in .env for Deepgram.")

    @property
    def _thinking(self) -> Part:
        if self._settings.anthropic_api_key:
            return Part("Thinking", f"Claude ({self._settings.anthropic_model})", True)
        return Part("Thinking", "Offline brain, by rules", False, "Set ANTHROPIC_API_KEY in .env for Claude.")

    @property
    def _speaking(self) -> Part:
        if self._settings.elevenlabs_api_key:
            return Part("Speaking", f"ElevenLabs {self._settings.elevenlabs_model}", True)
        if self._mute:
            return Part("Speaking", "", False, self._mute)
        advice = "Set ELEVENLABS_API_KEY and ELEVENLABS_VOICE_ID in .env for ElevenLabs."
        return Part("Speaking", "Offline voice", False, advice)


def _needs_callee(brief: Brief) -> bool:
    """Whether this machine has to be the callee, with an ear and a voice of its own."""
    return brief.line is LineKind.PRACTICE and not brief.rings_here
