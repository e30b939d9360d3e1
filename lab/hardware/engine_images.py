"""Images for the guests' engines: `tiny:1`, and `tools:1`, which shows a container the guest's own programs."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from lab.hardware.places import Guest
from lab.images import TINY_CHANGES, TINY_FILES, TINY_IMAGE, write_tiny_tar
from lab.layout import LabError

# with `--volume /usr:/usr:ro`: iperf3, ip, rping, ib_write_bw … without a registry or a second copy of Debian
TOOLS_IMAGE = "tools:1"
TOOLS_FOLDERS = ("usr", "etc", "proc", "sys", "dev", "tmp", "run", "var/tmp", "root", "sbin")  # the engine puts its init in /sbin
TOOLS_LINKS = ("bin", "lib", "lib64")
TOOLS_USER = "dtn"  # who copies files
TOOLS_FILES = {
    "etc/passwd": TINY_FILES["etc/passwd"] + f"{TOOLS_USER}:x:1000:1000:{TOOLS_USER}:/tmp:/bin/sh\n",
    "etc/group": TINY_FILES["etc/group"] + f"{TOOLS_USER}:x:1000:\n",
}
TOOLS_CHANGES = ("ENV PATH=/usr/sbin:/usr/bin", 'CMD ["sleep","infinity"]')
IMPORT_SECONDS = 120.0


def provide(guest: Guest) -> None:
    """Bring the images to the guest's engine unless they are there."""
    there = _docker(guest, "images", "--format={{.Repository}}:{{.Tag}}").split()
    with tempfile.TemporaryDirectory() as name:
        for tag, write, changes in ((TINY_IMAGE, write_tiny_tar, TINY_CHANGES), (TOOLS_IMAGE, write_tools_tar, TOOLS_CHANGES)):
            if tag not in there:
                tar = Path(name) / "image.tar"
                write(tar)
                _docker(guest, "import", *(f"--change={change}" for change in changes), str(tar), tag)


def write_tools_tar(path: Path) -> None:
    """A root folder whose programs are all in /usr, which is mounted."""
    with tarfile.open(path, "w") as tar:
        for folder in TOOLS_FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder.endswith("tmp") else 0o755
            tar.addfile(entry)
        for link in TOOLS_LINKS:
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{link}"
            tar.addfile(entry)
        for file, text in TOOLS_FILES.items():
            entry = tarfile.TarInfo(file)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))


def _docker(guest: Guest, *words: str) -> str:
    tls = [f"--tlscacert={guest.tls.ca}", f"--tlscert={guest.tls.cert}", f"--tlskey={guest.tls.key}"]
    command = ["docker", f"--host={guest.engine_url}", "--tlsverify", *tls, *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
    try:
        done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=IMPORT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{guest.name}: docker {words[0]}: no answer after {IMPORT_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise LabError(f"{guest.name}: docker {words[0]}: {done.stderr.strip()}")
    return done.stdout
