"""The format of oh-my-msgcode's files, to the byte, and what is not understood in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msgcode.mirror.entries import (
    AgentEntry,
    ChannelEntry,
    Content,
    MessageEntry,
    Unreadable,
    entry_id,
    parse,
    raw_entry,
    render,
    render_entry,
    shared_id,
)
from msgcode.mirror.versions import AGENTS, CHANNELS, MESSAGES
from msgcode.model import Delivery, Message, Priority, Status
from tests.core.mirror.support import agent, channel, message, text, time
from tests.core.support import START

FULL = MessageEntry(
    "m1", "ann", "bob", "hello", Priority.HIGH, Status.ACKNOWLEDGED, START, "api", "CI", START,
    {"k": "v"}, START, START,
)  # fmt: skip


def rendered(name: str, *entries: AgentEntry | ChannelEntry | MessageEntry) -> str:
    return render([render_entry(raw_entry(name, entry)) for entry in entries]).decode()


class TestFormat:
    def test_a_message_with_all_keys(self) -> None:
        assert rendered(MESSAGES, FULL) == (
            '[\n  {\n    "id": "m1",\n    "from": "ann",\n    "to": "bob",\n    "channel": "api",\n'
            '    "subject": "CI",\n    "body": "hello",\n    "priority": "high",\n'
            '    "status": "acknowledged",\n    "createdAt": "2030-01-01T12:00:00.000Z",\n'
            '    "expiresAt": "2030-01-01T12:00:00.000Z",\n    "metadata": {\n      "k": "v"\n    },\n'
            '    "deliveredAt": "2030-01-01T12:00:00.000Z",\n'
            '    "acknowledgedAt": "2030-01-01T12:00:00.000Z"\n  }\n]'
        )

    def test_absent_keys_are_left_out(self) -> None:
        bare = MessageEntry("m1", "ann", "bob", "", Priority.LOW, Status.QUEUED, START)
        assert list(raw_entry(MESSAGES, bare)) == [
            "id",
            "from",
            "to",
            "body",
            "priority",
            "status",
            "createdAt",
        ]
        assert "null" not in rendered(MESSAGES, bare)

    def test_an_agent(self) -> None:
        assert rendered(AGENTS, AgentEntry("ann", "Ann", START, START, "builds")) == (
            '[\n  {\n    "id": "ann",\n    "name": "Ann",\n    "description": "builds",\n'
            '    "registeredAt": "2030-01-01T12:00:00.000Z",\n'
            '    "lastSeenAt": "2030-01-01T12:00:00.000Z"\n  }\n]'
        )

    def test_a_channel_with_and_without_members(self) -> None:
        assert rendered(
            CHANNELS,
            ChannelEntry("a", "A", "ann", ("ann", "bob"), START),
            ChannelEntry("b", "B", "ann", (), START),
        ) == (
            '[\n  {\n    "id": "a",\n    "name": "A",\n    "createdBy": "ann",\n    "members": [\n'
            '      "ann",\n      "bob"\n    ],\n    "createdAt": "2030-01-01T12:00:00.000Z"\n  },\n'
            '  {\n    "id": "b",\n    "name": "B",\n    "createdBy": "ann",\n    "members": [],\n'
            '    "createdAt": "2030-01-01T12:00:00.000Z"\n  }\n]'
        )

    def test_nothing_at_all(self) -> None:
        assert render([]) == b"[]"

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("é😀", '"é😀"'),
            ("\u2028\u2029\x7f\x85", '"\u2028\u2029\x7f\x85"'),
            ("\x00\x1b\b\f\n\r\t", r'"\u0000\u001b\b\f\n\r\t"'),
            ('"\\/', r'"\"\\/"'),
        ],
    )
    def test_texts_as_javascript_writes_them(self, body: str, expected: str) -> None:
        assert f'"body": {expected},' in rendered(MESSAGES, FULL._replace(body=body))

    def test_times_have_milliseconds(self) -> None:
        moment = START.replace(microsecond=7999)
        assert (
            raw_entry(MESSAGES, FULL._replace(created_at=moment))["createdAt"] == "2030-01-01T12:00:00.007Z"
        )

    def test_unknown_keys_are_kept_after_the_known_ones(self) -> None:
        raw = raw_entry(MESSAGES, FULL, {"id": "old", "starred": True, "status": "queued"})
        assert raw["status"] == "acknowledged"
        assert list(raw.items())[-1] == ("starred", True)

    def test_what_is_written_is_read_as_it_was(self) -> None:
        assert parse(MESSAGES, rendered(MESSAGES, FULL).encode()).entries == {"m1": FULL}


def odd(name: str, entry: object) -> list[str]:
    """The problems of a file with this entry alone, which is kept as odd."""
    content = parse(name, text([entry]))
    assert content.odd == [entry]
    assert content.entries == content.raw == {}
    assert not content.news
    return content.problems


class TestIllTyped:
    @pytest.mark.parametrize("entry", [7, None, "m1", [], True])
    def test_no_object(self, entry: object) -> None:
        assert odd(MESSAGES, entry) == ["messages.json: an entry is not an object."]

    @pytest.mark.parametrize("key", ["id", "from", "to", "body", "priority", "status", "createdAt"])
    @pytest.mark.parametrize("value", [7, None, [], {}, True])
    def test_a_message_needs_each_of_these(self, key: str, value: object) -> None:
        (problem,) = odd(MESSAGES, message("m1") | {key: value})
        assert f"'{key}' is " in problem
        assert problem.startswith("messages.json: " if key == "id" else "messages.json, m1: ")

    @pytest.mark.parametrize(
        "key", ["channel", "subject", "expiresAt", "metadata", "deliveredAt", "acknowledgedAt"]
    )
    def test_what_a_message_may_have(self, key: str) -> None:
        (problem,) = odd(MESSAGES, message("m1") | {key: 7})
        assert f"messages.json, m1: '{key}' is " in problem
        assert not parse(MESSAGES, text([message("m1") | {key: None}])).problems

    @pytest.mark.parametrize("key", ["id", "name", "registeredAt", "lastSeenAt"])
    def test_an_agent_needs_each_of_these(self, key: str) -> None:
        assert f"'{key}' is " in odd(AGENTS, agent("ann") | {key: 7})[0]

    @pytest.mark.parametrize("key", ["id", "name", "createdBy", "members", "createdAt"])
    def test_a_channel_needs_each_of_these(self, key: str) -> None:
        assert f"'{key}' is " in odd(CHANNELS, channel("api") | {key: 7})[0]
        assert f"'{key}' is missing" in odd(CHANNELS, channel("api") | {key: None})[0]

    def test_values_out_of_range(self) -> None:
        assert "'priority' is " in odd(MESSAGES, message("m1", priority="huge"))[0]
        assert "'status' is " in odd(MESSAGES, message("m1", status="lost"))[0]
        assert "'createdAt' is not a time" in odd(MESSAGES, message("m1", createdAt="yesterday"))[0]
        assert "not a time in UTC" in odd(MESSAGES, message("m1", createdAt="2030-01-01T12:00:00+02:00"))[0]
        assert "'metadata' is not a text" in odd(MESSAGES, message("m1", metadata={"k": 7}))[0]
        assert "'members' is not a text" in odd(CHANNELS, channel("api", members=["ann", 7]))[0]

    @pytest.mark.parametrize("status", ["claimed", "discarded"])
    def test_a_status_that_only_we_have(self, status: str) -> None:
        assert "'status' is none of queued, delivered" in odd(MESSAGES, message("m1", status=status))[0]

    @pytest.mark.parametrize("id", ["", " bob", "bob ", "a\nb", "\x1b[2J", "x" * 65, "a\u202eb"])
    def test_no_id(self, id: str) -> None:
        for name, entry in [
            (AGENTS, agent(id)),
            (CHANNELS, channel(id)),
            (CHANNELS, channel("api", "ann", id)),
            (CHANNELS, channel("api", createdBy=id)),
            (MESSAGES, message(id)),
            (MESSAGES, message("m1", to=id)),
            (MESSAGES, message("m1", sender=id)),
        ]:
            (problem,) = odd(name, entry)
            assert "cannot be an id" in problem
            assert "\n" not in problem
            assert "\x1b" not in problem
            assert len(problem) < 200

    def test_an_empty_channel_is_none(self) -> None:
        assert not parse(MESSAGES, text([message("m1", channel="")])).problems

    def test_others_beside_it_are_read(self) -> None:
        content = parse(MESSAGES, text([message("m1"), 7, message("m2", body=7), message("m3")]))
        assert list(content.entries) == ["m1", "m3"]
        assert len(content.odd) == len(content.problems) == 2

    def test_unknown_keys_are_told_once(self) -> None:
        content = parse(MESSAGES, text([message("m1", star=1), message("m2", star=2)]))
        assert content.problems == ["messages.json: the key 'star' is not known here."]
        assert list(content.entries) == ["m1", "m2"]

    def test_of_several_with_one_id_the_first_counts(self) -> None:
        content = parse(MESSAGES, text([message("m1", body="first"), message("m1", body="second")]))
        assert content.entries["m1"].body == "first"
        assert len(content.news) == 1

    def test_half_a_surrogate_pair_is_odd_and_written_back_as_javascript_does(self) -> None:
        data = rb'[{"id": "m1", "body": "\ud83d"}, {"id": "m2", "x": "\ude00"}]'
        content = parse(MESSAGES, data)
        assert len(content.odd) == 2
        assert render(list(map(render_entry, content.odd))) == (
            b'[\n  {\n    "id": "m1",\n    "body": "\\ud83d"\n  },\n'
            b'  {\n    "id": "m2",\n    "x": "\\ude00"\n  }\n]'
        )
        assert (
            "half a surrogate pair"
            in parse(MESSAGES, json.dumps([message("m1", body="\ud83d")]).encode()).problems[0]
        )

    @pytest.mark.parametrize("depth", [100, 300, 900])
    def test_what_is_nested_so_deeply_that_it_cannot_be_written_is_no_entry(self, depth: int) -> None:
        deep: Any = []
        for _ in range(depth):
            deep = [deep]
        for entry in (deep, {"id": "m1", "x": deep}, message("m1", x=deep), message("m1", body=deep)):
            content = parse(MESSAGES, json.dumps([entry, message("m2")]).encode())
            assert list(content.entries) == ["m2"]
            assert content.odd == []
            assert len(content.problems) == 1

    def test_a_number_without_end_is_not_written(self) -> None:
        content = parse(MESSAGES, text([message("m1")])[:-4] + b', "x": 1e400}]')
        assert content.odd == []
        assert "number without end" in content.problems[0]


class TestUnreadable:
    @pytest.mark.parametrize(
        "data", [b"", b"[", b'[{"id": "m1"', b"nonsense", b"[]]", b"[NaN]", b"[-Infinity]"]
    )
    def test_no_whole_json(self, data: bytes) -> None:
        with pytest.raises(Unreadable, match="is not whole JSON"):
            parse(MESSAGES, data)

    @pytest.mark.parametrize("data", [b"{}", b"null", b"7", b'"x"'])
    def test_no_array(self, data: bytes) -> None:
        with pytest.raises(Unreadable, match="is not an array"):
            parse(MESSAGES, data)

    @pytest.mark.parametrize("data", [b"[]\xff", b"\xff\xfe[\x00]\x00"])
    def test_no_utf8(self, data: bytes) -> None:
        with pytest.raises(Unreadable, match="is not text in UTF-8"):
            parse(MESSAGES, data)

    def test_nested_without_end(self) -> None:
        with pytest.raises(Unreadable):
            parse(MESSAGES, b"[" * 100_000)


def compact(entries: object) -> bytes:
    return json.dumps(entries).encode()


def narrow(entries: object) -> bytes:
    return json.dumps(entries, indent=1).encode()


def crlf(entries: object) -> bytes:
    return text(entries).replace(b"\n", b"\r\n")


IDS = st.sampled_from(["m1", "m2", "m3", "m4", "m5", "m6"])
ENTRIES = st.one_of(
    st.builds(
        message,
        IDS,
        status=st.sampled_from(["queued", "delivered", "acknowledged", "expired"]),
        body=st.sampled_from(["", "x", "é", "\n  },\n  {", "},"]),
    ),
    st.builds(message, IDS, metadata=st.just({"k": "v"}), deliveredAt=st.just(time())),
    st.builds(message, IDS, extra=st.sampled_from([1, {"a": {}}, [{}, {"b": 1}]]), more=st.just({"x": [1]})),
    st.builds(message, IDS, body=st.just(7)),
    st.sampled_from([7, {}, [], [{}, {}], {"id": "m1"}]),
)
EDITS = st.lists(
    st.tuples(st.sampled_from(["insert", "delete", "replace"]), st.integers(0, 8), ENTRIES), max_size=4
)
FORMATS = st.sampled_from([text, text, text, text, compact, narrow, crlf])


def edited(entries: list[Any], edits: list[tuple[str, int, Any]]) -> list[Any]:
    entries = list(entries)
    for kind, index, entry in edits:
        if kind == "insert":
            entries.insert(index, entry)
        elif index < len(entries):
            entries[index : index + 1] = [] if kind == "delete" else [entry]
    return entries


def all_of(content: Content) -> object:
    """All but the news."""
    return content.items, content.raw, content.entries, content.odd, content.problems, content.boundaries


class TestSharedBeginning:
    @settings(max_examples=120, deadline=None)
    @given(st.lists(ENTRIES, max_size=7), st.lists(st.tuples(EDITS, FORMATS), min_size=1, max_size=4))
    def test_it_gives_what_a_full_reading_gives(self, entries: list[Any], changes: list[Any]) -> None:
        before = parse(MESSAGES, text(entries))
        for edits, form in changes:
            entries = edited(entries, edits)
            data = form(entries)
            content, full = parse(MESSAGES, data, before), parse(MESSAGES, data)
            assert all_of(content) == all_of(full)
            assert list(content.raw) == list(full.raw)
            assert content.news == [
                entry for id, entry in full.entries.items() if before.raw.get(id) != full.raw[id]
            ]
            before = content

    def test_an_object_within_an_entry_is_no_entry(self) -> None:
        """Indented by 1, an object in an entry ends where one does that is indented by 2."""
        entries = [message("m1", metadata={"k": "v"}, deliveredAt=time())]
        entries += [message("m2", metadata={"k": "v"}, deliveredAt=time()), message("m3")]
        before = parse(MESSAGES, narrow(entries))
        entries[2]["body"] = "other"
        content = parse(MESSAGES, narrow(entries), before)
        assert [entry.body for entry in content.entries.values()] == ["body of m1", "body of m2", "other"]

    def test_what_is_the_same_is_not_checked_again(self) -> None:
        before = parse(MESSAGES, text([message("m1"), message("m2")]))
        content = parse(MESSAGES, text([message("m1"), message("m2"), message("m3")]), before)
        assert content.items[0] is before.items[0]
        assert content.entries["m2"] is before.entries["m2"]
        assert [entry.id for entry in content.news] == ["m3"]

    def test_problems_of_what_is_gone_are_gone(self) -> None:
        before = parse(MESSAGES, text([message("m1"), message("m2", star=1)]))
        assert parse(MESSAGES, text([message("m1"), message("m3")]), before).problems == []


def broadcast(*to: str) -> Message:
    waiting = Delivery(Status.QUEUED, START)
    return Message("01234567-89ab-4cde-8f01-23456789abcd", 1, "ann", "x", START, dict.fromkeys(to, waiting))


class TestIds:
    def test_a_message_to_one_keeps_its_own(self) -> None:
        assert entry_id(broadcast("bob"), "bob") == broadcast("bob").id

    def test_each_copy_of_a_broadcast_has_its_own_that_begins_alike(self) -> None:
        to = [f"agent-{number}" for number in range(300)]
        shout = broadcast(*to)
        ids = [entry_id(shout, agent) for agent in to]
        assert len(set(ids)) == 300
        assert {len(id) for id in ids} == {36}
        assert {shared_id(id) for id in ids} == {shared_id(shout.id)}
        assert ids == [entry_id(shout, agent) for agent in to]
