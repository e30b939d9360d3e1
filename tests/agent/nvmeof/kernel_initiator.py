"""The kernel's initiator, disks and mounts as folders with their rules: what a connection shows, what a lost one leaves behind.

Read from drivers/nvme/host of Linux 6.12 and util-linux 2.38, and tried on the guests by tests/hardware/test_volume_sessions.py.
"""

from __future__ import annotations

import errno
import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.fabrics import Fabrics
from dtn_agent.nvmeof.limits import Ran
from dtn_agent.nvmeof.mounts import HostMounts
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.protocol.volumes import Portal

SIZE = 64 << 20  # of every namespace
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class RemoteTarget:
    """What is exported somewhere. `content`: what blkid finds; `data_at`: blkid finds nothing, and there is a byte that is not zero.

    `files`: whether the file system was mounted to be written since it was made; `is_begun`: it is not complete.
    """

    nqn: str
    portal: Portal
    uuids: tuple[str, ...]
    answers: bool = True
    listens: bool = True
    hosts: tuple[str, ...] | None = None
    content: str = ""
    data_at: int | None = None
    files: bool = False
    is_begun: bool = False


def announced(act: Callable[P, T]) -> Callable[P, T]:
    """Tells whoever counts that the kernel begins, and that it has ended."""

    @functools.wraps(act)
    def announced_act(*arguments: P.args, **named: P.kwargs) -> T:
        sys.audit("kernel")
        try:
            return act(*arguments, **named)
        finally:
            sys.audit("kernel")

    return announced_act


