"""Two services with volumes on real engines, and what a test does with a tool between them."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import lab
from dtnctl.errors import NotFoundError, TransferError
from dtnctl.model.actions import FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.declared_tools import row_of
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import labels
from dtnctl.model.resources import ContainerSpec, Mount
from dtnctl.model.site import Endpoint
from dtnctl.model.tools import TOOLS, Tool
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.runtime.clock import SystemClock
from dtnctl.runtime.transfers.record import ensure_ledger, read_ledger
from dtnctl.runtime.transfers.transfer import Progress, StartResult, Waiting, await_transfer, start_transfer
from tests.docker_clients import connect
from tests.docs.tool_pages import tools_of_page

SITE, SERVICE, USER = "lab", "lab.demo", "dtnaas"
HERE, THERE = "dtn1", "dtn2"
CONTROL_PORT, SERVER_PORT = 30001, 50199
KEYS = "/home/dtnaas/.ssh/authorized_keys2"
SMALL = 16 * 1024**2  # bytes of the file system at /small
# Tools that docs/tools.md declares and whose programs the image has.
DECLARED = {name: tool for name, tool in tools_of_page().items() if name in ("tar_over_ssh", "webdav")}
# Tools that options make others of: their names here, the tool and those options.
VARIANTS = {"rclone-webdav": ("rclone", {"protocol": "webdav"})}
ROWS = {
    **TOOLS,
    **{name: tool.row for name, tool in DECLARED.items()},
    **{name: row_of(tool, TOOLS[tool].read_own(own)) for name, (tool, own) in VARIANTS.items()},
}
_numbers = itertools.count(1)


@dataclass
class ToolScene:
    """Services on their hosts' own networks, with a folder of the host at /data and a file system of 16 MiB at /small."""

    lab: lab.Lab
    engines: dict[str, DockerEngine] = field(default_factory=dict)
    progress: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        for endpoint in self.lab.endpoints:
            state = Endpoint(docker=parse_engine(endpoint.unix_url), host=endpoint.control_ip)
            engine = connect(endpoint.name, state, site=SITE, registries={}, read_only=False, root=Path("/"))
            self.engines[endpoint.name] = engine
            for folder in ("/data/tools", "/data/small"):
                self.lab.exec(endpoint.name, ["mkdir", "-p", folder])
            self.lab.exec(endpoint.name, ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "small", "/data/small"])
            env = {"CTRL_PORT": str(CONTROL_PORT), "DATA_PORTS": "50100,50199", "DATA_IFACE": endpoint.control_ip, "USER_NAME": USER}
            mounts = (Mount("/data", "bind", "/data/tools"), Mount("/small", "bind", "/data/small"))
            spec = ContainerSpec(image="dtn:1", env=tuple(sorted(env.items())), network="host", mounts=mounts)
            engine.start(engine.create_container(SERVICE, spec, labels(SITE, endpoint.name, "service", "demo", SERVICE, "digest")))
            self.sh(endpoint.name, f"chown {USER}: /data /small", user="root")
        ensure_ledger(self.engines[HERE], SITE, "/var/lib/dtnctl/lab")

    def close(self) -> None:
        for engine in self.engines.values():
            engine.close()

    def sh(self, endpoint: str, script: str, user: str = USER) -> str:
        ran = self.engines[endpoint].run(SERVICE, ("bash", "-c", script), user=user)
        assert ran.exit_code == 0, ran.stderr
        return ran.stdout.decode()

    def job(self, tool: str, source: str = "", destination: str = "", **options: object) -> Job:
        """A transfer of a name that no other has. `options` as in a transfer's file, `own` those that the tool alone has."""
        tool, written = VARIANTS.get(tool, (tool, options.pop("own", None)))
        own = DECLARED[tool] if tool in DECLARED else TOOLS[tool].read_own(written)
        settings = replace(TransferOptions(own=own), **options)  # type: ignore[arg-type]  # tests write what the options take
        return Job(self, row_of(tool, own), f"{tool}-{next(_numbers)}", source, destination, settings)

    @contextlib.contextmanager
    def rule(self, *arguments: str) -> Iterator[None]:
        """A rule of the firewall at the destination."""
        self.lab.exec(THERE, ["iptables", "-I", "INPUT", *arguments])
        try:
            yield
        finally:
            self.lab.exec(THERE, ["iptables", "-D", "INPUT", *arguments])

    @contextlib.contextmanager
    def slow(self) -> Iterator[None]:
        """The source sends a megabyte a second."""
        where = ["dev", "eth0", "root"]
        self.lab.exec(HERE, ["tc", "qdisc", "add", *where, "tbf", "rate", "8mbit", "burst", "256kb", "latency", "100ms"])
        try:
            yield
        finally:
            self.lab.exec(HERE, ["tc", "qdisc", "del", *where])


@dataclass
class Job:
    """One transfer, generation 1, try 1. `host` is where the destination is reached; empty: its control address."""

    scene: ToolScene
    row: Tool
    name: str
    source: str
    destination: str
    options: TransferOptions
    host: str = ""

    @property
    def ends(self) -> tuple[JobEnd, JobEnd]:
        there = self.host or self.scene.lab.endpoint(THERE).control_ip
        ports = tuple(range(SERVER_PORT, SERVER_PORT + self.row.count_ports(self.options.parallelism)))
        return (
            JobEnd(HERE, SERVICE, self.source, "127.0.0.1", CONTROL_PORT, USER),
            JobEnd(THERE, SERVICE, self.destination, there, CONTROL_PORT, USER, data_host=there, data_ports=(50100, 50199), listens=ports),
        )

    @property
    def container(self) -> str:
        return f"lab.{self.name}.g1a1"

    def start(self) -> StartResult:
        action = StartTransfer(self.name, 1, 1, self.row.name, *self.ends, "dtn:1", self.options)
        return start_transfer(action, self.scene.engines, SITE, SystemClock())

    def finish(self) -> Attempt:
        """The receipt, whatever its verdict."""
        action = FinishTransfer(self.name, 1, 1, self.row.name, *self.ends, self.options, True)
        waiting = Waiting(self.scene.progress.append, threading.Event())
        with contextlib.suppress(TransferError):
            await_transfer(action, self.scene.engines, SITE, SystemClock(), waiting, contextlib.nullcontext)
        *_, record = [item for item in read_ledger(self.scene.engines[HERE], SITE).attempts if item.transfer == self.name]
        return record

    def run(self) -> Attempt:
        assert self.start().started
        return self.finish()

    def wait_for_end(self) -> int | None:
        """The exit code of its container, which has ended and is not judged."""
        return self.scene.engines[HERE].wait(self.container, 120.0)

    def wait_until_it_moves(self) -> None:
        """Until something has arrived, or its log says so."""
        for chunk in self.scene.engines[HERE].logs(self.container, follow=True):
            if chunk.strip():
                return
        raise AssertionError("it ended without a word")

    def leaves_nothing(self) -> None:
        """No container of it is there, on either side, and no key."""
        for endpoint, name in ((HERE, self.container), (THERE, f"{self.container}.server")):
            with contextlib.suppress(NotFoundError):
                raise AssertionError(f"{self.scene.engines[endpoint].inspect(name).name} is still there")
        for endpoint in (HERE, THERE):
            assert self.scene.sh(endpoint, f"grep -c dtnctl: {KEYS} 2>/dev/null || true").strip() in ("", "0")
