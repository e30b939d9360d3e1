"""What a service asks of a machine that does not have it blocks the service before anything is made."""

from __future__ import annotations

import pytest

from dtnctl.planning.resolve import wanted_by_endpoint
from tests.planning.building import NOW, plan, site, world
from tests.planning.machines import machine

AGENT = "agent: https://a:5050\nagent_token_env: T\n"
ENDPOINT = "# endpoints/a\ndocker: unix:///run/a.sock\nhost: a.example.net\n"


def refusals(settings: str, *, cpus: int = 0, agent: bool = False) -> list[tuple[str, str, str]]:
    """Code, text and advice of what is blocked on an engine with so many CPUs, or on a machine with an agent."""
    text = f"{ENDPOINT}{AGENT if agent else ''}# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {settings}\n"
    declared = site(text)
    made = world(declared, machines={"a": machine()} if agent else {})
    made.hosts["a"].cpus = cpus
    return [(change.code, change.cause.text, change.fix) for change in plan(declared, made).changes if change.mark == "blocked"]


@pytest.mark.parametrize(
    ("settings", "text", "fix"),
    [
        ("{cpus: 512}", "`cpus: 512` is more than the 2 CPUs of a", "2 or less"),
        ("{cpus: 2.5}", "`cpus: 2.5` is more than the 2 CPUs of a", "2 or less"),
        ("{cpu_set: 0-99}", "`cpu_set: 0-99` names CPU 2, which a does not have", "CPUs up to 1"),
        ("{cpu_set: 5}", "`cpu_set: 5` names CPU 5, which a does not have", "CPUs up to 1"),
    ],
)
def test_more_cpus_than_the_engine_has_are_refused_with_their_number(settings: str, text: str, fix: str) -> None:
    assert refusals(settings, cpus=2) == [("E0480", text, fix)]


@pytest.mark.parametrize("settings", ["{cpus: 2}", "{cpu_set: 0-1}", "{cpus: 0}", "{}", "{memory_nodes: 7}"])
def test_what_the_engine_has_or_does_not_say_is_planned(settings: str) -> None:
    assert refusals(settings, cpus=2) == []


@pytest.mark.parametrize("settings", ["{cpus: 512}", "{cpu_set: 0-99}"])
def test_nothing_is_refused_where_the_number_is_unknown(settings: str) -> None:
    assert refusals(settings) == []


def test_agent_knows_cpus_that_the_engine_does_not_count() -> None:
    """CPUs of `isolcpus` are not among the engine's own, and containers may run on them."""
    assert refusals("{cpu_set: 0-7}", cpus=2, agent=True) == []
    assert refusals("{cpu_set: 500}", cpus=2, agent=True)[0][0] == "E0480"


def test_node_that_the_machine_does_not_have_is_refused() -> None:
    [(code, text, _)] = refusals("{memory_nodes: 0-7}", cpus=2, agent=True)
    assert (code, text) == ("E0480", "`memory_nodes: 0-7` names NUMA node 2, which a does not have")


def test_engine_is_asked_for_its_cpus_only_where_they_matter() -> None:
    text = "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {cpus: 1}\n# sessions/two\nendpoints: [b]\nimage: dtn:1\n"
    assert {name: wanted.cpus for name, wanted in wanted_by_endpoint(site(text), NOW).items()} == {"a": True, "b": False}
