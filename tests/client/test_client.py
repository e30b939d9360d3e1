"""The client library on engines in memory: what a program can ask and do, and what it is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import dtnctl
from dtnctl.errors import ConfigError, HealthTimeoutError, PartialApplyError, StalePlanError, StoppedError, UsageError
from tests.cli.small_site import two_engines, write
from tests.fakes.engine import World

GOOD = "endpoints: [a, b]\nimage: app:1\nprofile: p\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with two_engines(tmp_path) as world:
        yield world


def applied(client: dtnctl.Client) -> dtnctl.Result:
    return client.apply(client.plan())


def test_a_plan_is_carried_out_and_the_next_one_is_empty(world: World, tmp_path: Path) -> None:
    with dtnctl.open_repository(tmp_path) as client:
        plan = client.plan()
        assert [(change.mark, change.name, change.endpoint) for change in plan.changes if change.kind == "session"] == [
            ("create", "s", "a"),
            ("create", "s", "b"),
        ]
        result = client.apply(plan)
        assert result.error is None
        assert {outcome.result for outcome in result.outcomes} == {"done"}
        assert result.remaining is not None
        assert result.remaining.is_empty
        assert client.plan().is_empty


def test_events_name_every_step_once_when_it_begins_and_once_when_it_has_ended(world: World, tmp_path: Path) -> None:
    client = dtnctl.open_repository(tmp_path)
    plan, events = client.plan(), list[dtnctl.Event]()
    client.apply(plan, on_event=events.append)
    wanted = sorted(step.id for step in plan.steps)
    assert sorted(event.step.id for event in events if isinstance(event, dtnctl.StepStarted)) == wanted
    assert sorted(event.outcome.step for event in events if isinstance(event, dtnctl.StepEnded)) == wanted


def test_another_plan_than_the_given_one_is_refused_and_nothing_is_touched(world: World, tmp_path: Path) -> None:
    client = dtnctl.open_repository(tmp_path)
    plan = client.plan()
    client.stop_session("s")
    with pytest.raises(StalePlanError):
        client.apply(plan)
    assert all(service.state == "absent" for service in client.look().services())


def test_a_plan_of_a_part_needs_its_scope_again(world: World, tmp_path: Path) -> None:
    client = dtnctl.open_repository(tmp_path)
    part = dtnctl.Scope(excludes=("endpoint/b",))
    plan = client.plan(part)
    with pytest.raises(StalePlanError):
        client.apply(plan)
    assert client.apply(plan, part).error is None
    assert {row.endpoint: row.state for row in client.look().services()} == {"a": "running", "b": "absent"}


def test_an_endpoint_that_does_not_answer_is_the_error_of_the_run(world: World, tmp_path: Path) -> None:
    write(tmp_path, {"a": f"unix://{world.sockets['a']}", "b": f"unix://{tmp_path}/none.sock"})
    (tmp_path / "none.sock").touch()
    client = dtnctl.open_repository(tmp_path)
    plan = client.plan()
    with pytest.raises(PartialApplyError, match="no answer from b"):
        client.apply(plan)
    again = client.plan()
    assert isinstance(client.apply(again, check=False).error, PartialApplyError | HealthTimeoutError)
    assert {name: bool(seen.silence) for name, seen in client.look().snapshot.endpoints.items()} == {"a": False, "b": True}


def test_files_are_edited_with_their_comments_kept(world: World, tmp_path: Path) -> None:
    file = tmp_path / "state/sessions/s.yaml"
    file.write_text(f"# who wants it\n{GOOD}")
    client = dtnctl.open_repository(tmp_path)
    assert client.start_session("s").file == "state/sessions/s.yaml"
    assert file.read_text() == f"# who wants it\n{GOOD}state: started\n"
    assert client.site.sessions["s"].value.state == "started"
    client.create_session(["a"], "t", image="app:1", profile="p")
    client.delete_session("s")
    assert set(client.site.sessions) == {"t"}


def test_a_declared_transfer_is_pending_until_apply_starts_it(world: World, tmp_path: Path) -> None:
    (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nvolumes: [{source: data, target: /d, mode: rw}]\n")
    client = dtnctl.open_repository(tmp_path)
    edit = client.declare_transfer("a:/d/x", "b:/d/y", "rsync", "copy", verify="size")
    assert edit.file == "state/transfers/copy.yaml"
    rows = client.follow("copy", sleep=lambda seconds: None)
    assert next(rows).state == "pending"


def test_what_is_wrong_in_the_files_is_said_when_they_are_opened_and_at_each_call(world: World, tmp_path: Path) -> None:
    client = dtnctl.open_repository(tmp_path)
    (tmp_path / "state/sessions/s.yaml").write_text("endpoints: [c]\nimag: app:1\n")
    with pytest.raises(ConfigError, match=r"state/sessions/s\.yaml:2:1"):
        client.plan()
    with pytest.raises(ConfigError):
        dtnctl.open_repository(tmp_path)


def test_names_that_are_not_declared_are_refused_with_a_near_one(world: World, tmp_path: Path) -> None:
    client = dtnctl.open_repository(tmp_path)
    with pytest.raises(UsageError, match="no endpoint named aa; try `a`"):
        client.host("aa")
    assert client.host("a") is None
    with pytest.raises(UsageError, match="no transfer named t"):
        client.transfer("t")
    with pytest.raises(UsageError):
        client.plan(dtnctl.Scope(targets=("session/none",)))


def replacing(client: dtnctl.Client) -> dtnctl.Scope:
    """What replaces the container of `s` on a: another command."""
    client.apply(client.plan())
    with client.changes() as changes:
        changes.set("sessions/s", ("settings", "arguments"), ["more"])
    return dtnctl.Scope(excludes=("endpoint/b",))


@pytest.mark.parametrize("way", ["callback", "interrupt", "stop"])
def test_whatever_stops_a_run_leaves_the_old_container_or_the_new_one(world: World, tmp_path: Path, way: str) -> None:
    client = dtnctl.open_repository(tmp_path)
    scope, stop, seen = replacing(client), threading.Event(), list[str]()

    def heard(event: dtnctl.Event) -> None:
        if not isinstance(event, dtnctl.StepEnded) or seen:
            return
        seen.append(event.step.id)
        if way == "callback":
            raise ZeroDivisionError
        if way == "interrupt":
            signal.raise_signal(signal.SIGINT)
        stop.set()

    with pytest.raises(ZeroDivisionError if way == "callback" else StoppedError):
        client.apply(client.plan(scope), scope, on_event=heard, stop=stop)
    (service,) = [service for service in client.look().services() if service.endpoint == "a"]
    assert service.state == "running"
    assert seen
    client.apply(client.plan())
    assert client.plan().is_empty


def test_a_run_that_was_stopped_at_its_last_step_is_whole(world: World, tmp_path: Path) -> None:
    client, stop = dtnctl.open_repository(tmp_path), threading.Event()
    plan = client.plan()
    ended = list[str]()

    def heard(event: dtnctl.Event) -> None:
        if isinstance(event, dtnctl.StepEnded):
            ended.append(event.step.id)
            if len(ended) == len(plan.steps):
                stop.set()

    assert client.apply(plan, on_event=heard, stop=stop).error is None


def test_the_library_does_not_destroy(world: World, tmp_path: Path) -> None:
    client = dtnctl.open_repository(tmp_path)
    applied(client)
    scope = dtnctl.Scope(destroy=True)
    with pytest.raises(UsageError, match="apply does not destroy"):
        client.apply(client.plan(scope), scope)
    assert {service.state for service in client.look().services()} == {"running"}


def test_a_transfer_whose_endpoint_is_silent_has_not_ended(world: World, tmp_path: Path) -> None:
    (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nvolumes: [{source: data, target: /d, mode: rw}]\n")
    client = dtnctl.open_repository(tmp_path)
    client.declare_transfer("a:/d/x", "b:/d/y", "rsync", "copy")
    (tmp_path / "none.sock").touch()
    (tmp_path / "state/endpoints/a.yaml").write_text(f"docker: unix://{tmp_path}/none.sock\nhost: a.example.net\n")
    states = client.follow("copy", sleep=lambda seconds: None)
    assert [next(states).state for _ in range(2)] == ["unknown", "unknown"]


def test_importing_the_package_imports_nothing_of_it() -> None:
    program = "import sys, dtnctl; print(sorted(name for name in sys.modules if name.startswith('dtnctl.') or name == 'docker'))"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_every_public_name_is_there() -> None:
    assert set(dtnctl.__all__) <= set(dir(dtnctl))
    assert all(getattr(dtnctl, name) is not None for name in dtnctl.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        dtnctl.nothing  # noqa: B018
