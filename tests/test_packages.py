"""What the product imports is what it asks to have installed."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from backend.config import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"backend", "pages", *(path.stem for path in (ROOT / "pages").glob("*.py"))}


def plain(name: str) -> str:
    """A distribution's name as all ways to write it have in common."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["offline"], *extras["openid"]]
    return {plain(match[0]) for line in wanted if (match := re.match(r"[\w.-]+", line))}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_every_package_that_is_imported_is_declared() -> None:
    files = [ROOT / "app.py", *(ROOT / "backend").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    foreign = {name for path in files for name in imported(path)} - sys.stdlib_module_names - OWN
    providers = packages_distributions()
    undeclared = {name for name in foreign if not declared() & set(map(plain, providers.get(name, [name])))}
    assert undeclared == set()


def test_every_declared_package_has_the_release_that_is_known_to_work() -> None:
    pinned = {plain(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert declared() - pinned == set()
