"""Everything with which the user writes: the composer, what it offers, and what is said beside the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as TextualMessage
from textual.widgets import TextArea
from textual.widgets._toast import ToastRack

from msgcode import Priority
from msgcode.answers import SHORT_ID
from msgcode.checks import MAX_BODY_BYTES
from msgcode_tui import safe
from msgcode_tui.addressing import Address, address
from msgcode_tui.completion import Choice, complete
from msgcode_tui.drafts import PLAIN, Draft, Drafts, History
from msgcode_tui.live import Live
from msgcode_tui.rooms import EVERYTHING, Room
from msgcode_tui.widgets.choices import Choices
from msgcode_tui.widgets.composer import Composer
from msgcode_tui.widgets.envelope import Chip, Envelope

TTLS: dict[str, float | None] = {
    "never": None, "5m": 300, "30m": 1800, "2h": 7200, "8h": 28800, "1d": 86400, "7d": 604800,
}  # fmt: skip
"""What can be chosen as a time to live, in seconds."""

ANSWERABLE = 20
"""How many of a room's newest messages are offered to be answered."""

NEARLY = 0.8
"""From what part of the longest body on its size is shown."""

TOO_LONG = "The text is too long: a message may have 1 MiB. Put the text in a file and send its path."

_COMPLETES_UP_TO = 2000
_KIB = 1024


