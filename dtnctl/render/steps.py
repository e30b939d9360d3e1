"""A step in two words for the reader: what is done, and to which object."""

from __future__ import annotations

from typing import assert_never

from dtnctl.model.actions import (
    Action,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    DisconnectNetwork,
    EnsureLedger,
    FinishTransfer,
    HostRequest,
    PromoteContainer,
    PullImage,
    RecordCancel,
    RecordEnd,
    RemoveContainer,
    RemoveNetwork,
    ReplaceContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StartTransfer,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.path_actions import ActivatePath, DeactivatePath, ModifyPath, PathAction, ReleasePath, RequestPath, WaitPath
from dtnctl.model.protection import RecordProtection


def step_words(action: Action) -> tuple[str, str]:  # noqa: C901  one line for each of a closed set
    """Verb and object: ("create", "scinet.climate")."""
    if isinstance(action, PathAction):
        return _path_words(action)
    match action:
        case PullImage():
            return "pull", action.image
        case CreateNetwork():
            return "create", f"network {action.network}"
        case RemoveNetwork():
            return "remove", f"network {action.network}"
        case ConnectNetwork():
            return "connect", f"{action.container} to {action.attachment.network}"
        case DisconnectNetwork():
            return "disconnect", f"{action.container} from {action.network}"
        case EnsureLedger() | RecordCancel() | RecordEnd() | RecordProtection():
            return _record_words(action)
        case StartTransfer():
            return "start", f"transfer {action.transfer}"
        case FinishTransfer():
            return "finish", f"transfer {action.transfer}"
        case HostRequest():
            return action.verb, action.subject
        case _:
            return _container_verb(action), action.container


def _path_words(action: PathAction) -> tuple[str, str]:
    path = f"path {action.path.name}"
    match action:
        case RequestPath():
            return "request", path
        case ActivatePath():
            return "activate", path
        case ModifyPath():
            return "modify", path
        case DeactivatePath():
            return "deactivate", path
        case ReleasePath():
            return "release", path
        case WaitPath(until=until):
            return "wait for", f"{path} to be {until}"
        case _:
            assert_never(action)


def _record_words(action: EnsureLedger | RecordCancel | RecordEnd | RecordProtection) -> tuple[str, str]:
    match action:
        case EnsureLedger():
            return "create", f"ledger {action.folder}"
        case RecordCancel():
            return "record", f"that transfer {action.transfer} is stopped"
        case RecordEnd():
            return "record", f"end of transfer {action.transfer}"
        case RecordProtection():
            return "record", f"protection of {action.session}"
        case _:
            assert_never(action)


def _container_verb(  # noqa: C901  one line for each of a closed set
    action: CreateContainer
    | StartContainer
    | StopContainer
    | RetireContainer
    | PromoteContainer
    | DiscardContainer
    | RestoreContainer
    | ReplaceContainer
    | RemoveContainer
    | UpdateContainer
    | WaitHealthy,
) -> str:
    match action:
        case CreateContainer():
            return "create"
        case StartContainer():
            return "start"
        case StopContainer():
            return "stop"
        case RetireContainer():
            return "set aside"
        case PromoteContainer():
            return "promote"
        case RestoreContainer():
            return "restore"
        case ReplaceContainer():
            return "replace"
        case RemoveContainer() | DiscardContainer():
            return "remove"
        case UpdateContainer():
            return "update"
        case WaitHealthy():
            return "wait for"
        case _:
            assert_never(action)
