"""Whether a wake-up may be typed into a terminal: a pure decision on what it shows and when it moved."""

from __future__ import annotations

import re

from msgcode.record import Record

QUIET = 1.5
"""Seconds for which nothing may have come out of the program."""

LEARNED = 0.5
"""Seconds of quiet after which a prompt is one that waits."""

HANDS_OFF = 3.0
"""Seconds for which nobody may have pressed a key."""

FORGOTTEN = 10.0
"""Seconds without a key after which a prompt that is seen to be empty is, whatever was typed."""

_ASKS = re.compile(
    r"[\[(]\s*y(?:es)?\s*/\s*n(?:o)?\s*(?:/[^\])]*)?[\])]|\(yes/no|press (?:any key|enter|return)"
    r"|(?:password|passphrase|passcode)[^:]*:\s*$|--More--|are you sure",
    re.IGNORECASE,
)
"""A question on the line of the cursor."""

_MENU = re.compile(r"\W*[❯›>●→]\s*\d[.)]\s")
"""The chosen line of a menu of numbered answers."""

_MENU_ASKS = re.compile(r"\?\s*$|do you|allow|approve|trust|permission|confirm", re.IGNORECASE)

_SIGN = re.compile(r"[^\w\s:?]+\s*$")


class Screen(Record):
    """What a terminal shows."""

    lines: tuple[str, ...]
    """All its rows, each as wide as it is."""
    row: int
    """Where the cursor is."""
    left: str
    """The text of that row to the left of the cursor."""
    alternate: bool = False
    """It is the alternate screen, which editors, pagers and full-screen programs use."""

    @property
    def line(self) -> str:
        """The text of the cursor's row."""
        return self.lines[self.row]

    @property
    def behind(self) -> str:
        """The text of that row from the cursor on."""
        return self.line[len(self.left) :].strip()

    @property
    def so_far(self) -> str:
        """All the text before the cursor, rows joined as a long line wraps."""
        return "".join(self.lines[: self.row]) + self.left


class View(Record):
    """A terminal at one moment."""

    screen: Screen
    quiet: float
    """Seconds since something last came out of the program, but for the echo of keys."""
    hands_off: float
    """Seconds since a key was last pressed."""
    typed: bool | None = False
    """Something was typed, or may have been, that was not sent; None if nobody follows the keys."""
    foreground: bool = True
    """The program itself has the terminal, and not one that it has started."""
    hidden: bool = False
    """What is typed is not shown, as with a password."""
    closed: bool = False
    """What is typed does not go to the program, or not to it alone."""


class Prompt(Record):
    """How a program waits for input: what stands before and behind the cursor, and on which screen."""

    sign: str
    behind: str
    alternate: bool


def prompt(screen: Screen) -> Prompt | None:
    """The prompt that the cursor stands behind, such as `$ ` or `> `, if it does."""
    sign = _SIGN.search(screen.left)
    return Prompt(sign[0], screen.behind, screen.alternate) if sign else None


def question(view: View) -> str | None:
    """What the program asks its user for, such as an approval: its line, if it does."""
    screen = view.screen
    if _ASKS.search(screen.line):
        return screen.line.strip()
    if view.hidden:
        return screen.line.strip() or "it asks for something that it does not show, such as a password"
    return _menu(screen)


def _menu(screen: Screen) -> str | None:
    """What a menu of numbered answers asks, if one is open.

    One above a prompt is what was said before: while it is open, it is where the cursor is.
    """
    first = screen.row if prompt(screen) else 0
    for at in range(len(screen.lines) - 1, first - 1, -1):
        if _MENU.match(screen.lines[at]):
            above = [line.strip(" │┃|╭╮─") for line in screen.lines[max(at - 12, 0) : at]]
            asks = [line for line in above if _MENU_ASKS.search(line)]
            return (asks or list(filter(None, above)) or [""])[-1] or screen.lines[at].strip()
    return None


def why_not(view: View, usual: Prompt | None) -> str | None:
    """Why nothing may be typed now, as a clause; None if it may.

    usual: the prompt at which the program waits when nothing is typed, once it is known.
    """
    if asked := question(view):
        return f"its terminal asks: {asked}"
    if not view.foreground:
        return "another program has its terminal"
    if view.closed:
        return "its terminal scrolls back, or takes no keys, or is one of several that are typed into at once"
    if view.quiet < QUIET:
        return "its output moves"
    here = prompt(view.screen)
    if view.typed and not (view.hands_off >= FORGOTTEN and here and usual and _is_empty(here, usual)):
        return "something was typed in its terminal and not sent"
    if view.hands_off < HANDS_OFF:
        return "somebody types in its terminal"
    if not here:
        return "its terminal shows no prompt at the cursor"
    if not usual:
        return "it is not known yet how its terminal waits"
    if here.alternate != usual.alternate:
        return "its terminal shows another screen, such as an editor or a pager"
    if here.sign != usual.sign:
        return f"its terminal shows the prompt {here.sign.strip()!r} and not {usual.sign.strip()!r}"
    if view.typed is None and not _is_empty(here, usual):
        return "text stands behind the cursor in its terminal"
    return None


def may_learn(view: View) -> bool:
    """Whether the prompt is to be taken for the usual one, as nothing is typed and nothing moves."""
    return not (view.typed or view.closed or question(view)) and view.foreground and view.quiet >= LEARNED


def _is_empty(here: Prompt, usual: Prompt) -> bool:
    return here in (usual, usual._replace(behind=""))


def holds(before: Screen, after: Screen, text: str) -> bool:
    """Whether the prompt of `before` holds exactly the text now, and nothing else has come up.

    A box may wrap the text, so blanks do not count.
    """
    known = [line for line in map(str.strip, _below(before)) if line]
    # Hints may go while something is typed, but nothing comes, such as a list to choose from.
    unknown = [
        line for line in map(str.strip, _below(after)) if not any(line in hint for hint in ("", *known))
    ]
    return _solid(after.so_far).endswith(_solid(before.left + text)) and not unknown


def _solid(text: str) -> str:
    return "".join(text.split())


def _below(screen: Screen) -> tuple[str, ...]:
    return screen.lines[screen.row + 1 :]
