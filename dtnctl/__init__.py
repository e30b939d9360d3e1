"""dtnctl: a declarative GitOps reconciler for Data Transfer Nodes.

The names below are the client library (docs/python.md). Each is imported when it is first used: `import dtnctl` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dtnctl.client.client import Client, Result, open_repository
    from dtnctl.client.events import Event, Note, StepEnded, StepStarted, TransferProgress
    from dtnctl.client.looking import View
    from dtnctl.errors import DtnctlError
    from dtnctl.planning.scope import Scope

__version__ = "0.1.0"
__all__ = [
    "Client",
    "DtnctlError",
    "Event",
    "Note",
    "Result",
    "Scope",
    "StepEnded",
    "StepStarted",
    "TransferProgress",
    "View",
    "__version__",
    "open_repository",
]

_HOMES = {
    "Client": "dtnctl.client.client",
    "DtnctlError": "dtnctl.errors",
    "Event": "dtnctl.client.events",
    "Note": "dtnctl.client.events",
    "Result": "dtnctl.client.client",
    "Scope": "dtnctl.planning.scope",
    "StepEnded": "dtnctl.client.events",
    "StepStarted": "dtnctl.client.events",
    "TransferProgress": "dtnctl.client.events",
    "View": "dtnctl.client.looking",
    "open_repository": "dtnctl.client.client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
