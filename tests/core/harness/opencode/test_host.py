"""A host between a real store and an OpenCode that the test plays."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from msgcode import Store, prompt, tools
from msgcode.events import MessageFailed
from msgcode.harness import delivery
from msgcode.harness.opencode import host, injection
from msgcode.harness.opencode.conversation import EVENTS, STOPPED
from msgcode.model import Activity, Message, Session, Status
from msgcode.rpc import RemoteError
from tests.core.harness.opencode.fake_opencode import FakeOpenCode, opencode


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def store(room: Path) -> Iterator[Store]:
    with Store.open(room, sync=False) as store:
        store.register("ann")
        yield store


def opening(monkeypatch: pytest.MonkeyPatch, session: str | None) -> None:
    """Let OpenCode have been started with this session on its command line."""

    async def opened_session() -> str | None:
        return session

    monkeypatch.setattr(host, "opened_session", opened_session)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits, and no look at the command line of whoever runs the tests."""
    opening(monkeypatch, None)
    monkeypatch.setattr(delivery, "BACK_OFF", (0.02,))
    monkeypatch.setattr(injection, "NUDGE_AFTER", 0.02)


@pytest.fixture
async def oc(store: Store) -> AsyncIterator[FakeOpenCode]:
    async with opencode(store) as fake:
        yield fake


