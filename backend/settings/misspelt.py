"""Keys in `.env` that are no settings: a limit that is misspelt is no limit, and nobody would notice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values

from backend.config import Settings

_OTHERS = frozenset(
    "FORWARDED_ALLOW_IPS WEB_CONCURRENCY PATH HOME USER SHELL TMPDIR TZ LANG LANGUAGE TERM NO_COLOR FORCE_COLOR "
    "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY DEBUG".split()
)
"""What other programs read from the same file."""
_OTHERS_BEGIN = (
    *("STREAMLIT_", "PYTHON", "UVICORN_", "NGROK_", "COMPOSE_", "DOCKER_", "SSL_", "LC_", "XDG_", "OMP_", "ORT_"),
    *("OTEL_", "AWS_", "GOOGLE_", "CADDY_", "CLOUDFLARE_", "TUNNEL_"),
)
_LIKENESS = 0.75
"""From 0 to 1: how much alike two keys are of which one is taken for the other misspelt."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that no setting has."""

    key: str
    meant: str = ""
    """The setting that has nearly this name; empty: none has."""

    def __str__(self) -> str:
        question = f": did you mean {self.meant}?" if self.meant else "; docs/configuration.md has them all."
        return f"{self.key} in .env is no setting{question}"


def unknown(keys: Iterable[str]) -> list[Unknown]:
    """Those of these keys that are neither a setting nor another program's; upper and lower case are the same."""
    settings = [name.upper() for name in Settings.model_fields]
    strange = [key for key in keys if key.upper() not in settings and not _of_others(key.upper())]
    return [Unknown(key, next(iter(get_close_matches(key.upper(), settings, 1, _LIKENESS)), "")) for key in strange]


def _of_others(key: str) -> bool:
    return key in _OTHERS or key.startswith(_OTHERS_BEGIN)


def unknown_here() -> list[Unknown]:
    """Those of the `.env` that is read here, if there is one."""
    file = Settings.model_config.get("env_file")
    return unknown(dotenv_values(file)) if isinstance(file, Path) and file.is_file() else []
