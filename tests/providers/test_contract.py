"""The contract of a provider, on real engines; the in-memory one keeps it as far as other tests use it."""

from __future__ import annotations

import io
import json
import re
import socket
import tarfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.errors import ConflictError, EngineError, NotFoundError, UnreachableError
from dtnctl.model.ledger import LEDGER_MOUNT, RECORDS, Attempt, LedgerSeen, encode_attempt, record_path
from dtnctl.model.plan import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    DisconnectNetwork,
    PromoteContainer,
    PullImage,
    RemoveContainer,
    RemoveNetwork,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StopContainer,
    UpdateContainer,
)
from dtnctl.model.resources import (
    LABEL_REPOSITORY,
    LABEL_SITE,
    Attachment,
    ContainerSpec,
    Mount,
    NetworkSpec,
    PortBinding,
    Subnet,
    VolumeSeen,
    Wanted,
    lease_name,
    ledger_name,
    service_name,
)
from dtnctl.providers.base import FileEntry
from dtnctl.providers.docker import performing
from dtnctl.providers.docker.calls import EMPTY_IMAGE
from dtnctl.providers.docker.engine import DockerEngine
from tests.engine_choice import every_engine, real_engines_only
from tests.fakes.engine import Fault
from tests.providers.backends import ENDPOINT, IMAGE, LOGIN, SESSION, SITE, Backend, FakeBackend, labels_of
from tests.providers.relay import Relay

pytestmark = every_engine

SPEC = ContainerSpec(image=IMAGE)
ALL = Wanted()
NETWORK = NetworkSpec("bridge", subnets=(Subnet("10.77.0.0/24", "10.77.0.1"),))


@pytest.fixture
def engine(backend: Backend) -> DockerEngine:
    return backend.engine()


def create(engine: DockerEngine, name: str = SESSION, spec: ContainerSpec = SPEC) -> str:
    """One of our containers, as a plan makes it; returns its id."""
    engine.perform(CreateContainer(name, spec, labels_of(name)))
    return engine.inspect(name).id


def running(engine: DockerEngine, name: str = SESSION, spec: ContainerSpec = SPEC) -> str:
    container = create(engine, name, spec)
    engine.perform(StartContainer(name))
    return container


def names(engine: DockerEngine) -> list[str]:
    return [container.name for container in engine.observe(ALL).containers]


def is_there(engine: DockerEngine, container: str) -> bool:
    try:
        engine.inspect(container)
    except NotFoundError:
        return False
    return True


# --- whose is it --------------------------------------------------------------------------------------------


def test_what_carries_our_labels_and_its_own_name_is_ours(backend: Backend, engine: DockerEngine) -> None:
    create(engine)
    seen = backend.observer().observe(ALL)
    assert [container.name for container in seen.containers] == [SESSION]
    assert seen.foreign == ()
    assert dict(labels_of(SESSION)).items() <= seen.containers[0].labels.items()
    version = backend.others.version(api_version=False)
    assert (seen.silence, seen.api_version, seen.engine_version) == ("", version["ApiVersion"], version["Version"])


