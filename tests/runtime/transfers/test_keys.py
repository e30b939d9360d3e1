"""A transfer's keys: who may have one, what the line says, and what becomes of the lines of others."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dtnctl.errors import TransferError
from dtnctl.providers.base import FileEntry
from dtnctl.runtime.transfers import keys
from tests.runtime.transfers.transfer_world import HERE, KEYS, SERVICE, SITE, TransferWorld, transfer_world

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def scene() -> Iterator[TransferWorld]:
    with transfer_world() as scene:
        yield scene


def passwd(scene: TransferWorld, line: str) -> None:
    scene.engines[HERE].write_files(SERVICE, (FileEntry("/etc/passwd", f"root:x:0:0:root:/root:/bin/sh\n{line}\n".encode()),))


def test_an_account_is_what_passwd_says(scene: TransferWorld) -> None:
    passwd(scene, "dtn:x:31000:31001:Data, Transfer:/home//dtn/:/bin/bash")
    account = keys.find_account(scene.engines[HERE], SERVICE, "dtn")
    assert account == keys.Account("dtn", 31000, 31001, "/home/dtn")
    assert account.authorized_keys == KEYS


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("dtn:x:x:1::/home/dtn:/bin/sh", "the line of 'dtn' in /etc/passwd is broken"),
        ("dtn:x:1:1::home:/bin/sh", "the line of 'dtn' in /etc/passwd is broken"),
        ("dtn:x:1:1::/home/dtn", "has no account 'dtn' in its /etc/passwd"),
        ("dtn:x:1:1::/home/dtn:/bin/false", "'dtn' may not log in, its shell is /bin/false"),
    ],
)
def test_an_account_that_cannot_be_used_is_refused(scene: TransferWorld, line: str, reason: str) -> None:
    passwd(scene, line)
    with pytest.raises(TransferError, match=reason):
        keys.find_account(scene.engines[HERE], SERVICE, "dtn")


def test_any_kind_of_host_key_will_do(scene: TransferWorld) -> None:
    engine = scene.engines[HERE]
    assert keys.read_host_key(engine, SERVICE) == f"ssh-ed25519 HOSTKEY{HERE}"
    scene.files(HERE).remove("/etc/ssh/ssh_host_ed25519_key.pub")
    engine.write_files(SERVICE, (FileEntry("/etc/ssh/ssh_host_rsa_key.pub", b"ssh-rsa AAAA root@build\n"),))
    assert keys.read_host_key(engine, SERVICE) == "ssh-rsa AAAA"
    engine.write_files(SERVICE, (FileEntry("/etc/ssh/ssh_host_rsa_key.pub", b"-----BEGIN something else"),))
    with pytest.raises(TransferError, match="did it start"):
        keys.read_host_key(engine, SERVICE)


def test_a_line_expires_after_its_deadline_in_every_time_zone() -> None:
    line = keys.authorized_line("ssh-ed25519 AAAA", "dtnctl:lab/run.g1 a1", NOW, 3600.0)
    assert line == 'restrict,expiry-time="20261123020000" ssh-ed25519 AAAA dtnctl:lab/run.g1 a1'
    assert 'expiry-time="20261130010000"' in keys.authorized_line("ssh-ed25519 AAAA", "c", NOW, None)


def test_a_pair_is_one_that_openssh_reads(tmp_path: Path) -> None:
    pair = keys.make_key_pair()
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_bytes(pair.private)
    ran = subprocess.run(["ssh-keygen", "-y", "-f", file], capture_output=True, text=True, check=True)
    assert ran.stdout.split()[:2] == pair.public.split()
    assert "PRIVATE" not in repr(pair)


def test_lines_of_others_stay_whatever_they_are(scene: TransferWorld) -> None:
    engine = scene.engines[HERE]
    account = keys.Account("dtn", 31000, 31001, "/home/dtn")
    others = b"# a comment\n\nssh-rsa AAAA dtnctl:other/run.g1 a1\nssh-rsa \xff\xfe no end of line"
    engine.write_files(SERVICE, (FileEntry(KEYS, others),))
    keys.authorize(engine, SERVICE, account, ["restrict K1 dtnctl:lab/run.g1 a1"], SITE, "run")
    keys.authorize(engine, SERVICE, account, ["restrict K2 dtnctl:lab/run.g1 a2"], SITE, "run")
    keys.authorize(engine, SERVICE, account, ["restrict K3 dtnctl:lab/run2.g1 a1"], SITE, "run2")
    content = scene.files(HERE).read(KEYS)
    assert content == others + b"\nrestrict K2 dtnctl:lab/run.g1 a2\nrestrict K3 dtnctl:lab/run2.g1 a1\n"
    keys.revoke(engine, SERVICE, account, SITE, "run")
    keys.revoke(engine, SERVICE, account, SITE, "run2")
    assert scene.files(HERE).read(KEYS) == others + b"\n"


def test_taking_away_what_is_not_there_writes_nothing(scene: TransferWorld) -> None:
    account = keys.Account("dtn", 31000, 31001, "/home/dtn")
    before = [call for call in scene.world.calls() if " PUT " in call]
    keys.revoke(scene.engines[HERE], SERVICE, account, SITE, "nothing")
    keys.revoke(scene.engines[HERE], "lab.gone", account, SITE, "run")
    assert [call for call in scene.world.calls() if " PUT " in call] == before


def test_a_first_key_makes_the_folder_for_its_owner_alone(scene: TransferWorld) -> None:
    account = keys.Account("new", 5000, 5001, "/home/new")
    keys.authorize(scene.engines[HERE], SERVICE, account, ["restrict K dtnctl:lab/run.g1 a1"], SITE, "run")
    files = scene.world.container(HERE, SERVICE).files
    folder, file = files["/home/new/.ssh"], files["/home/new/.ssh/authorized_keys2"]
    assert (folder.mode, folder.uid, folder.gid) == (0o700, 5000, 5001)
    assert (file.mode, file.uid, file.gid) == (0o600, 5000, 5001)
