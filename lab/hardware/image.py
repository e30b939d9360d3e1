"""The guests' root image, kernel and initial RAM disk: made once, kept in the cache under a name made from their recipe."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.images import Progress, cache_lock
from lab.layout import LabError
from lab.wheels import CONSTRAINTS, agent_requirements, download_wheels

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "build-image.sh"
# its mounts end with it, and it ends with us
APART = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--")
BUILD_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class RootImage:
    """What a guest boots from; read only, guests write into copies."""

    folder: Path

    @property
    def disk(self) -> Path:
        return self.folder / "root.ext4"

    @property
    def kernel(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        return self.folder / "initrd.img"


def root_image(cache: Path, say: Progress) -> RootImage:
    """The image of this recipe, made when it is not there yet."""
    image = RootImage(cache / f"guest-{_fingerprint()}")
    if not image.folder.is_dir():
        with cache_lock(cache):
            if not image.folder.is_dir():
                say(f"making the guests' image from Debian's packages (about two minutes), once; it is kept in {cache}")
                _make(image, cache / "guest.draft")
    return image


def _make(image: RootImage, draft: Path) -> None:
    """Complete or not at all: the name is given last."""
    shutil.rmtree(draft, ignore_errors=True)
    (draft / "wheels").mkdir(parents=True)
    download_wheels(draft / "wheels")
    log = draft / "build.log"
    with log.open("wb") as output:
        command = [*APART, "bash", str(SCRIPT), str(draft), str(draft / "wheels")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=BUILD_SECONDS, check=False)
    if done.returncode != 0:
        raise LabError(f"the guests' image was not made:\n{log.read_text(errors='replace')[-2000:]}")
    shutil.rmtree(draft / "wheels")
    draft.rename(image.folder)


def _fingerprint() -> str:
    return hashlib.sha256(b"\0".join(_recipe())).hexdigest()[:12]


def _recipe() -> Iterator[bytes]:
    yield agent_requirements(CONSTRAINTS.read_text()).encode()
    for path in (SCRIPT, HERE / "packages.txt", *sorted((HERE / "guest").rglob("*"))):
        if path.is_file():
            yield str(path.relative_to(HERE)).encode()
            yield path.read_bytes()
