"""What is created is read back equal, field by field: drift detection stands on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtnctl.model.actions import ConnectNetwork, CreateContainer, CreateNetwork, StartContainer
from dtnctl.model.resources import (
    Attachment,
    ContainerSpec,
    Device,
    Health,
    Mount,
    NetworkSpec,
    PortBinding,
    Subnet,
    Ulimit,
    Wanted,
)
from dtnctl.model.secrets import SecretVariable
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.secrets.source import SecretSource
from tests.engine_choice import every_engine, podman_too, podmans_only
from tests.providers.backends import ENDPOINT, IMAGE, SESSION, Backend, FakeBackend, fake_backend, labels_of

pytestmark = every_engine

MIB = 2**20
PLAIN = ContainerSpec(image=IMAGE, command=("sleep", "100"), entrypoint=(), env=(("PATH", "/bin"),), attachments=(Attachment("bridge"),))
NETWORK = NetworkSpec("bridge", ipv6=True, subnets=(Subnet("10.77.0.0/24", "10.77.0.1"), Subnet("fd00:77::/64", "fd00:77::1")))

SECRET = f"file:{__file__}"  # any text that every engine's test can look up

VARIANTS: dict[str, ContainerSpec] = {
    "secrets": replace(PLAIN, secrets=(SecretVariable("TOKEN", SecretSource().fingerprint(SECRET), SECRET),)),
    "nothing": PLAIN,
    "hostname": replace(PLAIN, hostname="dtn-1"),
    "command": replace(PLAIN, command=("sh", "-c", "sleep 100", "a b", "ü")),
    "entrypoint": replace(PLAIN, entrypoint=("sh", "-c"), command=("sleep 100",)),
    "entrypoint without command": replace(PLAIN, entrypoint=("sleep", "100"), command=()),
    "env": replace(PLAIN, env=(("EMPTY", ""), ("LINES", "a\nb"), ("PATH", "/bin:/x=y"), ("Z", "1 2"))),
    "tty": replace(PLAIN, tty=True),
    "init": replace(PLAIN, init=True),
    "stop_signal": replace(PLAIN, stop_signal="SIGRTMIN+3"),
    "stop_timeout": replace(PLAIN, stop_timeout=77),
    "health": replace(PLAIN, health=Health(("CMD", "true", "a b"), 1.5, 0.25, 4, 0.0)),
    "health in a shell": replace(PLAIN, health=Health(("CMD-SHELL", "true && true"), 30.0, 5.0, 3, 12.5)),
    "restart always": replace(PLAIN, restart="always"),
    "restart unless-stopped": replace(PLAIN, restart="unless-stopped"),
    "restart on-failure": replace(PLAIN, restart="on-failure:0"),
    "restart on-failure:5": replace(PLAIN, restart="on-failure:5"),
    "memory": replace(PLAIN, memory=64 * MIB),
    "cpus": replace(PLAIN, cpus=0.75),
    "cpu_set": replace(PLAIN, cpu_set="0-1"),
    "memory_nodes": replace(PLAIN, memory_nodes="0"),
    "shm_size": replace(PLAIN, shm_size=128 * MIB),
    "bind mount": replace(PLAIN, mounts=(Mount("/mnt/data", "bind", "/data"), Mount("/mnt/ro", "bind", "/data", read_only=True))),
    "mount that follows the host": replace(PLAIN, mounts=(Mount("/mnt/data", "bind", "/data", read_only=True, propagation="rslave"),)),
    "volume": replace(PLAIN, mounts=(Mount("/v", "volume", "vol1"), Mount("/w", "volume", "vol2", read_only=True))),
    "volume with a driver": replace(
        PLAIN, mounts=(Mount("/v", "volume", "vol3", False, "local", (("device", "tmpfs"), ("o", "size=1m"), ("type", "tmpfs"))),)
    ),
    "tmpfs": replace(PLAIN, mounts=(Mount("/t", "tmpfs"), Mount("/u", "tmpfs", read_only=True, size=3 * MIB))),
    "devices": replace(PLAIN, devices=(Device("/dev/null", "/dev/null"), Device("/dev/zero", "/dev/other", "mr"))),
    "ulimits": replace(PLAIN, ulimits=(Ulimit("core", 0, 0), Ulimit("nofile", 1000, 2000))),
    "unlimited memlock": replace(PLAIN, ulimits=(Ulimit("memlock", -1, -1),)),
    "capabilities": replace(PLAIN, cap_add=("IPC_LOCK", "NET_ADMIN"), cap_drop=("CHOWN", "MKNOD")),
    "all capabilities dropped": replace(PLAIN, cap_drop=("ALL",)),
    "privileged": replace(PLAIN, privileged=True),
    "sysctls": replace(PLAIN, sysctls=(("net.core.somaxconn", "2048"), ("net.ipv4.ip_forward", "1"))),
    "dns": replace(PLAIN, dns=("10.1.1.2", "10.1.1.1")),
    "ports": replace(PLAIN, ports=(PortBinding(18080, 80), PortBinding(18080, 80, "udp"), PortBinding(18081, 80))),
    "host network": replace(PLAIN, network="host", attachments=()),
    "host network with a name": replace(PLAIN, network="host", attachments=(), hostname="dtn-1"),
    "no network": replace(PLAIN, network="none", attachments=()),
    "user network": replace(PLAIN, network="net1", attachments=(Attachment("net1"),)),
    "fixed addresses": replace(PLAIN, network="net1", attachments=(Attachment("net1", "10.77.0.9", "fd00:77::9"),)),
}

# The lab's machine may lack CAP_SYS_RESOURCE; its engines then start what asks for it with less, and report what was asked.


@pytest.fixture
def engine(backend: Backend) -> DockerEngine:
    engine = backend.engine()
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    return engine


@pytest.mark.parametrize("spec", VARIANTS.values(), ids=VARIANTS.keys())
def test_a_container_is_read_back_as_it_was_made_before_and_after_its_start(engine: DockerEngine, spec: ContainerSpec) -> None:
    engine.perform(CreateContainer(SESSION, spec, labels_of(SESSION)))
    (created,) = engine.observe(Wanted()).containers
    assert created.spec == spec
    engine.perform(StartContainer(SESSION))
    (started,) = engine.observe(Wanted()).containers
    assert (started.spec, started.state) == (spec, "running")


@podmans_only
def test_all_that_podman_shows_in_other_forms_is_read_back(engine: DockerEngine) -> None:
    """All in one: beside each other they need one network and one look."""
    wanted = {f"{SESSION}-{number}": spec for number, spec in enumerate(VARIANTS.values())}
    for name, spec in wanted.items():
        engine.perform(CreateContainer(name, spec, labels_of(name)))
    assert {item.name: item.spec for item in engine.observe(Wanted()).containers} == wanted
    for name in wanted:
        engine.perform(StartContainer(name))
    seen = {item.name: (item.spec, item.state) for item in engine.observe(Wanted()).containers}
    assert seen == {name: (spec, "running") for name, spec in wanted.items()}


NOT_VARIED = {"image", "placement", "rollout"}  # every variant has the image; an engine is one host, and has no pods


def test_every_field_of_a_container_is_among_the_variants() -> None:
    untouched = [
        item.name
        for item in fields(ContainerSpec)
        if item.name not in NOT_VARIED and all(getattr(spec, item.name) == getattr(PLAIN, item.name) for spec in VARIANTS.values())
    ]
    assert untouched == []


@podman_too
def test_a_job_in_the_network_of_another_container_is_read_back(engine: DockerEngine) -> None:
    engine.perform(CreateContainer(SESSION, PLAIN, labels_of(SESSION)))
    engine.perform(StartContainer(SESSION))
    spec = replace(PLAIN, network=f"container:{engine.inspect(SESSION).id}", attachments=())
    engine.create_container("job", spec, labels_of("job"))
    before = engine.inspect("job").spec
    engine.start("job")
    assert (before, engine.inspect("job").spec) == (spec, spec)


@podman_too
def test_a_second_network_with_fixed_addresses_is_read_back(engine: DockerEngine) -> None:
    spec = replace(PLAIN, attachments=(Attachment("bridge"), Attachment("net1", "10.77.0.9", "fd00:77::9")))
    engine.perform(CreateContainer(SESSION, spec, labels_of(SESSION)))
    engine.perform(ConnectNetwork(SESSION, spec.attachments[1]))
    before = engine.inspect(SESSION).spec
    engine.perform(StartContainer(SESSION))
    assert (before, engine.inspect(SESSION).spec) == (spec, spec)


@podman_too
def test_what_the_spec_leaves_to_the_image_is_read_back_with_the_images_values(engine: DockerEngine) -> None:
    engine.perform(CreateContainer(SESSION, ContainerSpec(image=IMAGE, env=(("B", "2"),)), labels_of(SESSION)))
    seen = engine.observe(Wanted(images=frozenset({IMAGE})))
    image, spec = seen.images[IMAGE], seen.containers[0].spec
    assert image is not None
    assert (spec.command, spec.entrypoint) == (image.command, image.entrypoint)
    assert spec.env == tuple(sorted([*image.env, ("B", "2")]))


def test_binds_are_folders_of_the_host_that_are_made(backend: Backend, engine: DockerEngine) -> None:
    folder = backend.folder(f"made-{os.getpid()}")
    engine.create_container("job", PLAIN, (), binds=((folder, "/ledger"),))
    assert engine.inspect("job").spec.mounts == (Mount("/ledger", "bind", folder),)


NETWORKS: dict[str, NetworkSpec] = {
    "bridge": NetworkSpec("bridge"),
    "internal": NetworkSpec("bridge", internal=True),
    "bridge with a subnet": NetworkSpec("bridge", subnets=(Subnet("10.78.0.0/24"),)),
    "bridge with a gateway and an mtu": NetworkSpec("bridge", subnets=(Subnet("10.78.0.0/24", "10.78.0.7"),), mtu=9000),
    "two families": NetworkSpec("bridge", ipv6=True, subnets=(Subnet("10.78.0.0/24"), Subnet("fd00:78::/64", "fd00:78::1"))),
    "IPv6 alone": NetworkSpec("bridge", ipv6=True, subnets=(Subnet("fd00:78::/64"),)),
    "macvlan with IPv6 alone": NetworkSpec(
        "macvlan", internal=True, ipv6=True, subnets=(Subnet("fd00:79::/64"),), mode="bridge", parent="eth1"
    ),
    "macvlan": NetworkSpec("macvlan", internal=True, subnets=(Subnet("10.79.0.0/24"),), mode="bridge", parent="eth1"),
    "macvlan with a gateway": NetworkSpec("macvlan", subnets=(Subnet("10.79.0.0/24", "10.79.0.1"),), mode="passthru", parent="eth1"),
    "ipvlan": NetworkSpec("ipvlan", subnets=(Subnet("10.79.0.0/24", "10.79.0.1"),), mode="l3", parent="eth1"),
}


@podman_too
@pytest.mark.parametrize("spec", NETWORKS.values(), ids=NETWORKS.keys())
def test_a_network_is_read_back_as_it_was_made(backend: Backend, spec: NetworkSpec) -> None:
    engine = backend.engine()
    engine.perform(CreateNetwork("net2", spec, labels_of("net2", kind="network")))
    (seen,) = engine.observe(Wanted()).networks
    assert seen.spec == spec


def test_what_the_engines_own_configuration_adds_is_not_read_back(fake: FakeBackend) -> None:
    machine = fake.world.engine(ENDPOINT).machine
    machine.default_ulimits = {"core": (0, 0), "nofile": (1024, 4096)}
    machine.network_options = {"bridge": {"com.docker.network.driver.mtu": "1450"}}
    engine, limited = fake.engine(), replace(PLAIN, ulimits=(Ulimit("nofile", 1000, 2000),))
    engine.perform(CreateNetwork("net1", NETWORK, labels_of("net1", kind="network")))
    engine.perform(CreateContainer(SESSION, limited, labels_of(SESSION)))
    seen = engine.observe(Wanted())
    assert [item["Name"] for item in fake.others.inspect_container(SESSION)["HostConfig"]["Ulimits"]] == ["nofile", "core"]
    assert (seen.containers[0].spec, seen.networks[0].spec) == (limited, NETWORK)


# --- any combination, on the in-memory engine -----------------------------------------------------------------

names = st.text("abcdefgh", min_size=1, max_size=4)
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
thousandths = st.integers(0, 60_000).map(lambda number: number / 1000)
arguments = st.lists(words.filter(bool), min_size=1, max_size=3).map(tuple)
mounts = st.one_of(
    st.builds(Mount, st.just(""), st.just("bind"), st.just("/data"), st.booleans()),
    st.builds(
        Mount,
        st.just(""),
        st.just("volume"),
        names.map(lambda name: f"vol-{name}"),
        st.booleans(),
        st.just("local"),
        st.sampled_from([(), (("device", "tmpfs"), ("type", "tmpfs")), (("device", "/data"), ("o", "bind"), ("type", "none"))]),
    ),
    st.builds(Mount, st.just(""), st.just("tmpfs"), read_only=st.booleans(), size=st.integers(0, 2**30)),
)


def placed(found: list[Mount]) -> tuple[Mount, ...]:
    """Each at a place of its own, each volume by a name of its own."""
    return tuple(
        replace(mount, target=f"/mnt/{number}", source=f"{mount.source}-{number}" if mount.kind == "volume" else mount.source)
        for number, mount in enumerate(found)
    )


specs = st.builds(
    ContainerSpec,
    image=st.just(IMAGE),
    hostname=st.sampled_from(["", "dtn-1", "x" * 63]),
    command=arguments,
    entrypoint=st.one_of(st.just(()), arguments),
    env=st.dictionaries(names, words, max_size=4).map(lambda env: tuple(sorted(({"PATH": "/bin"} | env).items()))),
    tty=st.booleans(),
    init=st.booleans(),
    stop_signal=st.sampled_from(["", "SIGTERM", "SIGRTMIN+3"]),
    stop_timeout=st.integers(0, 1000),
    health=st.none()
    | st.builds(Health, arguments.map(lambda words: ("CMD", *words)), thousandths, thousandths, st.integers(1, 9), thousandths),
    restart=st.sampled_from(["no", "always", "unless-stopped", "on-failure:0", "on-failure:3"]),
    memory=st.just(0) | st.integers(6 * MIB, 2**33),
    cpus=st.integers(0, 400).map(lambda number: number / 100),
    cpu_set=st.sampled_from(["", "0", "0-1", "1"]),
    memory_nodes=st.sampled_from(["", "0"]),
    shm_size=st.integers(1, 2**33),
    mounts=st.lists(mounts, max_size=3).map(placed),
    devices=st.sets(
        st.sampled_from([Device("/dev/null", "/dev/a", "r"), Device("/dev/zero", "/dev/b", "mr"), Device("/dev/fuse", "/dev/fuse")])
    ).map(lambda found: tuple(sorted(found))),
    ulimits=st.dictionaries(st.sampled_from(["core", "memlock", "nofile"]), st.integers(-1, 5000), max_size=3).map(
        lambda limits: tuple(sorted(Ulimit(name, value, value) for name, value in limits.items()))
    ),
    cap_add=st.sets(st.sampled_from(["IPC_LOCK", "NET_ADMIN", "SYS_NICE"])).map(lambda found: tuple(sorted(found))),
    cap_drop=st.sets(st.sampled_from(["CHOWN", "MKNOD"])).map(lambda found: tuple(sorted(found))),
    sysctls=st.dictionaries(st.sampled_from(["net.core.somaxconn", "net.ipv4.ip_forward"]), st.just("1")).map(
        lambda found: tuple(sorted(found.items()))
    ),
    dns=st.lists(st.sampled_from(["10.0.0.1", "10.0.0.2"]), unique=True).map(tuple),
    network=st.just("bridge"),
    attachments=st.just((Attachment("bridge"),)),
    ports=st.sets(st.builds(PortBinding, st.integers(1, 65535), st.integers(1, 65535), st.sampled_from(["tcp", "udp"])), max_size=4).map(
        lambda found: tuple(sorted(found))
    ),
)


@pytest.fixture(scope="module")
def memory_engine() -> Iterator[tuple[FakeBackend, DockerEngine]]:
    with fake_backend() as backend:
        yield backend, backend.engine()


@settings(max_examples=150)
@given(spec=specs)
def test_any_combination_of_fields_is_read_back_equal(memory_engine: tuple[FakeBackend, DockerEngine], spec: ContainerSpec) -> None:
    _, engine = memory_engine
    container = engine.create_container(SESSION, spec, labels_of(SESSION))
    try:
        assert engine.inspect(container).spec == spec
    finally:
        engine.remove(container)
