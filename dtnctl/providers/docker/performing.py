"""Carries out one action of a plan on one engine. Doing it twice is the same as doing it once.

An action that names an id touches that very object. One that only has a name first makes sure that its bearer is ours.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import TYPE_CHECKING, assert_never

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    DisconnectNetwork,
    EngineAction,
    PromoteContainer,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    ReplaceContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StopContainer,
    UpdateContainer,
)
from dtnctl.model.resources import LABEL_SPEC, PREPARED_SUFFIX, RETIRED_SUFFIX, ContainerSeen, Pairs
from dtnctl.model.secrets import hidden_in
from dtnctl.providers.docker.calls import create, remove, start, stop
from dtnctl.providers.docker.images import pull
from dtnctl.providers.docker.translate import SecretValues, container_seen, endpoint_config, update_body
from dtnctl.providers.docker.translate_networks import network_body, network_seen
from dtnctl.providers.docker.volumes import ensure_volumes

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection
    from dtnctl.providers.docker.view import View

ADDRESSES_TAKEN = ("pool overlaps", "is already used on the host or by another config")  # Docker, Podman
UNSEEN_SECONDS = 30.0  # twice as long as an engine goes on asking a network driver that is away (measured with 20.10)
UNSEEN_POLL = 0.5


def perform(connection: Connection, view: View, action: EngineAction) -> None:  # noqa: C901  one line for each of a closed set
    match action:
        case PullImage():
            pull(connection, view, action.image)
        case CreateNetwork():
            _create_network(connection, view, action)
        case RemoveNetwork():
            _remove_network(connection, action)
        case CreateContainer():
            _create_container(connection, view, action)
        case ConnectNetwork():
            _connect(connection, view, action)
        case DisconnectNetwork():
            _disconnect(connection, view, action)
        case StartContainer():
            _start(connection, view, action)
        case StopContainer():
            _stop(connection, action)
        case RetireContainer():
            _rename(connection, action.id, action.container + RETIRED_SUFFIX)
        case PromoteContainer():
            _promote(connection, view, action.container)
        case DiscardContainer():
            _clear_name(connection, view, action.container)
        case RestoreContainer():
            _restore(connection, view, action)
        case ReplaceContainer():
            raise EngineError(f"{action.container}: engines rename containers, so no plan for one has a {type(action).__name__}")
        case RemoveContainer():
            remove(connection, action.id, force=True)
        case UpdateContainer():
            _update(connection, view, action)
        case _:
            assert_never(action)


# --- networks -----------------------------------------------------------------------------------------------


def _create_network(connection: Connection, view: View, action: CreateNetwork) -> None:
    """Make it. While the engine has none of its addresses to give and shows no network that has them, it is asked again.

    So it is while it makes this very network for a program that was killed: it shows it when its driver has answered.
    """
    end = time.monotonic() + UNSEEN_SECONDS
    while (refusal := _refused_addresses(connection, view, action)) is not None:
        holders = ", ".join(_holders(connection, action))
        if holders or time.monotonic() > end:
            raise EngineError(f"{refusal}: {holders or 'no network that it shows'} has addresses of {action.network}", refusal.status)
        time.sleep(UNSEEN_POLL)


def _refused_addresses(connection: Connection, view: View, action: CreateNetwork) -> EngineError | None:
    """What the engine said if somebody has addresses of the network; None if the network is there."""
    try:
        connection.post("/networks/create", json=network_body(action.network, action.spec, view.signed(action.labels)))
    except ConflictError:
        seen = network_seen(connection.get("/networks/{}", action.network))
        if not view.owns(seen.labels, seen.name) or not _same_spec(seen.labels, action.labels):
            raise
    except EngineError as error:
        if not any(text in str(error).lower() for text in ADDRESSES_TAKEN):
            raise
        return error
    return None


def _holders(connection: Connection, action: CreateNetwork) -> Iterator[str]:
    """Names of the other networks that are there and have addresses of this one."""
    wanted = [ip_network(item.subnet) for item in action.spec.subnets]
    for raw in connection.get("/networks"):
        pools = (raw.get("IPAM") or {}).get("Config") or ()
        held = [ip_network(pool["Subnet"], strict=False) for pool in pools if pool.get("Subnet")]
        if raw["Name"] != action.network and any(one.version == other.version and one.overlaps(other) for one in wanted for other in held):
            yield raw["Name"]


def _remove_network(connection: Connection, action: RemoveNetwork) -> None:
    try:
        connection.call("DELETE", "/networks/{}", _removable(connection, action))
    except NotFoundError:
        return


def _removable(connection: Connection, action: RemoveNetwork) -> str:
    """What the engine is asked to remove: by its id, unless it would then take it away from who uses it."""
    if not connection.dialect.guards_names_only:
        return action.id
    return str(connection.get("/networks/{}", action.id)["Name"])


def _same_spec(labels: Mapping[str, str], wanted: Pairs) -> bool:
    digest = dict(wanted).get(LABEL_SPEC)
    return digest is not None and labels.get(LABEL_SPEC) == digest


def _connect(connection: Connection, view: View, action: ConnectNetwork) -> None:
    seen = _ours(connection, view, action.container)
    if action.attachment in seen.spec.attachments:
        return
    network = action.attachment.network
    if connection.dialect.connects_blindly and any(item.network == network for item in seen.spec.attachments):
        raise ConflictError(f"{action.container} is already attached to network {network}, with another address", 409)
    body = {"Container": seen.id, "EndpointConfig": endpoint_config(action.attachment)}
    try:
        connection.post("/networks/{}/connect", network, json=body)
    except EngineError:
        if connection.dialect.connects_blindly:
            with contextlib.suppress(EngineError):
                connection.post("/networks/{}/disconnect", network, json={"Container": seen.id, "Force": True})
        raise


def _disconnect(connection: Connection, view: View, action: DisconnectNetwork) -> None:
    try:
        seen = _ours(connection, view, action.container)
        if any(item.network == action.network for item in seen.spec.attachments):
            connection.post("/networks/{}/disconnect", action.network, json={"Container": seen.id, "Force": False})
    except NotFoundError:
        return


# --- containers ---------------------------------------------------------------------------------------------


def _ours(connection: Connection, view: View, name: str) -> ContainerSeen:
    """The container of that name, which is ours; ConflictError if it is somebody else's."""
    seen = _seen(connection, name)
    if not view.owns(seen.labels, seen.name):
        raise ConflictError(f"the container {name} is not ours; it is left alone", 409)
    return seen


