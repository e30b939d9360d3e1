"""Images: pulled by digest, logged in by reference, and a moved tag seen only when its digest differs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab import LabError, Login
from lab.registry import Registry
from tests.e2e.playground import Playground, Ran
from tests.engine_choice import usual_engines

pytestmark = pytest.mark.lab
SECRET = "correct-horse-battery"


@pytest.fixture
def registry(play: Playground) -> Iterator[Registry]:
    """A registry that wants a login; dtn1's tiny image is in it as site/tiny:1."""
    try:
        made = play.lab.start_registry(Login("joe", SECRET))
    except LabError as reason:
        pytest.skip(str(reason))
    yield made
    play.lab.stop_registry()


@usual_engines
def test_an_image_is_pulled_by_digest_with_a_login_by_reference_and_the_secret_is_nowhere(play: Playground, registry: Registry) -> None:
    pinned = play.lab.push_image("dtn1", "tiny:1", registry, "site/tiny:1")
    host = pinned.partition("/")[0]
    play.site(registries={host: {"username": "joe", "password_env": "REGISTRY_TOKEN"}})
    play.session("run", endpoints=["dtn2"], image=pinned)
    runs: list[Ran] = [play.run("plan", env={"REGISTRY_TOKEN": SECRET}), play.run("apply", "--yes", env={"REGISTRY_TOKEN": SECRET})]
    runs.append(play.run("plan", "-o", "json", env={"REGISTRY_TOKEN": SECRET}))
    assert [ran.code for ran in runs] == [0, 0, 0], runs
    container = play.container("run", "dtn2")
    assert container["Config"]["Image"] == pinned
    for text in [ran.out + ran.err for ran in runs] + [str(container)]:
        assert SECRET not in text
    assert play.run("plan", "--detailed-exitcode", env={"REGISTRY_TOKEN": SECRET}).code == 0


def test_a_wrong_login_fails_before_anything_is_created_and_is_not_repeated_in_the_output(play: Playground, registry: Registry) -> None:
    pinned = play.lab.push_image("dtn1", "tiny:1", registry, "site/tiny:2")
    host = pinned.partition("/")[0]
    play.site(registries={host: {"username": "joe", "password_env": "REGISTRY_TOKEN"}})
    play.session("run", endpoints=["dtn2"], image=f"{host}/site/tiny:2")
    ran = play.run("apply", "--yes", env={"REGISTRY_TOKEN": "wrong-canary"})
    assert ran.code == 3, ran.out + ran.err
    assert "wrong-canary" not in ran.out + ran.err
    assert play.names("dtn2") == set()


@usual_engines
def test_a_moved_tag_is_a_change_only_when_the_digest_differs(play: Playground, registry: Registry) -> None:
    pinned = play.lab.push_image("dtn1", "tiny:1", registry, "site/moving:1")
    host = pinned.partition("/")[0]
    play.site(registries={host: {"username": "joe", "password_env": "REGISTRY_TOKEN"}})
    play.profile("tiny", pull="always")
    play.session("run", endpoints=["dtn2"], image=f"{host}/site/moving:1")
    env = {"REGISTRY_TOKEN": SECRET}
    play.run("apply", "--yes", env=env).expect(0)
    assert play.run("plan", "--detailed-exitcode", env=env).code == 0
    first = play.container("run", "dtn2")["Image"]
    engine = play.engines["dtn1"]
    made = engine.create_container("tiny:1", ["true"])
    engine.commit(made["Id"], repository="changed", tag="1", changes=["ENV MOVED=1"])
    play.lab.push_image("dtn1", "changed:1", registry, "site/moving:1")
    ran = play.run("plan", "--detailed-exitcode", env=env)
    assert ran.code == 2, ran.out + ran.err
    play.run("apply", "--yes", env=env).expect(0)
    assert play.container("run", "dtn2")["Image"] != first
    assert play.run("plan", "--detailed-exitcode", env=env).code == 0
    engine.remove_container(made["Id"])
    engine.remove_image("changed:1")


def test_pull_never_refuses_an_image_that_is_not_there(play: Playground) -> None:
    play.profile("tiny", pull="never")
    play.session("run", image="absent:1")
    ran = play.apply().expect(4)
    assert "E0430" in ran.out
