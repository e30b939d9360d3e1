"""The agent for hosts without a package index (the guests, its image): its packages at their pinned hashes, and the wheel of this clone.

`python -m lab.wheels FOLDER` fills the folder with both.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

from lab.layout import CLONE, LabError

CONSTRAINTS = CLONE / "constraints.txt"
AGENT_PACKAGES = ("fastapi", "psutil", "pydantic", "pyroute2", "uvicorn")
PYTHON = "3.11"  # Debian 12's, as in the guests and the image, whatever runs here
PLATFORMS = tuple(f"{libc}_{platform.machine()}" for libc in ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34"))
BLOCK = re.compile(r"^(?P<name>[a-z0-9._-]+)==.*\n(?:[ ].*\n?)*", re.MULTILINE)
NEEDED_BY = re.compile(r"^ +#(?: via)? +(?P<name>[a-z0-9._-]+)", re.MULTILINE)


def agent_requirements(constraints: str) -> str:
    """The part of the pinned packages that the agent needs, with all that those need, as a requirements file."""
    blocks = {match["name"]: match[0] for match in BLOCK.finditer(constraints)}
    needed = set(AGENT_PACKAGES)
    while more := {name for name, block in blocks.items() if name not in needed and needed & set(NEEDED_BY.findall(block))}:
        needed |= more
    return "".join(blocks[name] for name in sorted(needed))


def download_wheels(folder: Path) -> None:
    """Fill the folder with the agent's packages for Debian 12's Python, and their requirements.txt."""
    requirements = folder / "requirements.txt"
    requirements.write_text(agent_requirements(CONSTRAINTS.read_text()))
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    target += [f"--platform={name}" for name in PLATFORMS]
    _pip("download", "--no-deps", "--require-hashes", *target, f"--dest={folder}", f"--requirement={requirements}")


def build_agent_wheel(folder: Path) -> Path:
    """The wheel of dtnctl and its agent as they are in this clone now."""
    _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(CLONE))
    return next(folder.glob("dtnctl-*.whl"))


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *words]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"pip {words[0]} for the agent: {done.stderr.strip()[-2000:]}")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    download_wheels(folder)
    build_agent_wheel(folder)