def _seen(connection: Connection, container: str) -> ContainerSeen:
    return container_seen(connection.get("/containers/{}/json", container))


def _create_container(connection: Connection, view: View, action: CreateContainer) -> None:
    ensure_volumes(connection, view, action.spec)
    values = view.secrets.values(action.spec.secrets)
    try:
        with _hiding(values):
            create(connection, action.container, action.spec, view.signed(action.labels), values=values)
    except ConflictError:
        seen = _seen(connection, action.container)
        is_new = seen.state == "created" and not seen.started_at
        if not is_new or not view.owns(seen.labels, seen.name) or not _same_spec(seen.labels, action.labels):
            raise


@contextlib.contextmanager
def _hiding(values: SecretValues) -> Iterator[None]:
    """An engine may repeat in its refusal what it was sent."""
    try:
        yield
    except EngineError as error:
        shown = hidden_in(str(error), values.values())
        if shown != str(error):
            raise type(error)(shown, error.status) from None
        raise


def _start(connection: Connection, view: View, action: StartContainer) -> None:
    seen = _ours(connection, view, action.container)
    if seen.state != "running":
        start(connection, seen.id)


def _stop(connection: Connection, action: StopContainer) -> None:
    try:
        stop(connection, action.id, action.timeout)
    except NotFoundError:
        return


def _rename(connection: Connection, container_id: str, name: str) -> None:
    """Give it that name; the engine refuses to rename to the name that it has."""
    if _seen(connection, container_id).name != name:
        connection.post("/containers/{}/rename", container_id, params={"name": name})


def _promote(connection: Connection, view: View, container: str) -> None:
    """Success too if it has the name already: then there is one of ours that never ran, and no prepared one."""
    try:
        prepared = _ours(connection, view, container + PREPARED_SUFFIX)
    except NotFoundError:
        if _ours(connection, view, container).started_at:
            raise
        return
    connection.post("/containers/{}/rename", prepared.id, params={"name": container})


def _restore(connection: Connection, view: View, action: RestoreContainer) -> None:
    """The old one is looked up first: without it, the failed replacement is all there is, and stays."""
    old = _seen(connection, action.id)
    _clear_name(connection, view, action.container + PREPARED_SUFFIX)
    if old.name != action.container:
        _clear_name(connection, view, action.container)
        connection.post("/containers/{}/rename", action.id, params={"name": action.container})
    if action.start and old.state != "running":
        start(connection, action.id)


def _clear_name(connection: Connection, view: View, name: str) -> None:
    """Remove our container of that name, if there is one."""
    try:
        replacement = _ours(connection, view, name)
    except NotFoundError:
        return
    remove(connection, replacement.id, force=True)


def _update(connection: Connection, view: View, action: UpdateContainer) -> None:
    body = update_body(action)
    connection.post("/containers/{}/update", _ours(connection, view, action.container).id, json=body)