@real_engines_only
def test_a_committed_image_hands_our_labels_on_and_its_container_is_still_foreign(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    image = backend.post("/commit", params={"container": container}, json={})["Id"]
    other = backend.create_other("somebody", Image=image)
    assert engine.inspect(other).labels[LABEL_SITE] == SITE
    seen = engine.observe(ALL)
    assert [item.name for item in seen.containers] == [SESSION]
    assert [item.name for item in seen.foreign] == ["somebody"]


def test_a_container_of_another_site_is_foreign(backend: Backend, engine: DockerEngine) -> None:
    backend.create_other(SESSION, labels=dict(labels_of(SESSION, site="elsewhere")))
    assert [item.name for item in engine.observe(ALL).foreign] == [SESSION]


@real_engines_only
def test_a_container_made_from_a_committed_image_is_foreign_under_every_name_of_ours(backend: Backend, engine: DockerEngine) -> None:
    """Its labels are all from the image, so they say nothing of it, although its name fits."""
    image = backend.post("/commit", params={"container": create(engine)}, json={})["Id"]
    for name in (f"{SESSION}..old", f"{SESSION}..new"):
        backend.create_other(name, Image=image)
    engine.perform(RemoveContainer(SESSION, engine.inspect(SESSION).id))
    backend.create_other(SESSION, Image=image)
    seen = engine.observe(ALL)
    assert seen.containers == ()
    assert [(item.name, item.labels) for item in seen.foreign] == [(SESSION, {}), (f"{SESSION}..new", {}), (f"{SESSION}..old", {})]


@real_engines_only
def test_a_container_of_ours_that_runs_from_a_committed_image_is_ours(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    image = backend.post("/commit", params={"container": container}, json={})["Id"]
    engine.perform(RemoveContainer(SESSION, container))
    engine.perform(CreateContainer(SESSION, replace(SPEC, image=image), labels_of(SESSION)))
    assert names(engine) == [SESSION]


@real_engines_only
def test_a_container_of_ours_is_ours_where_its_image_was_committed_over_its_old_name(backend: Backend, engine: DockerEngine) -> None:
    """Spec, digest and all that it is called are those of the container that was committed."""
    backend.post(f"/images/{engine.inspect(create(engine)).image_id}/tag", params={"repo": "ours", "tag": "1"})
    engine.perform(RemoveContainer(SESSION, engine.inspect(SESSION).id))
    engine.perform(CreateContainer(SESSION, replace(SPEC, image="ours:1"), labels_of(SESSION)))
    backend.post("/commit", params={"container": SESSION, "repo": "ours", "tag": "1"}, json={})
    engine.perform(RemoveContainer(SESSION, engine.inspect(SESSION).id))
    engine.perform(CreateContainer(SESSION, replace(SPEC, image="ours:1"), labels_of(SESSION)))
    assert names(engine) == [SESSION]


def test_all_that_is_made_carries_the_repositorys_id_and_is_foreign_to_every_other_one(backend: Backend) -> None:
    ours = backend.engine(repository="a1b2c3d4e5f6", unlabelled=False)
    create(ours)
    ours.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    ours.create_placeholder(lease_name(SITE), labels_of(lease_name(SITE), kind="lease"))
    seen = ours.observe(ALL)
    assert [(item.name, item.labels[LABEL_REPOSITORY]) for item in seen.containers] == [(SESSION, "a1b2c3d4e5f6")]
    assert [(item.name, item.labels[LABEL_REPOSITORY]) for item in seen.networks] == [("net1", "a1b2c3d4e5f6")]
    assert seen.lease is not None
    assert seen.lease.is_ours
    for other in (backend.engine(repository="ffffffffffff", unlabelled=False), backend.engine(repository="ffffffffffff"), backend.engine()):
        strange = other.observe(ALL)
        assert (strange.containers, strange.networks) == ((), ())
        assert strange.lease is not None
        assert not strange.lease.is_ours
        with pytest.raises(ConflictError, match="not ours"):
            other.perform(StartContainer(SESSION))


def test_objects_without_an_id_are_ours_only_where_they_are_adopted(backend: Backend, engine: DockerEngine) -> None:
    create(engine)
    assert names(backend.engine(repository="a1b2c3d4e5f6")) == [SESSION]
    assert names(backend.engine(repository="a1b2c3d4e5f6", unlabelled=False)) == []


def test_objects_without_an_id_are_nobodys_where_another_repository_has_the_sites_records(backend: Backend, engine: DockerEngine) -> None:
    create(engine)
    hand = ledger_name(SITE)
    backend.engine(repository="a1b2c3d4e5f6").create_placeholder(hand, labels_of(hand, kind="ledger"))
    assert names(engine) == []
    assert names(backend.engine(repository="ffffffffffff")) == []
    assert names(backend.engine(repository="a1b2c3d4e5f6")) == [hand, SESSION]


@real_engines_only
@pytest.mark.parametrize(
    ("kind", "words"), [(tarfile.SYMTYPE, "a symbolic link"), (tarfile.DIRTYPE, "a folder"), (tarfile.FIFOTYPE, "a named pipe")]
)
def test_an_entry_of_the_ledger_that_is_no_file_is_an_unknown_attempt_and_not_an_absent_one(
    backend: Backend, kind: bytes, words: str
) -> None:
    engine = backend.engine()
    hand, folder = ledger_name(SITE), backend.folder("odd-ledger")
    engine.create_placeholder(hand, labels_of(hand, kind="ledger"), binds=((folder, LEDGER_MOUNT),))
    engine.write_files(hand, (FileEntry(record_path("run", 1, 2), encode_attempt(Attempt("run", 1, 2, "c", claimed_at="now"))),))
    put_entry(backend, hand, "run.g1a1.json", kind)
    first, second = engine.observe(Wanted(ledger=True)).ledger.attempts
    assert (first.attempt, first.verdict, second.verdict) == (1, "unknown", None)
    assert words in first.cause


def put_entry(backend: Backend, container: str, name: str, kind: bytes) -> None:
    """Somebody puts what is no file among the records."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/hostname" if kind == tarfile.SYMTYPE else ""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(member)
    url = f"{backend.others.base_url}/v1.41/containers/{container}/archive"
    assert backend.others.put(url, params={"path": RECORDS}, data=buffer.getvalue()).ok


def test_a_retired_container_is_still_ours(engine: DockerEngine) -> None:
    engine.perform(RetireContainer(SESSION, create(engine)))
    assert names(engine) == [f"{SESSION}..old"]


def test_a_foreign_container_shows_only_what_it_takes(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    host = {"NetworkMode": "net1", "PortBindings": {"80/tcp": [{"HostPort": "18080"}], "53/udp": [{"HostPort": "15353"}]}}
    networking = {"EndpointsConfig": {"net1": {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}}
    other = backend.run_other("web", host=host, NetworkingConfig=networking, ExposedPorts={"80/tcp": {}, "53/udp": {}, "99/tcp": {}})
    (seen,) = engine.observe(ALL).foreign
    assert (seen.name, seen.id) == ("web", other)
    assert seen.host_ports == ((15353, "udp"), (18080, "tcp"))
    assert seen.addresses == (Attachment("net1", "10.77.0.9"),)


def test_a_stopped_foreign_container_still_claims_its_fixed_address(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    networking = {"EndpointsConfig": {"net1": {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}}
    backend.create_other("web", host={"NetworkMode": "net1"}, NetworkingConfig=networking)
    assert engine.observe(ALL).foreign[0].addresses == (Attachment("net1", "10.77.0.9"),)


def test_networks_are_told_apart_like_containers(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    backend.post("/networks/create", json={"Name": "theirs", "Labels": dict(labels_of("net1"))})
    seen = engine.observe(ALL)
    assert [network.name for network in seen.networks] == ["net1"]
    assert [network.name for network in seen.foreign_networks] == ["bridge", "host", "none", "theirs"]


# --- observing ----------------------------------------------------------------------------------------------


def test_an_image_that_is_not_there_is_told_as_none(engine: DockerEngine) -> None:
    seen = engine.observe(Wanted(images=frozenset({IMAGE, "nobody/nothing:9"})))
    assert seen.images["nobody/nothing:9"] is None
    image = seen.images[IMAGE]
    assert image is not None
    assert image.command != ()
    assert ("PATH", "/bin") in image.env


@real_engines_only
def test_an_image_in_use_is_told_by_its_id_also_when_its_tag_is_gone(backend: Backend, engine: DockerEngine) -> None:
    base = create(engine)
    backend.post("/commit", params={"container": base, "repo": "moving", "tag": "1"}, json={})
    container = create(engine, service_name(SITE, "two"), ContainerSpec(image="moving:1"))
    image_id = engine.inspect(container).image_id
    backend.post("/commit", params={"container": base, "repo": "moving", "tag": "1"}, json={"Env": ["NEWER=1"]})
    seen = engine.observe(Wanted(images=frozenset({"moving:1"})))
    kept, moved = seen.images[image_id], seen.images["moving:1"]
    assert kept is not None
    assert moved is not None
    assert (kept.id, moved.id != image_id) == (image_id, True)


def test_each_container_of_ours_is_inspected_once_and_no_other(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    ours = {create(engine, service_name(SITE, f"s{number}")) for number in range(3)}
    backend.create_other("theirs")
    with Relay(tmp_path / "relay.sock", backend.socket) as relay:
        backend.observer(relay.path).observe(Wanted(images=frozenset({IMAGE})))
    asked = sorted(re.sub(r"^GET (/v[0-9.]+)?", "", request) for request in relay.requests)
    expected = ["/_ping", "/networks", "/containers/json?all=1", f"/images/{IMAGE}/json"]
    assert asked == sorted([*expected, *(f"/containers/{container}/json" for container in ours)])


def test_a_container_that_vanishes_while_we_look_is_left_out(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    kept, gone = create(engine, service_name(SITE, "kept")), create(engine, service_name(SITE, "gone"))

    def remove_it_first(request: str) -> None:
        if request.endswith(f"/containers/{gone}/json"):
            engine.remove(gone)

    with Relay(tmp_path / "relay.sock", backend.socket, remove_it_first) as relay:
        seen = backend.observer(relay.path).observe(ALL)
    assert seen.silence == ""
    assert [container.id for container in seen.containers] == [kept]


def test_the_state_of_a_container_is_told_from_creation_to_its_end(backend: Backend, engine: DockerEngine) -> None:
    create(engine, spec=backend.program(SESSION, exit_code=3))
    before = engine.inspect(SESSION)
    engine.start(SESSION)
    assert engine.wait(SESSION, 20) == 3
    after = engine.inspect(SESSION)
    assert (before.state, before.started_at, before.finished_at) == ("created", "", "")
    assert (after.state, after.exit_code, after.started_at != "", after.finished_at != "") == ("exited", 3, True, True)


def test_live_addresses_are_told_also_where_the_engine_chose_them(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine, spec=replace(SPEC, network="net1", attachments=(Attachment("net1"),)))
    seen = engine.inspect(SESSION)
    assert seen.spec.attachments == (Attachment("net1"),)
    assert seen.addresses == (Attachment("net1", "10.77.0.2"),)


def test_inspect_finds_by_name_and_by_id_whosever_it_is(backend: Backend, engine: DockerEngine) -> None:
    container = backend.create_other("theirs")
    assert engine.inspect("theirs") == engine.inspect(container)
    with pytest.raises(NotFoundError, match="nobody"):
        engine.inspect("nobody")


def test_the_lease_is_told_with_its_holder(engine: DockerEngine) -> None:
    name = lease_name(SITE)
    container = engine.create_placeholder(name, (*labels_of(name, kind="lease"), ("dtnctl.holder", "ann@desk")))
    seen = engine.observe(ALL)
    assert seen.lease is not None
    assert (seen.lease.id, seen.lease.holder) == (container, "ann@desk")
    assert seen.containers == ()


# --- which engine, and what time it is there ----------------------------------------------------------------


def test_two_looks_at_one_engine_show_the_same_identity_by_whatever_way_it_is_reached(
    backend: Backend, engine: DockerEngine, tmp_path: Path
) -> None:
    with Relay(tmp_path / "other-way.sock", backend.socket) as other_way:
        ids = {engine.observe(ALL).engine_id, backend.observer(other_way.path).observe(ALL).engine_id}
    assert len(ids) == 1
    assert len(ids.pop()) == 64


def test_the_engines_clock_is_read_from_the_answer_that_comes_first(engine: DockerEngine) -> None:
    ahead = engine.observe(ALL).clock_ahead
    assert ahead is not None
    assert abs(ahead) <= 60, "it is this machine's own"


def test_the_number_of_cpus_is_asked_for_only_where_it_is_wanted(engine: DockerEngine) -> None:
    assert engine.observe(Wanted(cpus=True)).cpus > 0
    assert engine.observe(Wanted()).cpus == 0


def test_a_clock_that_is_years_ahead_or_behind_is_seen(fake: FakeBackend) -> None:
    for years in (-8, 3):
        fake.world.engine(ENDPOINT).machine.clock_ahead = years * 365 * 86400.0
        observer = fake.observer()
        ahead = observer.observe(ALL).clock_ahead
        observer.close()
        assert ahead is not None
        assert round(ahead / 86400) == years * 365


# --- silence ------------------------------------------------------------------------------------------------


def test_an_endpoint_without_a_socket_is_silent(backend: Backend, tmp_path: Path) -> None:
    seen = backend.observer(tmp_path / "nothing.sock").observe(ALL)
    assert "there is no socket at" in seen.silence


def test_an_endpoint_that_accepts_and_never_answers_is_silent(backend: Backend, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "mute.sock"))
        listener.listen()
        seen = backend.observer(tmp_path / "mute.sock").observe(ALL)
    assert "gave no answer in time" in seen.silence


def test_an_endpoint_that_hangs_up_is_silent(backend: Backend, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "rude.sock"))
        listener.listen()

        def hang_up() -> None:
            for _ in range(2):  # a read is sent once more
                listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        seen = backend.observer(tmp_path / "rude.sock").observe(ALL)
        thread.join()
    assert "cut before the answer came" in seen.silence


def test_an_endpoint_that_falls_silent_half_way_is_unknown_not_half_known(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    create(engine)
    relay = Relay(tmp_path / "relay.sock", backend.socket)

    def cut(request: str) -> None:
        if request.endswith("/json") and "/containers/" in request:
            raise OSError("cut")

    relay._before = cut
    with relay:
        seen = backend.observer(relay.path).observe(ALL)
    assert seen.silence != ""
    assert seen.containers == ()


def test_a_dropped_connection_does_not_fail_a_read(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    create(engine)
    cuts = iter([True])

    def cut_once(request: str) -> None:
        if request.endswith(f"/containers/{SESSION}/json") and next(cuts, False):
            raise OSError("cut")

    with Relay(tmp_path / "relay.sock", backend.socket, cut_once) as relay:
        assert backend.observer(relay.path).inspect(SESSION).name == SESSION


def test_a_dropped_connection_fails_a_write_which_is_not_sent_again(backend: Backend, tmp_path: Path) -> None:
    def cut(request: str) -> None:
        if request.startswith("POST"):
            raise OSError("cut")

    with Relay(tmp_path / "relay.sock", backend.socket, cut) as relay, pytest.raises(UnreachableError, match="cut before the answer came"):
        backend.engine(relay.path).create_container(SESSION, SPEC, labels_of(SESSION))
    assert sum(request.startswith("POST") for request in relay.requests) == 1


# --- creating, starting, stopping ---------------------------------------------------------------------------


def test_creating_twice_is_creating_once(engine: DockerEngine) -> None:
    first = create(engine)
    assert create(engine) == first
    assert engine.inspect(first).state == "created"


def test_creating_over_a_foreign_container_is_a_conflict(backend: Backend, engine: DockerEngine) -> None:
    other = backend.create_other(SESSION)
    with pytest.raises(ConflictError, match="already in use"):
        create(engine)
    assert engine.inspect(SESSION).id == other


def test_creating_over_one_that_ran_is_a_conflict(engine: DockerEngine) -> None:
    running(engine)
    with pytest.raises(ConflictError):
        create(engine)


def test_creating_over_one_of_another_spec_is_a_conflict(engine: DockerEngine) -> None:
    create(engine)
    with pytest.raises(ConflictError):
        engine.perform(CreateContainer(SESSION, SPEC, labels_of(SESSION, spec="digest-2")))


def test_creating_from_an_image_that_is_not_there_says_so(engine: DockerEngine) -> None:
    with pytest.raises(NotFoundError, match="nobody/nothing"):
        create(engine, spec=ContainerSpec(image="nobody/nothing:9"))


def test_starting_twice_is_starting_once(engine: DockerEngine) -> None:
    running(engine)
    before = engine.inspect(SESSION)
    engine.perform(StartContainer(SESSION))
    engine.start(SESSION)
    assert engine.inspect(SESSION) == before
    assert before.state == "running"


def test_a_namesake_of_somebody_else_is_not_started(backend: Backend, engine: DockerEngine) -> None:
    backend.create_other(SESSION)
    with pytest.raises(ConflictError, match="not ours"):
        engine.perform(StartContainer(SESSION))
    assert engine.inspect(SESSION).state == "created"


def test_a_port_that_is_taken_is_a_conflict_at_the_start(backend: Backend, engine: DockerEngine) -> None:
    host = {"PortBindings": {"80/tcp": [{"HostPort": "18080"}]}}
    backend.run_other("web", host=host, ExposedPorts={"80/tcp": {}})
    create(engine, spec=replace(SPEC, ports=(PortBinding(18080, 80),)))
    with pytest.raises(ConflictError, match="18080"):
        engine.perform(StartContainer(SESSION))
    assert engine.inspect(SESSION).state == "created"


def test_stopping_twice_is_stopping_once(backend: Backend, engine: DockerEngine) -> None:
    container = running(engine, spec=backend.program(SESSION))
    for _ in range(2):
        engine.perform(StopContainer(SESSION, container, 10))
    assert engine.inspect(container).state == "exited"


def test_stopping_what_is_gone_is_success(engine: DockerEngine) -> None:
    container = create(engine)
    engine.remove(container)
    engine.perform(StopContainer(SESSION, container, 1))
    assert not is_there(engine, container)


def test_stopping_by_id_leaves_the_namesake_running(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    engine.remove(container)
    backend.run_other(SESSION)
    engine.perform(StopContainer(SESSION, container, 1))
    assert engine.inspect(SESSION).state == "running"


# --- retire, restore, remove --------------------------------------------------------------------------------


def test_retiring_twice_is_retiring_once(engine: DockerEngine) -> None:
    container = create(engine)
    for _ in range(2):
        engine.perform(RetireContainer(SESSION, container))
    assert engine.inspect(container).name == f"{SESSION}..old"


def test_retiring_over_a_taken_name_is_a_conflict(backend: Backend, engine: DockerEngine) -> None:
    backend.create_other(f"{SESSION}..old")
    with pytest.raises(ConflictError):
        engine.perform(RetireContainer(SESSION, create(engine)))


def test_restoring_brings_the_old_one_back_and_removes_the_replacement(backend: Backend, engine: DockerEngine) -> None:
    old = running(engine, spec=backend.program(SESSION))
    engine.perform(StopContainer(SESSION, old, 10))
    engine.perform(RetireContainer(SESSION, old))
    replacement = running(engine, spec=backend.program(SESSION))
    for _ in range(2):
        engine.perform(RestoreContainer(SESSION, old, start=True))
    seen = engine.inspect(SESSION)
    assert (seen.id, seen.state) == (old, "running")
    assert not is_there(engine, replacement)


def test_a_prepared_container_is_ours_and_takes_nothing_before_it_is_started(backend: Backend, engine: DockerEngine) -> None:
    """The same published port and the same fixed addresses, also on a network that is connected later."""
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    other = NetworkSpec("bridge", subnets=(Subnet("10.78.0.0/24", "10.78.0.1"),))
    engine.perform(CreateNetwork("net2", other, labels_of("net2", kind="network")))
    first, second = Attachment("net1", "10.77.0.9"), Attachment("net2", "10.78.0.9")
    spec = replace(backend.program(SESSION), network="net1", attachments=(first, second), ports=(PortBinding(18081, 80),))
    prepared = f"{SESSION}..new"
    old = create(engine, spec=spec)
    engine.perform(ConnectNetwork(SESSION, second))
    engine.perform(StartContainer(SESSION))
    for _ in range(2):
        engine.perform(CreateContainer(prepared, spec, labels_of(SESSION)))
        engine.perform(ConnectNetwork(prepared, second))
    new = engine.inspect(prepared).id
    assert names(engine) == [SESSION, prepared]
    assert engine.inspect(SESSION).state == "running"
    engine.perform(StopContainer(SESSION, old, 1))
    engine.perform(RetireContainer(SESSION, old))
    for _ in range(2):
        engine.perform(PromoteContainer(SESSION))
    engine.perform(StartContainer(SESSION))
    seen = engine.inspect(SESSION)
    assert (seen.id, seen.state, seen.addresses) == (new, "running", (first, second))
    with pytest.raises(NotFoundError):
        engine.perform(PromoteContainer(SESSION))


def test_what_is_refused_at_creation_leaves_the_old_one_running_and_can_be_discarded(backend: Backend, engine: DockerEngine) -> None:
    old = running(engine, spec=backend.program(SESSION))
    prepared = f"{SESSION}..new"
    with pytest.raises(EngineError):
        engine.perform(CreateContainer(prepared, replace(SPEC, cpus=5000.0), labels_of(SESSION)))
    engine.perform(DiscardContainer(prepared))
    engine.perform(CreateContainer(prepared, SPEC, labels_of(SESSION)))
    for _ in range(2):
        engine.perform(DiscardContainer(prepared))
    assert names(engine) == [SESSION]
    assert (engine.inspect(SESSION).id, engine.inspect(SESSION).state) == (old, "running")


def test_a_prepared_name_that_somebody_else_holds_is_neither_promoted_nor_discarded(backend: Backend, engine: DockerEngine) -> None:
    prepared = f"{SESSION}..new"
    other = backend.create_other(prepared)
    for action in (PromoteContainer(SESSION), DiscardContainer(prepared)):
        with pytest.raises(ConflictError):
            engine.perform(action)
    assert engine.inspect(prepared).id == other


def test_restoring_before_the_new_one_has_the_name_removes_the_prepared_one(backend: Backend, engine: DockerEngine) -> None:
    old = running(engine, spec=backend.program(SESSION))
    engine.perform(CreateContainer(f"{SESSION}..new", SPEC, labels_of(SESSION)))
    engine.perform(StopContainer(SESSION, old, 10))
    engine.perform(RetireContainer(SESSION, old))
    engine.perform(RestoreContainer(SESSION, old, start=True))
    assert names(engine) == [SESSION]
    assert (engine.inspect(SESSION).id, engine.inspect(SESSION).state) == (old, "running")


def test_restoring_starts_one_that_was_only_stopped(engine: DockerEngine, backend: Backend) -> None:
    old = running(engine, spec=backend.program(SESSION))
    engine.perform(StopContainer(SESSION, old, 10))
    engine.perform(RestoreContainer(SESSION, old, start=True))
    seen = engine.inspect(SESSION)
    assert (seen.id, seen.state) == (old, "running")


def test_restoring_does_not_start_one_that_did_not_run(engine: DockerEngine) -> None:
    old = create(engine)
    engine.perform(RetireContainer(SESSION, old))
    engine.perform(RestoreContainer(SESSION, old, start=False))
    seen = engine.inspect(SESSION)
    assert (seen.id, seen.state) == (old, "created")


def test_restoring_leaves_a_foreign_namesake_alone(backend: Backend, engine: DockerEngine) -> None:
    old = create(engine)
    engine.perform(RetireContainer(SESSION, old))
    other = backend.create_other(SESSION)
    with pytest.raises(ConflictError, match="not ours"):
        engine.perform(RestoreContainer(SESSION, old, start=True))
    assert (engine.inspect(SESSION).id, engine.inspect(old).state) == (other, "created")


def test_without_the_old_one_restoring_keeps_the_replacement(engine: DockerEngine) -> None:
    old = create(engine)
    engine.remove(old)
    replacement = create(engine)
    with pytest.raises(NotFoundError):
        engine.perform(RestoreContainer(SESSION, old, start=True))
    assert engine.inspect(SESSION).id == replacement


def test_removing_twice_is_removing_once_also_when_it_runs(engine: DockerEngine) -> None:
    container = running(engine)
    for _ in range(2):
        engine.perform(RemoveContainer(SESSION, container))
    assert not is_there(engine, container)


def test_removing_by_id_leaves_the_namesake(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    engine.remove(container)
    other = backend.create_other(SESSION)
    engine.perform(RemoveContainer(SESSION, container))
    engine.remove(container)
    assert engine.inspect(SESSION).id == other


def test_a_running_container_is_removed_only_by_force(engine: DockerEngine) -> None:
    container = running(engine)
    with pytest.raises(ConflictError, match="running"):
        engine.remove(container)
    engine.remove(container, force=True)
    assert not is_there(engine, container)


@real_engines_only
def test_removal_keeps_named_volumes_and_takes_the_nameless_along(backend: Backend, engine: DockerEngine) -> None:
    backend.post("/volumes/create", json={"Name": "kept"})
    mounts = [{"Type": "volume", "Source": "kept", "Target": "/kept"}, {"Type": "volume", "Target": "/nameless"}]
    container = backend.create_other("web", host={"Mounts": mounts})
    engine.remove(container)
    assert [volume["Name"] for volume in backend.others.volumes()["Volumes"]] == ["kept"]


def test_a_volume_is_seen_as_it_is_whoever_made_it(backend: Backend, engine: DockerEngine) -> None:
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    backend.post("/volumes/create", json={"Name": "kept", "DriverOpts": options})
    seen = engine.observe(Wanted(volumes=frozenset({"kept", "gone"}))).volumes
    assert seen == {"kept": VolumeSeen("kept", "local", tuple(sorted(options.items())))}
    assert not seen["kept"].is_ours


def test_a_container_is_not_created_over_a_volume_that_is_there_otherwise(backend: Backend, engine: DockerEngine) -> None:
    """An engine would take it as it is: here a folder of the host, made between the plan and the step."""
    backend.post("/volumes/create", json={"Name": "taken", "DriverOpts": {"type": "none", "device": "/etc", "o": "bind"}})
    plain = replace(SPEC, mounts=(Mount("/x", "volume", "taken"),))
    with pytest.raises(ConflictError, match="a volume taken is there that is not as declared"):
        create(engine, spec=plain)
    assert names(engine) == []


def test_volumes_are_made_with_the_options_that_are_declared(backend: Backend, engine: DockerEngine) -> None:
    options = (("device", "tmpfs"), ("o", "size=1m"), ("type", "tmpfs"))
    mounts = (Mount("/x", "volume", "fresh", driver_opts=options), Mount("/y", "volume", "plain"))
    create(engine, spec=replace(SPEC, mounts=mounts))
    create(engine, spec=replace(SPEC, mounts=mounts))
    seen = engine.observe(Wanted(volumes=frozenset({"fresh", "plain"}))).volumes
    assert seen == {"fresh": VolumeSeen("fresh", "local", options), "plain": VolumeSeen("plain")}
    assert all(volume.is_ours for volume in seen.values())


@real_engines_only
def test_a_volume_of_another_site_or_repository_is_not_ours_and_stays_so(backend: Backend, engine: DockerEngine) -> None:
    """An engine keeps the labels of a volume that is there, and so its first owner."""
    create(engine, spec=replace(SPEC, mounts=(Mount("/x", "volume", "fresh"),)))
    (made,) = backend.others.volumes()["Volumes"]
    for number, odd in enumerate(({LABEL_SITE: "other"}, {LABEL_SITE: ""}, {LABEL_REPOSITORY: "another"})):
        backend.post("/volumes/create", json={"Name": f"v{number}", "Labels": made["Labels"] | odd})
        create(engine, name=f"{SESSION}{number}", spec=replace(SPEC, mounts=(Mount("/x", "volume", f"v{number}"),)))
        assert not engine.observe(Wanted(volumes=frozenset({f"v{number}"}))).volumes[f"v{number}"].is_ours


# --- changes in place ---------------------------------------------------------------------------------------


@real_engines_only
@pytest.mark.parametrize(
    ("update", "changed"),
    [
        (UpdateContainer(SESSION, memory=64 * 2**20), {"memory": 64 * 2**20}),
        (UpdateContainer(SESSION, memory=16 * 2**20), {"memory": 16 * 2**20}),
        (UpdateContainer(SESSION, cpus=0.25), {"cpus": 0.25}),
        (UpdateContainer(SESSION, cpu_set="1"), {"cpu_set": "1"}),
        (UpdateContainer(SESSION, memory_nodes="0"), {"memory_nodes": "0"}),
        (UpdateContainer(SESSION, restart="on-failure:4"), {"restart": "on-failure:4"}),
        (
            UpdateContainer(SESSION, memory=64 * 2**20, cpus=0.25, cpu_set="0", restart="always"),
            {"memory": 64 * 2**20, "cpus": 0.25, "cpu_set": "0", "restart": "always"},
        ),
    ],
    ids=["more memory", "less memory", "cpus", "cpu_set", "memory_nodes", "restart", "all at once"],
)
def test_limits_change_in_the_running_container(engine: DockerEngine, update: UpdateContainer, changed: dict[str, object]) -> None:
    running(engine, spec=replace(SPEC, memory=32 * 2**20, cpus=0.5, cpu_set="0-1"))
    before = engine.inspect(SESSION)
    for _ in range(2):
        engine.perform(update)
    after = engine.inspect(SESSION)
    assert after == replace(before, spec=replace(before.spec, **changed))  # type: ignore[arg-type]  # names of fields


def test_a_limit_is_not_lifted_by_an_update_that_would_do_nothing(engine: DockerEngine) -> None:
    running(engine, spec=replace(SPEC, memory=32 * 2**20))
    with pytest.raises(EngineError, match="cannot lift the limit memory"):
        engine.perform(UpdateContainer(SESSION, memory=0))
    assert engine.inspect(SESSION).spec.memory == 32 * 2**20


def test_a_namesake_of_somebody_else_is_not_updated(backend: Backend, engine: DockerEngine) -> None:
    backend.create_other(SESSION)
    with pytest.raises(ConflictError, match="not ours"):
        engine.perform(UpdateContainer(SESSION, restart="always"))
    assert engine.inspect(SESSION).spec.restart == "no"


# --- networks -----------------------------------------------------------------------------------------------


def test_creating_a_network_twice_is_creating_it_once(engine: DockerEngine) -> None:
    for _ in range(2):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (seen,) = engine.observe(ALL).networks
    assert seen.spec == NETWORK


def test_a_network_of_somebody_else_is_not_taken_over(backend: Backend, engine: DockerEngine) -> None:
    backend.post("/networks/create", json={"Name": "net1"})
    with pytest.raises(ConflictError, match="net1"):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    assert engine.observe(ALL).networks == ()


def test_a_network_of_another_spec_is_a_conflict(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    with pytest.raises(ConflictError):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network", spec="digest-2")))


def test_addresses_of_another_network_are_refused_with_its_name(backend: Backend, engine: DockerEngine) -> None:
    backend.post("/networks/create", json={"Name": "theirs", "IPAM": {"Config": [{"Subnet": "10.77.0.128/25"}]}})
    with pytest.raises(EngineError, match=r"Pool overlaps.*: theirs has addresses of net1"):
        engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))


def test_addresses_that_the_engine_holds_for_what_it_does_not_show_are_waited_for(
    fake: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performing, "UNSEEN_POLL", 0.01)
    held = "Pool overlaps with other one on this address space"
    fake.world.plan_faults(*(Fault("status", match="POST /networks/create", nth=nth, status=403, message=held) for nth in (1, 2)))
    engine = fake.engine()
    action = CreateNetwork("net1", NETWORK, labels_of("net1", kind="network"))
    engine.perform(action)
    assert [network.name for network in engine.observe(ALL).networks] == ["net1"]
    fake.world.plan_faults(Fault("status", match="POST /networks/create", nth=0, status=403, message=held))
    monkeypatch.setattr(performing, "UNSEEN_SECONDS", 0.05)
    with pytest.raises(EngineError, match=f"{held}: no network that it shows has addresses of net1"):
        engine.perform(action)


def test_removing_a_network_twice_is_removing_it_once(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (seen,) = engine.observe(ALL).networks
    for _ in range(2):
        engine.perform(RemoveNetwork("net1", seen.id))
    assert engine.observe(ALL).networks == ()


def test_a_network_in_use_is_not_removed(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine, spec=replace(SPEC, network="net1", attachments=(Attachment("net1"),)))
    (seen,) = engine.observe(ALL).networks
    with pytest.raises(ConflictError, match="active endpoints"):
        engine.perform(RemoveNetwork("net1", seen.id))


@pytest.mark.parametrize("is_running", [False, True])
def test_connecting_twice_is_connecting_once(engine: DockerEngine, is_running: bool) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    (running if is_running else create)(engine, spec=replace(SPEC, attachments=(Attachment("bridge"),)))
    for _ in range(2):
        engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.9")))
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"), Attachment("net1", "10.77.0.9"))


def test_connecting_at_another_address_while_it_runs_is_a_conflict(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine)
    engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.9")))
    with pytest.raises(ConflictError):
        engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.10")))


def test_an_address_that_is_taken_is_a_conflict(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    networking = {"EndpointsConfig": {"net1": {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}}
    backend.run_other("web", host={"NetworkMode": "net1"}, NetworkingConfig=networking)
    running(engine)
    with pytest.raises(ConflictError, match=r"(?i)address already in use"):
        engine.perform(ConnectNetwork(SESSION, Attachment("net1", "10.77.0.9")))


@real_engines_only
def test_disconnecting_twice_is_disconnecting_once(engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    running(engine)
    engine.perform(ConnectNetwork(SESSION, Attachment("net1")))
    for _ in range(2):
        engine.perform(DisconnectNetwork(SESSION, "net1"))
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"),)


def test_disconnecting_what_is_gone_is_success(engine: DockerEngine) -> None:
    engine.perform(DisconnectNetwork(SESSION, "net1"))
    create(engine)
    engine.perform(DisconnectNetwork(SESSION, "net1"))
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"),)


def test_a_namesake_of_somebody_else_is_not_connected(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    backend.create_other(SESSION)
    for action in (ConnectNetwork(SESSION, Attachment("net1")), DisconnectNetwork(SESSION, "bridge")):
        with pytest.raises(ConflictError, match="not ours"):
            engine.perform(action)
    assert engine.inspect(SESSION).spec.attachments == (Attachment("bridge"),)


# --- images -------------------------------------------------------------------------------------------------


def test_an_image_is_pulled_with_the_login_of_its_registry(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    image = backend.pullable(monkeypatch)
    engine = backend.engine(registries=image.registries)
    for _ in range(2):
        engine.perform(PullImage(image.reference))
    pinned = f"{image.reference}@{image.digest}"
    engine.perform(PullImage(pinned))
    seen = engine.observe(Wanted(images=frozenset({image.reference, pinned}), remote_images=frozenset({image.reference})))
    by_tag = seen.images[image.reference]
    assert by_tag is not None
    assert any(digest.endswith(image.digest) for digest in by_tag.digests)
    assert by_tag == seen.images[pinned]
    assert seen.remote_digests == {image.reference: image.digest}


def test_without_the_login_neither_the_image_nor_its_digest_is_told(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    image = backend.pullable(monkeypatch)
    engine = backend.engine()
    with pytest.raises(EngineError, match="cannot pull"):
        engine.perform(PullImage(image.reference))
    seen = engine.observe(Wanted(remote_images=frozenset({image.reference})))
    assert (seen.silence, seen.remote_digests) == ("", {image.reference: ""})


def test_an_image_that_the_registry_does_not_have_is_an_error(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    image = backend.pullable(monkeypatch)
    missing = image.reference.replace("tool", "missing")
    with pytest.raises(EngineError, match=f"cannot pull {missing}") as caught:
        backend.engine(registries=image.registries).perform(PullImage(missing))
    assert LOGIN.password not in repr(caught.value)


# --- hands --------------------------------------------------------------------------------------------------


def test_of_eight_who_ask_at_once_exactly_one_gets_the_hand(backend: Backend) -> None:
    engines = [backend.engine() for _ in range(8)]
    start = threading.Barrier(len(engines))

    def ask(engine: DockerEngine) -> str:
        start.wait()
        try:
            return engine.create_placeholder("lock", labels_of("lock", kind="lease"))
        except ConflictError:
            return ""

    with ThreadPoolExecutor(len(engines)) as pool:
        answers = list(pool.map(ask, engines))
    (winner,) = filter(None, answers)
    assert engines[0].inspect("lock").id == winner


def test_the_empty_image_is_made_when_it_is_missing(engine: DockerEngine) -> None:
    reference = ":".join(EMPTY_IMAGE)
    assert engine.observe(Wanted(images=frozenset({reference}))).images == {reference: None}
    engine.create_placeholder("lock", ())
    assert engine.observe(Wanted(images=frozenset({reference}))).images[reference] is not None


def test_a_hand_takes_and_gives_files_and_never_runs(engine: DockerEngine) -> None:
    hand = engine.create_placeholder("hand", labels_of("hand", kind="lease"))
    engine.write_files(hand, (FileEntry("/lease/beat", b"1"), FileEntry("/lease/deep/er", b"2")))
    engine.write_files(hand, (FileEntry("/lease/beat", b"3"),))
    assert engine.read_files(hand, "/lease/beat") == {"/lease/beat": b"3"}
    assert engine.read_files(hand, "/lease") == {"/lease/beat": b"3", "/lease/deep/er": b"2"}
    assert engine.file_size(hand, "/lease/beat") == 1
    assert [engine.file_size(*asked) for asked in ((hand, "/lease/deep"), (hand, "/lease/none"), ("nobody", "/lease/beat"))] == [None] * 3
    assert engine.inspect(hand).started_at == ""


@real_engines_only
def test_the_ledger_outlives_its_container_and_every_prune(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    name, folder = ledger_name(SITE), backend.folder(tmp_path.name)
    wanted = Wanted(ledger=True)
    record = Attempt("sc20", 1, 1, "abc", "2026-01-01T00:00:00Z", verdict="succeeded", bytes=5)
    assert engine.observe(wanted).ledger == LedgerSeen(readable=False)
    engine.create_placeholder(name, labels_of(name, kind="ledger"), binds=((folder, "/ledger"),))
    assert engine.observe(wanted).ledger == LedgerSeen(readable=True)
    engine.write_files(name, (FileEntry(record_path("sc20", 1, 1), encode_attempt(record)),))
    assert engine.observe(wanted).ledger == LedgerSeen(True, (record,))
    backend.post("/containers/prune")
    backend.post("/volumes/prune")
    assert engine.observe(wanted).ledger == LedgerSeen(readable=False)
    engine.create_placeholder(name, labels_of(name, kind="ledger"), binds=((folder, "/ledger"),))
    assert engine.observe(wanted).ledger == LedgerSeen(True, (record,))


def test_a_foreign_container_with_the_ledgers_name_is_not_read(backend: Backend, engine: DockerEngine) -> None:
    other = backend.create_other(ledger_name(SITE))
    engine.write_files(other, (FileEntry(f"{RECORDS}/sc20.g1a1.json", json.dumps({"transfer": "sc20"}).encode()),))
    assert engine.observe(Wanted(ledger=True)).ledger == LedgerSeen(readable=False)


# --- files, logs, commands, ends ----------------------------------------------------------------------------


def test_files_have_the_owner_and_mode_asked_for_and_so_have_new_folders(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    engine.write_files(container, (FileEntry("/home/ann/.ssh/id", b"key", mode=0o600, uid=1000, gid=1001, folder_mode=0o700),))
    _, stat = backend.others.get_archive(container, "/home/ann/.ssh/id")
    assert stat["mode"] & 0o777 == 0o600
    assert owners(backend, container, "/home/ann") == {
        "ann": (1000, 1001, 0o700),
        "ann/.ssh": (1000, 1001, 0o700),
        "ann/.ssh/id": (1000, 1001, 0o600),
    }


def test_folders_that_exist_keep_their_owner_and_mode(backend: Backend, engine: DockerEngine) -> None:
    container = create(engine)
    engine.write_files(container, (FileEntry("/keep/a", b"", folder_mode=0o711),))
    engine.write_files(container, (FileEntry("/keep/b", b"", uid=7, gid=7, folder_mode=0o700),))
    assert owners(backend, container, "/keep") == {"keep": (0, 0, 0o711), "keep/a": (0, 0, 0o644), "keep/b": (7, 7, 0o644)}


def owners(backend: Backend, container: str, path: str) -> dict[str, tuple[int, int, int]]:
    import io
    import tarfile

    chunks, _ = backend.others.get_archive(container, path)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        return {member.name.rstrip("/"): (member.uid, member.gid, member.mode & 0o777) for member in tar}


def test_writing_no_files_is_nothing(engine: DockerEngine) -> None:
    engine.write_files("nobody", ())


def test_reading_a_file_that_is_not_there_says_so(engine: DockerEngine) -> None:
    container = create(engine)
    with pytest.raises(NotFoundError, match="/nothing"):
        engine.read_files(container, "/nothing")
    with pytest.raises(NotFoundError):
        engine.read_files("nobody", "/")


@pytest.mark.parametrize("tty", [False, True], ids=["two streams", "terminal"])
def test_logs_are_what_was_written(backend: Backend, engine: DockerEngine, tty: bool) -> None:
    spec = backend.program(SESSION, stdout="one\ntwo\n", exit_code=0)
    running(engine, spec=replace(spec, tty=tty))
    engine.wait(SESSION, 20)
    text = b"".join(backend.observer().logs(SESSION)).replace(b"\r\n", b"\n")
    assert text == b"one\ntwo\n"
    assert b"".join(engine.logs(SESSION, tail=1)).replace(b"\r\n", b"\n") == b"two\n"


def test_logs_hold_both_streams(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION, stdout="out\n", stderr="err\n", exit_code=0))
    engine.wait(SESSION, 20)
    assert sorted(b"".join(engine.logs(SESSION)).splitlines()) == [b"err", b"out"]


def test_followed_logs_end_when_the_container_does(backend: Backend, engine: DockerEngine) -> None:
    container = running(engine, spec=backend.program(SESSION, stdout="begun\n"))
    lines = engine.logs(SESSION, follow=True)
    assert next(lines) == b"begun\n"
    engine.stop(container, 10)
    assert list(lines) == []


def test_logs_of_nobody_are_an_error_at_once(engine: DockerEngine) -> None:
    with pytest.raises(NotFoundError):
        engine.logs("nobody")


def test_a_command_gives_its_output_and_its_code(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION))
    said = engine.run(SESSION, ("echo", "hello", "there"))
    assert (said.exit_code, said.stdout, said.stderr) == (0, b"hello there\n", b"")
    failed = engine.run(SESSION, ("cat", "/nothing"), user="root")
    assert (failed.exit_code, failed.stdout) == (1, b"")
    assert b"/nothing" in failed.stderr


def test_a_command_that_is_not_there_gives_126_or_127(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION))
    assert engine.run(SESSION, ("no-such-program",)).exit_code in (126, 127)


def test_a_command_in_a_container_that_does_not_run_is_a_conflict(engine: DockerEngine) -> None:
    create(engine)
    with pytest.raises(ConflictError, match="not running"):
        engine.run(SESSION, ("true",))


def test_a_large_output_comes_whole(backend: Backend, engine: DockerEngine) -> None:
    content = bytes(range(32, 127)) * 20_000
    running(engine, spec=backend.program(SESSION))
    engine.write_files(SESSION, (FileEntry("/big", content),))
    assert engine.run(SESSION, ("cat", "/big")).stdout == content


def test_waiting_gives_up_after_its_time(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION))
    assert engine.wait(SESSION, 0.2) is None


def test_waiting_for_one_that_ended_gives_its_code_at_once(backend: Backend, engine: DockerEngine) -> None:
    running(engine, spec=backend.program(SESSION, exit_code=7))
    assert [engine.wait(SESSION, 20) for _ in range(2)] == [7, 7]


def test_waiting_for_one_that_never_ran_is_no_success(engine: DockerEngine) -> None:
    create(engine)
    with pytest.raises(ConflictError, match="never started"):
        engine.wait(SESSION, 1)


# --- what a provider will not do ----------------------------------------------------------------------------


WRITES: tuple[Callable[[DockerEngine], object], ...] = (
    lambda engine: engine.perform(CreateContainer("new", SPEC, ())),
    lambda engine: engine.perform(CreateNetwork("new", NETWORK, ())),
    lambda engine: engine.perform(PullImage(IMAGE)),
    lambda engine: engine.perform(StartContainer(SESSION)),
    lambda engine: engine.perform(UpdateContainer(SESSION, restart="always")),
    lambda engine: engine.perform(RetireContainer(SESSION, engine.inspect(SESSION).id)),
    lambda engine: engine.perform(RestoreContainer("other", engine.inspect(SESSION).id, start=True)),
    lambda engine: engine.perform(RemoveContainer(SESSION, engine.inspect(SESSION).id)),
    lambda engine: engine.perform(ConnectNetwork(SESSION, Attachment("none"))),
    lambda engine: engine.perform(DisconnectNetwork(SESSION, "bridge")),
    lambda engine: engine.create_container("new", SPEC, ()),
    lambda engine: engine.create_placeholder("new", ()),
    lambda engine: engine.start(SESSION),
    lambda engine: engine.stop(SESSION, 1),
    lambda engine: engine.remove(SESSION, force=True),
    lambda engine: engine.write_files(SESSION, (FileEntry("/x", b""),)),
    lambda engine: engine.run(SESSION, ("true",)),
)


@pytest.mark.parametrize("write", WRITES, ids=range(len(WRITES)))
def test_a_client_that_only_reads_sends_no_write_whoever_asks(
    backend: Backend, engine: DockerEngine, tmp_path: Path, write: Callable[[DockerEngine], object]
) -> None:
    create(engine)
    before = engine.observe(ALL)
    with Relay(tmp_path / "relay.sock", backend.socket) as relay:
        observer = backend.observer(relay.path)
        # An engine's methods over an observer's connection: what a bug in our own code would amount to.
        disguised = DockerEngine(observer._access)
        disguised.reads_only = True
        with pytest.raises(EngineError, match="only reads"):
            write(disguised)
        disguised.close()
    assert {request.partition(" ")[0] for request in relay.requests} <= {"GET", "HEAD"}
    assert engine.observe(ALL) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "post"])
def test_no_method_but_get_and_head_passes_the_reading_client(backend: Backend, tmp_path: Path, method: str) -> None:
    with Relay(tmp_path / "relay.sock", backend.socket) as relay:
        client = backend.observer(relay.path)._connected().client.sdk()
        with pytest.raises(EngineError, match="only reads"):
            client.request(method, f"{client.base_url}/v1.41/containers/prune")
    assert relay.requests == ["GET /_ping"]


def test_every_call_of_the_sdk_that_writes_is_refused_by_the_reading_client(backend: Backend) -> None:
    client = backend.observer()._connected().client.sdk()
    for write in (
        lambda: client.remove_container("x"),
        lambda: client.create_container_from_config({}, "x"),
        lambda: client.put_archive("x", "/", b""),
        client.prune_containers,
        lambda: client.pull("x"),
        lambda: client.exec_create("x", "true"),
    ):
        with pytest.raises(EngineError, match="only reads"):
            write()


def test_several_threads_share_one_provider(backend: Backend, engine: DockerEngine) -> None:
    sessions = [service_name(SITE, f"s{number}") for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: running(engine, name), sessions))
        seen = list(pool.map(lambda _: engine.observe(ALL), range(4)))
    assert all([item.name for item in one.containers] == sorted(sessions) for one in seen)
    assert seen[0].name == ENDPOINT
