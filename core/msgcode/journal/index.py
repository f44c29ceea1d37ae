"""What is in which line of a journal, so that the room can be shown as it was at any of its events.

To fold everything up to a place takes 10 to 20 microseconds for each event, nearly all of them for messages
that had ended by then. Here each line is only looked at, as bytes: which message it is about, and whether
that ended with it. What then has to be decoded for a place is what told of the room there.
"""

from __future__ import annotations

import os
import re
from array import array
from bisect import bisect_left, bisect_right

from msgcode.codec import decode_line, encode_facts, encode_line
from msgcode.events import (
    AgentHeard,
    Event,
    Fact,
    LineDamaged,
    MessageSent,
)
from msgcode.journal.folder import unavailable
from msgcode.journal.reader import (
    ANY_NUMBER,
    SHORTEST,
    Position,
    misnumbered,
    segment_numbers,
    segment_path,
)
from msgcode.model import PROBE, now
from msgcode.record import Record
from msgcode.state import State, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

# As `codec` writes them. A line that is written in another way is decoded.
_TEXT = rb'[^"\\\0-\x1f]+'
_HEAD = re.compile(
    rb'\{"seq":([1-9]\d{0,17}),"at":"%b","type":"(%b)"(,"more":true)?(?:,"id":"(%b)")?'
    % (_TEXT, _TEXT, _TEXT)
)
_TO = re.compile(rb',"from":"%b","to":\["([^\]\\\0-\x1f]*)"\],' % _TEXT)
_AGENT = re.compile(rb',"agent":"(%b)"(,"by":"%b")?(?:,"since":"%b")?\}$' % (_TEXT, _TEXT, _TEXT))

_SENT, _DELIVERED, _ACKNOWLEDGED = b"message.sent", b"message.delivered", b"message.acknowledged"
_ENDS = {_ACKNOWLEDGED, b"message.expired", b"message.discarded"}


_NOBODY: frozenset[bytes] = frozenset()


class _Segment(Record):
    number: int
    first: int
    """The index of its first line."""
    size: int
    """Bytes of its lines."""


class _Life:
    """The lines that tell of one message, by their indexes."""

    __slots__ = ("end", "is_probe", "lines", "open", "reached")

    def __init__(self, line: int, agents: Iterable[bytes]) -> None:
        self.lines = array("Q", [line])
        self.end: int | None = None
        """The one with which it had ended at every recipient."""
        self.open = frozenset(agents)
        """Where it has not ended."""
        self.reached = _NOBODY
        """Those of them whom it has reached."""
        self.is_probe = False
        """Hearing it does not count (see `state`)."""


