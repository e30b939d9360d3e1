"""The lab's images, kept as golden copies: an engine's image folders that any endpoint can start with at no cost."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lab.builder import Builder
from lab.keys import KEY_EXCHANGE
from lab.layout import CLONE, LabError

Content = Literal["tiny", "both"]
DTN_IMAGE = "dtn:1"
TINY_IMAGE = "tiny:1"
IMAGES: dict[Content, tuple[str, ...]] = {"tiny": (TINY_IMAGE,), "both": (TINY_IMAGE, DTN_IMAGE)}
DTN_RECIPE = CLONE / "images" / "dtn"
BUSYBOX = Path("/bin/busybox")
# the base of the recipe, from the packages of mmdebstrap's default mirror because no image registry may be in reach
BASE_IMAGE = "debian:bookworm-slim"
BASE_SUITE = "bookworm"
BASE_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# as in Debian's slim images: no manuals, and no waiting for the disk while installing
BASE_DPKG = (
    *(f"path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "info", "locale", "lintian")),
    "path-include=/usr/share/doc/*/copyright",
    "force-unsafe-io",
)
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy")
TINY_FOLDERS = ("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var", "data")
TINY_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
}
# ends at once on SIGTERM, which a shell or sleep as PID 1 would ignore
TINY_CHANGES = ("ENV PATH=/bin", """CMD ["sh", "-c", "trap 'exit 0' TERM; sleep infinity & wait"]""")
Progress = Callable[[str], None]


def golden_copy(content: Content, cache: Path, say: Progress) -> Path:
    """The folder with the images asked for, made when it is not there yet."""
    _need_busybox()
    folder = cache / f"golden-{content}-{_fingerprint(content)}"
    if folder.is_dir():
        return folder
    with cache_lock(cache):
        if not folder.is_dir():
            say(f"making the images ({content}), once; they are kept in {cache}")
            _make(content, cache, folder, say)
    return folder


def saved_images(content: Content, cache: Path, say: Progress) -> Path:
    """The same images as a tar that any engine can load, whatever way it stores images."""
    tar = cache / f"saved-{content}-{_fingerprint(content)}.tar"
    golden = golden_copy(content, cache, say)
    if tar.exists():
        return tar
    with cache_lock(cache):
        if not tar.exists():
            with Builder(cache, golden) as builder:
                fresh = builder.folder / "saved.tar"
                builder.docker("save", f"--output={fresh}", *IMAGES[content])
                fresh.rename(tar)
    return tar


def build_tar(recipe: Path, tag: str, tar: Path, cache: Path, say: Progress) -> None:
    """Build the recipe in that folder on Debian's base system, and save the image as a tar that an engine can load."""
    with cache_lock(cache), Builder(cache) as builder:
        _build(builder, _base_tar(builder, cache, say), recipe, tag)
        builder.docker("save", f"--output={tar}", tag)


def base_system(cache: Path, say: Progress) -> Path:
    """Debian's base system as a tar, made when it is not there yet."""
    with cache_lock(cache), Builder(cache) as builder:
        return _base_tar(builder, cache, say)


@contextmanager
def cache_lock(cache: Path) -> Iterator[None]:
    """Keep other runs from building in this cache."""
    cache.mkdir(parents=True, exist_ok=True)
    handle = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove_dead_builder(cache: Path) -> None:
    """Remove what a killed run's image builder left; one that is at work is left alone."""
    if not (cache / "builder").exists():
        return
    handle = os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        Builder(cache).remove()
    except BlockingIOError:
        return
    finally:
        os.close(handle)


def _need_busybox() -> None:
    if not BUSYBOX.exists():
        raise LabError(f"missing on this machine: {BUSYBOX}; run hack/system-packages.sh as root")


