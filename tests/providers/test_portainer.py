"""An engine behind Portainer: which environment is meant, whose key it is, and what Portainer says in the engine's place."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dtnctl.errors import EngineError, UnreachableError
from dtnctl.model.actions import CreateContainer, CreateNetwork
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.portainer_fields import TEAM_LABEL, Portainer
from dtnctl.model.resources import ContainerSpec, EndpointSeen, Mount, Ulimit, Wanted
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import ReadOnlyError
from dtnctl.providers.docker import calls
from dtnctl.providers.docker.engine import DockerEngine
from tests.docker_clients import connect
from tests.fakes.engine import World
from tests.fakes.portainer import KEY, StandIn, User
from tests.free_ports import free_port
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, SITE, SOON, labels_of
from tests.providers.certificates import authority, issue
from tests.providers.contract import NETWORK, create, running
from tests.providers.in_portainer import LOCAL, REMOTE, PortainerBackend, portainer_backend


@pytest.fixture(params=[LOCAL, REMOTE], ids=["socket", "tcp"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PortainerBackend]:
    with portainer_backend(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PortainerSite]:
    with World([ENDPOINT]) as world, StandIn() as portainer:
        yield PortainerSite(world, portainer, tmp_path)


class PortainerSite:
    """Environments as a test makes them, and clients by their addresses."""

    def __init__(self, world: World, portainer: StandIn, folder: Path) -> None:
        self.state, self.port, self._world = portainer.state, portainer.port, world
        self._folder = folder
        (folder / "key").write_text(KEY)

    def add(self, name: str, **more: object) -> None:
        self.state.add(name, Path(self._world.sockets[ENDPOINT]), **more)

    def silence(self, end: str, **portainer: object) -> str:
        """Why the environment is silent; empty if it is not."""
        return self.silence_at(f"http://127.0.0.1:{self.port}/{end}", **portainer)

    def silence_at(self, url: str, **portainer: object) -> str:
        return self.seen_at(url, **portainer).silence

    def seen_at(self, url: str, **portainer: object) -> EndpointSeen:
        with closing(self.client(url, **portainer)) as engine:
            return engine.observe(Wanted())

    def client(self, url: str, **portainer: object) -> DockerEngine:
        settings = {"key": {"secret": f"file:{self._folder}/key"}, **portainer}
        endpoint = Endpoint(
            docker=parse_engine(f"portainer+{url}"),
            portainer=Portainer.model_validate(settings),
            host="127.0.0.1",
        )
        return connect(ENDPOINT, endpoint, site=SITE, registries={}, read_only=False, root=self._folder, timeouts=SOON)


# --- which environment --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["starlight%20dtn", "#2", "?tag=rdma", "?tag=dtn&group=Chicago", "?tag=lab&group=Chicago"])
def test_environment_is_found_by_name_id_tags_and_group(site: PortainerSite, end: str) -> None:
    site.state.tags |= {1: "dtn", 2: "rdma", 3: "lab"}
    site.state.groups |= {4: ("Chicago", [3])}  # the group's tags are its environments' tags
    site.add("nersc-tbn-7", tags=[1])
    site.add("starlight dtn", tags=[1, 2], group=4)
    assert site.silence(end) == ""
    assert [target for _, target, _ in site.state.asked if target.endswith("/_ping")] == ["/api/endpoints/2/docker/_ping"]


def test_environments_are_asked_for_without_what_is_on_them(site: PortainerSite) -> None:
    site.add("a")
    assert site.silence("a") == ""
    lists = [target for _, target, _ in site.state.asked if target.startswith("/api/endpoints?")]
    assert lists == ["/api/endpoints?excludeSnapshots=true&name=a"]


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        ("b", "Portainer shows this key no environment b"),
        ("#7", "Portainer shows this key no environment #7"),
        ("?tag=dtn", "Portainer has 2 environments with the tag dtn: a, c"),
        ("?group=Nowhere", "Portainer shows this key no environment of the group Nowhere"),
        ("k", "Portainer's environment k is a Kubernetes cluster"),
        ("z", "Portainer's environment z is no Docker engine"),
    ],
)
def test_environment_that_is_not_the_one_is_silent_and_says_why(site: PortainerSite, end: str, sentence: str) -> None:
    site.state.tags |= {1: "dtn"}
    site.add("a", tags=[1])
    site.add("c", tags=[1])
    site.add("k", type=6)
    site.add("z", type=3)
    assert site.silence(end).endswith(sentence)


@pytest.mark.parametrize(
    ("path", "answer", "fault"),
    [
        ("/api/users/me", {"Username": "ann"}, "there is no 'Role'"),
        ("/api/endpoints", [{"Id": 1, "Type": 1}], "there is no 'Name'"),
        ("/api/endpoints", [{"Id": "x", "Name": "a", "Type": 1}], "invalid literal for int"),
        ("/api/endpoints", None, "'NoneType' object is not iterable"),
        ("/api/tags", ["a"], "string indices must be integers"),
    ],
)
def test_answer_in_another_form_is_said_with_its_place(site: PortainerSite, path: str, answer: object, fault: str) -> None:
    site.add("a")
    site.state.odd[path] = answer
    silence = site.silence("?tag=x" if path == "/api/tags" else "a")
    assert f"what answers at {path} is not in the form of Portainer CE 2.23 ({fault}" in silence


# --- whose key ----------------------------------------------------------------------------------------------


def test_key_that_portainer_does_not_know_is_said_and_not_shown(site: PortainerSite, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ptr_other")
    site.add("a")
    silence = site.silence("a")
    assert silence.endswith("Portainer does not know this API key")
    assert "ptr_" not in silence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "/key) cannot be used: "),
        ("two words", "/key) holds no API key; it is one line of letters, digits and signs"),
    ],
)
def test_key_that_is_none_is_said_before_anything_is_sent(site: PortainerSite, tmp_path: Path, content: str | None, sentence: str) -> None:
    (tmp_path / "key").unlink() if content is None else (tmp_path / "key").write_text(content)
    site.add("a")
    silence = site.silence("a")
    assert "`portainer: key` (file:" in silence
    assert sentence in silence
    assert site.state.asked == []


def test_key_of_a_user_who_sees_only_some_objects_is_refused(site: PortainerSite) -> None:
    site.state.users[KEY] = User(4, "ann", 2)
    site.add("a")
    assert "the key is of ann, who is no administrator of Portainer" in site.silence("a")


def test_requests_carry_the_key_alone_and_no_cookie(backend: PortainerBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login ann password canary\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "config.json").write_text('{"HttpHeaders": {"Authorization": "Bearer canary"}}')
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    engine = backend.engine()
    running(engine)
    engine.run(SESSION, ("sh", "-c", "exit 0"))
    sent = backend.portainer.state.asked
    assert {headers.get("x-api-key") for _, _, headers in sent} == {KEY}
    assert {name for _, _, headers in sent for name in headers} & {"authorization", "cookie", "upgrade"} == set()


def test_node_is_named_in_each_request_to_the_engine(site: PortainerSite) -> None:
    site.add("swarm", type=2)
    assert site.silence("swarm", node="dtn-3") == ""
    nodes = {headers.get("x-portaineragent-target") for _, target, headers in site.state.asked if "/docker/" in target}
    assert nodes == {"dtn-3"}


def test_of_the_lists_of_a_swarm_only_what_is_on_the_node_counts(site: PortainerSite) -> None:
    """Its agents answer them for all nodes, so that another host's lease and containers would count as this one's."""
    site.add("swarm", type=2, nodes=("dtn-2", "dtn-3"))
    seen = site.seen_at(f"http://127.0.0.1:{site.port}/swarm", node="dtn-3")
    assert [item.name for item in seen.foreign_networks] == ["bridge", "host", "none"]
    sentence = "is a Swarm with an agent on each node; name one by `portainer: node:`: dtn-2, dtn-3"
    assert sentence in site.silence("swarm")


def test_of_a_swarms_node_its_own_name_and_cpus_count_and_not_the_managers_that_answers(site: PortainerSite) -> None:
    site.add("swarm", type=2, nodes=("dtn-2", "dtn-3"))
    with closing(site.client(f"http://127.0.0.1:{site.port}/swarm", node="dtn-3")) as engine:
        assert (engine.observe(Wanted(cpus=True)).cpus, engine.engine_id()) == (4, "id of dtn-3")


def test_node_that_is_the_only_engine_answers_for_itself(site: PortainerSite) -> None:
    site.add("alone", type=2)
    with closing(site.client(f"http://127.0.0.1:{site.port}/alone", node="dtn-9")) as engine:
        assert "id of" not in engine.engine_id() != ""


def test_node_that_a_swarm_leaves_out_is_silent_and_not_empty(site: PortainerSite) -> None:
    site.add("swarm", type=2, nodes=("dtn-2", "dtn-3"))
    assert "shows nothing of the node dtn-4, only of dtn-2, dtn-3" in site.silence("swarm", node="dtn-4")


def test_observer_sends_no_write_through_portainer(backend: PortainerBackend) -> None:
    observer = backend.observer()
    with pytest.raises(ReadOnlyError):
        calls.start(observer._connected(), "x")
    assert {method for method, _, _ in backend.portainer.state.asked} == {"GET"}


# --- access control -----------------------------------------------------------------------------------------


def test_what_is_made_is_open_to_the_team(backend: PortainerBackend) -> None:
    state = backend.portainer.state
    state.teams |= {3: "others", 5: "transfer team"}
    backend.team = "transfer team"
    engine = backend.engine()
    spec = ContainerSpec(image=IMAGE, mounts=(Mount("/data", "volume", "data"),))
    engine.perform(CreateNetwork("n", NETWORK, labels_of("n", kind="network")))
    engine.perform(CreateContainer(SESSION, spec, labels_of(SESSION)))
    assert [item["TeamAccesses"] for item in state.controls.values()] == [[{"TeamId": 5, "AccessLevel": 1}]] * 3
    assert [item["UserAccesses"] for item in state.controls.values()] == [[{"UserId": 1, "AccessLevel": 1}]] * 3
    assert engine.inspect(SESSION).labels[TEAM_LABEL] == "transfer team"


def test_without_a_team_what_is_made_stays_private(backend: PortainerBackend) -> None:
    create(backend.engine())
    assert [item["TeamAccesses"] for item in backend.portainer.state.controls.values()] == [[]]
    assert {method for method, _, _ in backend.portainer.state.asked} == {"GET", "POST"}


def test_volume_that_is_there_is_not_created_again(backend: PortainerBackend) -> None:
    """Each creation leaves a record of who may see it, also of what was there."""
    engine, spec = backend.engine(), ContainerSpec(image=IMAGE, mounts=(Mount("/data", "volume", "data"),))
    for name in (SESSION, f"{SESSION}2"):
        engine.perform(CreateContainer(name, spec, labels_of(name)))
    assert len(backend.portainer.state.controls) == 3


def test_team_that_is_not_there_is_said_before_anything_is_made(site: PortainerSite) -> None:
    site.state.teams |= {3: "others", 4: "dtn"}
    site.add("a")
    assert site.silence("a", team="transfer team").endswith("Portainer has no team transfer team; it has dtn, others")


def test_removed_object_leaves_no_record(backend: PortainerBackend) -> None:
    engine = backend.engine()
    engine.remove(create(engine))
    assert backend.portainer.state.controls == {}


# --- numbers ------------------------------------------------------------------------------------------------


def test_limits_that_a_float_cannot_hold_are_no_drift(backend: PortainerBackend) -> None:
    limits = (Ulimit("fsize", -1, 9223372036854775807), Ulimit("memlock", 2**53 + 1, 2**53 + 1), Ulimit("nofile", 1024, 4096))
    engine, spec = backend.engine(), ContainerSpec(image=IMAGE, ulimits=limits)
    create(engine, spec=spec)
    assert engine.inspect(SESSION).spec.ulimits == limits


# --- silence ------------------------------------------------------------------------------------------------


def test_engine_that_portainer_does_not_reach_is_silent(backend: PortainerBackend) -> None:
    gone = Path("/nowhere/docker.sock")
    silence = backend.engine(gone).observe(Wanted()).silence
    words = {
        LOCAL: "Portainer does not reach the engine's socket of its environment dtn 1",
        REMOTE: "Portainer got no answer from the engine",
    }
    assert words[backend.url] in silence


def test_portainer_that_is_not_there_or_is_something_else_is_silent(site: PortainerSite) -> None:
    site.add("a")
    down = site.silence_at(f"http://127.0.0.1:{free_port()}/a")
    assert down.endswith("no process listens there; is Portainer running?")
    other = site.silence_at(f"http://127.0.0.1:{site.port}/no/portainer/a")
    assert "Portainer answers 404: " in other


def test_write_whose_answer_is_lost_counts_as_unanswered(backend: PortainerBackend) -> None:
    engine = backend.engine()
    create(engine)
    number = max(backend.portainer.state.environments)
    backend.portainer.state.environments[number].socket = Path("/nowhere/docker.sock")
    with pytest.raises(UnreachableError, match=re.escape(f"/dtn%20{number}: Portainer ")):
        engine.start(SESSION)


def test_refusal_has_message_and_details(backend: PortainerBackend) -> None:
    engine = backend.engine()
    create(engine)
    backend.portainer.state.environments.clear()
    with pytest.raises(EngineError, match="Unable to find an environment with the specified identifier"):
        engine.start(SESSION)


def test_command_that_cannot_be_started_has_its_code(backend: PortainerBackend) -> None:
    engine = backend.engine()
    running(engine)
    assert engine.run(SESSION, ("no-such-program",)).exit_code in (126, 127)


# --- edge agents --------------------------------------------------------------------------------------------


def test_first_refusal_of_an_edge_agent_is_waited_out(site: PortainerSite) -> None:
    site.add("behind-nat", type=4, refusals=2)
    assert site.silence("behind-nat") == ""


# --- logs ---------------------------------------------------------------------------------------------------


def test_followed_logs_come_line_by_line_before_the_end(backend: PortainerBackend) -> None:
    """Through the proxy of a socket nothing would arrive before 4 KiB; so they are asked for again and again."""
    engine = backend.engine()
    running(engine, spec=backend.program(SESSION, stdout="one\ntwo\ntwo\n"))
    lines = engine.logs(SESSION, follow=True)
    assert b"".join(next(lines) for _ in range(3)).split() == [b"one", b"two", b"two"]
    engine.stop(SESSION, 0)
    assert list(lines) == []


def test_followed_logs_have_times_and_a_tail_where_they_are_asked_for(backend: PortainerBackend) -> None:
    engine = backend.engine()
    running(engine, spec=backend.program(SESSION, stdout="one\ntwo\n", exit_code=0))
    assert [line.partition(b" ")[2] for line in engine.logs(SESSION, follow=True, tail=1, timestamps=True)] == [b"two\n"]


def test_followed_logs_end_when_the_container_is_removed(backend: PortainerBackend) -> None:
    engine = backend.engine()
    running(engine, spec=backend.program(SESSION, stdout="one\n"))
    lines = engine.logs(SESSION, follow=True)
    assert next(lines) == b"one\n"
    engine.remove(SESSION, force=True)
    assert list(lines) == []


# --- TLS ----------------------------------------------------------------------------------------------------


@pytest.fixture
def over_tls(tmp_path: Path) -> Iterator[StandIn]:
    """Below a folder, as behind a company's web server."""
    ca, other = authority(), authority("other")
    ca.write(tmp_path, "ca")
    other.write(tmp_path, "other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issue(ca).write(tmp_path, "portainer"))
    (tmp_path / "empty.pem").write_text("")
    (tmp_path / "key").write_text(KEY)
    with World([ENDPOINT]) as world, StandIn(tls=context, base="/tools/portainer") as portainer:
        portainer.state.add("a", Path(world.sockets[ENDPOINT]))
        yield portainer


@pytest.mark.parametrize(
    ("ca", "sentence"),
    [
        ("ca.pem", ""),
        ("other.pem", "Portainer's certificate is refused: "),
        (None, "Portainer's certificate is refused: "),
        ("empty.pem", "`portainer: ca`: "),
        ("missing.pem", "missing.pem: No such file or directory"),
    ],
)
def test_portainers_certificate_is_checked(over_tls: StandIn, tmp_path: Path, ca: str | None, sentence: str) -> None:
    endpoint = Endpoint(
        docker=parse_engine(f"portainer+https://127.0.0.1:{over_tls.port}/tools/portainer/a"),
        portainer=Portainer.model_validate({"key": {"secret": f"file:{tmp_path}/key"}, "ca": ca}),
        host="127.0.0.1",
    )
    observer = connect(ENDPOINT, endpoint, site=SITE, registries={}, read_only=True, root=tmp_path, timeouts=SOON)
    silence = observer.observe(Wanted()).silence
    observer.close()
    assert sentence in silence
    assert bool(silence) == bool(sentence)
