"""The contract of a provider for containers: create, start, stop, retire, restore, remove, and limits that change in place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.errors import ConflictError, EngineError, HealthTimeoutError, NotFoundError
from dtnctl.model.actions import (
    ConnectNetwork,
    CreateContainer,
    CreateNetwork,
    DiscardContainer,
    PromoteContainer,
    RemoveContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.resources import (
    LABEL_REPOSITORY,
    LABEL_SITE,
    Attachment,
    ContainerSpec,
    Health,
    Mount,
    NetworkSpec,
    PortBinding,
    Subnet,
    VolumeSeen,
    Wanted,
)
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.health import wait_healthy
from tests.engine_choice import every_engine, podman_too, real_engines_and_podman, real_engines_only
from tests.providers.backends import SESSION, Backend, labels_of
from tests.providers.contract import NETWORK, SPEC, create, is_there, names, running

pytestmark = every_engine


# --- creating, starting, stopping ---------------------------------------------------------------------------


def test_creating_twice_is_creating_once(engine: DockerEngine) -> None:
    first = create(engine)
    assert create(engine) == first
    assert engine.inspect(first).state == "created"


@podman_too
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


@real_engines_and_podman
def test_a_health_check_passes_or_fails_while_it_is_waited_for(engine: DockerEngine) -> None:
    """Also where nothing on the host runs checks, such as systemd's timers for Podman."""
    checks = {"passes": "test -e /x || { touch /x; false; }", "fails": "echo no data; false"}
    for name, test in checks.items():
        running(engine, name, replace(SPEC, health=Health(("CMD-SHELL", test), interval=0.5, timeout=20.0, retries=2, start_period=0.0)))
    wait_healthy(engine, WaitHealthy("passes", timeout=120.0, settle=1.0), SystemClock())
    assert engine.inspect("passes").health == "healthy"
    with pytest.raises(HealthTimeoutError, match="fails is unhealthy; its health check: exit code 1, no data"):
        wait_healthy(engine, WaitHealthy("fails", timeout=120.0, settle=1.0), SystemClock())


def test_a_namesake_of_somebody_else_is_not_started(backend: Backend, engine: DockerEngine) -> None:
    backend.create_other(SESSION)
    with pytest.raises(ConflictError, match="not ours"):
        engine.perform(StartContainer(SESSION))
    assert engine.inspect(SESSION).state == "created"


@podman_too
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


@podman_too
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
    backend.needs("limits at creation")
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
    backend.needs("nameless volumes")
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