class KernelInitiator(Fabrics):
    """Its whole state is in files below `folder`, so that it outlives the agent."""

    __slots__ = ()

    @property
    def folder(self) -> Path:
        return self.places.sys.parent

    def offer(self, target: RemoteTarget) -> None:
        """Export it, or change it."""
        path = self.folder / "targets.json"
        others = [item for item in self.targets() if item["nqn"] != target.nqn]
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps([*others, {**target.__dict__, "portal": target.portal.model_dump()}]))
        draft.replace(path)

    def targets(self) -> list[dict[str, object]]:
        path = self.folder / "targets.json"
        return json.loads(path.read_text()) if path.exists() else []

    def target(self, nqn: str) -> RemoteTarget | None:
        for item in self.targets():
            if item["nqn"] == nqn:
                uuids, hosts = item["uuids"], item["hosts"]
                assert isinstance(uuids, list)
                fields = {**item, "portal": Portal.model_validate(item["portal"]), "uuids": tuple(uuids), "hosts": hosts}
                return RemoteTarget(**fields)  # type: ignore[arg-type]  # as it was written above
        return None

    # --- the kernel's files ---

    @announced
    def ask_for(self, line: str) -> None:
        words = dict(word.partition("=")[::2] for word in line.split(","))
        place = Portal.model_construct(transport=words["transport"], address=words["traddr"], port=int(words["trsvcid"]))  # type: ignore[arg-type]
        target = self.target(words["nqn"])
        if any(item.nqn == words["nqn"] for item in self.connections(words["nqn"])):
            raise _refused(errno.EALREADY)
        if target is None or not target.answers or target.portal != place:
            raise _refused(errno.ETIMEDOUT)
        if not target.listens:
            raise _refused(errno.ECONNREFUSED)
        if target.hosts is not None and words["hostnqn"] not in target.hosts:
            raise _refused(errno.EIO)
        self._appear(target, words)

    def _appear(self, target: RemoteTarget, words: dict[str, str]) -> None:
        """All at once: the kernel shows a connection when it is complete."""
        number = next(number for number in range(1, 99) if not (self.places.sys / f"class/nvme/nvme{number}").exists())
        for index, uuid in enumerate(target.uuids, 1):
            name = f"nvme{number}n{index}"
            minor = next(minor for minor in range(5, 99) if not self._is_known(f"259:{minor}"))
            files = {"uuid": uuid, "dev": f"259:{minor}", "size": f"{SIZE // 512}", "device/subsysnqn": target.nqn}
            _folder(self.places.sys / "block" / name, files)
            (number_link := self.places.sys / f"dev/block/259:{minor}").parent.mkdir(parents=True, exist_ok=True)
            number_link.symlink_to(self.places.sys / "block" / name)
            (link := self.places.dev / f"disk/by-id/nvme-uuid.{uuid}").parent.mkdir(parents=True, exist_ok=True)
            link.touch()
        address = f"traddr={words['traddr']},trsvcid={words['trsvcid']}"
        shown = {"subsysnqn": target.nqn, "transport": words["transport"], "address": address, "state": "live", "delete_controller": ""}
        times = {"ctrl_loss_tmo": words["ctrl_loss_tmo"], "reconnect_delay": words["reconnect_delay"]}
        secrets = {
            name: words.get(name, "none") for name in ("dhchap_secret", "dhchap_ctrl_secret")
        }  # for every user to read, as Linux 6.12
        _folder(self.places.sys / f"class/nvme/nvme{number}", {**shown, **times, **secrets, "options": ",".join(words)})

    def is_claimed(self, device: str) -> bool:
        """Linux takes a mount away first and writes what it held afterwards; the device is claimed until then."""
        number = self.number(device)
        tables = self.places.proc.glob("*/mountinfo")
        return bool(number) and (number in self.unwritten() or any(f" {number} " in table.read_text() for table in tables))

    def unwritten(self) -> list[str]:
        """Numbers of devices that are unmounted, and to which the kernel still writes."""
        path = self.folder / "unwritten"
        return path.read_text().split() if path.exists() else []

    def write_slowly(self) -> None:
        """From now on no unmount of what may have been written ends in its time; `set_unwritten()` ends them."""
        (self.folder / "writes-slowly").touch()

    def set_unwritten(self, *numbers: str) -> None:
        _write_at_once(self.folder / "unwritten", " ".join(numbers))

    def _is_known(self, number: str) -> bool:
        """The number of a lost device is not given again while the remains of it are mounted."""
        used = {path.read_text() for path in self.places.sys.glob("block/*/dev")}
        return number in used or f" {number} " in (self.places.proc / "1/mountinfo").read_text()

    @announced
    def write(self, path: Path, text: str) -> None:
        if not path.exists():
            raise _refused(errno.ENOENT)
        if path.name == "delete_controller":
            self.vanish(path.parent.name)
        else:
            path.write_text(text)

    def vanish(self, name: str) -> None:
        """The connection ends, its device with it; what is mounted of it stays mounted, and fails."""
        for block in self.places.sys.glob(f"block/{name}n*"):
            self.set_unwritten(*(number for number in self.unwritten() if number != (block / "dev").read_text()))
            (self.places.dev / f"disk/by-id/nvme-uuid.{(block / 'uuid').read_text()}").unlink()
            (self.places.sys / "dev/block" / (block / "dev").read_text()).unlink()
            _remove(block)
        _remove(self.places.sys / "class/nvme" / name)

    def lose(self, nqn: str) -> None:
        """The target is gone; the kernel tries to reach it again."""
        found = self.target(nqn)
        assert found is not None
        self.offer(replace(found, answers=False))
        for item in self.connections(nqn):
            (self.places.sys / "class/nvme" / item.name / "state").write_text("connecting")

    def expire(self, nqn: str) -> None:
        """The kernel has given up."""
        for item in self.connections(nqn):
            self.vanish(item.name)

    def come_back(self, nqn: str) -> None:
        found = self.target(nqn)
        assert found is not None
        self.offer(replace(found, answers=True))
        for item in self.connections(nqn):
            (self.places.sys / "class/nvme" / item.name / "state").write_text("live")
        self.set_unwritten()


