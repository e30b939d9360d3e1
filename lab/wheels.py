"""Packages at their pinned hashes and the wheel of this clone, for hosts without a package index (the guests, the images).

`python -m lab.wheels FOLDER` fills the folder with both for the agent, `python -m lab.wheels --controller FOLDER` with dtnctl's packages;
`python -m lab.wheels --requirements` prints what dtnctl needs.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

from lab.layout import CLONE, LabError

CONSTRAINTS = CLONE / "constraints.txt"
AGENT_PACKAGES = ("fastapi", "psutil", "pydantic", "pyroute2", "uvicorn")
PYTHON = "3.11"  # Debian 12's, as in the guests and the image, whatever runs here
PLATFORMS = tuple(f"{libc}_{platform.machine()}" for libc in ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34"))
PACKAGE = re.compile(r"[A-Za-z0-9._-]+")
BLOCK = re.compile(r"^(?P<name>[a-z0-9._-]+)==.*\n(?:[ ].*\n?)*", re.MULTILINE)
NEEDED_BY = re.compile(r"^ +#(?: via)? +(?P<name>[a-z0-9._-]+)", re.MULTILINE)


def agent_requirements(constraints: str) -> str:
    """The part of the pinned packages that the agent needs, as a requirements file."""
    return requirements_of(AGENT_PACKAGES, constraints)


def controller_requirements(constraints: str) -> str:
    """The part of the pinned packages that dtnctl itself needs, as a requirements file."""
    project = tomllib.loads((CLONE / "pyproject.toml").read_text())["project"]
    return requirements_of((PACKAGE.match(item)[0].lower() for item in project["dependencies"]), constraints)  # type: ignore[index]


def requirements_of(packages: Iterable[str], constraints: str) -> str:
    """The blocks of these packages, with all that those need."""
    blocks = {match["name"]: match[0] for match in BLOCK.finditer(constraints)}
    needed = set(packages)
    while more := {name for name, block in blocks.items() if name not in needed and needed & set(NEEDED_BY.findall(block))}:
        needed |= more
    return "".join(blocks[name] for name in sorted(needed))


def download_wheels(folder: Path, requirements: str = "") -> None:
    """Fill the folder with the packages for Debian 12's Python, and their requirements.txt. Those of the agent if none are named."""
    file = folder / "requirements.txt"
    file.write_text(requirements or agent_requirements(CONSTRAINTS.read_text()))
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
    target += [f"--platform={name}" for name in PLATFORMS]
    _pip("download", "--no-deps", "--require-hashes", *target, f"--dest={folder}", f"--requirement={file}")


def build_agent_wheel(folder: Path) -> Path:
    """The wheel of dtnctl and its agent as they are in this clone now."""
    _pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", str(CLONE))
    return next(folder.glob("dtnctl-*.whl"))


def _pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *words]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise LabError(f"pip {words[0]} for the agent: {done.stderr.strip()[-2000:]}")


def main(arguments: list[str]) -> None:
    """Fill the folder that is named last, or print what dtnctl needs."""
    if "--requirements" in arguments:
        sys.stdout.write(controller_requirements(CONSTRAINTS.read_text()))
        return
    folder = Path(arguments[-1])
    folder.mkdir(parents=True, exist_ok=True)
    if "--controller" in arguments:
        download_wheels(folder, controller_requirements(CONSTRAINTS.read_text()))
    else:
        download_wheels(folder)
        build_agent_wheel(folder)


if __name__ == "__main__":
    main(sys.argv[1:])
