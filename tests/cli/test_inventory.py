"""`dtnctl inventory refresh`, and plans from what it wrote when no engine is there any more."""

from __future__ import annotations

import json
from pathlib import Path

from dtnctl.repository.inventory import FOLDER
from tests.cli.small_site import two_engines
from tests.runtime.program import dtnctl


def test_offline_plan_has_the_hash_of_the_online_one(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        assert dtnctl(tmp_path, "inventory", "refresh").out.split() == [f"{FOLDER}/a.json", f"{FOLDER}/b.json"]
        online = json.loads(dtnctl(tmp_path, "plan", "-o", "json").out)
        assert dtnctl(tmp_path, "apply", "--yes").code == 0
        assert json.loads(dtnctl(tmp_path, "plan", "--offline", "-o", "json").out)["plan_hash"] == online["plan_hash"]
        dtnctl(tmp_path, "inventory", "refresh")
    result = dtnctl(tmp_path, "plan", "--offline", "-o", "json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert document["summary"]["changes"] == 0
    assert document["reproduce"] == "dtnctl plan --offline"
    assert [(age["endpoint"], len(age["fingerprint"])) for age in document["inventory"]] == [("a", 16), ("b", 16)]
    assert any("are not known" in note for note in document["notes"])
    assert online["inventory"] == []


def test_change_of_the_state_is_planned_offline(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        dtnctl(tmp_path, "apply", "--yes")
        dtnctl(tmp_path, "inventory", "refresh")
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30000, 30009]\nenv: {FOO: bar}\n")
        online = json.loads(dtnctl(tmp_path, "plan", "-o", "json").out)
    offline = json.loads(dtnctl(tmp_path, "plan", "--offline", "-o", "json").out)
    assert offline["plan_hash"] == online["plan_hash"]
    assert offline["changes"] == online["changes"]


def test_endpoint_that_does_not_answer_keeps_the_inventory_that_it_has(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        dtnctl(tmp_path, "inventory", "refresh")
    before = {file.name: file.read_text() for file in (tmp_path / FOLDER).iterdir()}
    result = dtnctl(tmp_path, "inventory", "refresh")
    assert result.code == 7
    assert "a keeps the inventory that it has" in result.err
    assert {file.name: file.read_text() for file in (tmp_path / FOLDER).iterdir()} == before


def test_one_endpoint_alone_is_refreshed_and_the_other_one_is_unknown(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        assert dtnctl(tmp_path, "inventory", "refresh", "a").out == f"{FOLDER}/a.json\n"
        assert dtnctl(tmp_path, "inventory", "refresh", "c").code == 64
    shown = dtnctl(tmp_path, "inventory", "show").out.splitlines()
    assert "less than a minute old" in shown[0]
    assert "the inventory has no file of it" in shown[1]
    document = json.loads(dtnctl(tmp_path, "plan", "--offline", "-o", "json").out)
    assert [row["silence"] != "" for row in document["endpoints"]] == [False, True]


def test_no_inventory_at_all_is_no_plan(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        pass
    assert dtnctl(tmp_path, "plan", "--offline").code == 7
