"""Which exchanges are loops, what proves it, and which are none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from msgcode import Message
from msgcode.debugger.backtest import sent_messages
from msgcode.debugger.findings import Ended, Finding, Kind, Limits
from msgcode.debugger.loops import MOST_FINDINGS, MOST_MESSAGES, REMEMBERED, LoopDetector, judge
from tests.core.debugger.support import Line, chain, taking_turns
from tests.troubles import HEALTHY, TROUBLES, Recorded, Trouble
from tests.troubles.stage import LOOPS

KINDS = {
    Trouble.THANKS: {Kind.THANKS},
    Trouble.CYCLE: {Kind.CYCLE, Kind.REPEAT},
    Trouble.STORM: {Kind.BURST},
}

THANKS = ["Thanks, Bob!", "You're welcome.", "Perfect, have a nice day.", "Noted, you too."]
OFFERS = ["Please go ahead with the rebase, I wait.", "No, please, go ahead with the rebase, I wait."]
NOT_MINE = [
    "The flaky login test is not mine, please take it.",
    "I do not own this login test either: over to you.",
    "Nor do I own the flaky test. Over to you, please take it.",
]
EVERYTHING_ELSE_OFF = Limits(thanks=999, repeats=999, rounds=999, hops=999, burst=999)


def found_in(messages: Iterable[Message], limits: Limits = Limits()) -> list[Finding]:  # noqa: B008
    detector = LoopDetector(limits)
    last = None
    for last in messages:
        detector.sent(last)
    assert last
    return detector.findings(last.sent_at)


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def played(recorded: Recorded) -> list[Message]:
    with recorded.open() as store:
        return [*sent_messages(store.history())]


@pytest.mark.parametrize("name", [*TROUBLES, *HEALTHY])
def test_recorded_rooms(name: str, tmp_path: Path) -> None:
    recorded = {**TROUBLES, **HEALTHY}[name](tmp_path / "room")
    found = found_in(played(recorded))
    if recorded.trouble not in LOOPS:
        assert found == []
        return
    finding = only(found)
    assert finding.kind in KINDS[recorded.trouble]
    assert set(finding.agents) == set(recorded.agents)
    assert set(finding.messages) <= set(recorded.messages), "all of them belong to it"
    assert len(finding.messages) >= 0.9 * len(recorded.messages), "and few are missing"
    assert list(finding.messages) == sorted(finding.messages)
    assert finding.last == recorded.messages[-1]
    assert finding.ended is None


def test_precision_and_recall(tmp_path: Path) -> None:
    """As the README states them: every loop is found, and nothing else is taken for one."""
    right = wrong = missed = 0
    for name, play in {**TROUBLES, **HEALTHY}.items():
        recorded = play(tmp_path / name)
        found = found_in(played(recorded))
        wanted = recorded.trouble in LOOPS
        hits = [
            finding
            for finding in found
            if wanted
            and finding.kind in KINDS[recorded.trouble or Trouble.THANKS]
            and set(finding.messages) <= set(recorded.messages)
        ]
        right += len(hits)
        wrong += len(found) - len(hits)
        missed += wanted and not hits
    precision, recall = right / (right + wrong), right / (right + missed)
    assert (precision, recall) == (1.0, 1.0)
    assert right == 4


def test_thanks_to_and_fro() -> None:
    work: list[Line] = [("ann", "bob", "Fix core/http.py, please."), ("bob", "ann", "Fixed in 9f31c2e.")]
    messages = chain([*work, *taking_turns(THANKS, 8)])
    finding = only(found_in(messages))
    assert finding.kind is Kind.THANKS
    assert finding.agents == ("ann", "bob")
    assert finding.messages == tuple(message.id for message in messages[2:])
    assert finding.since == messages[2].sent_at
    assert finding.until == messages[-1].sent_at
    assert (finding.cost.messages, finding.cost.characters) == (8, sum(len(m.body) for m in messages[2:]))
    assert finding.cost.tokens == finding.cost.characters // 4
    assert "ann, bob only thank each other" in finding.explain


def test_thanks_in_ever_other_words() -> None:
    bodies = [
        "Thank you so much for the thorough review!",
        "You're very welcome! It was great collaborating on this.",
        "Likewise! Feel free to reach out whenever you need another pair of eyes.",
        "Absolutely, will do! Have a wonderful rest of your day!",
        "Thank you, you too! Glad we could wrap this up so smoothly.",
        "Thanks! Wishing you the same. Until the next review!",
        "Happy coding to you as well! Signing off for now.",
        "Signing off too. Great teamwork, and thanks again for everything!",
        "Thanks for confirming as well.",
        "You too!",
    ]
    start: list[Line] = [("bob", "ann", "The review of core/http.py is done, see the thread.")]
    finding = only(found_in(chain([*start, *taking_turns(bodies, 10)])))
    assert finding.kind is Kind.THANKS


def test_a_natural_ending_is_no_loop() -> None:
    end = [
        "Fixed in 9f31c2e, all 214 tests pass.",
        "Thanks, merged!",
        "You're welcome.",
        "Bye!",
        "Bye, thanks.",
    ]
    assert found_in(chain(taking_turns(end, 5))) == []


def test_polite_talk_that_has_something_to_say_is_no_loop() -> None:
    words = [f"{first}{second}lo" for first in "bcdfghjklm" for second in "aeiou"]
    bodies = [
        "Thanks!" if turn % 3 == 0 else f"Great, {words[2 * turn]} comes next, then {words[2 * turn + 1]}."
        for turn in range(24)
    ]
    assert found_in(chain(taking_turns(bodies, 24))) == []


def test_everybody_thanking_once_is_no_loop() -> None:
    lines = taking_turns(["Noted, thanks!"], 8, tuple(f"agent{number}" for number in range(8)))
    assert found_in(chain(lines, channel="dev")) == []


@pytest.mark.parametrize("size", [2, 3, 5, 17])
def test_cycles_of_any_length(size: int) -> None:
    agents = tuple(f"agent{number}" for number in range(size))
    bodies = [
        f"The {noun} of the login test is not mine, over to you." for noun in "abcdefghijklmnopq"[:size]
    ]
    finding = only(found_in(chain(taking_turns(bodies, 6 * size, agents))))
    assert finding.agents[0] in agents
    first = agents.index(finding.agents[0])
    assert finding.agents == agents[first:] + agents[:first], "in the order of the cycle"


def test_a_cycle_whose_words_differ() -> None:
    limits = Limits(repeats=999)
    finding = only(found_in(chain(taking_turns(NOT_MINE, 18, ("ann", "bob", "eve"))), limits))
    assert finding.kind is Kind.CYCLE
    assert len(finding.messages) >= 9
    assert "It goes round (" in finding.explain
    names = finding.agents
    assert f"{names[0]} → {names[1]} → {names[2]} → {names[0]}" in finding.explain


def test_what_others_say_in_between_does_not_end_a_loop() -> None:
    messages = chain(taking_turns(OFFERS, 14))
    between = messages[9]._replace(id="other", sender="eve", body="docs/config.md is up to date.", cause=None)
    with_other = [*messages[:10], between, messages[10]._replace(cause="other"), *messages[11:]]
    finding = only(found_in(with_other))
    assert set(finding.agents) == {"ann", "bob"}
    assert "other" not in finding.messages
    assert finding.last == messages[-1].id


def test_a_ping_that_only_counts() -> None:
    assert only(found_in(chain(taking_turns(["ping {turn}", "pong {turn}"], 10)))).kind is Kind.REPEAT


def test_a_thread_of_too_many_hops() -> None:
    lines = taking_turns(["What of case{turn}.py?", "case{turn}.py does another thing again."], 120)
    assert found_in(chain(lines)) == [], "not a thread: nobody replies"
    assert found_in(chain(lines, reply=True)[:100]) == []
    finding = only(found_in(chain(lines, reply=True)))
    assert finding.kind is Kind.HOPS
    assert finding.thread == "m0001"
    assert finding.cost.messages == 120
    assert len(finding.messages) == MOST_MESSAGES
    assert finding.last == "m0120"


class TestStorms:
    CREW = ("lead", "api", "web", "docs")

    def storm(self, gap: float = 1, count: int = 30) -> list[Message]:
        start: list[Line] = [("lead", self.CREW[1:], "Freeze at 14:00. Please confirm.")]
        for turn in range(count):
            sender = self.CREW[turn % 4]
            others = tuple(agent for agent in self.CREW if agent != sender)
            start.append((sender, others, f"Case {turn}: {sender} has branch-{turn} open, does that count?"))
        return chain(start, gap=gap, channel="dev")

    def test_everybody_answers_everybody(self) -> None:
        finding = only(found_in(self.storm()))
        assert finding.kind is Kind.BURST
        assert finding.agents == self.CREW
        assert finding.messages[0] == "m0001", "with the broadcast from which it follows"
        assert finding.cost.characters == sum(3 * len(message.body) for message in self.storm())

    def test_at_a_calm_pace_it_is_a_conversation(self) -> None:
        assert found_in(self.storm(gap=10)) == []

    def test_each_answering_once_is_a_roll_call(self) -> None:
        crew = [f"agent{number}" for number in range(30)]
        lines: list[Line] = [
            (
                agent,
                tuple(other for other in crew if other != agent),
                f"Here is {agent}, I refactor the page of {agent}.",
            )
            for agent in crew
        ]
        assert found_in(chain(lines, gap=1, channel="dev")) == []

    def test_a_lead_and_its_workers_are_none(self) -> None:
        lines: list[Line] = []
        for turn in range(60):
            worker = f"w{turn % 3}"
            lines += [("lead", worker, f"Run case{turn}.py"), (worker, "lead", f"case{turn}.py passes")]
        assert found_in(chain(lines, gap=0.5)) == []

    def test_thanks_that_turn_into_a_storm_are_part_of_it(self) -> None:
        lines: list[Line] = [
            (agent, tuple(other for other in self.CREW if other != agent), "Noted, thanks!")
            for _ in range(8)
            for agent in self.CREW
        ]
        assert only(found_in(chain(lines, gap=1, channel="dev"))).kind is Kind.BURST


@pytest.mark.parametrize(
    "line",
    [
        "{me}: idle, queue empty",
        "still alive",
        "OK",
        "All good here, {turn} jobs done",
        "{me}: {turn}/200 files done",
    ],
)
@pytest.mark.parametrize("size", [2, 3, 8])
def test_status_lines_are_no_loop(line: str, size: int) -> None:
    """Whoever posts has been delivered the others' lines, so by cause they answer each other."""
    crew = [f"w{number}" for number in range(size)]
    lines: list[Line] = [
        (
            crew[turn % size],
            tuple(agent for agent in crew if agent != crew[turn % size]),
            line.format(me=crew[turn % size], turn=turn),
        )
        for turn in range(200)
    ]
    assert found_in(chain(lines, gap=2, channel="status")) == []


