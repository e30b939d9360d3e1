"""Compose files as state files: each key that is dropped or changed is noted, secrets stay out, and what was written validates."""

from __future__ import annotations

from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.repository.converting.compose import convert_compose
from dtnctl.repository.converting.compose_units import duration, number, size
from dtnctl.repository.converting.conversion import Conversion, write_conversion
from dtnctl.repository.converting.owners import allow_of
from tests.repository.converting.golden import CASES, expected, text_of


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("compose")])
def test_every_difference_is_noted_and_the_files_are_as_expected(name: str, tmp_path: Path) -> None:
    assert text_of(CASES[name](), tmp_path) == expected(name).read_text()


def test_secrets_are_in_no_file_and_in_no_note(tmp_path: Path) -> None:
    texts = [text_of(CASES[f"compose-{name}"](), tmp_path / name) for name in ("host", "stack")]
    assert not [word for word in ("s3cret", "hunter2") if word in "".join(texts)]


def converted(root: Path, text: str) -> Conversion:
    (root / "compose.yaml").write_text(text)
    return convert_compose(root / "compose.yaml", "compose.yaml", "dtn1", "unix:///run/docker.sock")


def test_an_engine_on_this_machine_needs_a_name_for_others(tmp_path: Path) -> None:
    found = converted(tmp_path, "services: {s: {image: a}}\n")
    assert found.files["endpoints", "dtn1"] == {"docker": "unix:///run/docker.sock", "host": "localhost"}
    assert [note.text for note in found.notes if "`host:`" in note.text]


def test_names_that_become_equal_stay_apart(tmp_path: Path) -> None:
    found = converted(tmp_path, "services: {a b: {image: x}, a-b: {image: x}, 'a.b': {image: x}}\n")
    assert sorted(name for kind, name in found.files if kind == "sessions") == ["a-b", "a-b-2", "a-b-3"]


def test_relative_folders_are_those_beside_the_file(tmp_path: Path) -> None:
    found = converted(tmp_path, "services: {s: {image: a, volumes: ['./x:/x', '../y:/y']}}\n")
    sources = [item["source"] for item in found.files["profiles", "s"]["volumes"]]
    assert sources == [str(tmp_path / "x"), str(tmp_path.parent / "y")]


def test_a_file_without_services_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no `services`"):
        converted(tmp_path, "a: 1\n")


def test_sizes_and_times_are_in_our_words() -> None:
    assert [size(text) for text in ("8g", "512mb", "1.5GiB", 1024, "x")] == ["8GiB", "512MiB", "1.5GiB", 1024, "x"]
    assert [duration(text) for text in ("1m30s", "500ms", "2h", 7, "x", "")] == ["90s", "0.5s", "7200s", 7, "x", ""]


def test_what_takes_from_the_whole_host_is_allowed_by_name() -> None:
    profile = {"mgmt_net": "host", "limits": {"rtprio": 9, "nofile": 10}, "exposed_ports": ["443/tcp"], "internal_port": 22}
    assert allow_of([profile]) == {
        "limits": ["nofile", "rtprio"],
        "ports": [[22, 22], [443, 443], [1024, 65535]],
        "networks": ["*", "host"],
    }
    assert allow_of([{"ctrl_port_range": [1000, 1001]}])["ports"] == [[1000, 1000], [1001, 1001], [1024, 65535]]


def test_a_named_volume_that_is_a_folder_is_a_mount() -> None:
    options = {"type": "none", "o": "bind", "device": "/nvme"}
    assert allow_of([{"volumes": [{"type": "volume", "source": "x", "driver_opts": options}]}]) == {"mounts": ["/nvme"]}


@pytest.mark.parametrize(
    "service",
    [
        "cpus: many",
        "cpus: [2]",
        "mem_limit: 1..5g",
        "stop_grace_period: 1..5s",
        "pull_policy: [always]",
        "networks: true",
        "ports: [{target: x}]",
        "ports: [1-99999999999]",
        "ports: [null, [1]]",
        "init: !!bool perhaps",
        "shm_size: !!int ''",
    ],
)
def test_a_value_of_another_kind_is_no_crash(service: str, tmp_path: Path) -> None:
    found = converted(tmp_path, f"services: {{s: {{image: a, {service}}}}}\n")
    assert write_conversion(found, tmp_path / "out", "state")


def test_processors_are_numbers_as_text_too() -> None:
    assert [number(value) for value in (2, "2", "0.5", 1.5, "x", float("inf"))] == [2, 2, 0.5, 1.5, "x", float("inf")]


def test_merge_keys_cannot_make_a_small_file_large(tmp_path: Path) -> None:
    levels = "".join(f"x{level}: &x{level} {{<<: [*x{level - 1}, *x{level - 1}]}}\n" for level in range(1, 40))
    with pytest.raises(UsageError, match="too many values"):
        converted(tmp_path, f"x0: &x0 {{a: 1}}\n{levels}services: {{s: {{image: a}}}}\n")
