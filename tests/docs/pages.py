"""What the README and the guides show: blocks of code, commands in sentences, and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("*/guides/*.md"))]

COMMANDS = ("sh", "console")
"""The languages of blocks that people are to type: `console` shows what is answered, too."""

_COMMENT = re.compile(r"<!-- (.*?) -->")


class Block(NamedTuple):
    """A block of code."""

    page: Path
    language: str
    text: str
    marks: tuple[str, ...]
    """What the comments right above it say."""

    def mark(self, name: str) -> str | None:
        """What follows `name: ` in a mark; None if there is no such mark."""
        return next(
            (mark.removeprefix(f"{name}: ") for mark in self.marks if mark.startswith(f"{name}: ")), None
        )

    def steps(self) -> list[tuple[str, str | None]]:
        """Each command, with the answer if one is shown."""
        if self.language == "sh":
            return [(self.text, None)]
        found = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", self.text, re.MULTILINE)
        assert "".join(f"$ {command}\n{answer}" for command, answer in found) == self.text, self
        return found


def blocks(page: Path) -> list[Block]:
    """The blocks of code of a page, in order."""
    found: list[Block] = []
    marks: list[str] = []
    for token in _tokens(page):
        if token.type == "fence":
            found.append(Block(page, token.info, token.content, tuple(marks)))
        marks = [*marks, *_COMMENT.findall(token.content)] if token.type == "html_block" else []
    return found


def block(mark: str) -> str:
    """The text of the one block below the comment `<!-- mark -->`."""
    (found,) = (block.text for page in PAGES for block in blocks(page) if mark in block.marks)
    return found


def spoken(page: Path) -> list[str]:
    """What stands between backticks in the sentences and tables of a page."""
    return [token.content for token in _inside(page) if token.type == "code_inline"]


def links(page: Path) -> list[str]:
    """Where the links and pictures of a page lead."""
    found = []
    for token in _inside(page):
        found += [str(target) for name in ("href", "src") if (target := token.attrGet(name))]
        found += re.findall(r'<img src="(.*?)"', token.content) if token.type.startswith("html") else []
    return found


def anchors(page: Path) -> set[str]:
    """What can follow `#` in a link to the page, as GitHub makes it of its headings."""
    tokens = _tokens(page)
    headings = [after for before, after in pairwise(tokens) if before.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.content.lower()).replace(" ", "-") for heading in headings}


def named(page: Path) -> str:
    """The page, as one calls it in the tree."""
    return page.relative_to(ROOT).as_posix()


def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def _inside(page: Path) -> Iterator[Token]:
    for token in _tokens(page):
        yield token
        yield from token.children or ()
