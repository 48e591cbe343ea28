"""Whom an OpenID Connect provider has signed in, and whether they may sit here. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from backend.signin.cookie import cleaned


def name_of(claims: Mapping[str, object]) -> str:
    """What to call them in a call's log (OpenID Connect Core 1.0, section 5.1)."""
    found = (claims.get(key) for key in ("name", "preferred_username", "email", "sub"))
    return next((name for name in map(cleaned, filter(None, map(_text, found))) if name), "")


def admitted(claims: Mapping[str, object], operators: str) -> bool:
    """Whether `DASHBOARD_OPERATORS` names them: by address, by their company's domain, or as everybody.

    An address counts only if the provider says that it is theirs, since some let people write any.
    """
    allowed = {entry.strip().lower() for entry in operators.split(",")} - {""}
    if "*" in allowed:
        return True
    email = _text(claims.get("email")).strip().lower()
    local, _, domain = email.rpartition("@")
    return bool(local) and claims.get("email_verified") is True and not allowed.isdisjoint({email, f"@{domain}"})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
