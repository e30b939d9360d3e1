"""A plan that has changed is refused with its causes: Git, the endpoints, another run, and what else there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import closing
from pathlib import Path

import docker

from tests.cli.small_site import run, two_engines


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.net", "-C", str(root), *words], check=True, capture_output=True)


def commit(root: Path) -> None:
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "state")
    git(root, "commit", "--quiet", "--message", "x")


def expect(root: Path, *words: str) -> str:
    """What apply says about a plan that is not the one of before."""
    ran = run(root, "apply", "--expect", *words, XDG_CACHE_HOME=str(root / "kept"))
    assert ran.returncode == 5, ran.stderr
    return ran.stderr


def test_what_was_changed_in_git_is_named_with_file_and_field(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        commit(tmp_path)
        run(tmp_path, "plan", "--out", "plan.json")
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30005, 30009]\n")
        said = expect(tmp_path, "plan.json")
    assert "what you changed in Git:\n    state/profiles/p.yaml:2: ctrl_port_range [30000, 30009] → [30005, 30009]\n" in said
    assert "what the endpoints did: nothing\nwhat another run of dtnctl did: nothing\n" in said


def test_what_the_endpoints_did_is_named(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        commit(tmp_path)
        run(tmp_path, "apply", "--yes")
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30000, 30009]\ninit: true\n")
        run(tmp_path, "plan", "--out", "plan.json")
        with closing(docker.APIClient(f"unix://{world.sockets['a']}")) as engine:
            engine.remove_container("small.s", force=True)
        said = expect(tmp_path, "plan.json")
    assert "what the endpoints did:\n    a: container small.s is gone\n" in said
    assert "what you changed in Git:\n    the plan was made of files that differed from commit" in said


def test_what_was_removed_by_hand_after_another_run_had_made_it_is_not_charged_to_that_run(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        commit(tmp_path)
        run(tmp_path, "apply", "--yes")
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30000, 30009]\ninit: true\n")
        run(tmp_path, "plan", "--out", "plan.json")
        run(tmp_path, "apply", "--yes")
        os.utime(tmp_path / "plan.json", (0, 0))  # the run ended in a later second
        with closing(docker.APIClient(f"unix://{world.sockets['a']}")) as engine:
            engine.remove_container("small.s", force=True)
        said = expect(tmp_path, "plan.json")
    assert re.search(r"what the endpoints did:\n(    .*\n)*    a: container small\.s is gone\n", said), said
    assert re.search(r"what another run of dtnctl did:\n(    .*\n)*    b: container small\.s was made again, by `apply` ", said), said


def test_another_engine_at_the_same_address_is_named(tmp_path: Path) -> None:
    """An environment of a Portainer that was made again under its name, a host that was installed again: the files are the same."""
    with two_engines(tmp_path) as world:
        commit(tmp_path)
        run(tmp_path, "plan", "--out", "plan.json")
        swap(Path(world.sockets["a"]), Path(world.sockets["b"]))
        said = expect(tmp_path, "plan.json")
        reviewed = run(tmp_path, "apply", "--yes", "--reviewed", "plan.json")
        assert run(tmp_path, "plan", "--detailed-exitcode").returncode == 2, "nothing was done"
    assert re.search(r"what the endpoints did:\n    a: engine is another one\n(    a: .*\n)*    b: engine is another one\n", said), said
    assert reviewed.returncode == 5
    assert "a is another engine than the one that was reviewed" in reviewed.stderr


def swap(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_what_another_run_did_is_named(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        commit(tmp_path)
        run(tmp_path, "plan", "--out", "plan.json")
        run(tmp_path, "apply", "--yes", "--target", "endpoint/b")
        said = expect(tmp_path, "plan.json")
    named = r"what another run of dtnctl did:\n    b: container small\.s is new \(.*\), by `apply` of commit [0-9a-f]{7} by \S+ at \S+Z\n"
    assert re.search(named, said), said
    assert "what you changed in Git: nothing\n" in said


def test_a_hash_of_a_plan_that_was_shown_here_is_explained_as_its_file_is(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        commit(tmp_path)
        shown = run(tmp_path, "plan", XDG_CACHE_HOME=str(tmp_path / "kept"))
        [plan_hash] = re.findall(r"plan hash (\w+)", shown.stdout)
        (tmp_path / "state/sessions/s.yaml").write_text("endpoints: [a]\nimage: app:1\nprofile: p\n")
        said = expect(tmp_path, plan_hash)
        assert "state/sessions/s.yaml:1: endpoints [a, b] → [a]" in said
        assert "no longer planned: create session/s @ b" in said
        assert "no plan 0123456789abcdef was shown on this machine" in expect(tmp_path, "0123456789abcdef")
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "kept/dtnctl/plans/small").iterdir()] == [0o600]


def test_without_a_commit_and_with_other_options_that_is_said(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        run(tmp_path, "plan", "--out", "plan.json")
        said = expect(tmp_path, "plan.json", "--target", "endpoint/a")
    assert "what you changed in Git:\n    not known: the plan was made without a commit\n" in said
    assert "it was made with other options: dtnctl plan\n" in said


def test_a_plan_of_another_dtnctl_is_said_to_be_one(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        commit(tmp_path)
        run(tmp_path, "plan", "--out", "plan.json")
        document = json.loads((tmp_path / "plan.json").read_text())
        (tmp_path / "plan.json").write_text(json.dumps(document | {"version": "0.0.1", "plan_hash": "0123456789abcdef"}))
        said = expect(tmp_path, "plan.json")
    assert "it was made by dtnctl 0.0.1, this is " in said


def test_where_nothing_moved_the_time_is_left(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        commit(tmp_path)
        run(tmp_path, "plan", "--out", "plan.json")
        document = json.loads((tmp_path / "plan.json").read_text())
        (tmp_path / "plan.json").write_text(json.dumps(document | {"plan_hash": "0123456789abcdef"}))
        said = expect(tmp_path, "plan.json")
    assert "what is left is the time" in said


def test_a_reviewed_plan_that_stops_says_why_it_has_changed(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world:
        (tmp_path / "state/site.yaml").write_text("name: small\nreview: {if_changed: stop}\n")
        commit(tmp_path)
        run(tmp_path, "plan", "--out", "plan.json")
        with closing(docker.APIClient(f"unix://{world.sockets['a']}")) as engine:
            limits = engine.create_host_config(port_bindings={"80/tcp": 30000})
            engine.start(engine.create_container("app:1", name="theirs", ports=[80], host_config=limits)["Id"])
        ran = run(tmp_path, "apply", "--yes", "--reviewed", "plan.json")
    assert ran.returncode == 5, ran.stderr
    assert "    a: container of others theirs is new (ports 30000/tcp" in ran.stderr
    assert "what you changed in Git: nothing\n" in ran.stderr


def test_a_folder_that_cannot_be_written_keeps_no_plan_from_being_shown(tmp_path: Path) -> None:
    with two_engines(tmp_path):
        (tmp_path / "kept").write_text("a file\n")
        ran = run(tmp_path, "plan", XDG_CACHE_HOME=str(tmp_path / "kept"))
    assert (ran.returncode, ran.stderr.count("Error")) == (0, 0)
