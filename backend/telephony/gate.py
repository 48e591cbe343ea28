"""Who may be dialled. Everything that places a call asks here; when and how often is for `limits`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult
from phonenumbers.timezone import time_zones_for_number

from backend.answers import Number
from backend.models import Refused

_EMERGENCY = frozenset({"911", "112", "999", "000", "110", "119"})
"""Refused wherever they are typed; what else is an emergency number in its own country, phonenumbers knows."""

_ELSEWHERE = "001"
"""The region of numbers that belong to no country: satellite phones (+870, +881), networks (+882, +883), +800, +979."""

_COSTLY: dict[int, tuple[str, ...]] = {
    1: (
        *("242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784"),
        *("809", "829", "849", "868", "869", "876"),
    ),
    44: ("9",),
}
"""By country code, how numbers begin that look like any other and cost far more: the Caribbean ones that live on
returned missed calls, and British premium services."""

_KINDS: dict[int, str] = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which forwards at the caller's cost",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voicemail box",
}
"""Kinds of valid numbers that are never dialled; company numbers (UAN, such as British 03) are."""


def dialable(number: str, default_region: str = "US") -> str:
    """The number in E.164; without a country code it is read as one of `default_region`.

    Raises:
        Refused: it is not a phone number, or one that is never dialled.
    """
    return described(number, default_region).e164


def described(number: str, default_region: str = "US") -> Number:
    """What is known about a number that may be dialled.

    Raises:
        Refused: as `dialable`.
    """
    shown = f"“{' '.join(number.split())[:40]}”"
    parsed = _parsed(number, shown, default_region)
    why = _unfit(parsed)
    if why:
        raise Refused(f"{shown} is {why}")
    region = phonenumbers.region_code_for_number(parsed) or ""
    return Number(
        e164=phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        national=phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        region=region,
        country=_countries().get(region, region),
        time_zones=_zones(parsed, region),
    )


_TWO_NUMBERS = re.compile(r"\d\D*(?:\s/\s|\s[;|,]|[;|,]\s|[\n\r\v\f\u2028\u2029])\D*\d")
"""Signs that stand between two numbers. Glued together they would be a third where a country's vary in length; a slash
without white space on both sides stands within one, as in 030/1234567."""


def _parsed(number: str, shown: str, region: str) -> PhoneNumber:
    """Read what was typed or pasted; refuse what is no number, and what could be read in two ways."""
    if not number.strip():
        raise Refused("No phone number was given: write it with country code, such as +1 202 555 0143")
    if _TWO_NUMBERS.search(number):
        raise Refused(f"{shown} has two numbers in it: write one")
    if any(sign.isalpha() for sign in number):
        # Letters are a typo as often as a vanity number; dropping an "O" could quietly give somebody else's number.
        raise Refused(f"{shown} has letters in it: write the number with digits only, such as +1 202 555 0143")
    # Before parsing, which would take a country's trunk prefix off 112 or 000.
    if _is_emergency("".join(sign for sign in number if sign.isdigit()), region):
        raise Refused(f"{shown} is {_EMERGENCY_NUMBER}")
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        raise Refused(f"{shown} is {_NO_NUMBER}") from None
    if parsed.extension:
        raise Refused(f"{shown} has an extension, which cannot be dialled: write a number that reaches the person")
    return parsed


def _unfit(number: PhoneNumber) -> str:
    """Why this number is never dialled, to follow "is"; empty when it may be."""
    code, digits = number.country_code or 0, phonenumbers.national_significant_number(number)
    # A code may serve many countries (+1); emergency and service numbers of the first, its main one, are enough.
    region = phonenumbers.region_code_for_country_code(code)
    if region == _ELSEWHERE:
        return "a satellite phone or belongs to no country: such numbers cost too much and are never dialled"
    if _is_emergency(digits, region):
        return _EMERGENCY_NUMBER
    if digits.startswith(_COSTLY.get(code, ())):
        return "in a high-cost range that is known for fraud and is never dialled"
    if not phonenumbers.is_valid_number(number):
        # Five or six digits may be a short code too, but are more often a number half typed.
        short = len(digits) <= 4 and phonenumbers.is_valid_short_number_for_region(number, region)
        length = phonenumbers.is_possible_number_with_reason(number)
        return _SHORT_NUMBER if short else _WRONG_LENGTH.get(length, _NO_NUMBER)
    if code == 1 and digits[3:6] == "976":
        return "a premium-rate number (976), which is never dialled"
    kind = _KINDS.get(phonenumbers.number_type(number), "")
    return f"{kind}, which is never dialled" if kind else ""


_NO_NUMBER = "not a phone number: write it with country code, such as +1 202 555 0143"
_TOO_SHORT = "too short for a phone number: digits are missing"
_WRONG_LENGTH = {
    ValidationResult.TOO_SHORT: _TOO_SHORT,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: _TOO_SHORT,
    ValidationResult.TOO_LONG: "too long for a phone number: check its digits, and the country code at its beginning",
}
_SHORT_NUMBER = "a service number, which is never dialled"
_EMERGENCY_NUMBER = "an emergency number, which is never dialled"


def _is_emergency(digits: str, region: str) -> bool:
    return digits in _EMERGENCY or phonenumbers.is_emergency_number(digits, region)


@cache
def _countries() -> dict[str, str]:
    """English names by region, from the time zone database: phonenumbers' own would take 100 MB of memory to load."""
    return {row[0]: row[1] for row in _table("iso3166.tab")}


def _zones(number: PhoneNumber, region: str) -> tuple[str, ...]:
    """Those of its country where it has any: a toll-free +1 number could ring from Guam to the Caribbean."""
    zones = [zone for zone in time_zones_for_number(number) if zone != "Etc/Unknown"]
    return tuple(zone for zone in zones if (region, zone) in _homes()) or tuple(zones)


@cache
def _homes() -> frozenset[tuple[str, str]]:
    """Every country with each of its time zones."""
    return frozenset((row[0], row[2]) for row in _table("zone.tab"))


def _table(name: str) -> Iterator[list[str]]:
    table = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
