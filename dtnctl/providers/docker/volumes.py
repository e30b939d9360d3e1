"""Named volumes: what is there, and making those of a container before it. An engine mounts a volume that is there as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.resources import LABEL_KIND, LABEL_SELF, LABEL_SITE, ContainerSpec, VolumeSeen, self_reference
from dtnctl.providers.docker.translate import Json

if TYPE_CHECKING:
    from dtnctl.providers.docker.connection import Connection
    from dtnctl.providers.docker.view import View


def volume_seen(raw: Json, view: View) -> VolumeSeen:
    """A volume from its inspection, or from the answer to its creation.

    Nothing passes labels on to a volume, so the site's are enough: it stays ours when its endpoint gets another name.
    """
    name, options = raw["Name"], tuple(sorted((raw.get("Options") or {}).items()))
    labels = {**(raw.get("Labels") or {}), LABEL_SELF: self_reference(view.endpoint, name)}
    return VolumeSeen(name, raw["Driver"], options, is_ours=view.owns(labels, name))


def observe_volume(connection: Connection, view: View, name: str) -> VolumeSeen | None:
    """The volume of that name, whoever made it; None where there is none. One that the engine does not show has a `trouble`."""
    try:
        return volume_seen(connection.get("/volumes/{}", name), view)
    except NotFoundError:
        return None
    except EngineError as error:
        return VolumeSeen(name, trouble=str(error))


def ensure_volumes(connection: Connection, view: View, spec: ContainerSpec) -> None:
    """Make the named volumes of the container; ConflictError if one is there with another driver or other options."""
    for mount in spec.mounts:
        if mount.kind == "volume":
            wanted = VolumeSeen(mount.source, mount.driver or "local", mount.driver_opts)
            found = _existing(connection, view, wanted.name) or _made(connection, view, wanted)
            if found != wanted:
                raise ConflictError(
                    f"a volume {wanted.name} is there that is not as declared (driver {found.driver}); nothing was created", 409
                )


def _existing(connection: Connection, view: View, name: str) -> VolumeSeen | None:
    """Asked for only where a creation of what is there is more than nothing."""
    return observe_volume(connection, view, name) if connection.transport.keeps_records else None


def _made(connection: Connection, view: View, wanted: VolumeSeen) -> VolumeSeen:
    """As it is there now: an engine takes the creation of a volume that is there, whatever it is."""
    labels = dict(view.signed(((LABEL_SITE, view.site), (LABEL_KIND, "volume"))))
    body = {"Name": wanted.name, "Driver": wanted.driver, "DriverOpts": dict(wanted.options), "Labels": labels}
    return volume_seen(connection.dialect.answer("/volumes/{}", connection.post("/volumes/create", json=body).json()), view)
