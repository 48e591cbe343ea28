"""The operators' password: kept as an Argon2 hash, so that whoever reads the settings does not know it."""

from __future__ import annotations

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerificationError

SHORTEST = 12
"""Characters. Nobody has to remember a second one, so it may be a sentence."""

_HASHER = PasswordHasher()


def hashed(password: str) -> str:
    """What goes into the settings; another one each time, by its salt.

    Raises:
        ValueError: the password is too short.
    """
    if len(password) < SHORTEST:
        raise ValueError(f"at least {SHORTEST} characters")
    return _HASHER.hash(password)


def fits(hash_: str, password: str) -> bool:
    """Whether this is the password; takes as long for every wrong one, some 50 ms of a processor."""
    try:
        return _HASHER.verify(hash_, password)
    except (VerificationError, ValueError):
        return False


def flaw(hash_: str) -> str:
    """What is wrong with a hash, as the end of a sentence; empty where nothing is."""
    try:
        extract_parameters(hash_)
    except ValueError:
        return "is no Argon2 hash"
    return "is weaker than those made today" if _HASHER.check_needs_rehash(hash_) else ""
