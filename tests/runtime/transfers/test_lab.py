"""Transfers between real services on real engines: what only sshd, GridFTP and dockerd themselves can show."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

import lab
from dtnctl.errors import NotFoundError, TransferError
from dtnctl.model.actions import FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import labels
from dtnctl.model.resources import ContainerSpec, Mount, PortBinding
from dtnctl.model.site import Endpoint
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import WORK
from dtnctl.providers.base import FileEntry
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.transfers.notes import read_options
from dtnctl.runtime.transfers.record import ensure_ledger, read_ledger
from dtnctl.runtime.transfers.transfer import Progress, StartResult, Waiting, await_transfer, start_transfer
from tests.docker_clients import connect

pytestmark = pytest.mark.lab
SITE, SERVICE, PORT = "lab", "lab.demo", 30001
KEYS = "/home/dtnaas/.ssh/authorized_keys2"


class Scene:
    """Two services on their hosts' own networks."""

    def __init__(self, running: lab.Lab) -> None:
        self.lab = running
        self.engines: dict[str, DockerEngine] = {}
        self.progress: list[Progress] = []
        for endpoint in running.endpoints:
            state = Endpoint(docker=parse_engine(endpoint.unix_url), host=endpoint.control_ip)
            engine = connect(endpoint.name, state, site=SITE, registries={}, read_only=False, root=Path("/"))
            self.engines[endpoint.name] = engine
            env = {"CTRL_PORT": str(PORT), "DATA_PORTS": "50100,50199", "DATA_IFACE": endpoint.control_ip, "USER_NAME": "dtnaas"}
            spec = ContainerSpec(image="dtn:1", env=tuple(sorted(env.items())), network="host")
            engine.start(engine.create_container(SERVICE, spec, labels(SITE, endpoint.name, "service", "demo", SERVICE, "digest")))
        ensure_ledger(self.engines["dtn1"], SITE, "/var/lib/dtnctl/lab")

    def sh(self, endpoint: str, script: str, user: str = "dtnaas") -> str:
        ran = self.engines[endpoint].run(SERVICE, ("bash", "-c", script), user=user)
        assert ran.exit_code == 0, ran.stderr
        return ran.stdout.decode()

    def ends(self, source: str, destination: str) -> tuple[JobEnd, JobEnd]:
        there = self.lab.endpoint("dtn2").control_ip
        return (
            JobEnd("dtn1", SERVICE, source, "127.0.0.1", PORT, "dtnaas"),
            JobEnd("dtn2", SERVICE, destination, there, PORT, "dtnaas"),
        )

    def start(self, name: str, source: str, destination: str, **options: str) -> StartResult:
        action = StartTransfer(name, 1, 1, "gridftp", *self.ends(source, destination), "dtn:1", read_options(options, "gridftp"))
        return start_transfer(action, self.engines, SITE, SystemClock())

    def finish(self, name: str, source: str, destination: str, **options: str) -> Attempt:
        action = FinishTransfer(name, 1, 1, "gridftp", *self.ends(source, destination), read_options(options, "gridftp"), True)
        waiting = Waiting(self.progress.append, threading.Event())
        return await_transfer(action, self.engines, SITE, SystemClock(), waiting, self.leases)

    leases = staticmethod(contextlib.nullcontext)

    def run(self, name: str, source: str, destination: str, **options: str) -> Attempt:
        assert self.start(name, source, destination, **options).started
        return self.finish(name, source, destination, **options)

    def record(self, name: str) -> Attempt:
        (record,) = [item for item in read_ledger(self.engines["dtn1"], SITE).attempts if item.transfer == name]
        return record

    def assert_nothing_left(self, name: str) -> None:
        with pytest.raises(NotFoundError):
            self.engines["dtn1"].inspect(f"lab.{name}.g1a1")
        for engine in self.engines.values():
            assert b"dtnctl:" not in b"".join(engine.read_files(SERVICE, KEYS).values())


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    if reason := lab.unavailable():
        pytest.skip(reason)
    with lab.Lab(tmp_path_factory.mktemp("transfers"), 2, image="both") as running:
        scene = Scene(running)
        yield scene
        for engine in scene.engines.values():
            engine.close()


