"""One copy of each text in a session, whatever OpenCode does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from msgcode import Store
from msgcode.harness import delivery
from msgcode.harness.opencode import host, injection
from msgcode.harness.opencode.injection import Injector
from msgcode.model import Activity
from tests.core.harness.opencode.fake_opencode import FakeOpenCode, opencode
from tests.core.harness.opencode.test_host import failures, until_delivered, until_presence


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "room", sync=False) as store:
        store.register("ann")
        yield store


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> None:
        return None

    monkeypatch.setattr(host, "opened_session", nothing)
    monkeypatch.setattr(delivery, "BACK_OFF", (0.02,))
    monkeypatch.setattr(injection, "NUDGE_AFTER", 0.03)


def prompts(oc: FakeOpenCode, session: str = "ses_1") -> list[tuple[str, str]]:
    """The ids of the prompts that were posted to the session, and of their parts."""
    return [
        (params["body"]["messageID"], params["body"]["parts"][0]["id"])
        for params in oc.called("session.promptAsync")
        if params["path"]["id"] == session
    ]


def test_ids_ascend_and_look_like_opencodes() -> None:
    injector = Injector(None)  # type: ignore[arg-type]
    ids = [injector._ascending_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert all(len(id) == 26 and id.isalnum() for id in ids)


async def test_an_error_of_opencodes_is_the_reason_and_it_is_tried_again(store: Store) -> None:
    async with opencode(store) as oc:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.errors["session.promptAsync"] = ["NotFoundError\n    at session.js:3"]
        oc.errors["session.messages"] = ["busy"]
        await until_delivered(store, store.send("ann", "bob", "hi"))
        assert len(oc.texts("ses_1")) == 1
    assert failures(store) == [
        "OpenCode did not take it: busy",
        "OpenCode did not take it: NotFoundError␊    at session.js:3",
    ]


async def test_what_opencode_has_but_did_not_show_is_not_doubled(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(injection, "PATIENCE", 0.15)
    async with opencode(store) as oc:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.tells = False
        sent = store.send("ann", "bob", "hi")
        await oc.until(lambda: prompts(oc))
        oc.tells = True
        await until_delivered(store, sent)
        assert len(oc.texts("ses_1")) == 1
        assert len(set(prompts(oc))) == 1
    assert failures(store) == ["OpenCode did not show it in the session within 0.15 s"]


async def test_an_answered_prompt_of_a_dead_host_is_only_confirmed(store: Store) -> None:
    async with opencode(store) as oc:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        first = store.send("ann", "bob", "hi")
        await until_delivered(store, first)
    # A host that died between the injection and the confirmation.
    late = store.send("ann", "bob", "late")
    oc.sessions["ses_1"][0]["parts"][0]["metadata"]["msgcode"].append(late.id)
    store.claim("bob", "opencode ses_1", lease=0.1)
    async with opencode(store) as again:
        again.sessions = oc.sessions
        await again.hello("ses_1")
        await until_delivered(store, late)
        assert not again.called("session.promptAsync")
        assert len(again.texts("ses_1")) == 1


async def test_a_new_one_beside_one_that_is_there(store: Store) -> None:
    async with opencode(store) as oc:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        await until_delivered(store, store.send("ann", "bob", "first"))
    lost, new = store.send("ann", "bob", "lost"), store.send("ann", "bob", "new")
    oc.sessions["ses_1"][0]["parts"][0]["metadata"]["msgcode"].append(lost.id)
    store.claim("bob", "opencode ses_1", lease=0.1, limit=1)
    async with opencode(store) as again:
        again.sessions = oc.sessions
        await again.hello("ses_1")
        await until_delivered(store, lost, new)
        text = "".join(again.texts("ses_1"))
        assert text.count("> new") == 1
        assert "> lost" not in text


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {"info": {"role": "user"}, "parts": [{"id": "p", "text": "t", "metadata": {"msgcode": ["x"]}}]},
        {"info": {"role": "user", "id": "m"}, "parts": [{"metadata": {"msgcode": 7}}, None]},
        {"info": {"role": "user", "id": "m"}, "parts": None},
        {"info": {"role": "assistant"}},
    ],
)
async def test_messages_of_any_shape_are_looked_through(store: Store, message: object) -> None:
    async with opencode(store) as oc:
        oc.sessions["ses_1"] = [message]  # type: ignore[list-item]
        oc.runs = False
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        sent = store.send("ann", "bob", "hi")
        await oc.until(lambda: prompts(oc))
        await until_delivered(store, sent)


async def test_a_prompt_that_was_stored_and_not_run_is_given_again(store: Store) -> None:
    async with opencode(store) as oc:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.user_types("ses_1", "work")
        await until_delivered(store, store.send("ann", "bob", "at the very end"))
        oc.end_turn("ses_1")  # Without a model having begun on it.
        await oc.until(lambda: len(prompts(oc)) == 2)
        assert len(set(prompts(oc))) == 1
        assert len(oc.texts("ses_1")) == 2


async def test_so_is_one_that_an_idle_session_does_not_run(store: Store) -> None:
    async with opencode(store) as oc:
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.runs = False
        await until_delivered(store, store.send("ann", "bob", "Wake up."))
        await oc.until(lambda: len(prompts(oc)) >= 2)
        assert len(set(prompts(oc))) == 1
        assert len(oc.texts("ses_1")) == 1


async def test_it_is_not_given_again_for_ever(store: Store) -> None:
    async with opencode(store) as oc:
        oc.runs = False
        await oc.tool("ses_1", "register_agent", agent_id="bob")
        oc.user_types("ses_1", "work")
        await until_delivered(store, store.send("ann", "bob", "hi"))
        oc.end_turn("ses_1")
        await oc.until(lambda: len(prompts(oc)) == 1 + injection.NUDGES)
        await asyncio.sleep(4 * injection.NUDGE_AFTER)
        assert len(prompts(oc)) == 1 + injection.NUDGES


async def test_each_session_is_given_its_own_again(store: Store) -> None:
    """The end of one session's turn must not forget what the other was given."""
    async with opencode(store) as oc:
        for session, agent in (("ses_1", "bob"), ("ses_2", "cy")):
            await oc.tool(session, "register_agent", agent_id=agent)
            oc.user_types(session, "work")
            await until_delivered(store, store.send("ann", agent, "hi"))
        oc.end_turn("ses_1")
        await oc.until(lambda: len(prompts(oc, "ses_1")) == 2)
        await until_presence(store, "bob", Activity.IDLE)
        await asyncio.sleep(3 * injection.NUDGE_AFTER)
        oc.end_turn("ses_2")
        await oc.until(lambda: len(prompts(oc, "ses_2")) == 2)
