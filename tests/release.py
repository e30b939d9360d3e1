"""What `make dist` makes of this clone, once for all workers of a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from lab.layout import CLONE


def built_release(temporary: pytest.TempPathFactory) -> Path:
    """The folder that `hack/dist` fills, without an image: no docker is in reach. Who asks first builds, others wait."""
    shared = temporary.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "dist"
    with (shared / "dist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "SHA256SUMS").exists():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    environment = {**os.environ, "DIST": str(folder), "DOCKER_HOST": "unix:///nowhere.sock"}
    ran = subprocess.run([CLONE / "hack" / "dist"], env=environment, text=True, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "no docker runs here, so there is no image" in ran.stderr
