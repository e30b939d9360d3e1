"""The engines that a lab can have: this machine's own, and those of later Debian releases, kept as folders in the cache.

Of another release only the folder `/usr` and some of `/etc` are used: an endpoint's start puts them over the machine's own.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.builder import run_apart
from lab.images import Progress, cache_lock
from lab.layout import LabError

OWN_VERSION = ("dockerd", "--version")
VERSION = re.compile(r"(?:Docker|podman) version (\d+)\.(\d+)")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    *("docker.io", "docker-cli", "containerd", "runc", "tini", "iptables", "nftables", "iproute2", "procps"),
    *("ca-certificates", "openssh-server", "python3", "podman", "netavark", "aardvark-dns"),
)
# a testing suite of long ago still installs; its packages are signed all the same
APT = ('APT::Install-Recommends "false"', 'Acquire::Check-Valid-Until "false"', 'Acquire::Check-Date "false"', 'Acquire::Retries "5"')
DPKG = ("force-unsafe-io", *(f"path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "info", "locale", "lintian")))
# what is used of the installed system; the rest is removed
KEPT = ("bin", "etc", "lib", "lib64", "sbin", "usr")
MIRROR = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(REPO_URI)", "Created-By: Packages"]


class EngineUnavailableError(LabError):
    """This engine cannot be had here; the reason is for people to read, and for a skipped test to show."""


@dataclass(frozen=True, slots=True)
class Release:
    """One engine: its name for people, its major version, the Debian suite that has it (empty: this machine's), its image store.

    `podman` is the version of a Podman, with its minor number: it is there beside the suite's Docker.
    """

    name: str
    major: int
    suite: str = ""
    has_containerd_store: bool = False
    podman: str = ""

    @property
    def loads_images(self) -> bool:
        """Whether its images come by its API: golden copies are in another engine's layout."""
        return self.has_containerd_store or bool(self.podman)


OWN = Release("docker-20", 20)
RELEASES = {
    release.name: release
    for release in (
        OWN,
        Release("docker-26", 26, "trixie"),
        Release("docker-28", 28, "forky"),
        Release("docker-28-containerd", 28, "forky", has_containerd_store=True),
        Release("podman-5.4", 5, "trixie", podman="5.4"),
        Release("podman-5.8", 5, "forky", podman="5.8"),
    )
}


def release_named(name: str) -> Release:
    """The engine of this name."""
    if name not in RELEASES:
        raise LabError(f"{name}: no such engine; there are {', '.join(RELEASES)}")
    return RELEASES[name]


def own_version() -> str:
    """What this machine's own engine calls itself; empty where there is none."""
    if shutil.which(OWN_VERSION[0]) is None:
        return ""
    return subprocess.run(OWN_VERSION, text=True, capture_output=True, check=False).stdout.strip()


def system_folder(release: Release, cache: Path, say: Progress) -> Path | None:
    """The folder with the engine's system, made when it is not there yet; None for this machine's own.

    EngineUnavailableError if the packages cannot be had, or are of another version by now.
    """
    if not release.suite:
        return None
    folder = cache / folder_name(release.suite)
    if not folder.is_dir():
        with cache_lock(cache / "systems"):
            if not folder.is_dir():
                say(f"installing {release.name} from Debian {release.suite} in a folder, once (minutes at most); it is kept in {cache}")
                _complete(folder, lambda part: _install(release, part))
    _check_version(release, _podman_version(folder) if release.podman else (folder / "version").read_text())
    return folder


def folder_name(suite: str) -> str:
    """What the suite's folder is called in a cache: another one when what is installed changes."""
    recipe = hashlib.sha256("\0".join((suite, *PACKAGES, *APT, *DPKG, *KEPT)).encode()).hexdigest()[:12]
    return f"system-{suite}-{recipe}"


def _check_version(release: Release, version: str) -> None:
    found = VERSION.match(version)
    if found is None or int(found[1]) != release.major or (release.podman and f"{found[1]}.{found[2]}" != release.podman):
        raise EngineUnavailableError(f"{release.name}: Debian {release.suite} has another engine by now: {version.strip()}")


def _podman_version(folder: Path) -> str:
    """By the folder's own loader: in a root without /proc Podman does not even say its version."""
    loaders, libraries = sorted(folder.glob("usr/lib*/ld-linux-*.so.*")), sorted(folder.glob("usr/lib/*-linux-gnu"))
    command = [*map(str, loaders[:1]), "--library-path", ":".join(map(str, libraries)), str(folder / "usr/bin/podman"), "--version"]
    return subprocess.run(command, text=True, capture_output=True, check=False).stdout


def unpacked(suite: str, package: str, cache: Path, say: Progress) -> Path:
    """The files of one package of that suite and of all it needs, unpacked in a folder of the cache and not installed.

    EngineUnavailableError if it cannot be had.
    """
    folder = cache / f"package-{package}-{suite}"
    if not folder.is_dir():
        with cache_lock(cache / "systems"):
            if not folder.is_dir():
                say(f"unpacking {package} of Debian {suite} in a folder, once; it is kept in {cache}")
                _complete(folder, lambda part: _unpack(suite, package, part))
    return folder


def _unpack(suite: str, package: str, part: Path) -> Path:
    root = part / "root"
    _run_mmdebstrap(package, suite, _command("extract", suite, (package,), root), part)
    return root


def _complete(folder: Path, make: Callable[[Path], Path]) -> None:
    """What `make` leaves in its part of the cache; complete under the folder's name, or not there at all."""
    for left in folder.parent.glob(f"{folder.name.partition('-')[0]}-*.part"):  # by a run that was killed; we hold the lock
        shutil.rmtree(left)
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True)
    try:
        make(part).rename(folder)
    finally:
        shutil.rmtree(part)


