"""The order of keys in a state file, and which model stands at which place of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from dtnctl.model.site import Location
from dtnctl.model.written import AsWritten


def fields_at(model: type[BaseModel], location: Location = ()) -> Mapping[str, Any]:
    """The keys that a mapping at this place may have, in the model's order; none where the keys are people's own."""
    found = model_at(model, location)
    return _fields(found) if found is not None else {}


def model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """The model of the mapping at this place; None where the keys are people's own."""
    annotation: Any = model
    for part in location:
        annotation = _step(annotation, part)
    bare = _bare(annotation)
    return bare if _is_model(bare) else None


def keeps_text(model: type[BaseModel], location: Location) -> bool:
    """Whether a number at this place is taken as the text that it is written as."""
    annotation: Any = model
    for part in location:
        annotation = _step(annotation, part)
    return any(isinstance(mark, AsWritten) for mark in _marks(annotation))


def _marks(annotation: Any) -> Iterator[Any]:
    """What Annotated says of a type and of the arms of its union."""
    if get_origin(annotation) is Annotated:
        yield from get_args(annotation)[1:]
    if get_origin(annotation) in (Annotated, Union, UnionType):
        for arm in get_args(annotation):
            yield from _marks(arm)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {
        field.alias or name: Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        for name, field in model.model_fields.items()
    }


def _step(annotation: Any, part: str | int) -> Any:
    """What stands at one key or item; None where the model knows nothing."""
    bare = _bare(annotation)
    if _is_model(bare):
        return _fields(bare).get(str(part))
    arguments = get_args(bare)
    if get_origin(bare) is dict:
        return arguments[1]
    return arguments[0] if get_origin(bare) is tuple else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _bare(annotation: Any) -> Any:
    """Without Annotated and without the None of an optional."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(arm for arm in get_args(annotation) if arm is not type(None))
        else:
            return annotation
