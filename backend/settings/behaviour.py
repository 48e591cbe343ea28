"""How the agent behaves, where the operator has a say in it: the settings as manners."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberFormat

from backend.call.manners import Manners
from backend.config import Settings


def read_out(number: str, region: str) -> str:
    """A number in E.164 digit by digit, in its usual groups: "2 0 2, 5 5 5, 0 1 4 3". Empty where there is none.

    Without the country code where it is of this region, as people there write it.
    """
    if not number:
        return ""
    parsed = phonenumbers.parse(number)
    at_home = phonenumbers.region_code_for_number(parsed) == region
    written = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    groups = re.findall(r"\d+", phonenumbers.format_number(parsed, written))
    return ("" if at_home else "plus ") + ", ".join(map(" ".join, groups))


def manners(settings: Settings) -> Manners:
    """For a call that is held, and for one that is rehearsed."""
    return Manners(
        longest_call=settings.max_call_minutes * 60,
        discloses=settings.ai_disclosure,
        records=settings.record_calls,
        notice=settings.recording_notice if settings.record_calls else "",
        callback=read_out(settings.callback_number, settings.region),
        operator_wait=settings.operator_wait,
        speculate=settings.speculation,
        hedge=settings.hedging,
        greeting_wait=settings.greeting_wait,
        filler_after=settings.one_moment_after,
        voiceless_after=max(Manners().voiceless_after, settings.one_moment_after + 0.3),
    )
