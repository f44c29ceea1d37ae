"""`--at`: any command that only reads, in the room as it was."""

from __future__ import annotations

from msgcode import answers
from msgcode.errors import BadInput
from msgcode.times import parse_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgcode.calls import Answer, Call
    from msgcode.verbs import Moment


def run_at(call: Call) -> Answer:
    """Run the command in the room as it was when its `--at` says. Raises BadInput if it changes anything."""
    if not call.args.reads:
        raise BadInput("the past cannot be changed: --at is for what only reads, such as agents, log or why.")
    text = call.args.at.strip()
    store = call.store.at(int(text) if text.isdecimal() else parse_time(text, call.store.now()))
    answer: Answer = call.args.run(call._replace(store=store))
    assert store.moment
    if answer.document:
        return answer
    return answer._replace(text=f"{call.paint(_heading(store.moment), 'dim')}\n{answer.text}")


def _heading(moment: Moment) -> str:
    heading = f"As of {answers.clock_time(moment.at)}, after event {moment.seq}; presence unknown then."
    if not moment.whole:
        heading += f" Who was registered and what was held before event {moment.first} was purged."
    return heading
