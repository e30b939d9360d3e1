"""The plan is made again under the leases: what changed meanwhile is refused, with both plans at hand."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from dtnctl.cli.expected import changed_lines
from dtnctl.errors import LockError
from dtnctl.planning.scope import Scope
from dtnctl.providers.base import Engine
from dtnctl.render.context import RenderContext
from dtnctl.repository.load import load_site
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import hold_leases, this_process
from dtnctl.runtime.reconcile import ChangedPlanError, Reports, Terms, apply_plan, look_and_plan, touched_endpoints
from tests.cli.small_site import two_engines
from tests.docker_clients import connect

FREEZE = "{from: 2030-01-01T00:00:00Z, to: 2030-01-02T00:00:00Z, reason: beam time}"
SILENT = Reports(lambda text: None, lambda outcome, step: None, lambda progress: None)


def test_a_plan_that_became_another_one_changes_nothing_and_says_what_differs(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world, contextlib.ExitStack() as stack:
        site, now, clients = load_site(tmp_path, "state"), SystemClock().now(), dict[str, Engine]()
        for name, document in site.endpoints.items():
            clients[name] = connect(name, document.value, site=site.name, registries={}, read_only=False, root=tmp_path)
            stack.callback(clients[name].close)
        plan, _ = look_and_plan(site, clients, now, Scope())
        (tmp_path / "state/profiles/p.yaml").write_text("pull: never\nctrl_port_range: [30005, 30009]\n")
        terms = Terms(this_process(), SystemClock(), parallel=1, lock_timeout=0.0, expect=plan.hash)
        with pytest.raises(ChangedPlanError, match=f"the expected plan is {plan.hash}, but what would run now is ") as caught:
            apply_plan(load_site(tmp_path, "state"), clients, plan, scope=Scope(), terms=terms, reports=SILENT)
        assert world.starts() == []
    assert (caught.value.exit_code, caught.value.exit_name) == (5, "stale-plan")
    lines = changed_lines(plan, caught.value.current, RenderContext())
    assert lines[0] == "what differs:"
    assert "    ctrl_port: 30000 → 30005" in lines


class LaterClock(SystemClock):
    """Real waiting, from another moment on."""

    def __init__(self, moment: str) -> None:
        self.moment = datetime.fromisoformat(moment)

    def now(self) -> datetime:
        return self.moment


def test_a_freeze_that_begins_while_leases_are_waited_for_holds_changes_back(tmp_path: Path) -> None:
    with two_engines(tmp_path) as world, contextlib.ExitStack() as stack:
        settings = tmp_path / "state/site.yaml"
        settings.write_text(f"{settings.read_text()}freeze: [{FREEZE}]\n")
        site, clients = load_site(tmp_path, "state"), dict[str, Engine]()
        for name, document in site.endpoints.items():
            clients[name] = connect(name, document.value, site=site.name, registries={}, read_only=False, root=tmp_path)
            stack.callback(clients[name].close)
        plan, _ = look_and_plan(site, clients, datetime.fromisoformat("2029-12-31T23:59:59Z"), Scope())
        assert plan.steps
        terms = Terms(this_process(), LaterClock("2030-01-01T00:00:09Z"), parallel=1, lock_timeout=0.0)
        applied = apply_plan(site, clients, plan, scope=Scope(), terms=terms, reports=SILENT)
        assert world.starts() == []
    assert not applied.outcomes
    assert {item.code for item in applied.plan.blocked} == {"E0442"}


def test_a_freeze_that_begins_while_steps_are_carried_out_holds_back_what_has_not_begun(tmp_path: Path) -> None:
    with two_engines(tmp_path), contextlib.ExitStack() as stack:
        settings = tmp_path / "state/site.yaml"
        settings.write_text(f"{settings.read_text()}freeze: [{FREEZE}]\n")
        site, clients = load_site(tmp_path, "state"), dict[str, Engine]()
        for name, document in site.endpoints.items():
            clients[name] = connect(name, document.value, site=site.name, registries={}, read_only=False, root=tmp_path)
            stack.callback(clients[name].close)
        clock = LaterClock("2029-12-31T23:59:59Z")
        plan, _ = look_and_plan(site, clients, clock.now(), Scope())
        reports = replace(SILENT, started=lambda step: setattr(clock, "moment", datetime.fromisoformat("2030-01-01T00:00:00Z")))
        terms = Terms(this_process(), clock, parallel=1, lock_timeout=0.0)
        applied = apply_plan(site, clients, plan, scope=Scope(), terms=terms, reports=reports)
    held = [outcome for outcome in applied.outcomes if outcome.error == "blocked"]
    assert applied.outcomes[0].result == "done"
    assert held
    assert held[0].reason == f"E0442 site {site.name} is frozen until 2030-01-02T00:00Z: beam time (state/site.yaml:2)"
    assert applied.remaining is not None
    assert {item.code for item in applied.remaining.blocked} == {"E0442"}


def test_an_address_of_a_shared_pool_is_taken_under_the_leases_of_all_that_share_it(tmp_path: Path) -> None:
    with two_engines(tmp_path), contextlib.ExitStack() as stack:
        state = tmp_path / "state"
        (state / "networks").mkdir()
        (state / "networks/data.yaml").write_text("driver: bridge\nsubnet: 10.9.0.0/24\naddresses: 10.9.0.10-10.9.0.99\n")
        (state / "profiles/p.yaml").write_text("pull: never\ndata_nets: [data]\nmgmt_net: null\n")
        site, clients = load_site(tmp_path, "state"), dict[str, Engine]()
        for name, document in site.endpoints.items():
            clients[name] = connect(name, document.value, site=site.name, registries={}, read_only=False, root=tmp_path)
            stack.callback(clients[name].close)
        clock, part = SystemClock(), Scope(targets=("endpoint/b",))
        terms = Terms(this_process(), clock, parallel=1, lock_timeout=0.0)
        plan, _ = look_and_plan(site, clients, clock.now(), part)
        assert touched_endpoints(plan) == ("b",)
        others = replace(this_process(), pid=1, who="ann@other", machine="another")
        held = hold_leases({"a": clients["a"]}, site=site.name, holder=others, clock=clock, timeout=0.0, report=print)
        with held, pytest.raises(LockError, match="the lease of a is held by ann@other"):
            apply_plan(site, clients, plan, scope=part, terms=terms, reports=SILENT)
        applied = apply_plan(site, clients, plan, scope=part, terms=terms, reports=SILENT)
        assert {outcome.result for outcome in applied.outcomes} == {"done"}
        (state / "profiles/p.yaml").write_text("pull: never\ndata_nets: [data]\nmgmt_net: null\nenv: {A: b}\n")
        site = load_site(tmp_path, "state")
        plan, _ = look_and_plan(site, clients, clock.now(), part)
        with hold_leases({"a": clients["a"]}, site=site.name, holder=others, clock=clock, timeout=0.0, report=print):
            applied = apply_plan(site, clients, plan, scope=part, terms=terms, reports=SILENT)
        assert {outcome.result for outcome in applied.outcomes} == {"done"}, "it keeps its address and takes none"
