"""How a path at its provider differs from the one that is declared, in fields that the provider shows. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dtnctl.model.fields import show_rate
from dtnctl.model.paths import PathSpec
from dtnctl.model.plan import Cause, FieldChange
from dtnctl.planning.paths.wanted import DeclaredPath

COMPARED = ("ends", "vlan", "bandwidth", "mtu", "starts", "until")
_DECLARED_AS = {"starts": "window", "until": "window"}


def path_differences(path: DeclaredPath, wanted: PathSpec, there: PathSpec) -> tuple[FieldChange, ...]:
    """A field change for each; one that its kind cannot change in place forces another reservation.

    Without a declared MTU the provider's own is as good as any.
    """
    return tuple(_changes(path, wanted, there))


def _changes(path: DeclaredPath, wanted: PathSpec, there: PathSpec) -> Iterator[FieldChange]:
    for name in COMPARED:
        before, after = _shown(there, name), _shown(wanted, name)
        if name in path.row.shows and before != after and (name != "mtu" or wanted.mtu):
            field = _DECLARED_AS.get(name, name)
            document = path.document
            cause = Cause(f"{name} differs", document.file, document.mark((field,)).line, field)
            yield FieldChange(name, before, after, name not in path.row.modifies, cause)


def _shown(spec: PathSpec, name: str) -> str:
    """A field as people read it; in which order ends are named does not matter."""
    match name:
        case "ends":
            return ", ".join(sorted(spec.ends))
        case "bandwidth":
            return rate_text(spec.bandwidth)
        case _:
            return str(getattr(spec, name) or "none")


def rate_text(rate: int) -> str:
    return show_rate(rate) if rate else "none"
