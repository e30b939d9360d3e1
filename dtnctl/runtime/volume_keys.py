"""Fills the keys of a volume over NVMe-oF into the request that takes them to an agent: the one place where they leave dtnctl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.errors import EngineError
from dtnctl.model.actions import HostRequest
from dtnctl.model.nvme_keys import key_mistake
from dtnctl.model.secrets import SecretVariable
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.runtime.transfers.joint_calls import LookUp

if TYPE_CHECKING:
    from dtn_agent.protocol import Request


def with_keys(action: HostRequest, look_up: LookUp) -> Request:
    """The request as it is sent. EngineError, without a word of it, where something else than a key is found."""
    return action.request.model_copy(update={item.name: _key(action.subject, item, look_up) for item in action.secrets})


def _key(subject: str, item: SecretVariable, look_up: LookUp) -> str:
    try:
        found = look_up(item.reference)
    except SecretError as error:
        raise EngineError(f"auth.{item.name} of {subject} ({item.reference}) cannot be used: {error}") from None
    if mistake := key_mistake(found):
        raise EngineError(f"auth.{item.name} of {subject} ({item.reference}) cannot be used: {mistake}")
    return found
