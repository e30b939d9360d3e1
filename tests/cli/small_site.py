"""A site on two engines in memory, and the program as a process of its own: streams and signals are real."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.fakes.engine import World
from tests.forked_program import program_here

PROGRAM = (sys.executable, "-m", "dtnctl")
READ_BY_PYTHON = ("PYTHON", "LC_", "LANG")
CLONE = Path(__file__).parents[2]


@contextlib.contextmanager
def two_engines(root: Path) -> Iterator[World]:
    """Engines a and b with image app:1, and state files for session `s` on both; nothing is applied."""
    with World(["a", "b"]) as world:
        world.add_image("app:1", {"Cmd": ["serve"]})
        write(root, {name: f"unix://{socket}" for name, socket in world.sockets.items() if name in ("a", "b")})
        yield world


def write(root: Path, engines: Mapping[str, str]) -> None:
    """The state files, for engines at these addresses."""
    texts = {f"endpoints/{name}": f"docker: {url}\nhost: {name}.example.net\n" for name, url in engines.items()}
    texts |= {
        "site": "name: small\n",
        "profiles/p": "pull: never\nctrl_port_range: [30000, 30009]\n",
        "sessions/s": "endpoints: [a, b]\nimage: app:1\nprofile: p\n",
    }
    for name, text in texts.items():
        file = root / "state" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def run(root: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """dtnctl in a fork, or in a process of its own where Python reads one of `more`, environment variables, when it starts."""
    if any(name.startswith(READ_BY_PYTHON) for name in more):
        own = [*PROGRAM, *arguments]
        return subprocess.run(own, cwd=root, text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=environment(**more))
    return program_here().run(arguments, root, environment(**more))


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would change the program's words, and with its clone in the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DTNCTL_") and name not in ("CI", "FORCE_COLOR")}
    return {**kept, "PYTHONPATH": f"{CLONE}:{CLONE / 'agent'}", **more}
