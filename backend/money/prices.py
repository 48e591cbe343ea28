"""The price table: the one that comes with the product, with the operator's own lines over it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

T = TypeVar("T")

BUILT_IN = Path(__file__).with_name("prices.toml")

Price = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)]
"""In US dollars."""
_Version = Annotated[str, BeforeValidator(str), Field(min_length=1, max_length=80)]
_NONE = "none"
"""Written for numbers that begin like others and of which no price is known."""
_Prefix = Annotated[str, Field(pattern=r"^\+\d{1,14}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TwilioPrices(_Strict):
    """For each begun minute, apart from `machine_detection`, which is for each call."""

    outbound_minute: dict[_Prefix, Price | Literal["none"]]
    """By the beginning of the number; "none" where no price is known."""
    inbound_minute: Price
    transfer_minute: Price
    stream_minute: Price
    machine_detection: Price

    def outbound(self, number: str) -> float | None:
        """For a minute to this number, in E.164; None: the table has no price for it."""
        fitting = [prefix for prefix in self.outbound_minute if number.startswith(prefix)]
        price = self.outbound_minute[max(fitting, key=len)] if fitting else _NONE
        return None if isinstance(price, str) else price


class TokenPrices(_Strict):
    """For a million tokens of each kind."""

    input: Price
    output: Price
    cache_write: Price
    cache_read: Price


class _Minutes(_Strict):
    minute: dict[str, Price]


class _Characters(_Strict):
    thousand_characters: dict[str, Price]


class _Tokens(_Strict):
    million_tokens: dict[str, TokenPrices]


class Prices(_Strict):
    """A whole table. Models by name; a date at the end of a model's name does not matter."""

    version: _Version
    currency: Literal["USD"]
    """What is written on calls, in lists and charts is US dollars."""
    twilio: TwilioPrices
    deepgram: _Minutes
    elevenlabs: _Characters
    claude: _Tokens

    def listening(self, model: str) -> float | None:
        """For a minute; None, here and below: the table has no price for this model."""
        return _of(self.deepgram.minute, model)

    def voicing(self, model: str) -> float | None:
        """For a thousand characters."""
        return _of(self.elevenlabs.thousand_characters, model)

    def thinking(self, model: str) -> TokenPrices | None:
        return _of(self.claude.million_tokens, model)


@dataclass(frozen=True, slots=True)
class Table:
    """The prices that count, and how they came about."""

    prices: Prices
    own: bool = False
    """Whether lines of the operator's file are in it."""
    problem: str = ""
    """What is wrong with that file, in plain words; the table that comes with the product counts then."""


def read(path: Path | None = None) -> Table:
    """The table with the operator's lines from this file; there need not be one. Read again only when it changes."""
    try:
        stat = path.stat() if path else None
    except OSError:
        stat = None
    return _read(path, stat.st_mtime_ns, stat.st_size) if stat else _read(None, 0, 0)


@lru_cache(maxsize=4)
def _read(path: Path | None, changed: int, size: int) -> Table:
    shipped = tomllib.loads(BUILT_IN.read_text("utf-8"))
    built_in = Prices.model_validate(shipped)
    if path is None:
        return Table(built_in)
    try:
        own = tomllib.loads(path.read_text("utf-8"))
        if "version" not in own:
            return Table(built_in, problem=f"{path.name} has no version: begin it with a line such as {_EXAMPLE}")
        return Table(Prices.model_validate(_over(shipped, own)), own=True)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Table(built_in, problem=f"{path.name} cannot be read: {error}")
    except ValidationError as error:
        return Table(built_in, problem=f"{path.name}: " + "; ".join(map(_plain, error.errors()[:5])))


_EXAMPLE = 'version = "our plans of 2026-12"'


def _over(shipped: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the own lines winning; headings are gone into."""
    merged = dict(shipped)
    for name, value in own.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _of(table: Mapping[str, T], model: str) -> T | None:
    return table.get(model, table.get(re.sub(r"-\d{8}$", "", model)))


def _plain(problem: Any) -> str:
    where = " ".join(str(part) for part in problem["loc"] if part != "[key]") or "the file"
    if problem["type"] == "extra_forbidden":
        return f"{where} is nothing that has a price here"
    if problem["type"] == "missing":
        return f"{where} is missing"
    if problem["loc"][-1] == "[key]":
        return f'{where}: write the beginning of a phone number, such as "+44"'
    return f"{where}: {_ADVICE.get(problem['loc'][0], 'write a price as a number, 0 or more, such as 0.0140')}"


_ADVICE = {
    "currency": "the desk counts in US dollars; write USD, and the prices in dollars",
    "version": "write a name or a date by which you know the table again",
}
