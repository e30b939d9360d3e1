"""`dataclass` of the standard library, whose methods are made when they are first used.

The standard library writes and compiles five or six methods of each class while its module is imported. For the two hundred classes of
a plan that is a sixth of the whole run, and most of these methods are never called. Nothing but the time differs.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from types import MethodType
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

ORDER = ("__lt__", "__le__", "__gt__", "__ge__")
ABSENT = object()  # the default of a field with a factory

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(kind=None, /, *, frozen=False, slots=False, eq=True, order=False):
        """As `dataclasses.dataclass` of these four options; fields take part in `__init__` by position, and none is an InitVar."""

        def decorate(kind):
            kind.__doc__ = kind.__doc__ or f"{kind.__name__}, a value."  # else the standard library makes one of the signature
            kind = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(kind)
            _add_methods(kind, frozen=frozen, eq=eq, order=order)
            return kind

        return decorate if kind is None else decorate(kind)


def _add_methods(kind: type[Any], *, frozen: bool, eq: bool, order: bool) -> None:
    made_later: dict[str, Callable[[], Callable[..., Any]]] = {
        "__init__": lambda: _init(kind, frozen=frozen),
        "__repr__": lambda: _repr(kind),
    }
    if eq:
        made_later["__eq__"] = lambda: _compared(kind, "__eq__")
    own = vars(kind)
    for name, make in made_later.items():
        if name not in own:
            setattr(kind, name, _Later(kind, name, make))
    for name in ORDER if order else ():
        setattr(kind, name, _Later(kind, name, partial(_compared, kind, name)))
    if eq and own.get("__hash__") is None:
        setattr(kind, "__hash__", _Later(kind, "__hash__", lambda: _hash(kind)) if frozen else None)  # noqa: B010  # mypy takes no assignment
    for name, method in _frozen_methods("__slots__" in own) if frozen else ():
        setattr(kind, name, method)


def _frozen_methods(slots: bool) -> tuple[tuple[str, Callable[..., Any]], ...]:
    refusals = (("__setattr__", _refuse_set), ("__delattr__", _refuse_delete))
    return (*refusals, ("__getstate__", _state), ("__setstate__", _set_state)) if slots else refusals


class _Later:
    """A method that is made when it is first asked for, and then takes this one's place."""

    __slots__ = ("kind", "make", "name")

    def __init__(self, kind: type[Any], name: str, make: Callable[[], Callable[..., Any]]) -> None:
        self.kind, self.name, self.make = kind, name, make

    def __get__(self, instance: object | None, owner: type[Any] | None = None) -> Callable[..., Any]:
        method = self.make()
        method.__qualname__, method.__module__ = f"{self.kind.__qualname__}.{self.name}", self.kind.__module__
        setattr(self.kind, self.name, method)
        return method if instance is None else MethodType(method, instance)


# --- the methods --------------------------------------------------------------------------------------------


def _init(kind: type[Any], *, frozen: bool) -> Callable[..., Any]:
    """`__init__` with a parameter for each field, in their order. What is compiled names nothing but the fields."""
    parameters, lines, values = ["self"], [], {"_set": object.__setattr__, "_absent": ABSENT}
    for item in dataclasses.fields(kind):
        name, value = item.name, item.name
        if item.default_factory is not dataclasses.MISSING:
            values[f"_make_{name}"] = item.default_factory
            parameters.append(f"{name}=_absent")
            value = f"_make_{name}() if {name} is _absent else {name}"
        elif item.default is not dataclasses.MISSING:
            values[f"_default_{name}"] = item.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        lines.append(f"_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}")
    if hasattr(kind, "__post_init__"):
        lines.append("self.__post_init__()")
    made = _compiled(kind, parameters, lines or ["pass"], values)
    made.__annotations__ = {item.name: item.type for item in dataclasses.fields(kind)} | {"return": None}
    return made


def _compiled(kind: type[Any], parameters: list[str], lines: list[str], values: dict[str, Any]) -> Callable[..., Any]:
    """The function; its global names are those of the class's module, in which annotations are read."""
    body = "".join(f"\n        {line}" for line in lines)
    text = f"def make({', '.join(values)}):\n    def __init__({', '.join(parameters)}):{body}\n    return __init__"
    made: dict[str, Any] = {}
    exec(text, vars(sys.modules[kind.__module__]), made)  # noqa: S102  # as the standard library does
    function: Callable[..., Any] = made["make"](**values)
    return function


def _repr(kind: type[Any]) -> Callable[..., str]:
    names = [item.name for item in dataclasses.fields(kind) if item.repr]

    @recursive_repr()
    def __repr__(self: object) -> str:  # noqa: N807  # it becomes that method
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return __repr__


def _getter(names: list[str]) -> Callable[[object], Any]:
    """What takes these attributes as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda item: tuple(getattr(item, name) for name in names)


def _compared(kind: type[Any], method: str) -> Callable[..., Any]:
    values = _getter([item.name for item in dataclasses.fields(kind) if item.compare])
    compare = getattr(tuple, method)

    def comparison(self: object, other: object) -> Any:
        return compare(values(self), values(other)) if other.__class__ is self.__class__ else NotImplemented

    comparison.__name__ = method
    return comparison


def _hash(kind: type[Any]) -> Callable[[object], int]:
    values = _getter([item.name for item in dataclasses.fields(kind) if (item.compare if item.hash is None else item.hash)])

    def __hash__(self: object) -> int:  # noqa: N807  # it becomes that method
        return hash(values(self))

    return __hash__


def _refuse_set(_self: object, name: str, _value: object) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_self: object, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, item.name) for item in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for item, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, item.name, value)
