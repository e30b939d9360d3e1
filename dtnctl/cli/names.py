"""What a shell may complete: names from the state's file names, without reading the files. Silent where there is no repository."""

from __future__ import annotations

from pathlib import Path

from dtnctl.errors import DtnctlError

FILES = ":files"  # the shell completes file names by itself
# Folders of the noun tree, and the folder of state files whose stems are the names in each.
PLACES = {
    "active": "sessions",
    **{kind: kind for kind in ("sessions", "transfers", "endpoints", "volumes", "paths", "networks", "profiles", "tools")},
}


def sessions(incomplete: str) -> list[str]:
    """Names of sessions."""
    return _starting("sessions", incomplete)


def transfers(incomplete: str) -> list[str]:
    """Names of transfers."""
    return _starting("transfers", incomplete)


def endpoints(incomplete: str) -> list[str]:
    """Names of endpoints; of a list with commas the last one."""
    before, comma, last = incomplete.rpartition(",")
    return [before + comma + name for name in _starting("endpoints", last)]


def networks(incomplete: str) -> list[str]:
    """Names of networks."""
    return _starting("networks", incomplete)


def profiles(incomplete: str) -> list[str]:
    """Names of profiles."""
    return _starting("profiles", incomplete)


def paths(incomplete: str) -> list[str]:
    """Names of paths between sites."""
    return _starting("paths", incomplete)


def volumes(incomplete: str) -> list[str]:
    """Names of volumes over NVMe-oF."""
    return _starting("volumes", incomplete)


def tools(incomplete: str) -> list[str]:
    """Names of tools, dtnctl's own and declared ones."""
    from dtnctl.model.tools import TOOLS

    return sorted(name for name in {*TOOLS, *_names("tools")} if name.startswith(incomplete))


def ends(incomplete: str) -> list[str]:
    """`ENDPOINT:`, which a path follows."""
    return [f"{name}:" for name in _starting("endpoints", incomplete)]


def targets(incomplete: str) -> list[str]:
    """KIND/NAME of what a plan can be limited to."""
    from dtnctl.model.kinds import PLAN_KINDS

    folders = [*((str(kind), row.folder) for kind, row in PLAN_KINDS.items() if row.folder), ("endpoint", "endpoints")]
    found = [f"{kind}/{name}" for kind, folder in folders for name in _names(folder)]
    return [name for name in found if name.startswith(incomplete)]


def places(incomplete: str) -> list[str]:
    """Paths of the noun tree, as far as file names say them: sessions by name, not by number."""
    folder, slash, last = incomplete.rpartition("/")
    if not slash:
        return [f"{name}/" for name in PLACES if name.startswith(last)]
    kind = folder.strip("/")
    return [f"{folder}/{name}" for name in _starting(PLACES[kind], last)] if kind in PLACES else []


def files() -> list[str]:
    """File names."""
    return [FILES]


def _starting(kind: str, incomplete: str) -> list[str]:
    return [name for name in _names(kind) if name.startswith(incomplete)]


def _names(kind: str) -> list[str]:
    from dtnctl.client.workplace import STATE_FOLDER
    from dtnctl.repository.find import find_repository

    try:
        folder = find_repository(Path.cwd(), STATE_FOLDER) / STATE_FOLDER / kind
        return sorted(path.stem for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and not path.name.startswith("."))
    except (OSError, DtnctlError):
        return []
