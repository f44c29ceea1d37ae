"""What the user can do to messages: how each action asks for what it needs, and hands it over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from msgcode import Message, Priority
from msgcode.questions import MAX_CHOICES
from msgcode_tui import actions, deeds
from msgcode_tui.actions import Action
from msgcode_tui.completion import agents
from msgcode_tui.deeds import Deed
from msgcode_tui.items import count
from msgcode_tui.rooms import Room
from msgcode_tui.screens.ask import Ask
from msgcode_tui.screens.confirm import Confirm
from msgcode_tui.screens.menu import Menu
from msgcode_tui.widgets.message_lines import message_text
from msgcode_tui.widgets.room_list import RoomList
from msgcode_tui.widgets.thread import Thread

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp
    from msgcode_tui.screens.rewrite import Rewritten

PREVIEWED = 100
"""So many of the messages that something touches are listed before it is done."""

RIGHT_BUTTON = 3


class ActingScreen(Screen[None]):
    """A screen with a thread, whose selected or marked messages something can be done to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "a", "actions", "Actions", id="room.actions",
            tooltip="Show what can be done to the selected or marked messages (a right click does it too)",
        ),
        *(
            Binding(key, f"act('{id}')", title, id=f"room.{id}", show=False, tooltip=tooltip)
            for key, id, title, tooltip in (
                ("r", "reply", "Reply", "Answer the selected message"),
                ("x", "acknowledge", "Acknowledge", "Acknowledge the selected or marked messages"),
                ("f", "forward", "Forward", "Send the selected or marked messages on to an agent"),
                ("e", "edit", "Edit", "Edit the selected message while nobody has had it"),
                ("d", "discard", "Discard", "Discard the selected or marked messages"),
            )
        ),
        Binding("u", "undo", "Undo", id="room.undo", show=False, tooltip="Undo what you did last"),
        Binding(
            "Q", "questions", "Questions", id="room.questions", show=False,
            tooltip="Answer the questions that you were asked",
        ),
        Binding(
            "enter", "choose_answer", "Answer", id="room.choose-answer", show=False,
            tooltip="Choose an answer to the selected question",
        ),
        *(
            Binding(
                str(number), f"answer({number})", "Answer", id=f"room.answer-{number}", show=False,
                tooltip=f"Answer the selected question with choice {number}",
            )
            for number in range(1, MAX_CHOICES + 1)
        ),
    ]  # fmt: skip

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    @property
    def room(self) -> Room:
        """The room that is selected."""
        return self.query_one(RoomList).room

    def open_message(self, id: str) -> bool:
        """Select a message, in this room or else among everything; returns whether it is known."""
        raise NotImplementedError

    def reply_to(self, message: str) -> None:
        """Answer the message with this id."""
        raise NotImplementedError

    def targets(self) -> list[Message]:
        """The messages that are meant: the marked ones, or else the selected one."""
        thread, known = self.query_one(Thread), self._app.live.state.messages
        return [known[id] for id in thread.marked or (thread.selected or "",) if id in known]

    def possible(self, messages: Sequence[Message]) -> list[Action]:
        """What can be done to these messages, and why not what cannot."""
        return actions.message_actions(messages, self.room, self._app.live, self._app.clock())

    def commands(self) -> Iterator[SystemCommand]:
        """For the command palette: what can be done now."""
        # It takes the help for markup, so what it says must not come from a message.
        if messages := self.targets():
            about = "The marked messages" if len(messages) > 1 else "The selected message"
            for action in filter(lambda action: action.possible, self.possible(messages)):
                yield SystemCommand(f"Message: {action.title}", about, partial(self.act, action.id, messages))
        yield SystemCommand("Questions", "Answer the questions that you were asked", self.action_questions)
        yield SystemCommand("Undo", "Undo what you did last", self.action_undo)

    # From a key, a click or the palette to an action

    def on_click(self, event: events.Click) -> None:
        thread = self.query_one(Thread)
        clicked, _ = self.get_widget_at(event.screen_x, event.screen_y)
        if event.button == RIGHT_BUTTON and clicked is thread and (message := thread.message):
            is_marked = message.id in thread.marked
            self._offer_actions(self.targets() if is_marked else [message])

    def action_actions(self) -> None:
        """Show what can be done to the selected or the marked messages."""
        if messages := self._wanted():
            self._offer_actions(messages)

    def _wanted(self) -> list[Message]:
        messages = self.targets()
        if not messages:
            self._app.say("No message is selected: select one with the arrow keys.", "warning")
        return messages

    def _offer_actions(self, messages: Sequence[Message]) -> None:
        def chosen(id: str | None) -> None:
            if id:
                self.act(id, messages)

        title = count(len(messages), "message") if len(messages) > 1 else _title(messages[0])
        self.app.push_screen(Menu(title, self.possible(messages)), chosen)

    def action_act(self, id: str) -> None:
        """Do this to the selected or the marked messages."""
        if messages := self._wanted():
            self.act(id, messages)

    def act(self, id: str, messages: Sequence[Message]) -> None:
        """Do this to these messages, having asked for what it takes; or say why it cannot be done.

        id: that of an `actions.Action`.
        """
        known = self._app.live.state.messages
        now = [known.get(message.id, message) for message in messages]
        action = next((each for each in self.possible(now) if each.id == id), None)
        if action and action.possible:
            flow: Callable[[list[Message]], object] = getattr(self, f"_do_{id.replace('-', '_')}")
            flow(now)
        elif action:
            self._app.say(action.about, "warning")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("answer", "choose_answer"):
            thread = self.query_one(Thread)
            live, now = self._app.live, self._app.clock()
            question = actions.question_to(live, thread.selected, now)
            return question is not None and (not parameters or parameters[0] in _numbers(question.choices))
        return super().check_action(action, parameters)

    def action_undo(self) -> None:
        """Undo what the user did last."""
        self.run_worker(self._app.hands.undo())

    # What each action asks for

    def _do(self, deed: Callable[[], Deed]) -> None:
        self.run_worker(self._app.hands.do(deed))

    def _ask_first(self, question: str, touched: Iterable[str], yes: str, deed: Callable[[], Deed]) -> None:
        """Do it once the user has seen what it touches."""
        lines = list(touched)
        if len(lines) > PREVIEWED:
            lines[PREVIEWED:] = [f"and {len(lines) - PREVIEWED:,} more"]

        def answered(confirmed: bool | None) -> None:
            if confirmed:
                self._do(deed)

        self.app.push_screen(Confirm(question, lines, yes), answered)

    def _do_reply(self, messages: list[Message]) -> None:
        self.reply_to(messages[0].id)

    def _do_acknowledge(self, messages: list[Message]) -> None:
        self._acknowledge(actions.unacknowledged(messages))

    def _do_acknowledge_inbox(self, messages: list[Message]) -> None:
        agent = actions.inbox_agent(messages, self.room, self._app.live)
        if agent:
            self.acknowledge_inbox(agent)

    def acknowledge_inbox(self, agent: str) -> None:
        """Acknowledge all that waits for the agent, once the user has seen what that is."""
        self._acknowledge(actions.inbox(agent, self._app.live))

    def _acknowledge(self, waiting: list[tuple[Message, str]]) -> None:
        me, ids = self._app.live.me, [message.id for message, _ in waiting]
        deed = partial(deeds.acknowledge, self._app.store, me, waiting)
        is_asked = any(actions.question_to(self._app.live, id, self._app.clock()) for id in ids)
        if len(waiting) == 1 and waiting[0][1] == me and not is_asked:
            self._do(deed)
            return
        agents = actions.named(list(dict.fromkeys(agent for _, agent in waiting)))
        touched = [f"{_title(message)} (for {agent})" for message, agent in waiting]
        unanswered = " What you were asked is then never answered." if is_asked else ""
        question = f"Acknowledge {len(waiting):,} for {agents}?{unanswered}"
        self._ask_first(question, touched, "Acknowledge", deed)

    def _do_forward(self, messages: list[Message]) -> None:
        app = self._app
        others = [choice for choice in agents(app.live) if choice.text != app.live.me]

        def chosen(to: str | None) -> None:
            if to:
                ask = Ask(f"Forward to {to}", "a note above it, or nothing")
                app.push_screen(ask, partial(written, to))

        def written(to: str, note: str | None) -> None:
            if note is not None:
                self._do(partial(deeds.forward, app.store, app.live.me, messages, to, note))

        app.push_screen(Ask("Forward to whom?", "an agent", others), chosen)

    def _do_resend(self, messages: list[Message]) -> None:
        self._do(partial(deeds.resend, self._app.store, self._app.live.me, messages))

    def _do_edit(self, messages: list[Message]) -> None:
        from msgcode_tui.screens.rewrite import Rewrite

        (message,) = messages

        def written(new: Rewritten | None) -> None:
            if new:
                store, me = self._app.store, self._app.live.me
                self._do(partial(deeds.edit, store, me, message, new.body, new.subject))

        # At once, so that it gets what is typed from here on.
        self._app.push_screen(Rewrite(message), written)

    def _do_prioritize(self, messages: list[Message]) -> None:
        changing = self._able("prioritize", messages)

        def chosen(name: str | None) -> None:
            if name:
                store, me = self._app.store, self._app.live.me
                self._do(partial(deeds.prioritize, store, me, changing, Priority(name)))

        now = {message.priority for message in changing}
        choices = [
            Action(priority, priority[0], priority.capitalize(), "as it is" if {priority} == now else "")
            for priority in Priority
        ]
        self.app.push_screen(Menu("Which priority?", choices), chosen)

    def _do_discard(self, messages: list[Message]) -> None:
        self._end("discard", deeds.discard, messages)

    def _do_expire(self, messages: list[Message]) -> None:
        self._end("expire", deeds.expire, messages)

    def _end(self, id: str, deed: Callable[..., Deed], messages: list[Message]) -> None:
        ending = self._able(id, messages)
        question = f"{id.capitalize()} {count(len(ending), 'message')}?"
        do = partial(deed, self._app.store, self._app.live.me, ending)
        self._ask_first(question, map(_title, ending), id.capitalize(), do)

    def _able(self, action: str, messages: list[Message]) -> list[Message]:
        live, now = self._app.live, self._app.clock()
        return [message for message in messages if not actions.refusal(message, action, live, now)]

    def _do_open(self, messages: list[Message]) -> None:
        self._app.open_in_editor(messages[0])

    def _do_copy(self, messages: list[Message]) -> None:
        one = len(messages) == 1
        self._app.copy_to_clipboard(messages[0].body if one else _texts(messages))

    def _do_copy_thread(self, messages: list[Message]) -> None:
        live = self._app.live
        ids = dict.fromkeys(id for message in messages for id in live.index.thread(message.thread))
        known = live.state.messages
        self._app.copy_to_clipboard(_texts([known[id] for id in ids if id in known]))

    def _do_copy_id(self, messages: list[Message]) -> None:
        self._app.copy_to_clipboard("\n".join(message.id for message in messages))

    # Questions

    def _do_answer(self, messages: list[Message]) -> None:
        question = actions.question_to(self._app.live, messages[0].id, self._app.clock())
        if question is None:
            return
        choices = [Action(text, str(number), text) for number, text in enumerate(question.choices, 1)]

        def chosen(choice: str | None) -> None:
            if choice:
                self.answer(messages[0].id, choice)

        self.app.push_screen(Menu(_title(messages[0]), choices), chosen)

    def action_choose_answer(self) -> None:
        """Choose an answer to the selected question."""
        if message := self.query_one(Thread).message:
            self._do_answer([message])

    def action_answer(self, number: int) -> None:
        """Answer the selected question with the choice of this number."""
        live = self._app.live
        question = actions.question_to(live, self.query_one(Thread).selected, self._app.clock())
        if question:
            self.answer(question.message.id, question.choices[number - 1])

    def answer(self, id: str, choice: str) -> None:
        """Answer the question with this id by one of its choices."""
        self._do(partial(deeds.answer, self._app.store, self._app.live.me, id, choice))

    def action_questions(self) -> None:
        """Go through the questions to the user."""
        from msgcode_tui.screens.questions import Questions

        if not self._app.live.questions(self._app.clock()):
            self._app.say("Nobody waits for an answer of yours.")
            return

        def closed(id: str | None) -> None:
            if id:
                self.open_message(id)
                self.query_one(Thread).focus()

        self.app.push_screen(Questions(self.answer), closed)


def _numbers(choices: Sequence[str]) -> range:
    return range(1, len(choices) + 1)


def _texts(messages: Iterable[Message]) -> str:
    return "\n\n".join(map(message_text, messages))


def _title(message: Message) -> str:
    """The message in a line. Not made safe to print."""
    to = f"#{message.channel}" if message.channel is not None else actions.named(message.recipients)
    about = message.subject or message.body.lstrip()[:200].split("\n", 1)[0]
    return f"{message.sender} → {to}: {about}"