class Index:
    """The lines of the journal in `folder`, as they were when it was made. They are counted from 0.

    until: only those up to the event of this number. Raises OSError if a file cannot be read.
    Damage within a line that no place needs is not noticed.
    """

    def __init__(self, folder: str, until: int | None = None) -> None:
        self._folder = folder
        self._segments: list[_Segment] = []
        self._numbers = array("Q")
        """Of each line, the number of its event; of a damaged one, that of the event before."""
        self._offsets = array("Q")
        self._damage: dict[int, str] = {}
        """What is wrong with lines that could be decoded."""
        self._others: list[int] = []
        """The lines that are not about a message alone."""
        self._lives: list[_Life] = []
        self._live: dict[bytes, _Life] = {}
        self._heard: dict[bytes, tuple[list[int], list[int]]] = {}
        """By agent: the lines with which a message reached it, and those that sent these messages."""
        self._purges: list[int] = []
        self.blank = 0
        """How many lines are blank."""
        self._budget: int | None = None
        """The first line that sets a budget: what reaches an agent counts from then on."""
        for number in segment_numbers(folder):
            try:
                with open(segment_path(folder, number), "rb") as file:
                    lines = file.read().split(b"\n")[:-1]
            except FileNotFoundError:
                continue  # Cleaned up meanwhile.
            while lines and (head := _HEAD.match(lines[-1])) and head[3]:
                lines.pop()  # A change that is not whole.
            if not self._add(number, lines, until):
                break

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def first(self) -> int:
        """The number of the first event that is kept; 0 if there is none."""
        known = bisect_right(self._numbers, 0)  # Behind damaged lines at the very beginning.
        return self._numbers[known] if known < len(self) else 0

    @property
    def last(self) -> int:
        """The number of the newest event; 0 if there is none."""
        return self._numbers[-1] if self._numbers else 0

    def is_whole(self, count: int) -> bool:
        """Whether the first `count` lines tell all of the room: a clean-up may have taken what came before
        them, and says again only at its own time who was registered and what is held."""
        return self.first <= 1 or any(line < count for line in self._purges)

    def count(self, seq: int) -> int:
        """How many lines there are up to the event of this number."""
        return bisect_right(self._numbers, seq)

    def count_until(self, moment: datetime) -> int:
        """How many lines there are up to the last event that did not happen after this moment."""
        end = len(self)
        for segment in reversed(self._segments):
            first = self.events(segment.first, segment.first + 1)
            if not first or first[0].at <= moment:
                low, high = segment.first, end
                while low < high:
                    middle = (low + high) // 2
                    low, high = (middle + 1, high) if self.at(middle) <= moment else (low, middle)
                return low
            end = segment.first
        return 0

    def at(self, line: int) -> datetime:
        """When the event in this line happened; if it is damaged, when the one before did."""
        for back in range(line, -1, -1):
            for event in self.events(back, back + 1):
                if not isinstance(event.fact, LineDamaged):
                    return event.at
        return now()

    def number(self, line: int) -> int:
        """The number of the event in this line."""
        return self._numbers[line]

    def position(self, count: int) -> Position:
        """The place behind so many lines. In the middle of a change nobody can begin to read there."""
        if not count:
            return Position()
        segment = self._segment(count - 1)
        end = self._end(segment, count - 1)
        return Position(segment.number, end, count - segment.first, self.number(count - 1))

    def count_before(self, count: int, size: int) -> int:
        """How many lines there are up to about `size` bytes before the end of the first `count`."""
        while count and size > 0:
            segment = self._segment(count - 1)
            end = self._end(segment, count - 1)
            if end > size:
                return bisect_left(self._offsets, end - size, segment.first, count)
            count, size = segment.first, size - end
        return count

    def events(self, start: int, end: int) -> list[Event]:
        """The events in these lines, from `start` until before `end`."""
        return [event for event in self.lines(start, end) if event]

    def lines(self, start: int, end: int) -> list[Event | None]:
        """As `events`, with None in the place of a line that is blank."""
        found: list[Event | None] = [None] * max(min(end, len(self)) - start, 0)
        for line, event in self._decoded(range(start, min(end, len(self)))):
            found[line - start] = event
        return found

    def state(self, count: int, *, keep_ended: bool = False) -> State:
        """The room after the first `count` lines, without the messages that had ended by then.

        keep_ended: it keeps those that end from then on, when more events are folded.
        """
        needed = self._others[: bisect_left(self._others, count)]
        for life in self._lives:
            if life.lines[0] >= count:
                break
            if self._matters(life, count):
                needed += life.lines[: bisect_left(life.lines, count)]
        needed.sort()
        told = [*self._decoded(needed), *self._last_heard(count)]
        told.sort(key=lambda item: item[0])
        state = State()
        for _, event in told:
            fold(state, event)
        state.seq = self._numbers[count - 1] if count else 0
        state.ended.clear()
        state.keep_ended = keep_ended
        return state

    def _matters(self, life: _Life, count: int) -> bool:
        if life.end is None or life.end >= count:
            return True
        return self._budget is not None and self._budget < life.end

    def _last_heard(self, count: int) -> Iterator[tuple[int, Event]]:
        """What each agent had heard last, in place of the messages that it had heard."""
        for agent, (lines, sent) in self._heard.items():
            last = bisect_left(lines, count) - 1
            if last >= 0:
                for event in self.events(sent[last], sent[last] + 1):
                    fact = event.fact
                    if isinstance(fact, MessageSent):
                        heard = AgentHeard(agent.decode(), fact.id, fact.hops, fact.human)
                        yield lines[last], Event(self.number(lines[last]), event.at, heard)

    # Looking at the lines

    def _add(self, number: int, lines: list[bytes], until: int | None) -> bool:
        """Take in one segment; returns whether that did not reach `until`."""
        before, missing, offset = self.last, ANY_NUMBER, 0
        doubtful: tuple[bytes, int, int] | None = None
        """The line before, of which only the head was looked at, and how the numbers were there."""
        index = first = len(self._numbers)
        for text in lines:
            head = _HEAD.match(text)
            usual = text
            if not head:
                usual = _as_usual(text)
                head = _HEAD.match(usual)
            seq = int(head[1]) if head else 0
            if head and until is not None and seq > until:
                break
            reason = None
            if head:
                reason = "" if seq == before + 1 else misnumbered(seq, before, missing)
                if reason and doubtful and not _as_usual(doubtful[0]):
                    # That one is damaged behind its head, so its number does not count.
                    text_before, before, missing = doubtful
                    missing += 1 + len(text_before) // SHORTEST
                    reason = misnumbered(seq, before, missing)
            doubtful = (text, before, missing) if reason == "" else None
            if reason == "":
                before, missing = seq, 0
                assert head
                self._take(index, usual, head)
            else:
                missing += 1 + len(text) // SHORTEST
                self.blank += not text.strip()
                self._others.append(index)
                if reason:
                    self._damage[index] = reason
            self._numbers.append(before)
            self._offsets.append(offset)
            offset += len(text) + 1
            index += 1
        else:
            self._segments.append(_Segment(number, first, offset))
            return True
        self._segments.append(_Segment(number, first, offset))
        return False

    def _take(self, line: int, text: bytes, head: re.Match[bytes]) -> None:
        kind, id = head[2], head[4]
        if id is None or not kind.startswith(b"message."):
            self._others.append(line)
            if kind == b"room.purged":
                self._purges.append(line)
            elif kind == b"breakpoint.added" and self._budget is None and b'"budget":' in text:
                self._budget = line
            return
        life = self._live.get(id)
        if life is None:
            if kind == _SENT:
                self._begin(line, text, id, head.end())
            return  # Else it is about a message of which nothing is known.
        life.lines.append(line)
        if kind == _DELIVERED or kind in _ENDS:
            found = _AGENT.match(text, head.end())
            if found:
                self._come(life, line, id, kind, found[1], by=found[2] is not None)
            else:
                fact = _fact(text)
                if fact is not None:
                    by = getattr(fact, "by", None) is not None
                    self._come(life, line, id, kind, getattr(fact, "agent", "").encode(), by=by)

    def _begin(self, line: int, text: bytes, id: bytes, behind: int) -> None:
        found = _TO.match(text, behind)
        if found:
            agents = found[1].split(b'","')
        else:
            fact = _fact(text)
            if not isinstance(fact, MessageSent):
                self._others.append(line)
                return
            agents = [agent.encode() for agent in fact.to]
        life = _Life(line, agents)
        if b'"probe":' in text:
            fact = _fact(text)
            life.is_probe = isinstance(fact, MessageSent) and PROBE in fact.metadata
        self._lives.append(life)
        if agents:
            self._live[id] = life
        else:
            life.end = line

    def _come(self, life: _Life, line: int, id: bytes, kind: bytes, agent: bytes, *, by: bool) -> None:
        """The message has reached the agent, or has ended there."""
        if agent not in life.open:
            return
        unheard = agent not in life.reached and not life.is_probe
        if unheard and (kind == _DELIVERED or (kind == _ACKNOWLEDGED and not by)):
            life.reached = life.open if len(life.open) == 1 else life.reached | {agent}
            heard = self._heard.get(agent)
            if heard is None:
                heard = self._heard[agent] = ([], [])
            heard[0].append(line)
            heard[1].append(life.lines[0])
        if kind != _DELIVERED:
            if len(life.open) > 1:
                life.open -= {agent}
            else:
                life.end = line
                life.open = life.reached = _NOBODY
                del self._live[id]

    # Decoding them

    def _segment(self, line: int) -> _Segment:
        return self._segments[bisect_right(self._segments, line, key=lambda segment: segment.first) - 1]

    def _end(self, segment: _Segment, line: int) -> int:
        """Where the line ends in its segment, with its newline."""
        is_last = line + 1 == len(self) or self._offsets[line + 1] == 0
        return segment.size if is_last else self._offsets[line + 1]

    def _decoded(self, lines: Iterable[int]) -> Iterator[tuple[int, Event]]:
        descriptor, segment, beyond = -1, _Segment(0, 0, 0), -1
        before = None
        try:
            for line in lines:
                if line >= beyond:
                    if descriptor >= 0:
                        os.close(descriptor)
                        descriptor = -1
                    place = bisect_right(self._segments, line, key=lambda segment: segment.first)
                    segment = self._segments[place - 1]
                    beyond = self._segments[place].first if place < len(self._segments) else len(self)
                    descriptor = os.open(segment_path(self._folder, segment.number), os.O_RDONLY)
                start = self._offsets[line]
                text = os.pread(descriptor, self._end(segment, line) - start - 1, start)
                reason = self._damage.get(line)
                event = None
                if reason is None:
                    try:
                        event, _ = decode_line(text)
                        before = event.at
                    except ValueError as error:
                        reason = str(error) if text.strip() else None
                if reason is not None:
                    file = os.path.basename(segment_path(self._folder, segment.number))
                    damage = LineDamaged(file, line - segment.first + 1, reason)
                    event = Event(self._numbers[line], before or now(), damage)
                if event:
                    yield line, event
        except OSError as error:
            raise unavailable(error, f"cannot read {self._folder}") from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)


def _as_usual(text: bytes) -> bytes:
    """The line as `codec` writes it; nothing if it is none."""
    try:
        event, _ = decode_line(text)
    except ValueError:
        return b""
    fact = encode_facts([event.fact])[0] if isinstance(event.fact, Fact) else '"type":"unknown"}'
    return encode_line(event.seq, event.at, fact)[:-1]


def _fact(text: bytes) -> object:
    try:
        return decode_line(text)[0].fact
    except ValueError:
        return None
