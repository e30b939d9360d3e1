"""The contract of a provider, on real engines; the in-memory one keeps it as far as other tests use it."""

from __future__ import annotations

import io
import re
import socket
import tarfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dtnctl.errors import ConflictError, NotFoundError, UnreachableError
from dtnctl.model.actions import CreateContainer, CreateNetwork, RemoveContainer, RetireContainer, StartContainer
from dtnctl.model.ledger import LEDGER_MOUNT, RECORDS, Attempt, encode_attempt, record_path
from dtnctl.model.resources import (
    LABEL_REPOSITORY,
    LABEL_SITE,
    Attachment,
    ContainerSpec,
    Wanted,
    lease_name,
    ledger_name,
    service_name,
)
from dtnctl.providers.base import FileEntry
from dtnctl.providers.docker.engine import DockerEngine
from tests.engine_choice import asked_directly, every_engine, podman_too, real_engines_only
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, SITE, Backend, FakeBackend, labels_of
from tests.providers.contract import ALL, NETWORK, SPEC, create, names, running
from tests.providers.relay import Relay

pytestmark = every_engine


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


@podman_too
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
    backend.needs("addresses of the stopped")
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    networking = {"EndpointsConfig": {"net1": {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}}
    backend.create_other("web", host={"NetworkMode": "net1"}, NetworkingConfig=networking)
    assert engine.observe(ALL).foreign[0].addresses == (Attachment("net1", "10.77.0.9"),)


def test_networks_are_told_apart_like_containers(backend: Backend, engine: DockerEngine) -> None:
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    backend.post("/networks/create", json={"Name": "theirs", "Labels": dict(labels_of("net1"))})
    seen = engine.observe(ALL)
    assert [network.name for network in seen.networks] == ["net1"]
    not_networks = {"host", "none"}  # Podman lists none of these
    assert [network.name for network in seen.foreign_networks if network.name not in not_networks] == ["bridge", "theirs"]


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
    once = {"Docker": (["/_ping", "/networks"], ""), "Podman": (["/_ping", "/info", "/libpod/networks/json"], "/libpod")}
    first, own = once[backend.kind]
    inspected = (f"{own}/containers/{container}/json" for container in ours)
    expected = [*first, "/containers/json?all=1", f"{own}/images/{IMAGE}/json", *inspected]
    assert asked == sorted(expected)


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


@podman_too
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
    backend.needs("identity")
    with Relay(tmp_path / "other-way.sock", backend.socket) as other_way:
        ids = {engine.observe(ALL).engine_id, backend.observer(other_way.path).observe(ALL).engine_id}
    assert len(ids) == 1
    assert len(ids.pop()) == 64


@podman_too
def test_identity_of_an_engine_is_the_same_by_whatever_way_it_is_reached(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    with Relay(tmp_path / "other-way.sock", backend.socket) as other_way:
        ids = {engine.observe(ALL).identity, backend.observer(other_way.path).observe(ALL).identity}
    assert len(ids) == 1
    assert ids != {""}


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


@asked_directly
def test_an_endpoint_without_a_socket_is_silent(backend: Backend, tmp_path: Path) -> None:
    seen = backend.observer(tmp_path / "nothing.sock").observe(ALL)
    assert "there is no socket at" in seen.silence


def test_an_endpoint_that_accepts_and_never_answers_is_silent(backend: Backend, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "mute.sock"))
        listener.listen()
        seen = backend.observer(tmp_path / "mute.sock").observe(ALL)
    assert "gave no answer in time" in seen.silence


@asked_directly
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


@asked_directly
def test_a_dropped_connection_does_not_fail_a_read(backend: Backend, engine: DockerEngine, tmp_path: Path) -> None:
    create(engine)
    cuts = iter([True])

    def cut_once(request: str) -> None:
        if request.endswith(f"/containers/{SESSION}/json") and next(cuts, False):
            raise OSError("cut")

    with Relay(tmp_path / "relay.sock", backend.socket, cut_once) as relay:
        assert backend.observer(relay.path).inspect(SESSION).name == SESSION


@asked_directly
def test_a_dropped_connection_fails_a_write_which_is_not_sent_again(backend: Backend, tmp_path: Path) -> None:
    def cut(request: str) -> None:
        if request.startswith("POST"):
            raise OSError("cut")

    with Relay(tmp_path / "relay.sock", backend.socket, cut) as relay, pytest.raises(UnreachableError, match="cut before the answer came"):
        backend.engine(relay.path).create_container(SESSION, SPEC, labels_of(SESSION))
    assert sum(request.startswith("POST") for request in relay.requests) == 1
