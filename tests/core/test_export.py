"""Documents made of messages: they say what there is, and nothing in a message breaks out of its place."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from msgcode import Message
from msgcode.export import FORMATS, chosen, html_page, json_lines, markdown
from msgcode.model import Delivery, Edited, Priority, Status
from msgcode.text import visible
from tests.core.support import START
from tests.core.test_text import obeyed

PLAIN = Message(
    "m1",
    1,
    "ann",
    "one\n```\ntwo",
    START,
    {"bob": Delivery(Status.QUEUED, START), "cy": Delivery(Status.DELIVERED, START)},
    Priority.URGENT,
    thread="m1",
    channel="api",
    subject="S *t*",
    metadata={"file": "a_b.py:3"},
)
EVIL = (
    '</pre><script>alert(1)</script> <img src=x onerror="x()"> "\'&amp; [x](javascript:x) '
    "\x1b]52;c;aGk=\x07\u202e\n````\n# heading\n~~~\n</article> https://evil.example www.evil.example"
)


def evil(text: str) -> Message:
    """A message that has the text wherever it can."""
    line = f"x{text}x".replace("\n", " ")
    deliveries = {line: Delivery(Status.QUEUED, START), "cy": Delivery(Status.EXPIRED, START)}
    return Message(
        line, 1, line, text, START, deliveries,
        channel=line, subject=line, reply_to=line, metadata={line: text}, by=line,
        edited=Edited(START, line, text, line),
    )  # fmt: skip


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.shown: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "pre":
            self.shown.append(data.removeprefix("\n"))


def test_markdown() -> None:
    text = "".join(markdown([PLAIN], "#api"))
    assert text == (
        "# \\#api\n\n"
        "## 2030-01-01 12:00:00 UTC, ann to bob, cy in \\#api, urgent\n\n"
        "**S \\*t\\***\n\n"
        "````text\none\n```\ntwo\n````\n\n"
        "- id: m1\n- status: bob queued, cy delivered\n- file: a\\_b.py:3\n"
    )


def test_json_lines() -> None:
    lines = "".join(json_lines([PLAIN, PLAIN], "any")).splitlines()
    assert [json.loads(line)["body"] for line in lines] == [PLAIN.body] * 2
    assert json.loads(lines[0])["to"] == ["bob", "cy"]


def test_html() -> None:
    text = "".join(html_page([PLAIN, PLAIN._replace(id="m2", reply_to="m1")], "A <room>"))
    page = Page(text)
    assert page.shown == [PLAIN.body] * 2
    assert page.links == ["#m-m1"]
    assert "<title>A &lt;room&gt;</title>" in text
    assert "default-src 'none'" in text
    assert text.endswith("</html>\n")


@pytest.mark.parametrize("format", FORMATS)
def test_an_edited_message_shows_what_was_first_written(format: str) -> None:
    edited = Edited(START + timedelta(minutes=1), "eve", "first words", "first subject")
    text = "".join(FORMATS[format]([PLAIN._replace(edited=edited)], "t"))
    assert "first words" in text
    assert "first subject" in text
    assert "eve" in text


@pytest.mark.parametrize("format", FORMATS)
def test_a_chunk_for_each_message(format: str) -> None:
    def counted() -> Any:
        for _ in range(3):
            taken.append(1)
            yield PLAIN

    taken: list[int] = []
    chunks = list(FORMATS[format](counted(), "t"))
    assert len(taken) == 3
    assert sum("file" in chunk for chunk in chunks) == 3


ANY = st.text(st.characters(codec="utf-8"), min_size=1) | st.just(EVIL)


@given(ANY)
def test_html_has_no_tag_but_its_own(text: str) -> None:
    page = Page("".join(html_page([evil(text)], text)))
    plain = Page("".join(html_page([evil("x")], "x")))
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert re.fullmatch(r"#m-[\w.%~-]+", page.links[0], re.ASCII)
    assert len(page.links) == 1


def test_html_shows_a_body_as_it_is() -> None:
    body = "\n  <b>\t&lt; ü\n\n"
    assert Page("".join(html_page([PLAIN._replace(body=body)], "t"))).shown == [body]


def elements(text: str) -> list[Token]:
    """What a reader of GitHub's Markdown, tables and bare links and all, makes of the text."""
    parser = MarkdownIt("gfm-like")
    assert parser.linkify
    parser.linkify.set({"fuzzy_link": False, "fuzzy_email": False})  # A bare `a.ax` is no link on GitHub.
    tokens = [token for outer in parser.parse(text) for token in (outer, *(outer.children or []))]
    return [token for token in tokens if token.type != "text"]


@given(ANY)
def test_markdown_has_no_markup_but_its_own(text: str) -> None:
    found = elements("".join(markdown([evil(text)], text)))
    plain = elements("".join(markdown([evil("x")], "x")))
    assert [element.type for element in found] == [element.type for element in plain]
    assert next(element.content for element in found if element.type == "fence") == f"{visible(text)}\n"


def test_a_bare_name_of_a_site_is_no_link() -> None:
    assert "www\\.evil" in "".join(markdown([PLAIN._replace(subject="www.evil.example")], "t"))


@given(ANY)
@pytest.mark.parametrize("format", FORMATS)
def test_no_document_moves_a_terminals_cursor(format: str, text: str) -> None:
    assert not obeyed("".join(FORMATS[format]([evil(text)], text)))


def test_choosing_what_to_write_down() -> None:
    other = PLAIN._replace(id="m2", sender="bob", deliveries={}, channel=None, thread="m2")
    assert chosen([PLAIN, other]) == [PLAIN, other]
    assert chosen([PLAIN, other], channel="api") == [PLAIN]
    assert chosen([PLAIN, other], agent="bob") == [PLAIN, other]
    assert chosen([PLAIN, other], agent="ann") == [PLAIN]
    assert chosen([PLAIN, other._replace(by="eve")], agent="eve") == [other._replace(by="eve")]
    assert chosen([PLAIN, other], thread="m2", agent="bob") == [other]
    assert chosen([PLAIN, other], thread="m2", channel="api") == []
