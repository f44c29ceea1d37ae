"""The verbs one by one: what each accepts, refuses and answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from msgcode import BadInput, MsgcodeError, Refused, Status, Store
from msgcode.events import (
    AgentBound,
    MessageAcknowledged,
    MessageClaimed,
    MessageDelivered,
    MessageFailed,
    MessageSent,
)
from msgcode.model import Session
from tests.core.support import Clock, Ids, unchanged

MEBIBYTE = 1024 * 1024


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def store(room: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(room, sync=False, clock=clock, new_id=Ids()) as store:
        store.register("ann")
        store.register("bob")
        store.register("eve", human=True)
        yield store


HERE = Session("ses_1", "opencode", "host-1", "/src/api")
THERE = Session("ses_2", "opencode", "host-2")


class TestOpen:
    def test_the_folder_is_created_at_the_first_change(self, room: Path) -> None:
        with Store.open(room / "deep" / "in") as store:
            assert (store.agents(), store.channels(), store.messages()) == ([], [], [])
            assert store.inbox("ann") == []
            assert list(store.history()) == []
            assert not room.exists()
            store.register("ann")
        assert (room / "deep" / "in" / "journal").is_dir()

    def test_a_name_from_the_environment(self, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MSGCODE_STORE", str(room / "named"))
        with Store.open() as store:
            store.register("ann")
            assert store.name == str(room / "named")
        with Store.open(room / "other") as store:
            assert store.agents() == [], "an argument counts for more"

    @pytest.mark.parametrize("value", [None, ""])
    def test_the_home_folder_otherwise(
        self, room: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
    ) -> None:
        monkeypatch.setenv("HOME", str(room))
        monkeypatch.delenv("MSGCODE_STORE")
        if value is not None:
            monkeypatch.setenv("MSGCODE_STORE", value)
        with Store.open() as store:
            assert store.name == str(room / ".oh-my-msgcode")
        with Store.open("~/elsewhere") as store:
            assert store.name == str(room / "elsewhere")

    @pytest.mark.parametrize("target", ["", "http://x", "file:///tmp/x"])
    def test_what_is_no_folder(self, target: str) -> None:
        with pytest.raises(BadInput, match=r"is not a store: give the path of a folder, or nats://"):
            Store.open(target)

    def test_a_path_is_taken_as_it_is_at_opening(
        self, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with Store.open("room") as store:
            (tmp_path / "sub").mkdir()
            monkeypatch.chdir(tmp_path / "sub")
            store.register("ann")
        with Store.open(room) as store:
            assert [agent.id for agent in store.agents()] == ["ann"]


class TestAgents:
    def test_what_is_not_given_stays(self, store: Store) -> None:
        store.register("cy", "Cy", "scans", human=True)
        store.register("cy")
        again = store.register("cy", description="fixes")
        assert (again.name, again.description, again.human) == ("Cy", "fixes", True)
        assert again in store.agents()

    def test_registering_again_appends_nothing(self, store: Store, clock: Clock) -> None:
        first = store.register("cy", "Cy")
        clock.advance(60)
        before = len(list(store.history()))
        assert store.register("cy") == first == store.register("cy", "Cy")
        assert len(list(store.history())) == before

    @pytest.mark.parametrize("name", ["two\nlines", "x" * 501, "\ud83d"])
    def test_names_are_one_line(self, store: Store, name: str) -> None:
        unchanged(store, lambda: store.register("cy", name), BadInput, "a name must be")
        unchanged(store, lambda: store.register("cy", "n", name), BadInput, "a description must be")

    def test_unregistering(self, store: Store) -> None:
        store.create_channel("api", "ann")
        store.send("ann", "bob", "waits")
        assert store.unregister("bob").id == "bob"
        assert store.unregister("ann").id == "ann"
        assert store.channels()[0].members == ()
        assert len(store.inbox("bob")) == 1
        unchanged(store, lambda: store.unregister("ann"), Refused, "'ann' is not registered")

    def test_whom_a_human_acts_for_was_not_seen(self, store: Store) -> None:
        store.register("human")
        store.create_channel("api", "human")
        store.register("cy", by="human")
        assert store.join("api", "cy", by="human").members == ("human", "cy")
        assert store.leave("api", "cy", by="human").members == ("human",)
        assert store.presence("cy").last_seen is None
        unchanged(store, lambda: store.join("api", "cy", by="ann"), Refused, "only a human may act")
        unchanged(store, lambda: store.leave("api", "cy", by="ann"), Refused, "only a human may act")

    def test_the_nearest_name_is_offered(self, store: Store) -> None:
        store.register("reviewer")
        unchanged(store, lambda: store.unregister("revewer"), Refused, "did you mean 'reviewer'")
        unchanged(store, lambda: store.send("revewer", "ann", "x"), Refused, "did you mean 'reviewer'")


class TestChannels:
    def test_the_verbs_answer_with_the_channel(self, store: Store) -> None:
        made = store.create_channel("api", "ann", "API", "changes")
        assert (made.name, made.description, made.created_by, made.members) == (
            "API",
            "changes",
            "ann",
            ("ann",),
        )
        assert store.join("api", "bob").members == ("ann", "bob")
        assert store.join("api", "bob").members == ("ann", "bob")
        assert store.leave("api", "ann").members == ("bob",)
        assert store.leave("api", "ann").members == ("bob",)
        assert store.channels() == [made._replace(members=("bob",))]

    def test_refusals(self, store: Store) -> None:
        store.create_channel("api-changes", "ann")
        cases: list[tuple[Callable[[], object], type[MsgcodeError], str]] = [
            (lambda: store.create_channel("api-changes", "bob"), Refused, "exists already: join it"),
            (lambda: store.create_channel("#x", "ann"), BadInput, "cannot be a channel id"),
            (lambda: store.create_channel("x", "nobody"), Refused, "'nobody' is not registered"),
            (lambda: store.join("api-change", "ann"), Refused, "did you mean 'api-changes'"),
            (lambda: store.join("api-changes", "nobody"), Refused, "'nobody' is not registered"),
            (lambda: store.leave("nowhere", "ann"), Refused, "no channel 'nowhere'"),
            (lambda: store.broadcast("bob", "api-changes", "x"), Refused, "not in channel .*: join it first"),
            (lambda: store.broadcast("ann", "nowhere", "x"), Refused, "no channel 'nowhere'"),
            (lambda: store.broadcast("ann", "", "x"), MsgcodeError, "channel"),
        ]
        for verb, kind, sentence in cases:
            unchanged(store, verb, kind, sentence)

    def test_a_broadcast_has_a_status_for_each(self, store: Store) -> None:
        store.create_channel("api", "ann")
        store.join("api", "bob")
        store.join("api", "eve")
        message = store.broadcast("ann", "api", "changed")
        assert message.recipients == ("bob", "eve")
        store.check("bob")
        store.acknowledge("bob", message.id)
        found = store.message(message.id)
        assert {agent: d.status.value for agent, d in found.deliveries.items()} == {
            "bob": "acknowledged",
            "eve": "queued",
        }
        assert store.inbox("bob") == []
        assert [m.id for m in store.inbox("eve")] == [message.id]

    def test_one_message_to_several_has_a_status_for_each(self, store: Store) -> None:
        message = store.send("ann", ["bob", "eve", "bob"], "all of you")
        assert message.recipients == ("bob", "eve")
        store.check("bob")
        found = store.message(message.id).deliveries
        assert (found["bob"].status, found["eve"].status) == (Status.DELIVERED, Status.QUEUED)
        with pytest.raises(BadInput, match="to nobody"):
            store.send("ann", [], "anybody?")
        with pytest.raises(BadInput, match="cannot be an agent id"):
            store.send("ann", ["bob", "not an id"], "?")
        assert store.messages() == [store.message(message.id)]

    def test_a_broadcast_to_nobody_is_kept_and_warned_about(self, store: Store, room: Path) -> None:
        store.create_channel("api", "ann")
        message = store.broadcast("ann", "api", "anybody?")
        assert store.warnings(message) == ["nobody else is in channel 'api', so nobody will read this."]
        with Store.open(room) as late:
            assert late.damage() == []
            assert late.message(message.id) == message

    def test_a_human_need_not_be_a_member(self, store: Store) -> None:
        store.create_channel("api", "ann")
        assert store.broadcast("eve", "api", "hello").recipients == ("ann",)


class TestBodies:
    @pytest.mark.parametrize("body", ["x" * MEBIBYTE, "é" * (MEBIBYTE // 2), "😀" * (MEBIBYTE // 4)])
    def test_a_mebibyte_is_accepted(self, store: Store, room: Path, body: str) -> None:
        message = store.send("ann", "bob", body)
        with Store.open(room) as other:
            assert other.message(message.id).body == body

    @pytest.mark.parametrize(
        "body",
        ["x" * (MEBIBYTE + 1), "é" * (MEBIBYTE // 2) + "x", "😀" * (MEBIBYTE // 4) + "x", "😀" * MEBIBYTE],
    )
    def test_more_is_refused_in_words(self, store: Store, body: str) -> None:
        unchanged(store, lambda: store.send("ann", "bob", body), BadInput, "too long: a body may have 1 MiB")
        unchanged(
            store, lambda: store.send("ann", "bob", "x", metadata={"k": body}), BadInput, "may have 1 MiB"
        )

    @pytest.mark.parametrize("body", ["", " \n\t"])
    def test_an_empty_one_is_refused(self, store: Store, body: str) -> None:
        unchanged(store, lambda: store.send("ann", "bob", body), BadInput, "is empty")

    def test_half_a_character_is_refused(self, store: Store) -> None:
        half = "\ud83d"
        for verb in (
            lambda: store.send("ann", "bob", f"x{half}"),
            lambda: store.send("ann", "bob", "x", subject=half),
            lambda: store.send("ann", "bob", "x", metadata={half: "x"}),
            lambda: store.send("ann", "bob", "x", metadata={"x": half}),
            lambda: store.claim("bob", half),
            lambda: store.confirm("bob", "m0001", half),
            lambda: store.fail("bob", "m0001", "d", half),
            lambda: store.expire(by=half),
            lambda: store.purge(by=half),
        ):
            unchanged(store, verb, BadInput, "not valid UTF-8")


class TestSending:
    def test_bad_arguments(self, store: Store) -> None:
        cases: list[tuple[Callable[[], object], str]] = [
            (lambda: store.send("ann", "b b", "x"), "cannot be an agent id"),
            (lambda: store.send("ann", "../x", "x"), "cannot be an agent id"),
            (lambda: store.send("ann", "bob", "x", channel="a b"), "cannot be a channel id"),
            (lambda: store.send("ann", "bob", "x", priority="asap"), "choose urgent, high, normal, low"),
            (lambda: store.send("ann", "bob", "x", priority=""), "choose urgent, high, normal, low"),
            (lambda: store.send("ann", "bob", "x", ttl=0), "time to live"),
            (lambda: store.send("ann", "bob", "x", ttl=-1), "time to live"),
            (lambda: store.send("ann", "bob", "x", ttl=float("nan")), "time to live"),
            (lambda: store.send("ann", "bob", "x", ttl=float("inf")), "time to live"),
            (lambda: store.send("ann", "bob", "x", subject="a\nb"), "single line"),
            (lambda: store.send("ann", "bob", "x", reply_to="m"), "at least its first 4"),
            (lambda: store.inbox("ann", priority="asap"), "choose urgent, high, normal, low"),
            (lambda: store.check("ann", priority="asap"), "choose urgent, high, normal, low"),
            (lambda: store.set_presence("ann", "dancing"), "choose idle, busy, blocked, offline"),
            (lambda: store.claim("ann", "d", lease=float("inf")), "lease"),
            (lambda: store.claim("ann", "d", lease=float("nan")), "lease"),
            (lambda: store.claim("ann", "d", lease=0), "lease"),
            (lambda: store.purge(older_than=float("inf")), "seconds"),
            (lambda: store.purge(older_than=-1), "seconds"),
        ]
        for verb, sentence in cases:
            unchanged(store, verb, BadInput, sentence)

    def test_a_message_nobody_knows(self, store: Store) -> None:
        for verb in (
            lambda: store.send("ann", "bob", "x", reply_to="m9999"),
            lambda: store.message("m9999"),
            lambda: store.resolve("m9999"),
            lambda: store.acknowledge("bob", "m9999"),
            lambda: store.confirm("bob", "m9999", "d"),
            lambda: store.fail("bob", "m9999", "d", "why"),
            lambda: store.expire("m9999"),
        ):
            unchanged(store, verb, Refused, r"there is no message 'm9999'\.")

    def test_the_life_of_a_message(self, store: Store) -> None:
        first = store.send("ann", "bob", "1")
        store.claim("bob", "host")
        store.fail("bob", first.id, "host", "the pane is gone")
        store.send("bob", "ann", f"about {first.id}", reply_to=first.id, metadata={"id": first.id})
        store.check("bob")
        store.acknowledge("bob", first.id)
        life = store.life(first.id)
        kinds = [type(event.fact) for event in life]
        assert kinds == [
            MessageSent, MessageClaimed, MessageFailed, MessageDelivered, MessageAcknowledged
        ]  # fmt: skip
        assert life == [event for event in store.history() if event in life]
        assert store.life(first.id[:-1]) == []

    def test_warnings(self, store: Store, clock: Clock) -> None:
        stranger = store.send("ann", "bobb", "x")
        (warning,) = store.warnings(stranger)
        assert "nobody is registered as 'bobb' (did you mean 'bob'?)" in warning
        message = store.send("ann", "bob", "x")
        assert store.warnings(message) == [], "it registered just now"
        clock.advance(31)
        (warning,) = store.warnings(message)
        assert "'bob' is offline" in warning

    def test_only_a_human_speaks_for_another(self, store: Store) -> None:
        unchanged(store, lambda: store.send("ann", "bob", "x", by="bob"), Refused, "'bob' is not a human")
        unchanged(store, lambda: store.send("ann", "bob", "x", by="who"), Refused, "'who' is not registered")
        message = store.send("ann", "bob", "x", by="eve")
        assert (message.sender, message.by, message.human) == ("ann", "eve", True)
        own = store.send("ann", "bob", "x", by="ann")
        assert (own.by, own.human) == (None, False)
        unchanged(store, lambda: store.acknowledge("bob", own.id, by="ann"), Refused, "'ann' is not a human")
        (acknowledged,) = store.acknowledge("bob", own.id, by="eve")
        assert acknowledged.deliveries["bob"].by == "eve"

    def test_threads_causes_and_hops(self, store: Store) -> None:
        first = store.send("ann", "bob", "1")
        assert (first.thread, first.cause, first.hops, first.reply_to) == (first.id, None, 0, None)
        store.check("bob")
        second = store.send("bob", "ann", "2")
        assert (second.thread, second.cause, second.hops) == (second.id, first.id, 1)
        third = store.send("ann", "bob", "3", reply_to=second.id)
        assert (third.thread, third.cause, third.hops) == (second.id, second.id, 2)
        human = store.send("eve", "ann", "4", reply_to=third.id)
        assert (human.thread, human.cause, human.hops) == (second.id, third.id, 0)
        store.check("ann")
        told = store.send("ann", "bob", "5")
        assert (told.cause, told.hops) == (human.id, 0)


class TestReceiving:
    def test_inbox_filters(self, store: Store) -> None:
        low = store.send("ann", "bob", "low", priority="low")
        topic = store.send("eve", "bob", "topic", channel="api")
        urgent = store.send("ann", "bob", "urgent", priority="urgent")

        def found(**filters: str | int) -> list[str]:
            return [message.id for message in store.inbox("bob", **filters)]  # type: ignore[arg-type]

        assert found() == [urgent.id, topic.id, low.id]
        assert found(limit=2) == [urgent.id, topic.id]
        assert found(limit=0) == []
        assert found(sender="ann") == [urgent.id, low.id]
        assert found(channel="api") == [topic.id]
        assert found(priority="low") == [low.id]
        assert found(sender="ann", limit=1) == [urgent.id]
        assert found(sender="nobody") == []
        assert [m.id for m in store.check("bob", channel="api")] == [topic.id]
        statuses = {m.id: m.deliveries["bob"].status for m in store.messages()}
        assert statuses == {low.id: "queued", topic.id: "delivered", urgent.id: "queued"}

    def test_a_lease_runs_out(self, store: Store, clock: Clock) -> None:
        message = store.send("ann", "bob", "x")
        (claimed,) = store.claim("bob", "d-1")
        assert claimed.deliveries["bob"].status is Status.CLAIMED
        assert store.claim("bob", "d-2") == store.inbox("bob") == store.check("bob") == []
        clock.advance(29.999)
        assert store.claim("bob", "d-2") == []
        clock.advance(0.001)
        assert [m.id for m in store.claim("bob", "d-2")] == [message.id]
        unchanged(
            store, lambda: store.fail("bob", message.id, "d-1", "late"), Refused, "not claimed by 'd-1'"
        )
        assert store.confirm("bob", message.id, "d-1").deliveries["bob"].status is Status.DELIVERED
        before = len(list(store.history()))
        store.confirm("bob", message.id, "d-2")
        assert len(list(store.history())) == before

    def test_a_failure_keeps_its_reason_and_its_place(self, store: Store) -> None:
        first, second = store.send("ann", "bob", "1"), store.send("ann", "bob", "2")
        store.claim("bob", "d")
        failed = store.fail("bob", first.id, "d", "a prompt is open")
        assert failed.deliveries["bob"].failures == ("a prompt is open",)
        store.fail("bob", second.id, "d", "too")
        assert [m.id for m in store.claim("bob", "d", limit=1)] == [first.id]

    def test_acknowledging_is_all_or_nothing(self, store: Store) -> None:
        mine, other = store.send("ann", "bob", "x"), store.send("bob", "ann", "y")
        unchanged(
            store,
            lambda: store.acknowledge("bob", mine.id, other.id),
            Refused,
            "not addressed to agent 'bob'",
        )
        assert len(store.acknowledge("bob", mine.id, mine.id)) == 1
        assert store.acknowledge("bob", mine.id)[0].deliveries["bob"].status is Status.ACKNOWLEDGED
        assert store.acknowledge("bob") == []

    def test_time_to_live(self, store: Store, clock: Clock) -> None:
        message = store.send("ann", "bob", "x", ttl=60)
        read = store.send("ann", "bob", "y", ttl=60)
        store.claim("bob", "d")
        store.confirm("bob", read.id, "d")
        clock.advance(60)
        assert [m.id for m in store.inbox("bob")] == [read.id], "what was delivered stays"
        assert [m.id for m in store.expire()] == [message.id]
        assert store.expire() == []
        unchanged(
            store,
            lambda: store.acknowledge("bob", message.id),
            Refused,
            "cannot be acknowledged: it is expired",
        )
        unchanged(store, lambda: store.expire(read.id), Refused, "cannot be expired")

    def test_purge(self, store: Store, clock: Clock) -> None:
        done, waits = store.send("ann", "bob", "x"), store.send("ann", "bob", "y")
        store.acknowledge("bob", done.id)
        clock.advance(10)
        assert store.purge(older_than=60) == 0
        assert store.message(done.id).ended
        clock.advance(60)
        assert store.purge(older_than=60) == 0
        assert [m.id for m in store.inbox("bob")] == [waits.id]
        assert store.purge(waiting=True) == 1
        assert store.messages() == []
        assert [agent.id for agent in store.agents()] == ["ann", "bob", "eve"]


class TestPrefixes:
    @pytest.fixture
    def ids(self, room: Path) -> list[str]:
        """What waits, what waits too, and what has ended."""
        wanted = ["abcd-1111", "abcd-2222", "abcd-3333", "abcdefgh"]
        supply = iter(wanted)
        with Store.open(room, new_id=lambda: next(supply)) as store:
            store.register("ann")
            for _ in wanted:
                store.send("ann", "bob", "x")
            store.acknowledge("bob", wanted[2])
        return wanted

    def test_resolving(self, room: Path, ids: list[str]) -> None:
        with Store.open(room) as store:
            assert [store.resolve(id) for id in ids] == ids
            assert store.resolve("abcd-1") == ids[0]
            assert store.resolve("abcde") == ids[3]
            assert store.resolve("abcd-3") == ids[2], "ended, but the only one"
            unchanged(
                store, lambda: store.resolve("abcd-"), Refused, r"2 messages begin with 'abcd-' \(abcd-1111, "
            )
            unchanged(store, lambda: store.resolve("zzzz"), Refused, "no message 'zzzz'")
            for short in ("", "a", "abc", 'abc"', "abc*d"):
                unchanged(store, lambda short=short: store.resolve(short), BadInput, "first 4 characters")  # type: ignore[misc]


def test_every_verb_speaks_in_sentences(store: Store) -> None:
    """Errors are shown to people and models as they are."""
    for verb in (
        lambda: store.register("!"),
        lambda: store.send("nobody", "bob", "x"),
        lambda: store.broadcast("ann", "nowhere", "x"),
        lambda: store.send("ann", "bob", ""),
        lambda: store.resolve("zzzz"),
    ):
        with pytest.raises(MsgcodeError) as error:
            verb()
        assert re.fullmatch(r"[^\n]+\.", str(error.value))


def test_a_time_to_live_counts_from_the_sending(room: Path) -> None:
    """Not from before it had waited for its turn."""

    class Hurried(Clock):
        def __call__(self) -> datetime:
            self.advance(0.001)
            return self.now

    with Store.open(room, sync=False, clock=Hurried()) as store:
        store.register("ann")
        message = store.send("ann", "bob", "x", ttl=60)
        assert message.expires_at == message.sent_at + timedelta(seconds=60)


class TestSessions:
    def test_an_agent_lives_where_it_registered(self, store: Store, clock: Clock) -> None:
        cy = store.register("cy", session=HERE)
        assert (cy.session, cy.bound_at) == (HERE, clock())
        assert store.agents()[2] == cy
        clock.advance(5)
        renamed = store.register("cy", "Cyrus")
        assert (renamed.session, renamed.bound_at) == (HERE, cy.bound_at), "a new name moves nobody"
        before = len(list(store.history()))
        store.register("cy", session=HERE)
        assert len(list(store.history())) == before, "twice is no event"

    def test_a_live_session_keeps_its_agent(self, store: Store, clock: Clock) -> None:
        store.register("cy", session=HERE)
        clock.advance(29)
        sentence = (
            r"agent 'cy' lives in another session, which is alive \(opencode ses_1 in /src/api\): .*takeover"
        )
        unchanged(store, lambda: store.register("cy", session=THERE), Refused, sentence)
        store.seen("cy")
        clock.advance(29)
        unchanged(store, lambda: store.register("cy", session=THERE), Refused, sentence)
        clock.advance(1)
        assert store.register("cy", session=THERE).session == THERE, "not seen for 30 s"

    def test_bound_and_not_yet_seen_is_alive(self, store: Store, clock: Clock, room: Path) -> None:
        store.register("cy", session=HERE)
        for file in (room / "presence").iterdir():
            file.unlink()
        with pytest.raises(Refused, match="is alive"):
            store.register("cy", session=THERE)
        clock.advance(30)
        assert store.register("cy", session=THERE).session == THERE

    def test_a_session_that_left_frees_its_agent(self, store: Store) -> None:
        store.register("cy", session=HERE)
        store.set_presence("cy", "offline")
        assert store.register("cy", session=THERE).session == THERE

    def test_takeover(self, store: Store) -> None:
        store.register("cy", session=HERE)
        assert store.register("cy", session=THERE, takeover=True).session == THERE
        bound = [event.fact for event in store.history() if isinstance(event.fact, AgentBound)]
        assert bound == [AgentBound("cy", HERE), AgentBound("cy", THERE)]

    def test_a_restarted_session_takes_its_agent_up_again(self, store: Store) -> None:
        store.register("cy", session=HERE)
        again = HERE._replace(host="host-9")
        assert store.register("cy", session=again).session == again

    def test_no_session_poses_as_a_human(self, store: Store) -> None:
        unchanged(
            store,
            lambda: store.register("eve", session=HERE, takeover=True),
            Refused,
            "'eve' is a human, and an agent cannot be: register under another id.",
        )

    def test_the_humans_id_is_a_humans(self, store: Store) -> None:
        assert store.register("human").human
        unchanged(store, lambda: store.register("human", session=HERE), Refused, "'human' is a human")

    def test_it_survives_a_clean_up_and_a_new_process(self, store: Store, clock: Clock, room: Path) -> None:
        cy = store.register("cy", session=HERE)
        clock.advance(60)
        store.purge()
        store.register("dan")
        with Store.open(room, clock=clock) as other:
            assert next(agent for agent in other.agents() if agent.id == "cy") == cy

    def test_a_claim_is_counted(self, store: Store, clock: Clock) -> None:
        sent = store.send("ann", "bob", "hi")
        assert store.claim("bob", "d")[0].deliveries["bob"].claims == 1
        store.fail("bob", sent.id, "d", "no")
        assert store.claim("bob", "d")[0].deliveries["bob"].claims == 2
        clock.advance(31)
        assert store.claim("bob", "d")[0].deliveries["bob"].claims == 3
        assert store.confirm("bob", sent.id, "d").deliveries["bob"].claims == 3
        assert store.acknowledge("bob", sent.id)[0].deliveries["bob"].claims == 3