def test_offers_in_a_channel_are_a_loop() -> None:
    messages = chain(taking_turns(OFFERS, 12), channel="dev")
    eve = messages[0].deliveries["bob"]
    heard = [message._replace(deliveries={**message.deliveries, "eve": eve}) for message in messages]
    assert only(found_in(heard)).agents == ("ann", "bob")


def test_who_names_the_other_in_a_channel_answers() -> None:
    bodies = ["bob goes first with the rebase.", "ann goes first with the rebase."]
    finding = only(found_in(chain(taking_turns(bodies, 12), channel="dev")))
    assert finding.agents == ("ann", "bob")


class TestHumans:
    def with_human(self, at: int) -> list[Message]:
        """Offers, and something that a human says after so many."""
        messages = chain(taking_turns(OFFERS, 40))
        spoken = messages[at - 1]._replace(
            id="human", sender="human", body="Ann rebases.", cause=None, human=True, thread="human"
        )
        later = [message._replace(seq=message.seq + 1) for message in messages[at:]]
        return [*messages[:at], spoken._replace(seq=at + 1), *later]

    def test_a_word_to_one_of_the_agents_ends_it(self) -> None:
        messages = self.with_human(10)
        first = found_in(messages[:11])
        assert only(first).ended is Ended.HUMAN
        assert len(found_in(messages[:13])) == 1, "they start anew"
        again = found_in(messages)
        assert [finding.ended for finding in again] == [Ended.HUMAN, None]
        assert set(again[0].messages).isdisjoint(again[1].messages)

    def test_a_word_in_the_thread_ends_it(self) -> None:
        messages = chain(taking_turns(OFFERS, 10), reply=True)
        spoken = messages[-1]._replace(
            id="human", seq=11, sender="human", human=True, deliveries={"eve": messages[0].deliveries["bob"]}
        )
        assert only(found_in([*messages, spoken])).ended is Ended.HUMAN
        elsewhere = spoken._replace(thread="other")
        assert only(found_in([*messages, elsewhere])).ended is None

    def test_before_it_is_one_the_count_starts_anew(self) -> None:
        messages = self.with_human(4)
        assert found_in(messages[:8]) == []
        assert found_in(chain(taking_turns(OFFERS, 8))) != []

    def test_who_answers_a_human_is_not_in_a_loop(self) -> None:
        lines = taking_turns(["Again, please.", "Done, thanks."], 40, ("human", "ann"))
        messages = [message._replace(human=message.sender == "human") for message in chain(lines)]
        assert found_in(messages) == []


