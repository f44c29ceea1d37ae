"""Records behave as `typing.NamedTuple`s do, which is what type checkers take them for."""

from __future__ import annotations

import copy
import pickle
from typing import NamedTuple

import pytest

from msgcode.model import Agent, Delivery, Message
from msgcode.record import Record


class Real(NamedTuple):
    first: int
    second: str = "two"
    third: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        return 2 * self.first


class Ours(Record):
    first: int
    second: str = "two"
    third: tuple[str, ...] = ()

    @property
    def twice(self) -> int:
        return 2 * self.first


@pytest.mark.parametrize(
    ("positional", "named"),
    [
        ((1,), {}),
        ((1, "b"), {}),
        ((1,), {"third": ("c",)}),
        ((), {"second": "b", "first": 1}),
        ((1, "b", ()), {}),
    ],
)
def test_it_is_made_like_a_named_tuple(positional: tuple[int, ...], named: dict[str, object]) -> None:
    real, ours = Real(*positional, **named), Ours(*positional, **named)  # type: ignore[arg-type]
    assert tuple(ours) == tuple(real)
    assert (ours.first, ours.second, ours.third, ours.twice) == (
        real.first,
        real.second,
        real.third,
        real.twice,
    )
    assert tuple(ours) == ours
    assert hash(ours) == hash(real)
    assert repr(ours) == repr(real).replace("Real", "Ours")
    assert tuple(ours._replace(second="new")) == tuple(real._replace(second="new"))
    assert type(ours._replace(second="new")) is Ours


@pytest.mark.parametrize(
    ("positional", "named"), [((), {}), ((1, "b", (), 4), {}), ((1,), {"fourth": 4}), ((), {"second": "b"})]
)
def test_what_a_named_tuple_refuses_is_refused(positional: tuple[int, ...], named: dict[str, object]) -> None:
    for record in (Real, Ours):
        with pytest.raises(TypeError):
            record(*positional, **named)  # type: ignore[arg-type]


def test_a_field_cannot_be_set_or_added() -> None:
    for record in (Real(1), Ours(1)):
        with pytest.raises(AttributeError):
            record.first = 2  # type: ignore[misc]
        with pytest.raises(AttributeError):
            record.fourth = 2  # type: ignore[union-attr]


def test_it_can_be_copied_and_pickled() -> None:
    for ours in (Ours(1), Ours(1, "b", ("c",))):
        for again in (copy.copy(ours), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
            assert again == ours
            assert type(again) is Ours


def test_the_records_of_the_model_know_their_fields() -> None:
    for record in (Agent, Delivery, Message):
        assert record._fields == tuple(record.__annotations__)
