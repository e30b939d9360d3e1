"""A step in two words for the reader: what is done, and to which object."""

from __future__ import annotations

from typing import assert_never

from dtnctl.model.plan import (
    Action,
    ClearQos,
    ConfigureVf,
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    DisconnectNetwork,
    EnsureLedger,
    FinishTransfer,
    HostAction,
    MakeVlan,
    PromoteContainer,
    PullImage,
    ReleaseVf,
    RemoveContainer,
    RemoveNetwork,
    RemoveVlan,
    RestoreContainer,
    RetireContainer,
    SetQos,
    SetVfCount,
    StartContainer,
    StartTransfer,
    StopContainer,
    Tune,
    Untune,
    UpdateContainer,
    WaitHealthy,
)


def step_words(action: Action) -> tuple[str, str]:
    """Verb and object: ("create", "scinet.climate")."""
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
        case EnsureLedger():
            return "create", f"ledger {action.folder}"
        case StartTransfer():
            return "start", f"transfer {action.transfer}"
        case FinishTransfer():
            return "finish", f"transfer {action.transfer}"
        case SetVfCount() | ConfigureVf() | ReleaseVf() | MakeVlan() | RemoveVlan() | Tune() | Untune() | SetQos() | ClearQos():
            return _host_words(action)
        case _:
            return _container_verb(action), action.container


def _container_verb(
    action: CreateContainer
    | StartContainer
    | StopContainer
    | RetireContainer
    | PromoteContainer
    | DiscardContainer
    | RestoreContainer
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
            return "restored"
        case RemoveContainer() | DiscardContainer():
            return "remove"
        case UpdateContainer():
            return "update"
        case WaitHealthy():
            return "wait for"
        case _:
            assert_never(action)


def _host_words(action: HostAction) -> tuple[str, str]:
    match action:
        case SetVfCount():
            return "make", f"{action.count} virtual functions of {action.interface}"
        case ConfigureVf():
            return "set", f"virtual function {action.pci}"
        case ReleaseVf():
            return "give back", f"virtual function {action.pci}"
        case MakeVlan():
            return "make", f"VLAN {action.parent}.{action.vlan}"
        case RemoveVlan():
            return "remove", f"VLAN {action.parent}.{action.vlan}"
        case Tune():
            return "tune", f"{action.key} = {action.value}"
        case Untune():
            return "restored", action.key
        case SetQos():
            return "shape", f"{action.container} on {action.network}"
        case ClearQos():
            return "stop shaping", action.container
        case _:
            assert_never(action)
