"""A device or file that anything uses is never exported, and the refusal names what uses it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from dtn_agent.errors import RefusedError
from dtn_agent.nvmeof.backing import Backings
from dtn_agent.nvmeof.places import HostPlaces
from dtn_agent.protocol.volumes import Backing

NOTHING: Iterator[tuple[str, str]] = iter(())


class Disk(Backings):
    """Device files without a device behind them: the two questions that need one have their answers here."""

    __slots__ = ()
    claims = True
    member = ""

    def can_claim(self, path: str) -> bool:
        return self.claims

    def member_of(self, path: str) -> str:
        return self.member


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A host with /dev/sdx (8:16), which has one partition (8:17); nothing uses them."""
    if os.geteuid() != 0:
        pytest.skip("device files need root")
    whole = tmp_path / "sys/devices/sdx"
    for path in (whole / "holders", whole / "sdx1/holders", tmp_path / "sys/dev/block", tmp_path / "sys/block", tmp_path / "proc/1"):
        path.mkdir(parents=True)
    (whole / "sdx1/partition").write_text("1\n")
    (whole / "sdx1/dev").write_text("8:17\n")
    for number, path in (("8:16", whole), ("8:17", whole / "sdx1")):
        (tmp_path / "sys/dev/block" / number).symlink_to(path)
    (tmp_path / "proc/1/mountinfo").write_text("21 1 8:2 / / rw - ext4 /dev/sda2 rw\n")
    (tmp_path / "proc/swaps").write_text("Filename Type Size Used Priority\n")
    for name, minor in (("sdx", 16), ("sdx1", 17)):
        os.mknod(tmp_path / name, stat.S_IFBLK | 0o600, os.makedev(8, minor))
    return Disk(HostPlaces(sys=tmp_path / "sys", proc=tmp_path / "proc"))


def device(folder: Path, name: str = "sdx") -> Backing:
    return Backing(device=str(folder / name))


def file(folder: Path, size: int | None = None) -> Backing:
    return Backing(file=str(folder / "x.img"), size=size)


def refusal(backings: Backings, backing: Backing, exported: Iterator[tuple[str, str]] = NOTHING) -> str:
    def take() -> None:
        backings.have(backing)
        backings.check_free(backing, exported)

    with pytest.raises(RefusedError) as caught:
        take()
    return f"{caught.value.code}: {caught.value}"


def test_a_free_device_and_its_partition_are_taken(disk: Disk, tmp_path: Path) -> None:
    for name in ("sdx", "sdx1"):
        disk.have(device(tmp_path, name))
        disk.check_free(device(tmp_path, name), NOTHING)


def test_a_mounted_device_is_refused_with_the_place(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "proc/1/mountinfo").write_text("40 21 8:17 / /data rw - xfs /dev/sdx1 rw\n")
    assert refusal(disk, device(tmp_path, "sdx1")) == f"conflict: {tmp_path}/sdx1 is mounted at /data; nothing was changed"
    assert "has a partition sdx1 that is mounted at /data" in refusal(disk, device(tmp_path))
    assert (disk.mounted_at(device(tmp_path, "sdx1")), disk.mounted_at(device(tmp_path))) == ("/data", "")


def test_a_file_system_over_several_devices_is_found_by_its_name(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "proc/1/mountinfo").write_text("40 21 0:52 / /pool rw - btrfs /dev/sdx rw\n")
    assert "is mounted at /pool" in refusal(disk, device(tmp_path))


def test_swap_space_is_refused(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "proc/swaps").write_text(f"Filename Type Size Used Priority\n{tmp_path}/sdx1 partition 1 0 -2\n")
    assert "is swap space" in refusal(disk, device(tmp_path, "sdx1"))


def test_what_is_built_on_it_is_named(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "sys/block/dm-3/dm").mkdir(parents=True)
    (tmp_path / "sys/block/dm-3/dm/name").write_text("vg0-data\n")
    (tmp_path / "sys/devices/sdx/sdx1/holders/dm-3").touch()
    assert "is used by vg0-data (dm-3)" in refusal(disk, device(tmp_path, "sdx1"))
    (tmp_path / "sys/devices/sdx/holders/md0").touch()
    assert "is used by md0" in refusal(disk, device(tmp_path))
    (tmp_path / "sys/devices/sdx/holders/md0").unlink()
    assert "has a partition sdx1 that is used by vg0-data" in refusal(disk, device(tmp_path))


