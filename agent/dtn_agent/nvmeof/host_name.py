"""By what name this host is known to targets: nvme-cli's, or one that is made once and kept."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.nvme import host_names


def have_host_name(places: HostPlaces, state: Path) -> tuple[str, str]:
    """Host NQN and host id, the same ones for as long as `state` is kept."""
    files = Files(HostRoot(etc=places.etc, state=state))
    if not all(host_names(files)):
        number = str(uuid.uuid4())
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(state / "hostid", number)
        _write(state / "hostnqn", f"nqn.2014-08.org.nvmexpress:uuid:{number}")
    return host_names(files)


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
