"""Where a figure is taken: a lab and a site's folder, made in a temporary folder below build/ and gone afterwards."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.raw import Raw, at_once
from dtnctl.model.site import Site
from dtnctl.repository.load import load_site
from lab import Lab
from lab.images import Content

BUILD = Path(__file__).resolve().parents[1] / "build"
PROGRAM = str(Path(sys.executable).with_name("dtnctl"))
# they would make every start of Python slower than it is for people
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")
REMOVALS_AT_ONCE = 8
FIRST_PORT = 30000


@dataclass(frozen=True)
class Place:
    """A lab, and the folder of the site that is declared on it."""

    lab: Lab
    root: Path

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(endpoint.name for endpoint in self.lab.endpoints)

    def raw(self, name: str) -> Raw:
        return Raw(self.lab.endpoint(name).socket)

    def write(self, path: str, value: Mapping[str, Any]) -> None:
        """Write one state file, such as sessions/a."""
        write_state(self.root, path, value)

    def write_site(self, **settings: Any) -> None:
        """The site's own file and one for each endpoint of the lab, reached by its unix socket."""
        self.write("site", {"name": "bench", **settings})
        for name in self.names:
            value = yaml.safe_load(self.lab.endpoint_yaml(name, "unix"))
            self.write(f"endpoints/{name}", {**value, "interfaces": {}})

    def site(self) -> Site:
        return load_site(self.root)

    def clear(self) -> None:
        """Take every container off the engines."""
        for name in self.names:
            with self.raw(name) as raw:
                at_once(REMOVALS_AT_ONCE, raw.remove, [item["Id"] for item in raw.containers()])


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder below build/."""
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as made:
        yield Path(made)


@contextlib.contextmanager
def place(count: int, image: Content) -> Iterator[Place]:
    """So many endpoints, and an empty site for them."""
    with folder() as made, Lab(made / "lab", count, image=image) as lab:
        root = made / "site"
        root.mkdir()
        made_place = Place(lab, root)
        made_place.write_site()
        yield made_place


def write_state(root: Path, path: str, value: Mapping[str, Any]) -> None:
    file = root / "state" / f"{path}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(dict(value), sort_keys=False))


def write_tiny_sessions(root: Path, endpoints: Sequence[str], count: int) -> None:
    """So many sessions on all of these endpoints: the small image, the engine's own bridge, one published port."""
    profile = {"arguments": ["sleep", "1000000"], "init": True, "tty": False, "memory": "64MiB", "stop_timeout": "1s"}
    write_state(root, "profiles/tiny", profile | {"ctrl_port_range": [FIRST_PORT, FIRST_PORT + 199]})
    for number in range(count):
        write_state(root, f"sessions/s{number:03}", {"endpoints": list(endpoints), "image": "tiny:1", "profile": "tiny"})


def commit_all(root: Path) -> None:
    """Make the site a Git repository, as it is for people; `plan` asks Git for its commit."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for arguments in (("init", "--quiet"), ("add", "state"), (*identity, "commit", "--quiet", "--message", "bench")):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)


# --- programs -----------------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    """The caller's, without what slows Python down."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED} | more


def time_of(*programs: Sequence[str], cwd: Path, envs: Sequence[Mapping[str, str]] = ()) -> float:
    """Seconds from the start of these programs, all at once, to the end of the last; fails with what it said if one fails."""
    started = time.perf_counter()
    running = [
        subprocess.Popen(list(program), cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for program, env in zip(programs, envs or [environment()] * len(programs), strict=True)
    ]
    said = [process.communicate()[0] for process in running]
    elapsed = time.perf_counter() - started
    for process, output in zip(running, said, strict=True):
        if process.returncode:
            raise RuntimeError(f"{process.args!r} failed ({process.returncode}):\n{output.decode(errors='replace')}")
    return elapsed


def dtnctl(root: Path, *arguments: str) -> float:
    """Seconds of one dtnctl command, start-up included."""
    return time_of([PROGRAM, *arguments], cwd=root)