class Desk(Vertical):
    """Enter sends: the text is then gone, and `give_back` brings it back if it could not be sent."""

    @dataclass
    class Sent(TextualMessage):
        """The user wants this to be sent."""

        room: Room
        address: Address
        draft: Draft

    @dataclass
    class LineEntered(TextualMessage):
        """The user wants this `/msg` line to be run."""

        room: Room
        draft: Draft

    @dataclass
    class Refused(TextualMessage):
        """It cannot be sent like this."""

        sentence: str

    @dataclass
    class Left(TextualMessage):
        """The user wants to go back to the messages."""

    def __init__(self, live: Live, drafts: Drafts, history: History, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._live = live
        self._drafts = drafts
        self._history = history
        self.room = EVERYTHING
        """The room to which the user writes."""
        self._has_entered = False
        self._options = PLAIN
        self._menu: Callable[[Choice], None] | None = None
        self._word = 0
        """Where the word begins that the choices are for."""
        self._showing = ""
        """The text that was put here, and not written."""

    def compose(self) -> ComposeResult:
        yield Choices()
        yield Envelope()
        yield Composer(self._take_key, lambda name: getattr(self, f"action_{name}")())

    @property
    def composer(self) -> Composer:
        """The text area."""
        return self.query_one(Composer)

    @property
    def choices(self) -> Choices:
        """What pops up above it."""
        return self.query_one(Choices)

    # What is written

    @property
    def draft(self) -> Draft:
        """What has been written so far."""
        return self.composer.draft(self._options)

    def enter(self, room: Room) -> None:
        """From now on the user writes to this room, where they may have begun something."""
        if room == self.room and self._has_entered:
            return
        self._has_entered = True
        self._drafts.keep(self.room, self.draft)
        self.room = room
        self._history.leave()
        self._show(self._drafts.of(room))

    def give_back(self, room: Room, draft: Draft) -> bool:
        """Bring back what could not be sent; False if the user has gone on to another room or text."""
        if room != self.room or self.composer.text:
            return False
        self._show(draft)
        return True

    def reply_to(self, message: str) -> None:
        """The user wants to answer the message with this id."""
        self._set(reply_to=message)
        self.composer.focus()

    def _show(self, draft: Draft) -> None:
        self.choices.close()
        self._options = draft.options
        self.composer.show(draft)
        self._showing = self.composer.text
        self.look()

    def _set(self, **changes: Any) -> None:
        self._options = replace(self._options, **changes)
        self._drafts.keep(self.room, self.draft)
        self.look()

    # What is drawn

    def on_resize(self) -> None:
        # What is told is shown above it, and its footer.
        self.screen.get_child_by_type(ToastRack).styles.margin = (0, 0, self.outer_size.height + 1, 0)
        self.look()

    def look(self) -> None:
        """Say anew who will speak to whom."""
        draft = self.draft
        found = self._address(draft)
        composer = self.composer
        speaker = Content.styled(safe.line(found.who), "$text-warning" if found.by else "")
        composer.border_title = Content.assemble(speaker, " → ", self._whom(draft, found))
        composer.border_subtitle = Content(_size_note(draft))
        width = max(self.size.width - composer.gutter.width - 1, 1)  # The cursor may stand after it.
        composer.placeholder = Content(safe.fit(found.problem or f"Message {found.whom}", width))
        composer.set_class(found.by is not None, "-as-another")
        self.query_one(Envelope).show(self._reply(), list(self._told()))

    def _whom(self, draft: Draft, found: Address) -> Content:
        """Who will hear it, in the frame."""
        if _is_line(draft):
            return Content.styled("/msg", "bold $text-primary")
        if found.problem and self.choices.shown and not self._menu:
            return Content("…")  # The name is still being written.
        style = "bold $text-error" if found.problem else "bold $text-primary"
        return Content.styled(safe.fit(found.whom or "nobody", 60), style)

    def _address(self, draft: Draft) -> Address:
        return address(self._live, self.room, draft.text[:_COMPLETES_UP_TO], draft.options)

    def _reply(self) -> str:
        """What is answered, in words."""
        reply_to = self._options.reply_to
        if not reply_to:
            return ""
        origin = self._live.state.messages.get(reply_to)
        said = f"{origin.sender}: {origin.subject or origin.body[:200]}" if origin else reply_to
        return f"replying to {said}"

    def _told(self) -> Iterator[tuple[str, str]]:
        """The other options that are set, in words."""
        options = self._options
        if options.speak_as:
            yield "speak_as", f"as {options.speak_as}"
        if options.priority is not Priority.NORMAL:
            yield "priority", str(options.priority)
        if options.ttl:
            yield "ttl", f"ttl {_ttl_name(options.ttl)}"
        if options.subject:
            yield "subject", options.subject

    # Keys

    def _take_key(self, key: str) -> bool:
        """Deal with a key before the composer does; returns whether that was all."""
        composer, choices = self.composer, self.choices
        if key == "enter":
            self.action_send()
        elif key in ("tab", "up", "down", "escape") and choices.shown:
            if key == "tab":
                self._take(choices.choose())
            elif key == "escape":
                choices.close()
            else:
                choices.move(-1 if key == "up" else 1)
        elif key == "up" and composer.is_at_top:
            self._go_back(self._history.older(self.draft))
        elif key == "down" and composer.is_at_bottom:
            self._go_back(self._history.newer(self.draft))
        else:
            return False
        return True

    def _go_back(self, draft: Draft | None) -> None:
        if draft:
            self._show(draft)

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        if self.composer.text != self._showing:
            self._showing = ""
            self._history.leave()
            self._complete()
        self._drafts.keep(self.room, self.draft)
        self.look()

    def _complete(self) -> None:
        before = self.composer.before_cursor
        self._menu = None
        if len(before) > _COMPLETES_UP_TO or (self.composer.cursor_location[0] and before.startswith("/")):
            self.choices.close()
            return
        self._word, found = complete(before, self._live)
        self.choices.show(found)

    def _offer(self, title: str, choices: Sequence[Choice], take: Callable[[Choice], None]) -> None:
        """Offer these above the composer; `take` is called with the one that is chosen."""
        self.choices.show(choices, title)
        self._menu = take if choices else None
        self.composer.focus()

    def _takes_choice(self) -> bool:
        """Whether enter takes the highlighted choice: one that was begun or gone to, and is not there yet."""
        choices = self.choices
        if self._menu is None:
            self._complete()
        if not choices.shown:
            return False
        word = self.composer.before_cursor[self._word :]
        return (
            self._menu is not None or choices.was_moved or (bool(word) and choices.highlighted_text != word)
        )

    @on(Choices.Chosen)
    def _chosen(self, event: Choices.Chosen) -> None:
        event.stop()
        self._take(event.choice)

    def _take(self, choice: Choice) -> None:
        if self._menu:
            menu, self._menu = self._menu, None
            menu(choice)
            return
        row, column = self.composer.cursor_location
        self.composer.replace(f"{choice.text} ", (row, self._word), (row, column))

    # Actions

    def action_send(self) -> None:
        """Take the choice that is highlighted, or hand over what was written."""
        if self._takes_choice():
            self._take(self.choices.choose())
            return
        self.choices.close()
        draft = self.draft
        if not draft.text.strip():
            return
        if _is_line(draft):
            self._hand_over(self.LineEntered(self.room, draft))
            return
        found = self._address(draft)
        if problem := found.problem or self._problem(draft, found):
            self.post_message(self.Refused(problem))
        else:
            self._hand_over(self.Sent(self.room, found, draft))

    def _problem(self, draft: Draft, found: Address) -> str:
        if not draft.text[found.skip :].strip():
            return f"Write what {found.whom} shall read after the name."
        if draft.size > MAX_BODY_BYTES:
            return TOO_LONG
        return ""

    def _hand_over(self, message: Sent | LineEntered) -> None:
        self._history.add(message.draft.whole)
        self._show(Draft())
        self.post_message(message)

    def action_new_line(self) -> None:
        """Break the line."""
        self.composer.insert("\n")

    def action_leave(self) -> None:
        """Go back to the messages."""
        self.choices.close()
        self.post_message(self.Left())

    # What is said beside the text

    def action_options(self) -> None:
        """Offer all that can be said beside the text."""
        now = self._options
        actions: dict[str, tuple[str, Callable[[], None]]] = {
            "priority": (f"{now.priority} · alt+p", self.action_priority),
            "subject": (f"{now.subject or 'none'} · alt+s", self.action_subject),
            "expires": (f"{_ttl_name(now.ttl)} · alt+t", self.action_ttl),
            "reply to": (f"{(now.reply_to or 'none')[:SHORT_ID]} · alt+r", self.action_reply),
            "speak as": (f"{now.speak_as or self._live.me} · alt+a", self.action_speak_as),
        }
        choices = [Choice(name, about) for name, (about, _) in actions.items()]
        self._offer("Options", choices, lambda choice: actions[choice.text][1]())

    def action_priority(self) -> None:
        """Take the next priority: from normal up to urgent, then low."""
        up = list(reversed(Priority))
        self._set(priority=up[(up.index(self._options.priority) + 1) % len(up)])

    def action_subject(self) -> None:
        """Write the subject."""
        self.query_one(Envelope).ask_subject(self._options.subject)

    @on(Envelope.SubjectWritten)
    def _subject_written(self, event: Envelope.SubjectWritten) -> None:
        event.stop()
        if event.subject is not None:
            self._set(subject=event.subject)
        self.composer.focus()

    def action_ttl(self) -> None:
        """Choose when it expires."""
        choices = [Choice(name) for name in TTLS]
        self._offer("Expires in", choices, lambda choice: self._set(ttl=TTLS[choice.text]))

    def action_reply(self) -> None:
        """Choose the message that is answered; if there is one, answer none."""
        if self._options.reply_to:
            self._set(reply_to=None)
            return
        messages = self._live.state.messages
        newest = islice(reversed(self._live.index.messages(self.room)), ANSWERABLE)
        ids = {id[:SHORT_ID]: id for id in newest}
        choices = [
            Choice(short, f"{messages[id].sender}: {messages[id].subject or messages[id].body[:200]}")
            for short, id in ids.items()
        ]
        if not choices:
            self.post_message(self.Refused("There is no message here that could be answered."))
        self._offer("Reply to", choices, lambda choice: self.reply_to(ids[choice.text]))

    def action_speak_as(self) -> None:
        """Choose for whom the user speaks."""
        me = self._live.me
        agents = [agent.id for agent in self._live.state.agents.values() if not agent.human]
        choices = [Choice(me, "yourself"), *(Choice(agent) for agent in agents if agent != me)]
        self._offer("Speak as", choices, lambda choice: self._speak_as(choice.text))

    def _speak_as(self, agent: str) -> None:
        self._set(speak_as=agent if agent != self._live.me else None)

    @on(Chip.Dropped)
    def _dropped(self, event: Chip.Dropped) -> None:
        event.stop()
        self._set(**{event.option: getattr(PLAIN, event.option)})
        self.composer.focus()

    @on(Composer.TooLong)
    def _too_long(self, event: Composer.TooLong) -> None:
        event.stop()
        self.post_message(self.Refused(TOO_LONG))


def _is_line(draft: Draft) -> bool:
    """Whether it is a command to run, and not a message."""
    return draft.text.split(maxsplit=1)[:1] == ["/msg"]


def _ttl_name(ttl: float | None) -> str:
    return next((name for name, seconds in TTLS.items() if seconds == ttl), f"{ttl} s")


def _size_note(draft: Draft) -> str:
    """How much of a body is used, where that is most of it."""
    size = draft.size
    if size < MAX_BODY_BYTES * NEARLY:
        return ""
    return f"{size / _KIB:,.0f} of {MAX_BODY_BYTES // _KIB:,} KiB"
