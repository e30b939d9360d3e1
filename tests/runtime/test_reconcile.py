"""The plan is made again under the leases: what changed meanwhile is refused, with both plans at hand."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from dtnctl.cli.expected import changed_lines
from dtnctl.planning.scope import Scope
from dtnctl.providers.base import Engine
from dtnctl.render.context import RenderContext
from dtnctl.repository.load import load_site
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.lease import this_process
from dtnctl.runtime.reconcile import ChangedPlanError, Reports, Terms, apply_plan, look_and_plan
from tests.cli.small_site import two_engines
from tests.docker_clients import connect

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
            apply_plan(load_site(tmp_path, "state"), clients, plan, now=now, scope=Scope(), terms=terms, reports=SILENT)
        assert world.starts() == []
    assert (caught.value.exit_code, caught.value.exit_name) == (5, "stale-plan")
    lines = changed_lines(plan, caught.value.current, RenderContext())
    assert lines[0] == "what differs:"
    assert "    ctrl_port: 30000 → 30005" in lines
