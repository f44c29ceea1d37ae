"""The open questions to the user, in the order in which to answer them, each answered with one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from msgcode.questions import MAX_CHOICES, Question
from msgcode_tui import safe, times
from msgcode_tui.screens.dialog import Dialog
from msgcode_tui.widgets.question_lines import unanswered

if TYPE_CHECKING:
    from msgcode_tui.app import MsgcodeApp
    from msgcode_tui.live import Live

LONGEST = 4_000
"""So many characters of a question are shown here; the room has the rest."""


class Questions(Dialog[str | None]):
    """Returns the id of the message that the user wants to see in the room; None if none.

    answer: called with a question's id and the choice for it.
    """

    CSS_PATH: ClassVar = ["questions.tcss"]
    AUTO_FOCUS = "#queue"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,Q", "dismiss", "Close", id="questions.close", tooltip="Answer the others later"),
        Binding("j", "move(1)", "Down", id="questions.down", show=False, tooltip="The next question"),
        Binding("k", "move(-1)", "Up", id="questions.up", show=False, tooltip="The question before"),
        Binding("o", "open", "Open", id="questions.open", tooltip="See the message in its room"),
        *(
            Binding(
                str(number), f"answer({number})", "Answer", id=f"questions.answer-{number}", show=False,
                tooltip=f"Answer with choice {number}",
            )
            for number in range(1, MAX_CHOICES + 1)
        ),
    ]  # fmt: skip

    def __init__(self, answer: Callable[[str, str], None]) -> None:
        super().__init__()
        self._answer = answer
        self._queue: list[Question] = []
        self._answered: set[str] = set()
        """Those whose answers are on their way."""

    @property
    def _app(self) -> MsgcodeApp:
        return cast("MsgcodeApp", self.app)

    def compose(self) -> ComposeResult:
        with Vertical() as frame:
            frame.border_subtitle = safe.content("1-9 answers · o opens · esc")
            yield OptionList(id="queue", markup=False, compact=True)
            with VerticalScroll(can_focus=False):
                yield Static(id="question", markup=False)
            yield OptionList(id="choices", markup=False, compact=True)
            yield Static(id="deadline", markup=False)

    def on_mount(self) -> None:
        self._app.changed.subscribe(self, self._look)
        self._look(self._app.live)

    @property
    def current(self) -> Question | None:
        """The question that is answered next."""
        index = self.query_one("#queue", OptionList).highlighted
        return self._queue[index] if index is not None and index < len(self._queue) else None

    def _look(self, live: Live) -> None:
        """Show the queue as it is now; the user stays with the question that they are reading."""
        now = self._app.clock()
        found = [each for each in live.questions(now) if each.message.id not in self._answered]
        if found == self._queue and found:
            return
        current = self.current
        self._queue = found
        ids = [each.message.id for each in found]
        listed = self.query_one("#queue", OptionList)
        listed.set_options([Option(_title(each)) for each in found])
        listed.highlighted = ids.index(current.message.id) if current and current.message.id in ids else 0
        count = len(found)
        listed.parent.border_title = f"{count} question{'s' * (count != 1)} to you"  # type: ignore[union-attr]
        if not found:
            self.dismiss(None)
        self._show()

    @on(OptionList.OptionHighlighted, "#queue")
    def _show(self) -> None:
        question = self.current
        if question is None:
            return
        message = question.message
        text = f"{message.subject}\n\n{message.body}" if message.subject else message.body
        self.query_one("#question", Static).update(safe.content(text[:LONGEST]))
        choices = self.query_one("#choices", OptionList)
        choices.set_options(
            [Option(_choice(number, text)) for number, text in enumerate(question.choices, 1)]
        )
        self.query_one("#deadline", Static).update(safe.content(unanswered(question)))

    @on(OptionList.OptionSelected, "#queue")
    def _chosen(self) -> None:
        choices = self.query_one("#choices", OptionList)
        choices.highlighted = 0
        choices.focus()

    @on(OptionList.OptionSelected, "#choices")
    def _choice_made(self, event: OptionList.OptionSelected) -> None:
        self.action_answer(event.option_index + 1)

    def action_answer(self, number: int) -> None:
        """Answer the question with the choice of this number."""
        question = self.current
        if question is None or number > len(question.choices):
            return
        self._answered.add(question.message.id)
        self._answer(question.message.id, question.choices[number - 1])
        self.query_one("#queue").focus()
        self._look(self._app.live)

    def action_move(self, step: int) -> None:
        """Go to the next question in one direction, or to the next choice."""
        listed = self.focused if isinstance(self.focused, OptionList) else self.query_one(OptionList)
        if step > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_open(self) -> None:
        """See the question in its room."""
        if self.current:
            self.dismiss(self.current.message.id)

    def on_click(self, event: events.Click) -> None:
        if self.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            self.dismiss(None)


def _title(question: Question) -> Content:
    message = question.message
    about = safe.line(message.subject or message.body.lstrip()[:200].split("\n", 1)[0])
    by = f"  by {times.of_day(question.deadline)}" if question.deadline else ""
    priority = f"  {message.priority}" if message.priority != "normal" else ""
    return Content.assemble(
        Content.styled(f" {safe.fit(message.sender, 24)}", "bold"),
        Content.styled(f"{priority}{by}", "$text-warning"),
        f"  {about}",
    )


def _choice(number: int, text: str) -> Content:
    return Content.assemble(Content.styled(f" {number} ", "bold $text-accent"), " ", safe.line(text))
