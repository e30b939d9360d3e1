"""Named volumes: what is there, and making those of a container before it. An engine mounts a volume that is there as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.resources import ContainerSpec, VolumeSeen
from dtnctl.providers.translate import Json

if TYPE_CHECKING:
    from dtnctl.providers.connection import Connection


def volume_seen(raw: Json) -> VolumeSeen:
    """A volume from its inspection, or from the answer to its creation."""
    return VolumeSeen(raw["Name"], raw["Driver"], tuple(sorted((raw.get("Options") or {}).items())))


def observe_volume(connection: Connection, name: str) -> VolumeSeen | None:
    """The volume of that name, whoever made it; None where there is none. One that the engine does not show has a `trouble`."""
    try:
        return volume_seen(connection.get("/volumes/{}", name))
    except NotFoundError:
        return None
    except EngineError as error:
        return VolumeSeen(name, trouble=str(error))


def ensure_volumes(connection: Connection, spec: ContainerSpec) -> None:
    """Make the named volumes of the container; ConflictError if one is there with another driver or other options."""
    for mount in spec.mounts:
        if mount.kind == "volume":
            wanted = VolumeSeen(mount.source, mount.driver or "local", mount.driver_opts)
            body = {"Name": wanted.name, "Driver": wanted.driver, "DriverOpts": dict(wanted.options)}
            found = volume_seen(connection.post("/volumes/create", json=body).json())
            if found != wanted:
                raise ConflictError(
                    f"a volume {wanted.name} is there that is not as declared (driver {found.driver}); nothing was created", 409
                )
