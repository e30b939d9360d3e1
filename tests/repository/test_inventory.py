"""The committed inventory: it holds what is listed, no secret, and refuses what was edited."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dtnctl.errors import ConfigError, UsageError
from dtnctl.model.check_runs import CheckRun
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.resources import (
    ContainerSeen,
    ContainerSpec,
    EndpointSeen,
    ForeignSeen,
    Health,
    ImageSeen,
    Mount,
    NetworkSeen,
    NetworkSpec,
    VolumeSeen,
    Wanted,
)
from dtnctl.model.site import Site
from dtnctl.repository.inventory import FOLDER, read_inventory, write_inventory
from dtnctl.repository.inventory_form import COVERED, COVERED_PAIRS, KEPT, LABELLED, decode_endpoint, encode_endpoint
from tests.planning.building import site
from tests.planning.machines import machine, pf

NOW = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
SECRET = "canary-7c1e"
# What an inventory never has, with the reason.
LEFT_OUT = {
    "EndpointSeen": {
        "silence",
        "agent_silence",
        "lease",
        "host",
        "clock_ahead",
        "secrets",
    },  # of the moment; the host has a list of its own
    "ContainerSeen": {"error", "restart_count", "checks", "secret_values"},  # messages of programs, and what moves all the time
    "Attempt": {"who", "labels", "metadata"},  # people; and what Git has already
    "ImageSeen": {"labels"},
    "SecretVariable": {"reference"},  # of state files alone
}


def secretive() -> EndpointSeen:
    """An endpoint that has the secret wherever a text may be one."""
    spec = ContainerSpec(
        "dtn:1",
        command=("serve", f"--token={SECRET}"),
        entrypoint=(SECRET,),
        env=(("CTRL_PORT", "30000"), ("DEPLOYMENT_KEY", SECRET), ("FOO", "bar"), ("PASSWORD", SECRET)),
        health=Health(("CMD-SHELL", f"curl -u x:{SECRET} localhost"), 1.0, 1.0, 3, 0.0),
        mounts=(Mount("/data", "volume", "data", driver_opts=(("o", f"password={SECRET}"),)),),
    )
    host = machine(pf("ens1f0", 1, vfs=2, total=4))
    host = host.model_copy(
        update={"facts": host.facts.model_copy(update={"system": host.facts.system.model_copy(update={"command_line": f"token={SECRET}"})})}
    )
    labels = {"dtnctl.site": "lab", "com.example.token": SECRET}
    return EndpointSeen(
        "a",
        containers=(ContainerSeen("lab.one", "c1", labels, spec, "sha256:1", "running", error=SECRET, checks=(CheckRun(1, SECRET),)),),
        networks=(NetworkSeen("data", "n1", labels, NetworkSpec("bridge", others=(("key", SECRET),))),),
        foreign=(ForeignSeen("theirs", "f1", labels=labels, trouble=SECRET),),
        images={
            "sha256:1": ImageSeen("sha256:1", env=(("PASSWORD", SECRET),), command=(SECRET,), labels=(("token", SECRET),)),
            "gone:1": None,
        },
        image_troubles={"odd:1": SECRET},
        volumes={"data": VolumeSeen("data", options=(("o", f"password={SECRET}"),), trouble=SECRET)},
        ledger=LedgerSeen(
            True,
            (Attempt("run", 1, 1, "c9", "2026-06-01T00:00:00Z", cause=SECRET, who=SECRET, reason=SECRET, metadata=(("token", SECRET),)),),
            trouble=SECRET,
        ),
        host=host,
        engine_id="e1",
    )


def lab() -> Site:
    return site("# sessions/one\nendpoints: [a, b]\nimage: dtn:1\n# profiles/default\nenv: {FOO: bar}\n")


def written(root: Path, seen: EndpointSeen, declared: Site, known: frozenset[str] = frozenset({"bar", "serve"})) -> Path:
    return write_inventory(root, declared, seen, Wanted(frozenset({"dtn:1"})), known, NOW)


def test_no_secret_is_written_wherever_it_is(tmp_path: Path) -> None:
    text = written(tmp_path, secretive(), lab()).read_text()
    assert SECRET not in text
    assert "com.example" not in text


def test_every_field_is_listed_as_kept_covered_or_left_out() -> None:
    """A new field stays out of the inventory until it was thought about; this test asks for the thought."""
    for kind, kept in KEPT.items():
        listed = {*kept, *COVERED.get(kind, ()), *COVERED_PAIRS.get(kind, ()), *LEFT_OUT.get(kind.__name__, ())}
        listed |= {"labels"} if kind in LABELLED else set()
        assert listed == {item.name for item in fields(kind)}, kind.__name__


def test_equal_texts_stay_equal_and_different_ones_different() -> None:
    (container,) = decode_endpoint(encode_endpoint(secretive(), frozenset())).containers
    env = dict(container.spec.env)
    assert env["PASSWORD"] == env["DEPLOYMENT_KEY"] != env["FOO"]
    assert env["CTRL_PORT"] == "30000"


def test_what_the_state_files_have_is_written_as_it_is(tmp_path: Path) -> None:
    written(tmp_path, secretive(), lab())
    (container,) = read_inventory(tmp_path, lab()).taken["a"].seen.containers
    assert dict(container.spec.env)["FOO"] == "bar"
    assert container.spec.command is not None
    assert container.spec.command[0] == "serve"


def test_what_has_no_secret_reads_back_as_it_was(tmp_path: Path) -> None:
    spec = ContainerSpec("dtn:1", env=(("CTRL_PORT", "30000"),), mounts=(Mount("/data", "bind", "/nvme/data"),), memory=2**40, cpus=0.5)
    seen = EndpointSeen(
        "a",
        containers=(ContainerSeen("lab.one", "c1", {"dtnctl.site": "lab"}, spec, "sha256:1", "running", "healthy", started_at="now"),),
        images={"dtn:1": ImageSeen("sha256:1", ("dtn@sha256:1",)), "gone:1": None},
        engine_id="e1",
        identity="lasting",
        cpus=8,
    )
    written(tmp_path, seen, lab())
    taken = read_inventory(tmp_path, lab()).taken["a"]
    assert taken.seen == seen
    assert (taken.taken_at, taken.asked.images) == (NOW, frozenset({"dtn:1"}))


def test_hosts_facts_that_a_plan_needs_are_kept() -> None:
    seen = secretive()
    found = decode_endpoint(encode_endpoint(seen, frozenset()))
    assert found.host is not None
    assert seen.host is not None
    for kept, was in zip(found.host.facts.interfaces, seen.host.facts.interfaces, strict=True):
        assert kept == was.model_copy(update={"irqs": kept.irqs, "pcie": kept.pcie})
    assert found.host.held == seen.host.held
    assert found.host.abilities == seen.host.abilities


def test_fingerprint_is_that_of_the_content_and_not_of_the_time(tmp_path: Path) -> None:
    first = json.loads(written(tmp_path, secretive(), lab()).read_text())
    later = json.loads(
        write_inventory(
            tmp_path, lab(), secretive(), Wanted(frozenset({"dtn:1"})), frozenset({"bar", "serve"}), datetime.now(UTC)
        ).read_text()
    )
    moved = json.loads(written(tmp_path, replace(secretive(), cpus=9), lab()).read_text())
    assert first["fingerprint"] == later["fingerprint"] != moved["fingerprint"]
    assert first["taken_at"] != later["taken_at"]


def test_endpoint_without_a_file_is_unknown_and_not_empty(tmp_path: Path) -> None:
    written(tmp_path, secretive(), lab())
    snapshot = read_inventory(tmp_path, lab()).snapshot(lab())
    assert snapshot.silent == ("b",)
    assert "inventory refresh" in snapshot.endpoints["b"].silence


def test_endpoint_that_moved_to_another_address_is_unknown(tmp_path: Path) -> None:
    written(tmp_path, secretive(), lab())
    moved = site("# endpoints/a\ndocker: unix:///run/other.sock\nhost: a.example.net\n# sessions/one\nendpoints: [a]\nimage: dtn:1\n")
    assert "its address was unix:///run/a.sock" in read_inventory(tmp_path, moved).snapshot(moved).endpoints["a"].silence


def edit(document: dict[str, Any]) -> None:
    document["seen"]["engine_id"] = "another"


def other_site(document: dict[str, Any]) -> None:
    document["site"] = "other"


def no_seen(document: dict[str, Any]) -> None:
    del document["seen"]


def newer(document: dict[str, Any]) -> None:
    document["format_version"] = 2


def no_zone(document: dict[str, Any]) -> None:
    document["taken_at"] = "2026-06-01T00:00:00"


def out_of_time(document: dict[str, Any]) -> None:
    document["taken_at"] = "0001-01-01T00:00:00+23:00"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (no_zone, "has no time zone"),
        (out_of_time, "out of range"),
        (edit, "its fingerprint does not fit"),
        (other_site, "it is of a of site other"),
        (no_seen, "fingerprint"),
        (newer, "another format than 1"),
    ],
)
def test_file_that_was_changed_is_a_problem(tmp_path: Path, change: Any, words: str) -> None:
    path = written(tmp_path, secretive(), lab())
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError) as caught:
        read_inventory(tmp_path, lab())
    (problem,) = caught.value.problems
    assert (problem.file, problem.code) == (f"{FOLDER}/a.json", "E0127")
    assert words in problem.message


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, "<<<<<<< HEAD"])
def test_file_that_is_none_is_a_problem_of_its_own(tmp_path: Path, text: str) -> None:
    for name in ("a", "b"):
        path = tmp_path / FOLDER / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_inventory(tmp_path, lab())
    assert len(caught.value.problems) == 2


def test_folder_that_cannot_be_written_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / FOLDER).parent.mkdir()
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(UsageError, match="cannot write"):
        written(tmp_path, secretive(), lab())
