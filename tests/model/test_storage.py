"""What named volumes really are: only what is known to carry storage is taken for storage."""

from __future__ import annotations

import pytest

from dtnctl.model.storage import Storage, as_made, storage_of, without_secrets

TMPFS = {"type": "tmpfs", "device": "tmpfs"}
NFS = {"type": "nfs", "device": ":/export"}
CIFS = {"type": "cifs", "device": "//10.0.0.1/share"}
BIND = {"type": "none", "device": "/nvme/a"}
# File systems that show the host whatever their device is, and others that are no storage of the volume's own.
HOST_FILE_SYSTEMS = (
    *("proc", "sysfs", "devtmpfs", "debugfs", "tracefs", "securityfs", "bpf", "cgroup", "cgroup2", "devpts", "mqueue", "overlay"),
    *("ramfs", "hugetlbfs", "configfs", "pstore", "binfmt_misc", "efivarfs", "autofs", "9p", "fuse", "ext4", "xfs", "squashfs"),
    *("Tmpfs", " tmpfs", "tmpfs ", "TMPFS", "nfs3", "NFS", "smb3", "Bind", "rbind", ""),
)


@pytest.mark.parametrize(
    ("driver", "options", "storage"),
    [
        ("", {}, Storage("disk")),
        ("local", {}, Storage("disk")),
        ("local", TMPFS, Storage("tmpfs")),
        ("", {"type": "tmpfs", "device": "none"}, Storage("tmpfs")),
        ("", {**TMPFS, "o": ""}, Storage("tmpfs")),
        ("", {**TMPFS, "o": "size=1m,mode=0700,uid=3,gid=4,nr_inodes=100,nr_blocks=9k,nosuid,nodev,noexec,ro"}, Storage("tmpfs")),
        ("", {**TMPFS, "o": "size=10%"}, Storage("tmpfs")),
        ("", {**NFS, "o": "addr=10.0.0.1,vers=4.2,soft,timeo=30,retrans=2,rw,nolock,proto=rdma,port=20049"}, Storage("network", "nfs")),
        ("", {"type": "nfs4", "device": "nas.example.net:/data run", "o": "addr=nas.example.net"}, Storage("network", "nfs")),
        ("", {"type": "nfs", "device": "[fd00::1]:/x", "o": "addr=fd00::1"}, Storage("network", "nfs")),
        ("", {**CIFS, "o": "addr=10.0.0.1,username=joe,password=a b!c,vers=3.1.1,file_mode=0640,seal"}, Storage("network", "cifs")),
        ("", {**BIND, "o": "bind"}, Storage("folder", "/nvme/a")),
        ("local", {"type": "bind", "device": "/nvme/a", "o": "ro,rbind,nosuid"}, Storage("folder", "/nvme/a")),
        ("", {**BIND, "o": "bind,private,ro"}, Storage("folder", "/nvme/a")),
        ("", {**BIND, "o": "rbind,rprivate"}, Storage("folder", "/nvme/a")),
        ("rexray/s3fs", {"anything": "else"}, Storage("plugin", "rexray/s3fs")),
        ("Local", {}, Storage("plugin", "Local")),
    ],
)
def test_what_is_known_to_carry_storage_is_named(driver: str, options: dict[str, str], storage: Storage) -> None:
    assert storage_of(driver, options) == storage