def _fingerprint(content: Content) -> str:
    words = [*TINY_FOLDERS, *TINY_FILES, *TINY_FILES.values(), *TINY_CHANGES]
    parts = [BUSYBOX.read_bytes(), *(word.encode() for word in words)]
    if content == "both":
        parts += [word.encode() for word in _base_words()]
        parts += [path.read_bytes() for path in sorted(DTN_RECIPE.iterdir())]
        parts.append(KEY_EXCHANGE.encode())
    return _short_hash(parts)


def _base_words() -> tuple[str, ...]:
    return (BASE_SUITE, *BASE_DPKG)


def _short_hash(parts: list[bytes]) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def _make(content: Content, cache: Path, folder: Path, say: Progress) -> None:
    with Builder(cache) as builder:
        say(f"{TINY_IMAGE} from busybox")
        tiny = builder.folder / "tiny.tar"
        write_tiny_tar(tiny)
        _import(builder, tiny, TINY_IMAGE, TINY_CHANGES)
        if content == "both":
            base = _base_tar(builder, cache, say)
            say(f"{DTN_IMAGE} from images/dtn/Dockerfile (about a minute)")
            _build(builder, base, _dtn_recipe(builder.folder / "dtn"), DTN_IMAGE)
        builder.take_images(folder)


def _dtn_recipe(folder: Path) -> Path:
    """The recipe in this new folder; the image's sshd agrees on keys as those of the endpoints do."""
    shutil.copytree(DTN_RECIPE, folder)
    with (folder / "sshd.conf").open("a") as settings:
        settings.write(KEY_EXCHANGE)
    return folder


def _base_tar(builder: Builder, cache: Path, say: Progress) -> Path:
    """Debian's base system as a tar, made when it is not there yet."""
    tar = cache / f"base-{_short_hash([word.encode() for word in _base_words()])}.tar"
    if not tar.exists():
        say("Debian's base system, with mmdebstrap (about a minute)")
        fresh = builder.folder / "base.tar"
        options = [*(f"--dpkgopt={line}" for line in BASE_DPKG), '--aptopt=Acquire::Retries "5"']
        command = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--keyring={BASE_KEYRING}", *options]
        builder.run_apart([*command, BASE_SUITE, str(fresh)])
        fresh.rename(tar)
    return tar


def _build(builder: Builder, base: Path, recipe: Path, tag: str) -> None:
    _import(builder, base, BASE_IMAGE, ('CMD ["bash"]',))
    proxies = [name for name in PROXY_VARIABLES if name in os.environ]
    arguments = [f"--build-arg={name}" for name in proxies]  # known to the engine, which keeps them out of the image
    builder.docker("build", "--network=host", "--force-rm", *arguments, f"--tag={tag}", str(recipe))
    builder.docker("rmi", BASE_IMAGE)


def _import(builder: Builder, tar: Path, tag: str, changes: tuple[str, ...] = ()) -> None:
    builder.docker("import", *(f"--change={change}" for change in changes), str(tar), tag)


def write_tiny_tar(path: Path) -> None:
    """A root folder of 2 MB: busybox under each of its names."""
    names = subprocess.run([BUSYBOX, "--list"], text=True, capture_output=True, check=True).stdout.split()
    with tarfile.open(path, "w") as tar:
        for folder in TINY_FOLDERS:
            _add(tar, folder, tarfile.DIRTYPE, mode=0o1777 if folder == "tmp" else 0o755)
        for name, text in TINY_FILES.items():
            _add(tar, name, tarfile.REGTYPE, text.encode())
        _add(tar, "bin/busybox", tarfile.REGTYPE, BUSYBOX.read_bytes(), mode=0o755)
        for name in sorted(set(names) - {"busybox"}):
            _add(tar, f"bin/{name}", tarfile.SYMTYPE, link="busybox")


def _add(tar: tarfile.TarFile, name: str, kind: bytes, content: bytes = b"", mode: int = 0o644, link: str = "") -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.size, entry.mode, entry.linkname = kind, len(content), mode, link
    tar.addfile(entry, io.BytesIO(content))