def test_a_loop_is_one_finding_that_grows() -> None:
    detector = LoopDetector()
    numbers, sizes = set(), []
    for message in chain(taking_turns(OFFERS, 20)):
        for finding in detector.sent(message):
            numbers.add(finding.number)
            sizes.append(finding.cost.messages)
            assert finding.last == message.id
    assert numbers == {1}
    assert sizes == list(range(sizes[0], sizes[0] + len(sizes)))


def test_it_is_over_when_nothing_was_added_for_long() -> None:
    messages = chain(taking_turns(OFFERS, 10))
    detector = LoopDetector(Limits(quiet=100))
    for message in messages:
        detector.sent(message)
    last = messages[-1].sent_at
    assert only(detector.findings(last + timedelta(seconds=100))).ended is None
    assert only(detector.findings(last + timedelta(seconds=101))).ended is Ended.QUIET
    late = messages[-1]._replace(
        id="late", seq=11, cause=messages[-1].id, sender="ann", sent_at=last + timedelta(seconds=200)
    )
    assert detector.sent(late) == [], "what comes later starts anew"


def test_the_same_message_twice_is_one() -> None:
    messages = chain(taking_turns(OFFERS, 10))
    twice = [message for message in messages for _ in range(2)]
    assert found_in(twice) == found_in(messages)