def test_a_device_that_the_kernel_does_not_give_exclusively_is_refused(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "claims", False)
    assert "the kernel does not open it exclusively" in refusal(disk, device(tmp_path))


def test_a_member_of_an_array_that_is_not_assembled_is_refused(disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "member", "LVM2_member")
    assert "has the signature of LVM2_member" in refusal(disk, device(tmp_path))


def test_what_is_exported_already_is_refused_by_whatever_name(disk: Disk, tmp_path: Path) -> None:
    (tmp_path / "by-id").symlink_to(tmp_path / "sdx")
    others = iter([("nqn.2001-01.com.example:theirs", str(tmp_path / "by-id"))])
    assert "is exported already, as nqn.2001-01.com.example:theirs" in refusal(disk, device(tmp_path), others)


def test_what_is_no_device_is_refused(disk: Disk, tmp_path: Path) -> None:
    assert refusal(disk, device(tmp_path, "nix")).startswith("not-found: ")
    assert refusal(disk, device(tmp_path, "proc")) == f"bad-request: {tmp_path}/proc is no block device"
    assert "a device or a file is needed" in refusal(disk, Backing())


@pytest.mark.skipif(shutil.which("blkid") is None, reason="needs blkid (util-linux)")
@pytest.mark.parametrize(("name", "make"), [("swap", ["mkswap"]), ("", ["mkfs.ext4", "-q", "-F"])])
def test_blkid_reports_members_and_file_systems(tmp_path: Path, name: str, make: list[str]) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(4 << 20))
    assert Backings().member_of(str(image)) == ""
    program = shutil.which(make[0])
    if program is None:
        pytest.skip(f"needs {make[0]}")
    assert os.spawnv(os.P_WAIT, program, [*make, str(image)]) == 0
    assert Backings().member_of(str(image)) == name


# --- files --------------------------------------------------------------------------------------------------------------


def test_a_file_is_made_sparse_for_root_only(disk: Disk, tmp_path: Path) -> None:
    disk.have(file(tmp_path, size=1 << 30))
    found = (tmp_path / "x.img").stat()
    assert (found.st_size, found.st_blocks, stat.S_IMODE(found.st_mode)) == (1 << 30, 0, 0o600)
    disk.have(file(tmp_path, size=1 << 30))
    disk.have(file(tmp_path))
    disk.check_free(file(tmp_path), NOTHING)


def test_a_file_is_neither_grown_nor_cut_nor_followed(disk: Disk, tmp_path: Path) -> None:
    disk.have(file(tmp_path, size=4096))
    assert "has 4096 bytes, not 8192" in refusal(disk, file(tmp_path, size=8192))
    (tmp_path / "x.img").rename(tmp_path / "other")
    assert "no size to make it with" in refusal(disk, file(tmp_path))
    (tmp_path / "x.img").symlink_to(tmp_path / "other")
    assert refusal(disk, file(tmp_path, size=4096)) == f"bad-request: {tmp_path}/x.img is no plain file"
    assert "cannot be made" in refusal(disk, Backing(file=f"{tmp_path}/nix/x.img", size=1))


def test_a_file_that_a_program_has_open_is_refused(disk: Disk, tmp_path: Path) -> None:
    disk.have(file(tmp_path, size=4096))
    with (tmp_path / "x.img").open("rb"):
        assert "is open in another program" in refusal(disk, file(tmp_path))


def test_a_file_below_a_loop_device_and_a_swap_file_are_refused(disk: Disk, tmp_path: Path) -> None:
    disk.have(file(tmp_path, size=4096))
    (tmp_path / "sys/block/loop0/loop").mkdir(parents=True)
    (tmp_path / "sys/block/loop0/loop/backing_file").write_text(f"{tmp_path}/x.img\n")
    assert "is the backing file of /dev/loop0" in refusal(disk, file(tmp_path))
    (tmp_path / "proc/swaps").write_text(f"Filename Type Size Used Priority\n{tmp_path}/x.img file 1 0 -2\n")
    assert "is swap space" in refusal(disk, file(tmp_path))
