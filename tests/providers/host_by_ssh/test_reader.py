"""What is sent to a host: that it runs there, reads what it is asked for, and can do nothing else."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dtnctl.providers.host_by_ssh import reader
from dtnctl.providers.host_by_ssh.connection import OLDEST
from tests.agent.namespace_host import needs_root, with_veth

PROGRAM = Path(reader.__file__)
RESERVED = "240.0.0.1"  # no host has it


def answers(*questions: list[Any]) -> list[Any]:
    found: list[Any] = reader.answers([list(question) for question in questions])["answers"]
    return found


def test_it_is_written_in_the_language_of_the_oldest_python_that_it_is_sent_to() -> None:
    ast.parse(PROGRAM.read_text(), feature_version=OLDEST)


def test_it_needs_nothing_but_the_standard_library() -> None:
    """Run as over ssh: isolated, without site packages, from its input."""
    program = f"import sys; exec(sys.stdin.buffer.read({PROGRAM.stat().st_size}))"
    sent = PROGRAM.read_bytes() + b"mark\n" + reader.packed([["content", "/proc/version"]]) + b"\n"
    ran = subprocess.run([sys.executable, "-IBS", "-c", program], input=sent, capture_output=True, check=True)
    hello, answer = (reader.unpacked(line.removeprefix(b"mark ")) for line in ran.stdout.splitlines())
    assert (hello["python"], hello["user"]) == (sys.version.split()[0], os.geteuid())
    assert answer == {"answers": [Path("/proc/version").read_text()], "denied": []}


def test_files_folders_and_links_are_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xff\n" * 100_000)
    (tmp_path / "link").symlink_to("file")
    questions = [[word, f"{tmp_path}/{name}"] for word in ("content", "names", "target", "exists") for name in ("file", "link", "none")]
    content = "\xff\n" * 100_000
    assert answers(*questions) == [content, content, None, None, None, None, None, "file", None, True, True, False]
    assert answers(["start", f"{tmp_path}/file", 3], ["names", str(tmp_path)]) == ["\xff\n\xff", ["file", "link"]]


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed")
def test_what_the_login_may_not_read_is_said_apart_from_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    questions = [["names", str(tmp_path / "closed")], ["content", "/proc/none"], ["content", "/proc/version"]]
    script = f"import sys; sys.path.insert(0, {str(PROGRAM.parent)!r}); import reader, json; print(json.dumps(reader.answers({questions})))"
    tmp_path.chmod(0o711)
    for folder in tmp_path.parents[:3]:
        folder.chmod(folder.stat().st_mode | 0o011)
    stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    ran = subprocess.run([*stranger, "/usr/bin/python3", "-B", "-c", script], capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"the other user does not reach this clone: {ran.stderr[-200:]}")
    found = json.loads(ran.stdout)
    assert (found["denied"], found["answers"][1]) == ([0], None)
    assert found["answers"][2]


@pytest.mark.parametrize(
    "question",
    [
        ["dump", 16, ""],  # RTM_NEWLINK
        ["ethtool", "lo", "\x11\x00\x00\x00" + "\x00" * 32],  # ETHTOOL_SRINGPARAM
        ["ethtool", "lo", "\x3b\x00\x00\x00" + "\x00" * 32],  # ETHTOOL_SFEATURES
        ["echo", RESERVED, "none0", 8],
    ],
)
def test_what_would_change_something_is_not_even_asked_of_the_kernel(question: list[Any]) -> None:
    assert answers(question) == [None]


def test_operation_that_it_does_not_know_ends_it() -> None:
    with pytest.raises(KeyError):
        answers(["remove", "/"])


# --- packets ------------------------------------------------------------------------------------------------

FAR = "ip address add 10.77.0.2/24 dev far; ip address add 2001:db8:77::2/64 dev far nodad; ip link set far mtu {mtu} up"
NEAR = "ip address add 10.77.0.1/24 dev near; ip address add 2001:db8:77::1/64 dev near nodad"


def echoes(mtu: int, *sizes: int) -> dict[str, list[bool]]:
    """Whether packets of these sizes of data come back from a neighbour with this MTU, whose own interface is there."""

    def ask() -> dict[str, list[bool]]:
        subprocess.run(["sh", "-c", f"ip link set near mtu 9000; {NEAR}"], check=True)
        neighbour = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; read line; read line"], stdin=-1, stdout=-1, text=True)
        assert neighbour.stdin is not None
        assert neighbour.stdout is not None
        try:
            neighbour.stdout.readline()
            subprocess.run(["ip", "link", "set", "far", "netns", str(neighbour.pid)], check=True)
            inside = ["nsenter", f"--net=/proc/{neighbour.pid}/ns/net", "sh", "-c", FAR.format(mtu=mtu)]
            subprocess.run(inside, check=True)
            return {address: [reader.echo(address, "near", size) for size in sizes] for address in ("10.77.0.2", "2001:db8:77::2")}
        finally:
            neighbour.stdin.close()
            neighbour.wait()
            neighbour.stdout.close()

    return with_veth(ask)


@needs_root
def test_packets_come_back_whole_or_not_at_all() -> None:
    """8000 bytes leave, since the near end can, and are lost at a far end that takes 1500; 9000 and more cannot even leave."""
    assert set(map(tuple, echoes(9000, 8000, 1000, 9000).values())) == {(True, True, False)}
    assert set(map(tuple, echoes(1500, 8000, 1000).values())) == {(False, True)}


def test_checksum_is_that_of_the_rfc() -> None:
    """The example of RFC 1071: its sum is ddf2, and a packet with its checksum in it sums up to nothing."""
    data = bytes.fromhex("0001f203f4f5f6f7")
    assert reader.checksum(data).to_bytes(2, sys.byteorder) == bytes.fromhex("220d")
    assert reader.checksum(data + bytes.fromhex("220d")) == 0
    assert reader.checksum(b"\x01") == reader.checksum(b"\x01\x00")