@pytest.fixture
def six(scene: Scene) -> Iterator[str]:
    """Both endpoints have IPv6 addresses; the one of dtn2."""
    for number, name in enumerate(scene.engines, start=1):
        scene.lab.exec(name, ["ip", "-6", "address", "add", f"fd00:99::{number}/64", "dev", "eth0", "nodad"])
    address, own = "fd00:99::2", scene.lab.endpoint("dtn2").control_ip
    scene.sh("dtn2", f"sed -i s/^DATA_IFACE=.*/DATA_IFACE={address}/ /etc/dtn.env", user="root")  # as DATA_IFACE of a plan would be
    yield address
    scene.sh("dtn2", f"sed -i s/^DATA_IFACE=.*/DATA_IFACE={own}/ /etc/dtn.env", user="root")
    for number, name in enumerate(scene.engines, start=1):
        scene.lab.exec(name, ["ip", "-6", "address", "del", f"fd00:99::{number}/64", "dev", "eth0"])


@pytest.fixture
def slow(scene: Scene) -> Iterator[None]:
    """The source sends a megabyte a second."""
    scene.lab.exec("dtn1", ["tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "8mbit", "burst", "256kb", "latency", "100ms"])
    yield
    scene.lab.exec("dtn1", ["tc", "qdisc", "del", "dev", "eth0", "root"])


def signal_once_there(path: str, signal: str) -> str:
    """A script for the destination, to be begun before the copy: signals its GridFTP server as soon as something of the file is there."""
    return f"timeout 300 sh -c 'until [ -s {path} ]; do sleep 0.1; done' && pkill -{signal} -f '[g]lobus-gridftp-server'"


def test_a_tree_with_odd_names_arrives_whole(scene: Scene) -> None:
    names = ["a b", "[x]*?", "50%41", "#;type=i", "tab\tin", "back\\slash", "~tilde", "-dash", " lead", "trail "]
    listed = " ".join(f"$'{name}'".replace("\\slash", "\\\\slash") for name in names)
    scene.sh("dtn1", f'mkdir -p /data/t/sub/hollow; cd /data/t/sub; for n in {listed}; do printf \'%s\' "$n" > "./$n"; done; : > ../zero')
    receipt = scene.run("tree", "/data/t/", "/data/new/place/", recursive="True", concurrency="3", algorithm="sha256")
    assert (receipt.files, receipt.verified) == (11, "sha256 of 11 files equal at both ends")
    sums = "find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type d | sort"
    assert scene.sh("dtn2", f"cd /data/new/place; {sums}") == scene.sh("dtn1", f"cd /data/t; {sums}")
    scene.assert_nothing_left("tree")


@pytest.mark.parametrize("algorithm", ["adler32", "crc32c"])
def test_the_fast_algorithms_compare_what_is_on_the_disks(scene: Scene, algorithm: str) -> None:
    """xrdadler32 believes an attribute of a file whose time is the same; a byte that flips below it is found all the same."""
    scene.sh("dtn1", "mkdir -p /data/fast; echo 123 > '/data/fast/a b'; head -c 1M /dev/urandom > /data/fast/b; xrdadler32 /data/fast/b")
    receipt = scene.run(f"fast-{algorithm}", "/data/fast/", "/data/fast/", recursive="True", algorithm=algorithm)
    assert receipt.verified == f"{algorithm} of 2 files equal at both ends"
    program = {"adler32": "xrdadler32", "crc32c": "xrdcrc32c -"}[algorithm]
    listed = f"""for n in 'a b' b; do printf '%s  %s\\n' $({program} <"$n" | cut -d' ' -f1) "$n"; done"""
    whole = scene.sh("dtn2", f"cd /data/fast; ({listed}) | {program} | cut -d' ' -f1")
    assert receipt.checksum == f"{algorithm}:{whole.strip()}"

    flip = "touch -r b /tmp/time; printf X | dd of=b bs=1 seek=77 conv=notrunc status=none; touch -r /tmp/time b"
    start = scene.start(f"flip-{algorithm}", "/data/fast/b", "/data/fast/b", algorithm=algorithm)
    assert start.started
    assert scene.engines["dtn1"].wait(f"lab.flip-{algorithm}.g1a1", 300.0) == 0
    scene.sh("dtn2", f"cd /data/fast; xrdadler32 b; {flip}")
    with pytest.raises(TransferError, match="the checksums of the file differ"):
        scene.finish(f"flip-{algorithm}", "/data/fast/b", "/data/fast/b", algorithm=algorithm)


def test_a_name_that_gridftp_would_mangle_is_refused_before_the_start(scene: Scene) -> None:
    scene.sh("dtn1", "mkdir -p /data/u; echo x > /data/u/ü")
    with pytest.raises(TransferError, match="GridFTP servers drop every letter beyond printable ASCII"):
        scene.start("umlaut", "/data/u/", "/data/u/", recursive="True")


def test_the_job_removes_its_private_keys_when_nobody_waits(scene: Scene) -> None:
    scene.sh("dtn1", "echo hello > /data/hello")
    scene.start("alone", "/data/hello", "/data/hello")
    assert scene.engines["dtn1"].wait("lab.alone.g1a1", 300.0) == 0
    for path in (f"{WORK}/id_source", f"{WORK}/id_destination"):
        with pytest.raises(NotFoundError):
            scene.engines["dtn1"].read_files("lab.alone.g1a1", path)
    assert scene.finish("alone", "/data/hello", "/data/hello").verdict == "succeeded"
    scene.assert_nothing_left("alone")


def test_a_job_that_somebody_removes_while_it_copies_leaves_no_key_at_either_end(scene: Scene, slow: None) -> None:
    scene.sh("dtn1", "head -c 50M /dev/zero > /data/slowly")
    scene.start("pruned", "/data/slowly", "/data/slowly")
    assert all(b"dtnctl:" in b"".join(engine.read_files(SERVICE, KEYS).values()) for engine in scene.engines.values())
    scene.engines["dtn1"].remove("lab.pruned.g1a1", force=True)
    with pytest.raises(TransferError, match="unknown: its container and its result are gone"):
        scene.finish("pruned", "/data/slowly", "/data/slowly")
    assert scene.record("pruned").verdict == "unknown"
    scene.assert_nothing_left("pruned")


def test_somebody_else_on_the_control_port_gets_no_login(scene: Scene) -> None:
    scene.sh("dtn1", "echo hello > /data/hello")
    path = "/etc/ssh/ssh_host_ed25519_key.pub"
    before = scene.engines["dtn2"].read_files(SERVICE, path)[path]
    other = scene.engines["dtn1"].read_files(SERVICE, path)[path]
    scene.engines["dtn2"].write_files(SERVICE, (FileEntry(path, other),))
    try:
        with pytest.raises(TransferError, match="the host key on the control port is not the one in the service's container"):
            scene.run("mitm", "/data/hello", "/data/hello2")
    finally:
        scene.engines["dtn2"].write_files(SERVICE, (FileEntry(path, before),))
    assert not scene.record("mitm").retryable
    scene.assert_nothing_left("mitm")


@pytest.mark.parametrize("baked", [False, True], ids=["own host keys", "one host key in both images"])
def test_a_destination_that_is_in_truth_the_source_is_refused_before_anything_is_opened(scene: Scene, baked: bool) -> None:
    """By another address the source is reached, with the very path that is to be read."""
    scene.sh("dtn1", "rm -rf /data/p; mkdir /data/p; head -c 1M /dev/urandom > /data/p/precious; cp /data/p/precious /data/copy")
    before = scene.sh("dtn1", "stat -c '%i %s %y %z' /data/p/precious; md5sum /data/p/precious")
    path = "/etc/ssh/ssh_host_ed25519_key.pub"
    own = scene.engines["dtn2"].read_files(SERVICE, path)[path]
    if baked:
        scene.engines["dtn2"].write_files(SERVICE, (FileEntry(path, scene.engines["dtn1"].read_files(SERVICE, path)[path]),))
    source, destination = scene.ends("/data/p/precious", "/data/p/precious")
    wrong = replace(destination, host=scene.lab.endpoint("dtn1").control_ip)
    name = f"loss{int(baked)}"
    reason = "the login of .* was refused" if baked else "the host key on the control port is not the one"
    try:
        action = StartTransfer(name, 1, 1, "gridftp", source, wrong, "dtn:1", TransferOptions())
        assert start_transfer(action, scene.engines, SITE, SystemClock()).started
        finish = FinishTransfer(name, 1, 1, "gridftp", source, wrong, TransferOptions(), True)
        with pytest.raises(TransferError, match=reason):
            await_transfer(finish, scene.engines, SITE, SystemClock(), Waiting(scene.progress.append, threading.Event()), scene.leases)
    finally:
        scene.engines["dtn2"].write_files(SERVICE, (FileEntry(path, own),))
    assert scene.sh("dtn1", "stat -c '%i %s %y %z' /data/p/precious; md5sum /data/p/precious") == before
    scene.sh("dtn1", "cmp /data/p/precious /data/copy")
    scene.assert_nothing_left(name)


def test_a_link_that_leads_to_the_keys_of_the_login_is_refused_before_anything_starts(scene: Scene) -> None:
    scene.sh("dtn1", "echo hello > /data/hello")
    scene.sh("dtn2", "mkdir -p ~/.ssh; ln -sfn ~/.ssh /data/harmless; ln -sfn ~/.ssh/authorized_keys /data/dangling")
    for path in ("/data/harmless/authorized_keys", "/data/harmless/new/x", "/data/dangling"):
        with pytest.raises(TransferError, match=r"leads to /home/dtnaas/\.ssh/"):
            scene.start("astray", "/data/hello", path)
    assert scene.sh("dtn2", "cat ~/.ssh/authorized_keys 2>/dev/null || true") == ""


def test_a_host_that_the_source_cannot_look_up_is_named_before_anything_starts(scene: Scene) -> None:
    scene.sh("dtn1", "echo hello > /data/hello")
    source, destination = scene.ends("/data/hello", "/data/hello")
    action = StartTransfer("lost", 1, 1, "gridftp", source, replace(destination, host="nosuch.invalid"), "dtn:1", TransferOptions())
    with pytest.raises(TransferError, match=r"lab\.demo on dtn1 cannot look up nosuch\.invalid, the `host:` of dtn2"):
        start_transfer(action, scene.engines, SITE, SystemClock())
    with pytest.raises(NotFoundError):
        scene.engines["dtn1"].inspect("lab.lost.g1a1")


def test_one_file_on_a_file_system_that_two_hosts_share_is_not_copied_onto_itself(scene: Scene, tmp_path: Path) -> None:
    """The two containers see it by two mounts and two names; only what the file system itself keeps shows that it is one."""
    tmp_path.chmod(0o777)
    for name in ("dtn1", "dtn2"):
        spec = ContainerSpec(
            image="dtn:1",
            env=(("CTRL_PORT", "30002"), ("USER_NAME", "dtnaas")),
            network="host",
            mounts=(Mount(f"/shared-{name}", "bind", str(tmp_path)),),
        )
        engine = scene.engines[name]
        engine.start(engine.create_container("lab.shared", spec, labels(SITE, name, "service", "shared", "lab.shared", "digest")))
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "precious").chmod(0o666)
    (tmp_path / "link").symlink_to("precious")
    source, destination = scene.ends("/shared-dtn1/precious", "/shared-dtn2/link")
    source, destination = (replace(end, container="lab.shared", port=30002) for end in (source, destination))
    action = StartTransfer("same", 1, 1, "gridftp", source, destination, "dtn:1", TransferOptions())
    with pytest.raises(TransferError, match="/shared-dtn2/link on dtn2 is what is copied itself: writing there would damage"):
        start_transfer(action, scene.engines, SITE, SystemClock())
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_copy_that_no_data_comes_through_is_stopped_as_stalled(scene: Scene, slow: None) -> None:
    scene.sh("dtn1", "head -c 60M /dev/zero > /data/big")
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(scene.sh, "dtn2", signal_once_there("/data/big", "STOP"), user="root")
        try:
            scene.start("stall", "/data/big", "/data/big", stall_timeout="15.0")
            with pytest.raises(TransferError, match="stalled: no progress for 15 s; at the destination are"):
                scene.finish("stall", "/data/big", "/data/big", stall_timeout="15.0")
            stopped.result()
        finally:
            scene.sh("dtn2", "pkill -KILL -f '[g]lobus-gridftp-server' || true", user="root")
    record = scene.record("stall")
    assert (record.verdict, record.retryable, record.exit_code) == ("failed", True, 143)
    scene.assert_nothing_left("stall")


def test_a_job_keeps_its_deadline_although_nobody_waits(scene: Scene, slow: None) -> None:
    scene.sh("dtn1", "head -c 60M /dev/zero > /data/big")
    scene.start("late", "/data/big", "/data/late", deadline="6.0")
    assert scene.engines["dtn1"].wait("lab.late.g1a1", 300.0) == 124
    with pytest.raises(TransferError, match=r"not finished within its deadline of 6 s; (nothing is )?at the destination"):
        scene.finish("late", "/data/big", "/data/late", deadline="6.0")
    scene.assert_nothing_left("late")


def test_a_server_that_is_killed_is_tried_again(scene: Scene, slow: None) -> None:
    scene.sh("dtn1", "head -c 6M /dev/zero > /data/medium")
    options = {"retries": "1", "backoff": "0.5", "verify": "size"}
    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(scene.sh, "dtn2", signal_once_there("/data/medium", "KILL"), user="root")
        assert scene.run("again", "/data/medium", "/data/medium", **options).attempt == 2
        killed.result()
    attempts = [(item.attempt, item.verdict) for item in read_ledger(scene.engines["dtn1"], SITE).attempts if item.transfer == "again"]
    assert attempts == [(1, "failed"), (2, "succeeded")]
    scene.assert_nothing_left("again")


def test_what_would_not_arrive_whole_is_said_before_anything_is_copied(scene: Scene) -> None:
    scene.sh(
        "dtn1",
        "mkdir -p /data/w/run1 /data/w/run2 /data/x /data/z; echo 1 > /data/w/run1/f; echo 2 > /data/w/run2/f; ln -s run2 /data/w/latest; "
        "echo a > /data/x/ok; echo b > /data/x/secret; chmod 000 /data/x/secret; ln -s . /data/z/self",
    )
    for folder, links, reason in (
        ("w", "refuse", "/data/w/ on dtn1 has links: 'latest'; write `links: follow`"),
        ("w", "follow", "/data/w/ on dtn1 has one folder under two names, 'latest' and 'run2'"),
        ("x", "refuse", "/data/x/ on dtn1 has what its user may not read: 'secret'"),
        ("z", "refuse", "/data/z/ on dtn1 has links: 'self'"),
        ("z", "follow", "/data/z/ cannot be looked at on dtn1: find: File system loop detected"),
    ):
        with pytest.raises(TransferError, match=reason):
            scene.start(f"whole{folder}{links}", f"/data/{folder}/", f"/data/whole/{folder}/", recursive="True", links=links)
        assert scene.sh("dtn2", "ls /data/whole 2>/dev/null || echo none") == "none\n"
    scene.sh("dtn1", "chmod 600 /data/x/secret")


def test_a_file_at_the_destination_that_may_not_be_written_is_said_before_anything_is_copied(scene: Scene) -> None:
    scene.sh("dtn1", "mkdir -p /data/y; echo 1 > /data/y/a; echo 2 > /data/y/b")
    scene.sh("dtn2", "mkdir -p /data/y; echo old > /data/y/b; chmod 777 /data/y; chmod 644 /data/y/b", user="root")
    with pytest.raises(TransferError, match="/data/y/ on dtn2 has what its user may not write: 'b'"):
        scene.start("closed", "/data/y/", "/data/y/", recursive="True")
    assert scene.sh("dtn2", "ls /data/y") == "b\n"


def test_links_to_files_and_to_folders_outside_arrive_as_what_they_lead_to(scene: Scene) -> None:
    scene.sh("dtn1", "mkdir -p /data/v/a /data/outside; echo 1 > /data/v/a/f; ln -s a/f /data/v/g; echo 2 > /data/outside/h")
    scene.sh("dtn1", "ln -s /data/outside /data/v/o; mkfifo /data/v/pipe")
    started = scene.start("followed", "/data/v/", "/data/v/", recursive="True", links="follow")
    assert started.text == "started: 6 bytes in 3 files; leaves out what is no file: 'pipe' (pipe)"
    receipt = scene.finish("followed", "/data/v/", "/data/v/", recursive="True", links="follow")
    assert receipt.files == 3
    assert scene.sh("dtn2", "cat /data/v/a/f /data/v/g /data/v/o/h") == "1\n1\n2\n"


@pytest.mark.parametrize("login", ["IPv4", "IPv6"])
def test_a_tree_arrives_over_ipv6(scene: Scene, six: str, login: str) -> None:
    """globus-url-copy asks for an IPv6 address although it reaches both ends over ssh, and the server offers the one that it is given."""
    scene.sh("dtn1", "mkdir -p /data/s/sub/hollow; echo 1 > /data/s/sub/f; head -c 3M /dev/urandom > /data/s/big; : > /data/s/zero")
    source, there = scene.ends("/data/s/", f"/data/s{login}/")
    destination = replace(there, data_host=six, data_ports=(50100, 50199), host=six if login == "IPv6" else there.host)
    options = read_options({"recursive": "True", "concurrency": "2"}, "gridftp")
    action = StartTransfer(f"over{login}", 1, 1, "gridftp", source, destination, "dtn:1", options)
    assert start_transfer(action, scene.engines, SITE, SystemClock()).started
    scene.lab.exec("dtn2", ["iptables", "-I", "INPUT", "-p", "tcp", "--dport", "50100:50199", "-j", "REJECT"])
    try:
        finish = FinishTransfer(f"over{login}", 1, 1, "gridftp", source, destination, options, True)
        waiting = Waiting(scene.progress.append, threading.Event())
        receipt = await_transfer(finish, scene.engines, SITE, SystemClock(), waiting, scene.leases)
    finally:
        scene.lab.exec("dtn2", ["iptables", "-D", "INPUT", "-p", "tcp", "--dport", "50100:50199", "-j", "REJECT"])
    assert receipt.verified == "md5 of 3 files equal at both ends"


BRIDGED, BRIDGED_PORT, BRIDGE_PORTS = "lab.bridged", 30003, (20200, 20219)  # no port that a connection out of the host may have


@pytest.fixture(scope="module")
def bridged(scene: Scene) -> Scene:
    """A second service on each endpoint, on the engine's bridge alone, with its ports published."""
    for endpoint in scene.lab.endpoints:
        low, high = BRIDGE_PORTS
        env = {"CTRL_PORT": str(BRIDGED_PORT), "DATA_PORTS": f"{low},{high}", "DATA_IFACE": endpoint.control_ip, "USER_NAME": "dtnaas"}
        ports = tuple(PortBinding(port, port) for port in (BRIDGED_PORT, *range(low, high + 1)))
        spec = ContainerSpec(image="dtn:1", env=tuple(sorted(env.items())), network="bridge", ports=ports)
        engine = scene.engines[endpoint.name]
        engine.start(engine.create_container(BRIDGED, spec, labels(SITE, endpoint.name, "service", "bridged", BRIDGED, "digest")))
        ensure_ledger(engine, SITE, "/var/lib/dtnctl/lab")
    return scene


@pytest.mark.parametrize(("near", "far"), [("dtn1", "dtn2"), ("dtn2", "dtn1")])
def test_services_on_bridges_alone_receive_at_their_endpoints_published_ports(bridged: Scene, near: str, far: str) -> None:
    """Both have one address on their bridges, so that a server which offered its own would send the source to itself."""
    scene, name = bridged, f"bridge{near}"
    sh = [scene.engines[end].run(BRIDGED, ("sh", "-c", "mkdir -p /data/b/d; chown -R dtnaas /data"), user="root") for end in (near, far)]
    assert [ran.exit_code for ran in sh] == [0, 0]
    made = scene.engines[near].run(
        BRIDGED, ("sh", "-c", f"echo {near} > /data/b/d/f; head -c 3M /dev/urandom > /data/b/big"), user="dtnaas"
    )
    assert made.exit_code == 0
    source = JobEnd(near, BRIDGED, "/data/b/", "127.0.0.1", BRIDGED_PORT, "dtnaas")
    host = scene.lab.endpoint(far).control_ip
    destination = JobEnd(far, BRIDGED, f"/data/{name}/", host, BRIDGED_PORT, "dtnaas", data_host=host, data_ports=BRIDGE_PORTS)
    options = read_options({"recursive": "True"}, "gridftp")
    action = StartTransfer(name, 1, 1, "gridftp", source, destination, "dtn:1", options)
    assert start_transfer(action, scene.engines, SITE, SystemClock()).started
    finish = FinishTransfer(name, 1, 1, "gridftp", source, destination, options, True)
    receipt = await_transfer(finish, scene.engines, SITE, SystemClock(), Waiting(scene.progress.append, threading.Event()), scene.leases)
    assert receipt.verified == "md5 of 2 files equal at both ends"
