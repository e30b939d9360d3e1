"""A value's class is what `dataclasses.dataclass` would make: the same methods, made when they are first used."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from dataclasses import field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl import values


@values.dataclass(frozen=True, slots=True, order=True)
class Point:
    """A place."""

    x: int
    y: float = 0.0
    names: tuple[str, ...] = field(default_factory=tuple)
    seen: bool = field(default=False, compare=False)
    secret: str = field(default="", repr=False)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Reference:
    """The same, by the standard library."""

    x: int
    y: float = 0.0
    names: tuple[str, ...] = field(default_factory=tuple)
    seen: bool = field(default=False, compare=False)
    secret: str = field(default="", repr=False)


@values.dataclass(frozen=True, slots=True)
class Nothing:
    pass


@values.dataclass(slots=True)
class Basket:
    """What it holds may change."""

    items: list[int] = field(default_factory=list)
    total: int = 0

    def __post_init__(self) -> None:
        self.total = sum(self.items)


@values.dataclass(frozen=True)
class Named:
    name: str


@values.dataclass(frozen=True)
class Titled(Named):
    title: str = "none"

    def __repr__(self) -> str:
        return f"{self.title} {self.name}"


@values.dataclass(frozen=True, eq=False)
class Mark:
    line: int


FIELDS = st.tuples(st.integers(0, 2), st.sampled_from([0.0, 1.5, float("nan")]), st.sampled_from([(), ("a",)]), st.booleans(), st.text())


@given(FIELDS, FIELDS)
def test_comparisons_hash_and_text_are_those_of_the_standard_library(one: typing.Any, other: typing.Any) -> None:
    ours, theirs = (Point(*one), Point(*other)), (Reference(*one), Reference(*other))
    assert [ours[0] == ours[1], ours[0] != ours[1], ours[0] < ours[1], ours[0] <= ours[1], ours[0] > ours[1], ours[0] >= ours[1]] == [
        theirs[0] == theirs[1],
        theirs[0] != theirs[1],
        theirs[0] < theirs[1],
        theirs[0] <= theirs[1],
        theirs[0] > theirs[1],
        theirs[0] >= theirs[1],
    ]
    assert hash(ours[0]) == hash(theirs[0])
    assert repr(ours[0]) == repr(theirs[0]).replace("Reference", "Point")
    assert dataclasses.astuple(ours[0]) == dataclasses.astuple(theirs[0])


def test_values_of_other_classes_are_neither_equal_nor_in_order() -> None:
    assert Point(1) != Reference(1)  # type: ignore[comparison-overlap]  # that is the point
    with pytest.raises(TypeError):
        assert Point(1) < Reference(1)  # type: ignore[operator]  # that is the point


def test_class_looks_like_one_of_the_standard_library() -> None:
    ours, theirs = inspect.signature(Point), inspect.signature(Reference)
    assert list(ours.parameters) == list(theirs.parameters)
    assert [item.annotation for item in ours.parameters.values()] == [item.annotation for item in theirs.parameters.values()]
    assert typing.get_type_hints(Point.__init__)["names"] == tuple[str, ...]
    assert Point.__match_args__ == Reference.__match_args__
    assert [item.name for item in dataclasses.fields(Point)] == [item.name for item in dataclasses.fields(Reference)]
    assert (Point.__init__.__qualname__, Point.__init__.__module__) == ("Point.__init__", __name__)
    assert not hasattr(Point(1), "__dict__")


def test_arguments_that_are_missing_or_too_many_are_refused() -> None:
    for arguments in ((), (1, 2, (), False, "", "more")):
        with pytest.raises(TypeError, match="__init__"):
            Point(*arguments)
    with pytest.raises(TypeError, match="nowhere"):
        Point(1, nowhere=2)  # type: ignore[call-arg]  # that is the point


def test_frozen_value_keeps_its_fields() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]  # that is the point
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert (point.x, dataclasses.replace(point, x=3).x) == (1, 3)


@pytest.mark.parametrize("value", [Point(1, 2.0, ("a",), True, "b"), Nothing(), Basket([1, 2]), Titled("a", "b")])
def test_copies_are_equal(value: object) -> None:
    assert copy.copy(value) == copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value


def test_each_value_has_a_list_of_its_own() -> None:
    first, second = Basket(), Basket()
    first.items.append(3)
    assert (first.items, second.items, Basket([1, 2]).total) == ([3], [], 3)


def test_value_that_may_change_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Basket())


def test_methods_of_the_class_itself_stay_and_subclasses_add_fields() -> None:
    titled = Titled("a", title="b")
    assert (repr(titled), repr(Named("a"))) == ("b a", "Named(name='a')")
    assert titled == Titled("a", "b")
    assert Named("a") != Titled("a")


def test_class_that_compares_by_identity_does_so() -> None:
    mark = Mark(1)
    assert mark == mark
    assert mark != Mark(1)
    assert len({mark, Mark(1)}) == 2


def test_without_options_it_may_change_and_has_a_dict() -> None:
    @values.dataclass
    class Plain:
        name: str = "a"

    plain = Plain()
    plain.name = "b"
    assert (repr(plain), vars(plain)) == (f"{Plain.__qualname__}(name='b')", {"name": "b"})
