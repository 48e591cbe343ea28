"""What the product can do is written down, and what is written down exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from typer.main import get_command

from backend.cli import app as commands
from backend.config import ROOT, Settings
from backend.routes import (
    browser,
    calls,
    headset,
    questions,
    recordings,
    refusals,
    rehearsals,
    softphone,
    templates,
    twilio,
)

DOCUMENTS = [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]
WRITTEN = "\n".join(path.read_text() for path in DOCUMENTS)
EXAMPLE = (ROOT / ".env.example").read_text()
KEYS = [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_explained(key: str) -> None:
    assert re.search(rf"^# {key}=", EXAMPLE, re.MULTILINE), "missing in .env.example"
    assert f"`{key}`" in (ROOT / "docs" / "configuration.md").read_text(), "missing in docs/configuration.md"


def test_no_setting_is_explained_that_does_not_exist() -> None:
    assert set(re.findall(r"^# ([A-Z_]+)=", EXAMPLE, re.MULTILINE)) == set(KEYS)


@pytest.mark.parametrize("document", [EXAMPLE, (ROOT / "docs" / "configuration.md").read_text()])
def test_the_defaults_that_are_written_down_are_the_real_ones(document: str) -> None:
    found = re.findall(r"^(?:# |\| `)([A-Z_]+)(?:=|` \| `)([^`\n]+)", document, re.MULTILINE)
    assert len(found) >= 15
    for key, value in found:
        default = Settings.model_fields[key.lower()].default
        real = default.relative_to(ROOT) if isinstance(default, Path) else default
        assert value == str(real), key


def test_every_command_is_explained() -> None:
    written = (ROOT / "docs" / "command-line.md").read_text()
    for name in get_command(commands).commands:  # type: ignore[attr-defined]
        assert re.search(rf"^    phone-agent {name}( |$)", written, re.MULTILINE), name


def test_every_page_is_explained() -> None:
    pages = re.findall(r"st\.Page\(([^)]*)\)", (ROOT / "pages" / "main.py").read_text())
    titles = [re.findall(r'title="([^"]+)"', page)[0] for page in pages if "hidden" not in page]
    readme = (ROOT / "README.md").read_text()
    assert [f"| **{title}** |" in readme for title in titles] == [True] * 5


def test_every_route_is_explained() -> None:
    served = (
        browser.router,
        calls.router,
        headset.router,
        questions.router,
        recordings.router,
        refusals.router,
        rehearsals.router,
        softphone.router,
        templates.router,
        twilio.router,
    )
    routes = [route for router in served for route in router.routes]
    assert len(routes) >= 21
    for route in routes:
        path = str(getattr(route, "path", ""))
        methods = sorted(route.methods or ()) if isinstance(route, APIRoute) else [""]
        for method in methods:
            assert f"`{f'{method} {path}'.strip()}`" in WRITTEN, f"{method} {path}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if not re.match(r"[a-z]+:|#", link):
            assert (document.parent / link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_heading_that_is_linked_to_exists(document: Path) -> None:
    for file, anchor in re.findall(r"\]\((?![a-z]+:)([^)\s#]*)#([^)\s]+)\)", document.read_text()):
        target = (document.parent / file) if file else document
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, anchor


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_row_stands_outside_of_its_table(document: Path) -> None:
    lines = ["", *document.read_text().splitlines(), ""]
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        if line.startswith("|") and not before.startswith("|"):
            assert re.fullmatch(r"\|[-:| ]+\|", after), f"no heading above {line!r}"


def test_no_file_names_the_place_where_packages_come_from() -> None:
    words = re.compile("|".join([r"index-" + "url", r"extra-" + "index", "pythonhosted" + r"\.org", "pypi" + r"\.org"]))
    names = ["pyproject.toml", "constraints.txt", "Makefile", ".env.example", ".ci/run", "app.py"]
    files = (
        [ROOT / name for name in names]
        + DOCUMENTS
        + [p for d in ("backend", "pages") for p in (ROOT / d).rglob("*.py")]
    )
    assert [path.name for path in files if words.search(path.read_text())] == []