async def until(condition: Callable[[], object]) -> None:
    """Wait until something in the store is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_delivered(store: Store, *messages: Message) -> None:
    await until(
        lambda: all(
            delivery.status is Status.DELIVERED
            for message in messages
            for delivery in store.message(message.id).deliveries.values()
        )
    )


async def until_presence(store: Store, agent: str, activity: Activity, reason: str | None = None) -> None:
    await until(lambda: (store.presence(agent).activity, store.presence(agent).reason) == (activity, reason))


def home(store: Store, agent: str) -> Session | None:
    return next(found for found in store.agents() if found.id == agent).session


def failures(store: Store) -> list[str]:
    return [event.fact.reason for event in store.history() if isinstance(event.fact, MessageFailed)]


async def test_hello(oc: FakeOpenCode) -> None:
    said = await oc.hello()
    assert {tool["name"] for tool in said["tools"]} == set(tools.TOOLS)
    assert all(tool["parameters"]["type"] == "object" for tool in said["tools"])
    assert tuple(said["events"]) == EVENTS
    assert "$ARGUMENTS" in said["command"]["template"]
    assert said["answered"]


async def test_hello_of_any_shape(oc: FakeOpenCode) -> None:
    shapes: list[dict[str, object]] = [{}, {"directory": 7, "sessions": "x"}, {"sessions": [None, {}, "s"]}]
    for params in shapes:
        assert (await oc.ask("hello", **params))["tools"]


class TestMail:
    async def test_a_message_wakes_its_session(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob", name="Bob")
        assert home(store, "bob") is not None
        await until_presence(store, "bob", Activity.IDLE)
        sent = store.send("ann", "bob", "the body", subject="a subject")
        await until_delivered(store, sent)
        (text,) = oc.texts("ses_1")
        assert "> the body" in text
        assert sent.id in text
        assert store.message(sent.id).deliveries["bob"].by == "opencode ses_1"
        assert not failures(store)

    async def test_what_waited_comes_at_registration(self, store: Store, oc: FakeOpenCode) -> None:
        sent = store.send("ann", "bob", "early")
        assert "1 waiting messages will follow" in await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_delivered(store, sent)

    async def test_what_is_held_comes_when_it_is_let_through(self, store: Store, oc: FakeOpenCode) -> None:
        store.register("eve", human=True)
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        store.hold("eve")
        first, *others = [store.send("ann", "bob", body) for body in ("one", "two", "three")]
        store.step("eve")
        await until_delivered(store, first)
        assert [held.message for held in store.held()] == others
        assert len(oc.texts("ses_1")) == 1
        store.release("eve")
        await until_delivered(store, *others)

    async def test_what_a_breakpoint_stops_is_not_in_the_way(self, store: Store, oc: FakeOpenCode) -> None:
        store.register("eve", human=True)
        stopped = store.send("ann", "bob", "x" * prompt.MAX_PROMPT)
        free = store.send("ann", "bob", "y" * prompt.MAX_PROMPT)
        store.add_breakpoint("eve", text="x{9}")
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_delivered(store, free)
        assert [held.message.id for held in store.held()] == [stopped.id]

    async def test_a_busy_session_gets_it_in_its_turn(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.user_types("ses_1", "work")
        await until_presence(store, "bob", Activity.BUSY)
        await until_delivered(store, store.send("ann", "bob", "now"))
        assert "> now" in oc.texts("ses_1")[1]
        assert store.presence("bob").activity is Activity.BUSY

    async def test_it_keeps_the_sessions_agent_and_model(self, store: Store, oc: FakeOpenCode) -> None:
        oc.user_types("ses_1", "think", agent="plan")
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_delivered(store, store.send("ann", "bob", "one"))
        oc.end_turn("ses_1")
        oc.user_types("ses_1", "build it", agent="build")
        oc.end_turn("ses_1")
        await until_presence(store, "bob", Activity.IDLE)
        await until_delivered(store, store.send("ann", "bob", "two"))
        bodies = [params["body"] for params in oc.called("session.promptAsync")]
        # Each once, or more often if it has taken so long that the session was given its prompt again.
        assert list(dict.fromkeys(body["agent"] for body in bodies)) == ["plan", "build"]
        assert bodies[0]["model"] == {"providerID": "fake", "modelID": "scripted"}

    async def test_each_gets_its_own(self, store: Store, oc: FakeOpenCode) -> None:
        for session, agent in (("ses_1", "bob"), ("ses_2", "cy"), ("ses_2", "dan")):
            await oc.tool(session, "register_agent", agent_id=agent)
        sent = [store.send("ann", agent, f"for {agent}") for agent in ("bob", "cy", "dan") for _ in range(3)]
        await until_delivered(store, *sent)
        one, two = "".join(oc.texts("ses_1")), "".join(oc.texts("ses_2"))
        assert [one.count(f"> for {agent}") for agent in ("bob", "cy", "dan")] == [3, 0, 0]
        assert [two.count(f"> for {agent}") for agent in ("bob", "cy", "dan")] == [0, 3, 3]

    async def test_agents_of_one_opencode_talk(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await oc.tool("ses_2", "register_agent", agent_id="cy")
        await oc.tool("ses_1", "send_message", to="cy", body="question")
        await oc.until(lambda: oc.texts("ses_2"))
        (question,) = store.messages()
        await oc.tool("ses_2", "reply_message", message_id=question.id[:8], body="answer")
        await oc.until(lambda: oc.texts("ses_1"))
        assert "> answer" in oc.texts("ses_1")[0]
        said = await oc.failing_tool("ses_1", "send_message", **{"from": "cy"}, to="ann", body="as another")
        assert "'cy' does not live in this session" in said
        assert len(store.messages()) == 2

    async def test_a_large_inbox_comes_in_portions(self, store: Store, oc: FakeOpenCode) -> None:
        oc.runs = False
        sent = [store.send("ann", "bob", f"{number}" + "x" * 15_000) for number in range(9)]
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_delivered(store, *sent[:3])
        assert "6 more will follow" in oc.texts("ses_1")[0]
        assert len(oc.texts("ses_1")) == 1
        oc.end_turn("ses_1")
        await until_delivered(store, *sent[:6])
        oc.end_turn("ses_1")
        await until_delivered(store, *sent)
        assert len(oc.texts("ses_1")) == 3

    async def test_a_portion_that_was_refused_comes_again(self, store: Store, oc: FakeOpenCode) -> None:
        """The session is idle, so no end of a turn would ever say that it may have more."""
        oc.errors["session.promptAsync"] = ["not now"]
        sent = [store.send("ann", "bob", "x" * 15_000) for _ in range(5)]
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_delivered(store, *sent)
        assert "OpenCode did not take it: not now" in failures(store)

    async def test_after_a_stop_it_waits_for_the_next_turn(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.user_types("ses_1", "work")
        oc.abort("ses_1")
        await until_presence(store, "bob", Activity.IDLE, STOPPED)
        sent = store.send("ann", "bob", "wait")
        other = store.send("ann", "cy", "goes")
        await oc.tool("ses_2", "register_agent", agent_id="cy")
        await until_delivered(store, other)
        assert store.message(sent.id).deliveries["bob"].status is Status.QUEUED
        oc.user_types("ses_1", "go on")
        await until_delivered(store, sent)


class TestWhoLivesWhere:
    async def test_a_takeover_moves_the_mail_and_tells_the_loser(
        self, store: Store, oc: FakeOpenCode
    ) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        assert "takeover" in await oc.failing_tool("ses_2", "register_agent", agent_id="bob")
        await oc.tool("ses_2", "register_agent", agent_id="bob", takeover=True)
        await oc.until(lambda: oc.texts("ses_1"))
        assert "now lives in another session (opencode ses_2 in /src/api)" in oc.texts("ses_1")[0]
        await until_delivered(store, store.send("ann", "bob", "hi"))
        assert "> hi" in oc.texts("ses_2")[0]
        assert len(oc.texts("ses_1")) == 1
        await oc.failing_tool("ses_1", "send_message", to="ann", body="still me")

    async def test_a_takeover_by_another_opencode(self, store: Store, room: Path, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        with Store.open(room, sync=False) as elsewhere:
            async with opencode(elsewhere) as other:
                await other.failing_tool("ses_9", "register_agent", agent_id="bob")
                await other.tool("ses_9", "register_agent", agent_id="bob", takeover=True)
                await oc.until(lambda: oc.texts("ses_1"))
                sent = store.send("ann", "bob", "hi")
                await other.until(lambda: other.texts("ses_9"))
                await until_delivered(store, sent)
                assert "> hi" not in "".join(oc.texts("ses_1"))

    async def test_unregistering_ends_the_mail(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await oc.tool("ses_1", "unregister_agent", agent_id="bob")
        sent = store.send("ann", "bob", "hi")
        await oc.tool("ses_1", "register_agent", agent_id="cy")
        await until_delivered(store, store.send("ann", "cy", "hi"))
        assert store.message(sent.id).deliveries["bob"].status is Status.QUEUED

    async def test_at_the_end_all_are_offline(self, store: Store) -> None:
        async with opencode(store) as oc:
            await oc.tool("ses_1", "register_agent", agent_id="bob")
            await oc.tool("ses_2", "register_agent", agent_id="cy")
            await until_presence(store, "cy", Activity.IDLE)
        assert not store.presence("bob").online
        assert not store.presence("cy").online

    async def test_offline_is_the_last_word(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was still to be told of a session must not bring it back."""
        telling, go_on = threading.Event(), threading.Event()
        set_presence = store.set_presence

        def slow(agent: str, activity: str, reason: str | None = None) -> None:
            if activity == Activity.BUSY:
                telling.set()
                go_on.wait(0.2)
            set_presence(agent, activity, reason)

        async with opencode(store) as oc:
            await oc.tool("ses_1", "register_agent", agent_id="bob")
            await until_presence(store, "bob", Activity.IDLE)
            monkeypatch.setattr(store, "set_presence", slow)
            oc.tell("session.status", sessionID="ses_1", status={"type": "busy"})
            assert await asyncio.to_thread(telling.wait, 10)
        assert not store.presence("bob").online

    @pytest.mark.parametrize("how", ["hello", "turn", "opened"])
    async def test_a_restarted_session_takes_its_agents_up(
        self, store: Store, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with opencode(store) as oc:
            await oc.tool("ses_1", "register_agent", agent_id="bob")
            before = home(store, "bob")
        sent = store.send("ann", "bob", "while you were away")
        opening(monkeypatch, "ses_1" if how == "opened" else None)
        async with opencode(store, *(["ses_1"] if how == "hello" else [])) as oc:
            if how == "turn":
                oc.user_types("ses_1", "hello again")
            await until_delivered(store, sent)
            assert home(store, "bob") != before
            await until_presence(store, "bob", Activity.BUSY if how == "turn" else Activity.IDLE)

    async def test_the_session_that_was_used_last_is_taken_up(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with opencode(store) as oc:
            await oc.tool("ses_1", "register_agent", agent_id="bob")
        sent = store.send("ann", "bob", "while you were away")
        async with opencode(store) as oc:
            oc.listed = [
                {"id": "ses_0", "directory": "/src/api", "time": {"updated": 1}},
                {"id": "ses_1", "directory": "/src/api", "time": {"updated": 3}},
                {"id": "ses_2", "directory": "/src/api", "time": {"updated": 9}, "parentID": "ses_1"},
                {"id": "ses_3", "directory": "/src/web", "time": {"updated": 9}},
                {"id": "ses_4"},
                None,
            ]
            opening(monkeypatch, "last")
            await oc.hello()
            await until_delivered(store, sent)
            assert oc.texts("ses_1")

    async def test_a_deleted_session_frees_its_agent(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_presence(store, "bob", Activity.IDLE)
        oc.tell("session.deleted", sessionID="ses_1", info={"id": "ses_1"})
        await until_presence(store, "bob", Activity.OFFLINE)
        sent = store.send("ann", "bob", "hi")
        await oc.tool("ses_2", "register_agent", agent_id="cy")
        await until_delivered(store, store.send("ann", "cy", "hi"))
        assert store.message(sent.id).deliveries["bob"].claims == 0
        await oc.tool("ses_2", "register_agent", agent_id="bob")
        await until_delivered(store, sent)
        assert oc.texts("ses_1") == []


class TestPresence:
    async def test_what_it_does(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_presence(store, "bob", Activity.IDLE)
        oc.user_types("ses_1", "work")
        await until_presence(store, "bob", Activity.BUSY)
        oc.tell("permission.asked", id="per_1", sessionID="ses_1", permission="bash", patterns=["a\nb", "c"])
        await until_presence(store, "bob", Activity.BLOCKED, "waits for a permission: bash a␊b c")
        oc.tell("permission.replied", sessionID="ses_1", requestID="per_1", reply="once")
        await until_presence(store, "bob", Activity.BUSY)
        oc.tell("session.status", sessionID="ses_1", status={"type": "retry", "message": "Overloaded"})
        await until_presence(store, "bob", Activity.BUSY, "tries again: Overloaded")
        oc.end_turn("ses_1")
        await until_presence(store, "bob", Activity.IDLE)

    async def test_of_each_agent_in_its_own_session(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.user_types("ses_2", "work")
        await oc.tool("ses_2", "register_agent", agent_id="cy")
        await until_presence(store, "cy", Activity.BUSY)
        assert store.presence("bob").activity is Activity.IDLE

    async def test_a_sign_of_life(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "HEARTBEAT", 0.02)
        seen: list[str] = []
        monkeypatch.setattr(store, "seen", seen.append)
        async with opencode(store) as fast:
            await fast.tool("ses_9", "register_agent", agent_id="bob")
            seen.clear()
            await until(lambda: seen.count("bob") >= 3)


class TestCommand:
    async def test_while_idle_the_answer_is_shown_before_it_returns(
        self, store: Store, oc: FakeOpenCode
    ) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await oc.command("ses_1", "status")
        (shown,) = oc.called("session.prompt")
        (part,) = shown["body"]["parts"]
        assert part["ignored"] is True
        assert "You: bob" in part["text"]
        assert oc.texts("ses_1") == []
        assert not oc.called("session.promptAsync")

    async def test_while_busy_a_toast_comes_first(self, store: Store, oc: FakeOpenCode) -> None:
        oc.user_types("ses_1", "work")
        await oc.command("ses_1", "status")
        await oc.until(lambda: oc.called("tui.showToast"))
        assert not oc.called("session.prompt")
        oc.end_turn("ses_1")
        await oc.until(lambda: oc.called("session.prompt"))
        (toast,), (shown,) = oc.called("tui.showToast"), oc.called("session.prompt")
        assert toast["body"]["message"] == shown["body"]["parts"][0]["text"]

    async def test_a_person_registers_and_speaks_for_the_session(
        self, store: Store, oc: FakeOpenCode
    ) -> None:
        await oc.command("ses_1", "register bob")
        assert home(store, "bob") is not None
        await oc.command("ses_1", "send ann it's done; rm -rf / `x`")
        (message,) = store.messages()
        assert (message.sender, message.by, message.human) == ("bob", "human", True)
        assert message.body == "it's done; rm -rf / `x`"
        await until_delivered(store, store.send("ann", "bob", "hi"))

    async def test_nonsense_is_answered_in_words(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.command("ses_1", "sned")
        assert "no command" in oc.called("session.prompt")[0]["body"]["parts"][0]["text"]


class TestFaults:
    @pytest.mark.parametrize(
        ("method", "params"),
        [
            ("tool", {}),
            ("tool", {"session": 1, "name": "x"}),
            ("command", {"session": "ses_1"}),
            ("command", {"line": "status"}),
        ],
    )
    async def test_half_a_call_is_refused(
        self, oc: FakeOpenCode, method: str, params: dict[str, object]
    ) -> None:
        with pytest.raises(RemoteError, match=f"{method} needs a session"):
            await oc.ask(method, **params)

    async def test_odd_events_change_nothing(self, store: Store, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        events: list[dict[str, object]] = [
            {},
            {"type": "session.idle"},
            {"type": 7, "properties": {}},
            {"type": "permission.asked", "properties": {"sessionID": "ses_1", "patterns": 7}},
            {"type": "message.updated", "properties": {"sessionID": "ses_1", "info": [1]}},
            {"type": "session.deleted", "properties": {"sessionID": {}}},
        ]
        for params in events:
            oc.say({"method": "event", "params": params})
        await until_delivered(store, store.send("ann", "bob", "hi"))

    async def test_the_store_is_deleted_under_it(self, store: Store, room: Path, oc: FakeOpenCode) -> None:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        os.rename(room, room.with_name("gone"))  # At once, since the host goes on writing signs of life.
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await oc.tool("ses_2", "register_agent", agent_id="cy")
        await oc.tool("ses_2", "send_message", to="bob", body="still here")
        await oc.until(lambda: "> still here" in "".join(oc.texts("ses_1")))

    async def test_it_ends_in_the_middle_of_an_injection(self, store: Store) -> None:
        async with opencode(store) as oc:
            oc.tells = False
            await oc.tool("ses_1", "register_agent", agent_id="bob")
            sent = store.send("ann", "bob", "hi")
            await oc.until(lambda: oc.called("session.promptAsync"))
        assert [message.id for message in store.undelivered("bob")] == [sent.id]
        assert "ended before it had taken" in failures(store)[0]
        async with opencode(store) as again:
            again.sessions = oc.sessions
            await again.hello("ses_1")
            await until_delivered(store, sent)
            assert len(again.texts("ses_1")) == 1, "the session had it already"

    async def test_no_agent_has_the_id_of_the_human(self, store: Store, oc: FakeOpenCode) -> None:
        """It would be taken for the person, and each `/msg` refused."""
        said = await oc.failing_tool("ses_1", "register_agent", agent_id="human")
        assert "register under another id" in said
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await oc.command("ses_1", "send ann hi")
        assert [message.by for message in store.messages()] == ["human"]
