"""Endpoint files for what a Portainer manages: nothing is overwritten, and what has no file says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.installing.portainer_import import KUBERNETES, Imported, ImportRequest, plan_import
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.environments import Environment
from dtnctl.model.portainer_fields import Portainer
from dtnctl.model.site import Document, Endpoint
from tests.fakes.portainer import KEY, StandIn
from tests.runtime.program import Result, dtnctl

SETTINGS = Portainer.model_validate({"key": {"secret": "env:PORTAINER_KEY"}})
TCP = "tcp://10.0.0.7:2376"


def planned(environment: Environment, url: str = "https://p.example.net:9443", **hosts: str) -> Imported:
    (found,) = plan_import(ImportRequest(url, SETTINGS, hosts), [environment], {})
    return found


# --- names and hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "endpoint", "end"),
    [
        ("starlight dtn", "starlight-dtn", "starlight%20dtn"),
        ("nersc-tbn-7", "nersc-tbn-7", "nersc-tbn-7"),
        ("#1: Zürich/ETH", "1-Z-rich-ETH", "%231%3A%20Z%C3%BCrich%2FETH"),
        ("東京", "environment-5", "%E6%9D%B1%E4%BA%AC"),
        ("x" * 50, "x" * 40, "x" * 50),
    ],
)
def test_name_has_nothing_in_it_but_what_names_may_have(name: str, endpoint: str, end: str) -> None:
    found = planned(Environment(5, name, 1, TCP))
    assert found.name == endpoint
    assert found.endpoint is not None
    assert str(found.endpoint.docker) == f"portainer+https://p.example.net:9443/{end}"
    assert found.endpoint.address.environment is not None
    assert found.endpoint.address.environment.name == name


def test_two_names_that_become_one_have_a_number() -> None:
    found = plan_import(ImportRequest("https://p:9443/", SETTINGS), [Environment(2, "a b", 1, TCP), Environment(1, "a.b", 1, TCP)], {})
    assert [(item.environment.id, item.name) for item in found] == [(2, "a-b"), (1, "a-b-2")]


@pytest.mark.parametrize("end", ["a", "#1", "?tag=rdma", "?tag=rdma&group=Chicago"])
def test_environment_that_is_an_endpoint_already_is_known_by_whatever_its_address_says(end: str) -> None:
    known = Endpoint(docker=parse_engine(f"portainer+https://P:9443/{end}"), portainer=SETTINGS, host="dtn1.example.net")
    environment = Environment(1, "a", 1, TCP, group="Chicago", tags=("lab", "rdma"))
    (found,) = plan_import(ImportRequest("https://p:9443", SETTINGS), [environment], {"mine": Document("mine", "mine.yaml", known, {})})
    assert (found.endpoint, found.reason) == (None, "is endpoint mine already (mine.yaml)")


def test_name_of_an_environment_does_nothing_to_a_terminal() -> None:
    """Nor does it leave the comment that `--print` writes before it."""
    assert planned(Environment(1, "a\x1b[2J\nhost: evil", 3)).sentence == "a\\x1b[2J\\nhost: evil: is no Docker engine"


@pytest.mark.parametrize(
    ("environment", "url", "host"),
    [
        (Environment(1, "a", 1, TCP), "https://p:9443", "10.0.0.7"),
        (Environment(1, "a", 1, TCP, public_url="dtn1.example.net"), "https://p:9443", "dtn1.example.net"),
        (Environment(1, "a", 1, TCP, public_url="https://dtn1.example.net:8080/"), "https://p:9443", "dtn1.example.net"),
        (Environment(1, "a", 2, "10.0.0.8:9001"), "https://p:9443", "10.0.0.8"),
        (Environment(1, "a", 2, "tcp://[fd00::8]:9001"), "https://p:9443", "fd00::8"),
        (Environment(1, "a", 1, "unix:///var/run/docker.sock"), "https://p.example.net:9443", "p.example.net"),
        (Environment(1, "a", 1, "unix:///var/run/docker.sock"), "http://127.0.0.1:9000", ""),
        (Environment(1, "a", 1, "tcp://127.0.0.1:2375"), "https://p:9443", ""),
        (Environment(1, "a", 4, "p.example.net"), "https://p.example.net:9443", ""),
    ],
)
def test_host_is_where_others_reach_it_as_far_as_portainer_knows(environment: Environment, url: str, host: str) -> None:
    found = planned(environment, url)
    assert (found.endpoint.host if found.endpoint is not None else "") == host
    assert found.is_open == (not host)


def test_host_that_was_typed_counts() -> None:
    found = planned(Environment(1, "behind nat", 4, "p.example.net"), **{"behind-nat": "192.0.2.9"})
    assert found.endpoint is not None
    assert found.endpoint.host == "192.0.2.9"


@pytest.mark.parametrize(
    ("hosts", "sentence"),
    [
        ({"b": "x"}, "--host b=…: no environment becomes an endpoint of that name"),
        ({"a": "x y"}, "--host x y: "),
    ],
)
def test_host_that_cannot_be_is_a_mistake_of_the_command_line(hosts: dict[str, str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        planned(Environment(1, "a", 1, TCP), **hosts)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("url", ["ftp://p:1", "https://p", "http://p:9000", "https://ann:canary@p:1"])
def test_address_that_is_none_is_a_mistake_of_the_command_line(url: str) -> None:
    with pytest.raises(UsageError, match="this is not the address of a Portainer") as caught:
        planned(Environment(1, "a", 1, TCP), url)
    assert "canary" not in str(caught.value)


# --- the command --------------------------------------------------------------------------------------------


@pytest.fixture
def portainer() -> Iterator[StandIn]:
    with StandIn() as found:
        found.state.add("starlight dtn", Path("/x"), url=TCP)
        found.state.add("behind-nat", Path("/x"), type=4, url="p.example.net")
        found.state.add("cluster", Path("/x"), type=6, url="10.0.0.9:9001")
        found.state.add("azure", Path("/x"), type=3)
        yield found


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("name: lab\n")
    monkeypatch.setenv("PORTAINER_KEY", KEY)
    return tmp_path


def run(repository: Path, portainer: StandIn, *options: str) -> Result:
    return dtnctl(repository, "endpoints", "import", "portainer", f"http://127.0.0.1:{portainer.port}", *options)


def files(repository: Path) -> list[str]:
    return sorted(path.name for path in (repository / "state").rglob("*.yaml"))


def test_each_docker_environment_becomes_a_file_and_the_others_say_why_not(repository: Path, portainer: StandIn) -> None:
    ran = run(repository, portainer, "--team", "transfer team")
    assert ran.out.splitlines() == [
        "azure: is no Docker engine",
        "behind-nat: where the other endpoints reach it is not known; add --host behind-nat=ADDRESS",
        f"cluster: {KUBERNETES}",
        "Wrote endpoint starlight-dtn (state/endpoints/starlight-dtn.yaml)",
    ]
    assert ran.code == 3
    assert (repository / "state/endpoints/starlight-dtn.yaml").read_text() == (
        f'docker: "portainer+http://127.0.0.1:{portainer.port}/starlight%20dtn"\n'
        'portainer:\n  key: {"secret": "env:PORTAINER_KEY"}\n  team: "transfer team"\nhost: 10.0.0.7\n'
    )


def test_second_import_writes_nothing_and_adds_what_is_new(repository: Path, portainer: StandIn) -> None:
    run(repository, portainer)
    (repository / "state/endpoints/starlight-dtn.yaml").rename(repository / "state/endpoints/mine.yaml")
    before = (repository / "state/endpoints/mine.yaml").read_text()
    ran = run(repository, portainer, "--host", "behind-nat=192.0.2.9")
    assert "starlight dtn: is endpoint mine already (state/endpoints/mine.yaml)" in ran.out.splitlines()
    assert files(repository) == ["behind-nat.yaml", "mine.yaml", "site.yaml"]
    assert (repository / "state/endpoints/mine.yaml").read_text() == before
    assert ran.code == 0


def test_other_endpoint_of_that_name_is_left_alone(repository: Path, portainer: StandIn) -> None:
    other = "docker: ssh://dtn@starlight.example.net\n"
    (repository / "state/endpoints").mkdir()
    (repository / "state/endpoints/starlight-dtn.yaml").write_text(other)
    ran = run(repository, portainer, "--host", "behind-nat=192.0.2.9")
    assert "starlight dtn: there is an endpoint starlight-dtn already, another one (state/endpoints/starlight-dtn.yaml)" in ran.out
    assert (repository / "state/endpoints/starlight-dtn.yaml").read_text() == other
    assert ran.code == 3


def test_print_shows_the_files_and_writes_none(repository: Path, portainer: StandIn) -> None:
    ran = run(repository, portainer, "--print", "--host", "behind-nat=192.0.2.9")
    assert '# state/endpoints/starlight-dtn.yaml\ndocker: "portainer+http://' in ran.out
    assert "# azure: is no Docker engine\n" in ran.out
    assert files(repository) == ["site.yaml"]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (("--key", "ptr_canary"), 64, "--key: this is no reference to a secret; write `env:NAME`, `file:PATH` or `sops:FILE#KEY.PATH`"),
        (("--key", "env:NOT_SET"), 7, "`portainer: key` (env:NOT_SET) cannot be used: "),
        (("--team", "a,b"), 64, "--team: "),
        (("--host", "x"), 64, "--host x: expected NAME=ADDRESS, such as starlight-dtn=165.124.33.182"),
    ],
)
def test_mistake_on_the_command_line_is_named_and_no_key_is_shown(
    repository: Path, portainer: StandIn, options: tuple[str, ...], code: int, sentence: str
) -> None:
    ran = run(repository, portainer, *options)
    assert ran.code == code
    assert sentence in ran.err
    assert "canary" not in ran.err
    assert files(repository) == ["site.yaml"]
