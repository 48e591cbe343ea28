"""Numbers as people say them."""

from __future__ import annotations

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth"}
_ORDINALS |= {"twelve": "twelfth", "twenty": "twentieth", "thirty": "thirtieth"}


def spelled(number: int) -> str:
    """Below a million: 245 is "two hundred and forty-five"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{_SMALL[number % 10]}" if number % 10 else "")
    unit, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = number % unit
    joint = " and " if unit == 100 or 0 < rest < 100 else " "
    return f"{spelled(number // unit)} {name}" + (joint + spelled(rest) if rest else "")


def ordinal(number: int) -> str:
    """Below 32: 26 is "twenty-sixth"."""
    *before, last = spelled(number).split("-")
    return "-".join([*before, _ORDINALS.get(last, f"{last}th")])