def _install(release: Release, part: Path) -> Path:
    root = part / "root"
    _run_mmdebstrap(release.name, release.suite, _command("minbase", release.suite, PACKAGES, root), part)
    for entry in root.iterdir():
        if entry.name not in KEPT:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    (root / "version").write_text(subprocess.run([*_inside(root), *OWN_VERSION], text=True, capture_output=True, check=True).stdout)
    return root


def _inside(root: Path) -> list[str]:
    return ["chroot", str(root), "/usr/bin/env", "PATH=/usr/sbin:/usr/bin"]


def _run_mmdebstrap(name: str, suite: str, command: list[str], part: Path) -> None:
    try:
        run_apart(command, part, hashlib.sha256(str(part).encode()).hexdigest()[:8])
    except LabError as error:
        raise EngineUnavailableError(f"{name}: Debian {suite} cannot be installed here: {error}") from error


def _command(variant: str, suite: str, packages: Iterable[str], root: Path) -> list[str]:
    options = [*(f"--aptopt={line}" for line in APT), *(f"--dpkgopt={line}" for line in DPKG), f"--include={','.join(packages)}"]
    command = ["mmdebstrap", "--mode=root", f"--variant={variant}", "--format=directory", "--skip=check/qemu", f"--keyring={KEYRING}"]
    mirror = _mirror()
    source = [f"deb [signed-by={KEYRING}] {mirror} {suite} main"] if mirror else []  # else mmdebstrap's own choice
    return [*command, *options, suite, str(root), *source]


def _mirror() -> str:
    """Where this machine gets Debian's packages from; empty on another distribution."""
    environment = {**os.environ, "LC_ALL": "C"}
    listed = subprocess.run(MIRROR, text=True, capture_output=True, check=False, env=environment).stdout
    words = (line.split() for line in listed.splitlines())
    # a code name with a dash is that of a part of a release: its updates, its security fixes
    return next((place for origin, suite, place in words if origin == "Debian" and "-" not in suite), "")
