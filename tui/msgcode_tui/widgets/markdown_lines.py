"""A message's body, read as Markdown, in lines of a terminal. Pure.

Nothing in a body is hidden or obeyed: HTML, images and link definitions stay as they were written, a link
is followed by its address as text, and what entities decode to is made visible like all other text.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments.token import Token as Kind
from pygments.token import _TokenType
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, HorizontalRule, Markdown, MarkdownElement
from rich.rule import Rule
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax, SyntaxTheme
from rich.theme import Theme

from msgcode_tui import safe
from msgcode_tui.widgets.look import Look

MAX_MARKDOWN = 8_000
"""Characters of a body that is read as Markdown; laying out more takes longer than a key may."""

MAX_LINES = 400
"""Lines of such a body."""

_MAX_CODE = 3_000
"""Characters of a block of code that is coloured."""

_MAX_NESTING = 12
"""Levels of blocks in blocks, of which a list has two. The parser drops what is nested too deep."""

_NARROWEST = 20
"""Cells below which quotes and tables have no room, and text is better as it was written."""

_LANGUAGES = frozenset(
    {
        "bash", "c", "c++", "cpp", "css", "diff", "dockerfile", "go", "html", "ini", "java", "javascript",
        "js", "json", "jsx", "kotlin", "lua", "php", "powershell", "py", "pycon", "pytb", "python",
        "python3", "rb", "ruby", "rs", "rust", "sass", "scala", "scss", "sh", "shell", "sql", "swift",
        "toml", "ts", "tsx", "typescript", "xml", "yaml", "yml", "zig", "zsh",
    }
)  # fmt: skip
"""Languages whose code is coloured: those in which agents write, as far as hostile text does not make their
lexers slow."""


class _CodeColors(SyntaxTheme):
    """Code in the theme's own colours."""

    def __init__(self, look: Look) -> None:
        self._plain = look.code
        foreground = {
            Kind.Comment: look.muted,
            Kind.Keyword: look.under_way,
            Kind.Operator.Word: look.under_way,
            Kind.Name.Function: look.subject,
            Kind.Name.Class: look.subject,
            Kind.Name.Decorator: look.high,
            Kind.Name.Tag: look.under_way,
            Kind.Literal.Number: look.high,
            Kind.Literal.String: look.done,
            Kind.Generic.Deleted: look.failed,
            Kind.Generic.Inserted: look.done,
            Kind.Generic.Subheading: look.under_way,
            Kind.Generic.Heading: look.subject,
        }
        background = Style(bgcolor=look.code.bgcolor)
        self._styles = {kind: style + background for kind, style in foreground.items()}

    def get_style_for_token(self, token_type: _TokenType) -> Style:
        kind: _TokenType | None = token_type
        while kind is not None:
            if kind in self._styles:
                return self._styles[kind]
            kind = kind.parent
        return self._plain

    def get_background_style(self) -> Style:
        return Style(bgcolor=self._plain.bgcolor)


class _Code(CodeBlock):
    """Code without empty lines around it, coloured if that is quick."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = str(self.text).rstrip()
        language = self.lexer_name if len(code) <= _MAX_CODE else "text"
        yield Syntax(code, language, theme=self.theme, word_wrap=True, padding=(0, 1))


class _Heading(Heading):
    LEVEL_ALIGN: ClassVar = dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "left")


class _Rule(HorizontalRule):
    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="markdown.hr", characters="─")


class _TooDeep(Exception):
    """Blocks are nested so deep that the parser may have dropped some."""


class _Body(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
        "heading_open": _Heading,
        "hr": _Rule,
    }

    def __init__(self, body: str, look: Look) -> None:
        super().__init__("", hyperlinks=False)
        self.code_theme = _CodeColors(look)  # type: ignore[assignment]  # Syntax takes a theme as well.
        self.parsed = _parser().parse(body)
        if any(token.level >= _MAX_NESTING for token in self.parsed):
            raise _TooDeep
        _make_visible(self.parsed)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _MAX_NESTING + 4})
    return parser.enable(["strikethrough", "table"]).disable(["image", "reference"])


def _make_visible(tokens: Iterable[Token]) -> None:
    """Clean what the parser has decoded, and keep the lines as they were written."""
    for token in tokens:
        token.content = safe.content(token.content).plain
        if title := token.attrs.get("title"):
            token.attrs["href"] = f'{token.attrs["href"]} "{title}"'
        if "href" in token.attrs:
            token.attrs["href"] = safe.line(str(token.attrs["href"]))
        if token.type == "fence" and token.info.strip().lower() not in _LANGUAGES:
            token.content = f"{safe.line(token.info)}\n{token.content}" if token.info else token.content
            token.info = "text"
        if token.type == "softbreak":
            token.type = "hardbreak"
        _make_visible(token.children or ())


def markdown_lines(body: str, width: int, look: Look) -> list[list[Segment]] | None:
    """The body in lines of at most `width` cells; None where it had better be shown as it was written:
    it is too long or too deep, there is too little room, or nothing would be seen of it."""
    if len(body) > MAX_MARKDOWN or body.count("\n") > MAX_LINES or width < _NARROWEST:
        return None
    console = Console(
        file=io.StringIO(), width=width, color_system="truecolor", theme=_theme(look), legacy_windows=False
    )
    try:
        markdown = _Body(safe.content(body).plain, look)
    except _TooDeep:
        return None
    lines = console.render_lines(markdown, style=look.body, pad=False)
    lines = list(_without_gaps(lines, look))
    if not lines or any(sum(cell_len(segment.text) for segment in line) > width for line in lines):
        return None
    return lines


def _without_gaps(lines: Iterable[list[Segment]], look: Look) -> Iterator[list[Segment]]:
    """The lines, with one empty line at most between two that are not, and none at either end."""
    gap, begun = False, False
    for line in lines:
        if any(text.strip() or (style and style.bgcolor == look.code.bgcolor) for text, style, _ in line):
            if gap and begun:
                yield [Segment("", look.body)]
            yield line
            gap, begun = False, True
        else:
            gap = True


def _theme(look: Look) -> Theme:
    plain, muted = Style(), look.muted
    return Theme(
        {
            **{
                f"markdown.h{level}": look.subject + Style(color=look.under_way.color)
                for level in range(1, 7)
            },
            "markdown.code": look.code,
            "markdown.code_block": look.code,
            "markdown.block_quote": muted,
            "markdown.list": plain,
            "markdown.item.bullet": muted,
            "markdown.item.number": muted,
            "markdown.hr": look.divider,
            "markdown.link": look.under_way,
            "markdown.link_url": muted,
            "markdown.table.border": look.divider,
            "markdown.table.header": look.subject,
        }
    )
