"""Parts of the lab that need no lab."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
from pathlib import Path

import pytest
import yaml

from lab import processes
from lab.endpoint_yaml import render_endpoint
from lab.layout import LONGEST_SOCKET_PATH, Layout
from lab.resolver import answer, read_names
from lab.runtime.lower_limits import lower_limits
from lab.runtime.lower_limits import main as rewrite

QUESTION = b"\4nope\7example\0\0\1\0\1"
KNOWN = b"\4DTN1\7example\3net\0\0"
NAMES = read_names("127.0.0.1 localhost\n\n10.10.0.11 dtn1 dtn1.example.net\n")
NO_SUCH_NAME = 3


def test_query_is_answered_with_its_number_and_question_and_no_such_name() -> None:
    query = struct.pack("!HHHHHH", 4711, 0x0100, 1, 0, 0, 1) + QUESTION + b"\0\0\x29\5\xc0\0\0\0\0\0\0"
    found = answer(query, NAMES)
    assert found is not None
    number, flags, questions, *others = struct.unpack_from("!HHHHHH", found)
    assert (number, flags & 0xF, questions, others) == (4711, NO_SUCH_NAME, 1, [0, 0, 0])
    assert flags & 0x8100 == 0x8100, "a response, with the asker's wish for recursion"
    assert found[12:] == QUESTION


def test_a_known_name_is_answered_with_its_address_and_has_none_of_another_kind() -> None:
    head = struct.pack("!HHHHHH", 4711, 0x0100, 1, 0, 0, 0)
    found = answer(head + KNOWN + b"\1\0\1", NAMES)
    assert found is not None
    assert struct.unpack_from("!HHHH", found)[1:] == (0x8580, 1, 1)
    assert found.endswith(bytes([10, 10, 0, 11]))
    six = answer(head + KNOWN + b"\x1c\0\1", NAMES)
    assert six is not None
    assert struct.unpack_from("!HHHH", six)[1:] == (0x8580, 1, 0)


@pytest.mark.parametrize("query", [b"", b"short", struct.pack("!HHHHH", 1, 0, 1, 0, 0)])
def test_what_is_no_query_gets_no_answer(query: bytes) -> None:
    assert answer(query, NAMES) is None


def test_query_cut_off_in_its_question_is_answered_without_reading_past_its_end() -> None:
    assert answer(struct.pack("!HHHHHH", 1, 0, 1, 0, 0, 0) + b"\x3fno", NAMES) is not None


def test_container_asks_for_no_more_than_this_machine_may_give() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    process = {
        "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_RESOURCE"], "ambient": None},
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "hard": hard + 1, "soft": hard + 1},
            {"type": "RLIMIT_NOFILE", "hard": soft, "soft": 16},
        ],
        "oomScoreAdj": -500,
    }
    lower_limits(process)
    assert process == {
        "capabilities": {"bounding": ["CAP_CHOWN"], "ambient": []},
        "rlimits": [
            {"type": "RLIMIT_NOFILE", "hard": hard, "soft": hard},
            {"type": "RLIMIT_NOFILE", "hard": soft, "soft": 16},
        ],
        "oomScoreAdj": 0,
    }


def test_container_that_asks_for_little_is_left_as_it_is() -> None:
    process: dict[str, object] = {"args": ["sh"], "oomScoreAdj": 100}
    lower_limits(process)
    assert process == {"args": ["sh"], "oomScoreAdj": 100}


@pytest.mark.parametrize("inside", ["process", ""])
def test_a_program_run_in_a_container_asks_for_no_more_either(tmp_path: Path, inside: str) -> None:
    """Its file is what a container's has under `process`; and Python knows no name for the limit of locks."""
    process = {"capabilities": {"bounding": ["CAP_SYS_RESOURCE"]}, "rlimits": [{"type": "RLIMIT_LOCKS", "hard": 7, "soft": 7}]}
    file = tmp_path / "runc-process"
    file.write_text(json.dumps({inside: process} if inside else process))
    rewrite(file)
    rewritten = json.loads(file.read_text())
    assert (rewritten[inside] if inside else rewritten) == process | {"capabilities": {"bounding": []}}


@pytest.mark.parametrize("length", range(80, 101))
def test_socket_path_is_never_too_long(length: int) -> None:
    layout = Layout(Path("/" + "a" * (length - 1)))
    assert len(str(layout.endpoint(99).socket)) <= LONGEST_SOCKET_PATH


def test_labs_in_different_folders_have_different_identities() -> None:
    assert Layout(Path("/a")).identity != Layout(Path("/b")).identity


@pytest.mark.parametrize("folder", ["/plain/folder", "/with space", "/with: colon, comma {and} #more", '/with "quotes"'])
def test_state_file_holds_any_path(folder: str) -> None:
    endpoint = Layout(Path(folder)).endpoint(1)
    read = yaml.safe_load(render_endpoint(endpoint, "tcp"))
    assert read["tls"] == {"ca": str(endpoint.tls.ca), "cert": str(endpoint.tls.cert), "key": str(endpoint.tls.key)}
    assert yaml.safe_load(render_endpoint(endpoint, "unix"))["docker"] == endpoint.unix_url


def test_a_process_that_becomes_another_program_all_the_time_is_found_all_the_time(tmp_path: Path) -> None:
    script = tmp_path / "again.sh"
    script.write_text('exec sh "$0"\n')
    identity = tmp_path.name
    with subprocess.Popen(["sh", script], env=processes.marked_environment(identity, "again")) as process:
        try:
            found = [processes.find_marked(identity) for _ in range(200)]
        finally:
            process.kill()
    assert found == [[process.pid]] * 200