def test_what_a_guard_holds() -> None:
    messages = chain(taking_turns(OFFERS, 12), reply=True)
    finding = only(found_in(messages[:10]))
    following = messages[10]
    assert finding.holds(following)
    assert not finding.holds(following._replace(human=True))
    assert not finding.holds(following._replace(thread="other"))
    assert not finding.holds(following._replace(sender="eve"))
    assert not finding.holds(following._replace(deliveries={"eve": following.deliveries["bob"]}))
    threads = only(found_in(chain(taking_turns(OFFERS, 10))))
    assert threads.thread is None
    assert threads.holds(following._replace(thread="other")), "it keeps to no thread"


def test_judging_a_single_chain() -> None:
    messages = chain(taking_turns(OFFERS, 12))
    finding = judge(messages)
    assert finding
    assert finding.last == messages[-1].id
    assert judge(messages[:3]) is None
    assert judge(messages[-3:]) is None, "what is not shown does not count"
    news = messages[-1]._replace(body="Rebased: core/config.py has the keys of both, 9f31c2e.")
    assert judge([*messages[:-1], news]) is None
    assert judge([]) is None


def test_limits_can_be_changed() -> None:
    messages = chain(taking_turns(OFFERS, 30), reply=True)
    assert found_in(messages, EVERYTHING_ELSE_OFF) == []
    assert only(found_in(messages, EVERYTHING_ELSE_OFF._replace(hops=20))).kind is Kind.HOPS
    assert only(found_in(messages, EVERYTHING_ELSE_OFF._replace(rounds=5))).kind is Kind.CYCLE


def test_memory_is_bounded() -> None:
    detector = LoopDetector()
    for number in range(MOST_FINDINGS + 20):
        pair = (f"a{number}", f"b{number}")
        for message in chain(taking_turns(OFFERS, 12, pair)):
            moved = message._replace(
                id=f"{number}-{message.id}", cause=message.cause and f"{number}-{message.cause}"
            )
            detector.sent(moved)
    assert len(detector.findings(moved.sent_at)) == MOST_FINDINGS
    sizes = [len(detector._links), len(detector._last), len(detector._reports)]
    assert max(sizes) <= REMEMBERED
