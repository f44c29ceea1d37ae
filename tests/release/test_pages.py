"""What ARCHITECTURE.md and CONTRIBUTING.md name is there."""

from __future__ import annotations

import re

import pytest

from msgcode import __version__
from tests.release.conftest import ROOT

PLACES = (ROOT, ROOT / "core" / "msgcode", ROOT / "tui" / "msgcode_tui")
YOURS = "core/msgcode/harness/acme"
"""What the reader is to make."""


def named(page: str) -> set[str]:
    """The files and folders that the page names, as paths."""
    text = (ROOT / page).read_text()
    words = {word for quoted in re.findall(r"`([^`\n]+)`", text) for word in quoted.split()}
    words |= set(re.findall(r"\]\(([^)#:]+)\)", text))
    path = re.compile(r"\.?[\w./-]+\.(py|md|js|sh|toml|jsonl)|(core|tui|tests|screenshots)/[\w./-]+")
    return {word for word in words if path.fullmatch(word) and not word.startswith(YOURS)}


@pytest.mark.parametrize(("page", "least"), [("ARCHITECTURE.md", 60), ("CONTRIBUTING.md", 30)])
def test_what_a_page_names_is_there(page: str, least: int) -> None:
    paths = named(page)
    assert len(paths) > least
    assert [path for path in sorted(paths) if not any((place / path).exists() for place in PLACES)] == []


def test_the_diagram_names_what_is_there() -> None:
    diagram = (ROOT / "ARCHITECTURE.md").read_text().split("```")[1]
    names = set(re.findall(r"[\w/]+(?:\.py|/)(?=\s)", diagram))
    assert len(names) > 12
    places = (*PLACES, PLACES[1] / "harness", PLACES[1] / "journal", ROOT / "tui")
    assert [name for name in sorted(names) if not any((place / name).exists() for place in places)] == []


def test_architecture_is_two_pages() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text().splitlines()) <= 120


def test_the_changelog_tells_of_this_version() -> None:
    first = re.search(r"^## (\S+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first
    assert first[1] == __version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first[2])