@pytest.mark.parametrize(
    ("options", "why"),
    [
        *[({**TMPFS, "device": "/etc", "o": flag}, "`device: /etc` is none of tmpfs") for flag in ("bind", "rbind", "")],
        *[
            ({**TMPFS, "o": flags}, f"mount option `{odd}` is not known to be harmless")
            for flags, odd in {
                "bind": "bind",
                "size=1m,rbind": "rbind",
                "remount": "remount",
                "move": "move",
                "shared": "shared",
                "rprivate,ro": "rprivate",
                "Bind": "Bind",
                " bind": " bind",
                "size=1m, ro": " ro",
                "SIZE=1m": "SIZE=1m",
                "size=1m,": "",
                ",ro": "",
                "ro,,rw": "",
                "size": "size",
                "size=": "size=",
                "size=-1": "size=-1",
                "ro=1": "ro=1",
                "mode=9": "mode=9",
                "uid=root": "uid=root",
                "mpol=bind:0": "mpol=bind:0",
                "suid": "suid",
                "dev": "dev",
                "bind\n": "bind\n",
                "lowerdir=/etc": "lowerdir=/etc",
            }.items()
        ],
        ({**TMPFS, "o": "size=1m,size=2m"}, "mount option `size` is there twice"),
        ({**TMPFS, "o": "ro,ro"}, "mount option `ro` is there twice"),
        ({**NFS, "o": "bind"}, "mount option `bind` is not known to be harmless"),
        ({**NFS, "o": "addr=1.1.1.1,sec=krb5"}, "mount option `sec=krb5` is not known to be harmless"),
        ({**NFS, "o": "addr=a b"}, "mount option `addr=a b` is not known to be harmless"),
        ({"type": "nfs", "device": "/etc", "o": "addr=1.1.1.1"}, "`device: /etc` is none of nfs"),
        ({"type": "nfs4", "device": "", "o": ""}, "`device: ` is none of nfs4"),
        ({**CIFS, "o": "rbind"}, "mount option `rbind` is not known to be harmless"),
        ({**CIFS, "o": "credentials=/root/smb"}, "mount option `credentials=/root/smb` is not known to be harmless"),
        ({**CIFS, "o": "Password=geheim"}, "mount option `Password=geheim` is not known to be harmless"),
        ({**CIFS, "o": "password="}, "mount option `password=…` is not known to be harmless"),
        ({"type": "cifs", "device": "/etc", "o": "bind"}, "`device: /etc` is none of cifs"),
        ({"type": "cifs", "device": "///etc", "o": ""}, "`device: ///etc` is none of cifs"),
        *[
            ({**BIND, "o": f"{bind},{flag}"}, f"mount option `{flag}` is not known to be harmless")
            for bind in ("bind", "rbind")
            for flag in ("shared", "rshared", "slave", "rslave", "unbindable", "move", "remount")
        ],
        ({**BIND, "o": "rbind,private"}, "mount option `private` leaves what is mounted below shared with the host; write `rprivate`"),
        ({**BIND, "o": "private"}, "neither a file system nor `o: bind`"),
        ({"type": "none", "device": "nvme", "o": "bind"}, "`device: nvme` is none of bind"),
        ({"type": "none", "device": "/nvme"}, "neither a file system nor `o: bind`"),
        ({"Type": "tmpfs", "device": "tmpfs"}, "option `Type` is not known to be harmless"),
        ({"size": "1g"}, "option `size` is not known to be harmless"),
        *[({"type": kind, "device": "none"}, f"file system `{kind}` is none of tmpfs, nfs, cifs") for kind in HOST_FILE_SYSTEMS],
    ],
)
def test_what_is_not_known_to_be_harmless_is_not_taken_for_storage(options: dict[str, str], why: str) -> None:
    assert storage_of("local", options) == Storage("unknown", why)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({**BIND, "o": "bind"}, "bind,private"),
        ({**BIND, "o": "ro,bind"}, "ro,bind,private"),
        ({**BIND, "o": "rbind"}, "rbind,rprivate"),
        ({**BIND, "o": "bind,rbind"}, "bind,rbind,rprivate"),
        ({**BIND, "o": "bind,private"}, "bind,private"),
        ({**BIND, "o": "bind,rprivate"}, "bind,rprivate"),
        ({**BIND, "o": "bind,shared"}, "bind,shared"),  # refused, so it does not matter
        ({**TMPFS, "o": "size=1m"}, "size=1m"),
        (TMPFS, None),
    ],
)
def test_a_folder_is_mounted_as_a_peer_of_the_host_by_no_spelling(options: dict[str, str], flags: str | None) -> None:
    """As a peer it would unmount on the host what is mounted below the folder, when the last container stops."""
    assert as_made("local", options).get("o") == flags
    assert as_made("", options) == as_made("local", options)


def test_passwords_among_mount_options_are_not_shown() -> None:
    assert without_secrets({"o": "username=joe,Password=a b,ro", "device": "//a/b"}) == {
        "o": "username=joe,Password=…,ro",
        "device": "//a/b",
    }
