"""How a state file refers to a secret. No I/O, no look-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag

from dtnctl.model.engine_fields import EnvName, EnvValue
from dtnctl.model.fields import described
from dtnctl.model.secrets import parse_reference
from dtnctl.model.written import AS_WRITTEN, Written

# dtnctl sets these itself, and reads some of them back from live containers. DEPLOYMENT_KEY is empty unless it is written.
SET_BY_DTNCTL = frozenset({"HOSTNAME", "DATA_PORTS", "USER_NAME", "PUBLIC_KEY", "DATA_IFACE", "CTRL_PORT", "SERV_PORT"})


def _check_reference(text: str) -> str:
    parse_reference(text)
    return text


ReferenceText = Annotated[
    str,
    AS_WRITTEN,
    AfterValidator(_check_reference),
    described("reference to a secret", {"type": "string", "pattern": "^(env|file|sops):"}),
]


class Secret(Written):
    """A secret by reference: its value is looked up where dtnctl runs, and is in no file, plan or label."""

    secret: ReferenceText = Field(
        description="`env:NAME`: a variable where dtnctl runs; `file:PATH`: a file's content; `sops:FILE#KEY.PATH`: a value of a file "
        "that sops decrypts. Relative paths start at the repository's root."
    )


def form_of(value: Any) -> str:
    """Which of both it is where a text may be written, or a reference in its place."""
    return "mapping" if isinstance(value, (Mapping, Secret)) else "text"


EnvEntry: TypeAlias = Annotated[Annotated[Secret, Tag("mapping")] | Annotated[EnvValue, Tag("text")], Discriminator(form_of)]


def _check_env(found: dict[str, Any]) -> dict[str, Any]:
    own = next((name for name, value in found.items() if name in SET_BY_DTNCTL and isinstance(value, Secret)), None)
    if own is not None:
        raise ValueError(f"{own} cannot be a secret: dtnctl sets it itself")
    return found


Environment = Annotated[dict[EnvName, EnvEntry], AfterValidator(_check_env)]
