"""What every message between dtnctl and the agent has in common: base classes, and the forms of names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

# 2: unknown settings of VFs are null; SetQos replaces another network's. 3: `vlan_priority`, `pf` (before: `qos`, `interface`)
PROTOCOL_VERSION = 3
ANY_MAC = r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$"
INTERFACE_NAME = r"^[A-Za-z0-9_.:@-]{1,15}$"  # what the kernel takes; no slash, so no path
ONE_LINE = r"^[\t\x20-\x7e]*$"
STATE_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
InterfaceName: TypeAlias = Annotated[str, Field(pattern=INTERFACE_NAME)]
Name: TypeAlias = Annotated[str, Field(pattern=STATE_NAME)]


class Reported(BaseModel):
    """Base of everything that the agent reports. Unknown keys are ignored: a newer agent may report more."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Owner(Reported):
    """Who asked for something. `network` is empty where the thing is not one of a network."""

    site: str
    session: str = ""
    network: str = ""


class HeldEntry(Reported, ABC):
    """Base of what stands in one list of the ledger."""

    @property
    @abstractmethod
    def identity(self) -> tuple[str, ...]:
        """Which of its list's entries it is, whatever else of it changes."""

    @property
    def rank(self) -> tuple[str | int, ...]:
        """Where it stands among the others. Equal ranks stand in the order in which they came."""
        return ()


class Requested(BaseModel):
    """Base of everything that the agent is asked to do. Unknown keys are refused: what it does not understand it must not do."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    secrets: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _knows_all_of_it(cls, value: Any) -> Any:
        """Also of what is in it: that is what is reported as well, and read leniently there."""
        if unknown := sorted(_unknown(cls, value)):
            raise ValueError(f"unknown: {', '.join(unknown)}")
        return value

    def for_log(self) -> dict[str, Any]:
        """What was asked for, as JSON has it, without secrets: `secrets` are the names of the fields that hold one."""
        return self.model_dump(mode="json", exclude_none=True, exclude=set(self.secrets))


def _unknown(kind: type[BaseModel], value: Any) -> Iterator[str]:
    """Keys below those of a request that no field stands for, as `queues.retries`; its own are refused by `extra`."""
    for name, field in kind.model_fields.items():
        part = value.get(name) if isinstance(value, dict) else None
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, dict) and isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from (f"{name}.{key}" for key in part.keys() - inner.model_fields.keys())
                yield from (f"{name}.{key}" for key in _unknown(inner, part))
