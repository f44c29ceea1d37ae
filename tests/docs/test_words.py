"""The commands, options and links in the sentences and tables of the README and the guides."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from msgcode import cli
from msgcode.commands import COMMANDS
from tests.docs.pages import PAGES, ROOT, anchors, links, named, spoken

TABLES = (ROOT / "core" / "guides" / "commands.md").read_text()

ROWS = re.findall(r"^\| `([a-z]+(?: [a-z]+)?)[^`]*`(.*)$", TABLES.split("## What a message")[0], re.MULTILINE)

INNER = {"host"}
"""Commands that only our own plugin types."""


def help_of(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main([*command.split(), "--help"]) == 0, command
    return capsys.readouterr().out


def test_every_command_is_in_the_tables() -> None:
    written = {word for command, _ in ROWS for word in command.split()} | set(re.findall(r"`(\w+)", TABLES))
    assert {name for name in cli._COMMANDS if not {*name.split()} <= written} == INNER


@pytest.mark.parametrize(("command", "row"), ROWS)
def test_every_option_in_the_tables_exists(
    command: str, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = help_of(command, capsys)
    assert [option for option in re.findall(r"--[a-z-]+", row) if option not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_sentences_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for code in spoken(page):
        program, *words = code.split()
        if program not in ("msgcode", "/msg") or not words or words[0].startswith("-"):
            continue
        known = cli._COMMANDS if program == "msgcode" else COMMANDS
        command = next((name for name in (words[0], " ".join(words[:2])) if name in known), None)
        assert command or any(name.startswith(f"{words[0]} ") for name in known), code
        if command:
            text = help_of(command, capsys)
            own = code.split(" -- ")[0]
            assert [option for option in re.findall(r"--[a-z-]+", own) if option not in f"{text} --at"] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_every_page_can_be_found_and_left() -> None:
    """From the README to each guide, and back."""
    readme, *guides = PAGES
    reached = {(ROOT / link.partition("#")[0]).resolve() for link in links(readme)}
    assert [named(page) for page in guides if page not in reached] == []
    assert [named(page) for page in guides if "../../README.md#guides" not in links(page)] == []