class MountTable(HostMounts):
    """Carries out the programs that are run; what is mounted is in proc/1/mountinfo, what is on a device with its target."""

    __slots__ = ()

    @announced
    def _run(self, words: Sequence[str], seconds: float, unfinished: str, *, on_host: bool = True) -> Ran:
        del seconds, on_host
        match words:
            case ["blkid", *_, device]:
                content = self._target(device).content
                return Ran(0, f"DEVNAME={device}\nTYPE={content}\n", "") if content else Ran(2, "", "")
            case ["cmp", "--quiet", skipped, length, device, "/dev/zero"]:
                begin, count = int(skipped.split("=")[1].removesuffix(":0")), int(length.split("=")[1])
                return Ran(1 if self._target(device).data_at in range(begin, begin + count) else 0, "", "")
            case [("mkfs.xfs" | "mkfs.ext4") as program, *_, device]:
                self._kernel.offer(replace(self._target(device), content=program.removeprefix("mkfs."), files=False, is_begun=False))
                return Ran(0, "", "")
            case ["xfs_db", "-r", "-c", "sb 0", "-c", "print inprogress", device]:
                return Ran(0, f"inprogress = {int(self._target(device).is_begun)}\n", "")
            case ["dumpe2fs", "-h", device]:
                return Ran(0, f"Last mount time:          {'Mon Nov 30 2026' if self._target(device).files else 'n/a'}\n", "")
            case ["mount", _, "-t", kind, "-o", options, device, path]:
                return self._add(kind, options, device, path)
            case ["umount", *_, path]:
                return self._take_away(path, unfinished)
        raise AssertionError(words)

    def _take_away(self, path: str, unfinished: str) -> Ran:
        """Where something may have been written, the program does not end while the target is slow, or does not answer."""
        gone = [line.split(" ") for line in self._table.read_text().splitlines() if f" {path} " in line]
        for table in self.places.proc.glob("*/mountinfo"):  # and where the host's mounts are shared
            _write_at_once(table, "".join(line for line in table.read_text().splitlines(keepends=True) if f" {path} " not in line))
        waiting = [words[2] for words in gone if words[5].startswith("rw") and self._is_slow(words[9])]
        if waiting:
            self._kernel.set_unwritten(*waiting)
            raise RefusedError("failed", f"{unfinished}: umount has not ended; try again")
        return Ran(0, "", "")

    def _is_slow(self, device: str) -> bool:
        if (self._kernel.folder / "writes-slowly").exists():
            return True
        nqn = self.places.sys / "block" / Path(device).name / "device/subsysnqn"
        return nqn.exists() and all(item.state != "live" for item in self._kernel.connections(nqn.read_text()))

    def _add(self, kind: str, options: str, device: str, path: str) -> Ran:
        if self._target(device).content != kind or not Path(path).is_dir():
            return Ran(32, "", f"mount: {path}: wrong fs type, bad option, bad superblock on {device}.\n")
        number = self._kernel.number(device)
        line = f"99 21 {number} / {path} {options} shared:9 - {kind} {device} {options}\n"
        _write_at_once(self._table, self._table.read_text() + line)
        return Ran(0, "", "")

    @property
    def _kernel(self) -> KernelInitiator:
        return KernelInitiator(self.places)

    @property
    def _table(self) -> Path:
        return self.places.proc / "1/mountinfo"

    def _target(self, device: str) -> RemoteTarget:
        nqn = (self.places.sys / "block" / Path(device).name / "device/subsysnqn").read_text()
        found = self._kernel.target(nqn)
        assert found is not None
        return found


def places_below(folder: Path) -> HostPlaces:
    return HostPlaces(**{name: folder / name for name in ("sys", "proc", "dev", "run", "etc")})


def _folder(path: Path, files: dict[str, str]) -> None:
    draft = path.with_name(f".{path.name}")
    for name, text in files.items():
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        (draft / name).write_text(text)
    draft.rename(path)


def _remove(path: Path) -> None:
    gone = path.with_name(f".gone-{path.name}")
    path.rename(gone)
    shutil.rmtree(gone)


def _write_at_once(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)


def _refused(number: int) -> OSError:
    return OSError(number, os.strerror(number))
