"""The form for a breakpoint: what is written into it, and which rule comes of that."""

from __future__ import annotations

from functools import partial

from textual.widgets import Static

from msgcode import Priority, Store
from msgcode_tui.screens.breakpoint import BreakpointForm
from msgcode_tui.screens.debug import DebugScreen
from msgcode_tui.widgets.line_input import LineInput
from tests.tui.debugging import Debugger, debugging


async def form(app: Debugger, **fields: str) -> None:
    """Open the form and write these into its fields."""
    await app.open("breakpoints", "There are no breakpoints.")
    await app.press("a")
    await app.on(BreakpointForm)
    for name, text in fields.items():
        app.app.screen.query_one(f"#{name}", LineInput).focus()
        await app.press(*text)


async def test_all_that_can_be_said(store: Store) -> None:
    thread = store.send("alice", "bob", "hello")
    reply = store.send("bob", "alice", "yes?", reply_to=thread.id)
    async with debugging(store, size=(80, 24)) as app:
        await form(
            app, sender="@alice", to="bob", channel="#dev", thread=reply.id[:12], text="a+b", priority="high",
            hops="3", budget="1,000",
        )  # fmt: skip
        await app.press("down", "space", "down", "space", "enter")
        await app.on(DebugScreen)
        await app.shows("1 breakpoint, 1 enabled")
    (rule,) = store.breakpoints()
    assert (rule.sender, rule.to, rule.channel, rule.thread) == ("alice", "bob", "dev", thread.id)
    assert (rule.text, rule.priority, rule.hops, rule.budget) == ("a+b", Priority.HIGH, 3, 1000)
    assert rule.loops
    assert rule.once


def says(app: Debugger, problem: str) -> bool:
    return problem in str(app.app.screen.query_one("#problem", Static).content)


PROBLEMS: list[tuple[str, str, str]] = [
    ("sender", "no such name", "no such name"),
    ("text", "((", "is not a regular expression"),
    ("hops", "many", "'many' is no number of hops."),
    ("hops", "0", "a number of hops must be 1 or more."),
    ("budget", "-5", "'-5' is no number of characters."),
    ("priority", "high!", "high!"),
    ("thread", "zzzz", "zzzz"),
]


async def test_what_is_wrong_is_said_in_the_form_and_changes_nothing(store: Store) -> None:
    store.register("human", human=True)
    async with debugging(store) as app:
        await form(app)
        before = len(list(store.history()))
        await app.press("enter")
        await app.shows("a breakpoint must say what it stops")
        for name, text, problem in PROBLEMS:
            field = app.app.screen.query_one(f"#{name}", LineInput)
            field.focus()
            await app.press(*text, "enter")
            await app.until(partial(says, app, problem))
            assert isinstance(app.app.screen, BreakpointForm)
            field.value = ""
        assert len(list(store.history())) == before
        await app.press("escape")
        await app.on(DebugScreen)


async def test_it_fits_a_small_terminal(store: Store) -> None:
    async with debugging(store, size=(50, 20)) as app:
        await form(app)
        await app.shows("from", "budget", "only once")
        await app.press("enter")
        await app.shows("a breakpoint must say")
