"""Which environment of a Portainer is meant, among those that it shows."""

from __future__ import annotations

import pytest

from dtnctl.model.environments import Environment, EnvironmentChoice, the_one
from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.secret_fields import Secret

A = Environment(1, "a", 1, "unix:///var/run/docker.sock", "Chicago", ("dtn", "rdma"))
B = Environment(2, "b", 4, "tcp://10.0.0.1:2376", "Berkeley", ("dtn",))
K = Environment(3, "k", 6)


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (EnvironmentChoice(name="a"), A),
        (EnvironmentChoice(id=2), B),
        (EnvironmentChoice(tags=("dtn", "rdma")), A),
        (EnvironmentChoice(group="Berkeley"), B),
        (EnvironmentChoice(tags=("dtn",), group="Berkeley"), B),
    ],
)
def test_the_one_that_fits_is_meant(choice: EnvironmentChoice, found: Environment) -> None:
    assert the_one(choice, [A, B, K]) is found


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (EnvironmentChoice(name="A"), "Portainer shows this key no environment A"),
        (EnvironmentChoice(id=9), "Portainer shows this key no environment #9"),
        (
            EnvironmentChoice(tags=("x", "y"), group="g"),
            "Portainer shows this key no environment of the group g with the tag x with the tag y",
        ),
        (EnvironmentChoice(tags=("dtn",)), "Portainer has 2 environments with the tag dtn: a, b"),
    ],
)
def test_none_or_two_that_fit_are_a_mistake(choice: EnvironmentChoice, sentence: str) -> None:
    with pytest.raises(LookupError) as caught:
        the_one(choice, [B, A, K])
    assert str(caught.value) == sentence


def test_kinds_have_what_their_numbers_say() -> None:
    assert [(item.is_docker, item.is_kubernetes, item.is_edge, item.streams) for item in (A, B, K)] == [
        (True, False, False, False),
        (True, False, True, True),
        (False, True, False, True),
    ]


@pytest.mark.parametrize(("team", "labels"), [(None, ()), ("dtn", (("io.portainer.accesscontrol.teams", "dtn"),))])
def test_the_team_is_on_all_that_is_made(team: str | None, labels: tuple[tuple[str, str], ...]) -> None:
    assert Portainer(key=Secret(secret="env:KEY"), team=team).labels == labels
