"""What verbs accept, and what new ids look like."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msgcode import BadInput
from msgcode.checks import check_id, check_prefix
from msgcode.verbs import new_message_id


@pytest.mark.parametrize("id", ["a", "A1", "7", "a.b-c_d", "x" * 64])
def test_what_may_be_an_id(id: str) -> None:
    assert check_id("agent", id) == id


@pytest.mark.parametrize(
    "id", ["", "-a", ".", "..", "_a", "a b", "a/b", "a\n", "\na", "é", "x" * 65, "a\x00", "٣", "a" * 100_000]
)
def test_what_may_not(id: str) -> None:
    with pytest.raises(BadInput, match=r"cannot be an agent id: use 1 to 64 letters") as error:
        check_id("agent", id)
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


def test_the_sentence_says_what_it_is_the_id_of() -> None:
    with pytest.raises(BadInput, match="cannot be a channel id"):
        check_id("channel", "#api")


@given(st.text(max_size=70))
def test_an_id_never_leaves_its_folder(id: str) -> None:
    try:
        check_id("agent", id)
    except BadInput:
        return
    assert id.isascii()
    assert not set(id) & set("/\\\0 \n")
    assert not id.startswith((".", "-"))


@pytest.mark.parametrize("prefix", ["abcd", "1" * 64, "m-1."])
def test_what_may_be_a_prefix(prefix: str) -> None:
    assert check_prefix(prefix) == prefix


@pytest.mark.parametrize("prefix", ["", "abc", "ab*d", '"abcd', "abcd\n", "x" * 65])
def test_what_may_not_be_a_prefix(prefix: str) -> None:
    with pytest.raises(BadInput, match="at least its first 4 characters"):
        check_prefix(prefix)


def test_new_ids_are_random_uuids() -> None:
    ids = [new_message_id() for _ in range(500)]
    assert len(set(ids)) == 500
    for id in ids:
        parsed = uuid.UUID(id)
        assert str(parsed) == id
        assert parsed.version == 4
        assert parsed.variant == uuid.RFC_4122
    assert {id[19] for id in ids} == set("89ab")
