"""Two DTN services on their hosts' networks, and what a test does with transfers by any tool between them, through the program itself."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dtnctl.model.tools import TOOLS, Tool
from lab import Lab
from tests.docs.tool_pages import files_of_page, tools_of_page
from tests.e2e.playground import Playground, Ran
from tests.e2e.test_trouble import wait_for

# Tools that docs/tools.md declares and whose programs the image has.
DECLARED = ("tar_over_ssh", "webdav")
HARDWARE = "rdma"  # the names of tools that need devices begin so: tests/hardware
ROWS: Mapping[str, Tool] = {
    **{name: row for name, row in TOOLS.items() if not name.startswith(HARDWARE)},
    **{name: tool.row for name, tool in tools_of_page().items() if name in DECLARED},
}
COPY = [name for name, row in ROWS.items() if row.moves == "files"]
MEASURE = [name for name, row in ROWS.items() if row.moves == "memory"]
SMALL = 4 * 1024**2  # bytes of the file system that each tool has at /data/small/TOOL
USER_ID = 31000  # of dtnaas in the image
JOB = re.compile(r"\.g\d+a\d+(\.server)?$")
KEYS = "grep -c dtnctl: /home/dtnaas/.ssh/authorized_keys2 2>/dev/null || true"
PROCESSES = 'for p in /proc/[0-9]*; do [ "$(stat -c %U $p 2>/dev/null)" = dtnaas ] && tr "\\0" " " <$p/cmdline; done; true'
# Ends what the user of transfers runs in the service: the sessions of sshd and their programs.
KILL_SESSIONS = 'for p in /proc/[0-9]*; do [ "$(stat -c %U $p 2>/dev/null)" = dtnaas ] && kill -9 ${p#/proc/}; done; true'


@dataclass(frozen=True)
class Ended:
    """What a scenario came to: exit codes of the apply, of the next one, and of one that allows what failed; rows and starts by tool."""

    scenario: str
    first: Ran
    codes: tuple[int, int, int]
    rows: Mapping[str, Mapping[str, Any]]
    status: str
    shown: str
    starts: Mapping[str, int]
    left: tuple[str, ...]


class TransferScene:
    """A site `play` with the session `pair`, whose services see /data/tools of their hosts as /data."""

    def __init__(self, lab: Lab, root: Path) -> None:
        self.play = play = Playground(lab, root)
        for name in DECLARED:
            file = root / f"state/tools/{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(files_of_page()[f"tools/{name}"])
        profile = {"mgmt_net": "host", "data_port_range": [50100, 50199], "user": "dtnaas", "volumes": ["/data/tools:/data"]}
        play.write("profiles/dtn", profile | {"init": True, "memory": None, "cpus": None, "stop_timeout": "2s"})
        play.write("sessions/pair", {"endpoints": ["dtn1", "dtn2"], "image": "dtn:1", "profile": "dtn"})
        for name in COPY:
            play.lab.exec("dtn2", ["mkdir", "-p", f"/data/tools/small/{name}"])
            play.lab.exec("dtn2", ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "small", f"/data/tools/small/{name}"])
        for endpoint in ("dtn1", "dtn2"):
            play.lab.exec(endpoint, ["mkdir", "-p", "/data/tools"])
            play.lab.exec(endpoint, ["chown", "-R", f"{USER_ID}:{USER_ID}", "/data/tools"])
        play.apply().expect(0)

    def close(self) -> None:
        for name in COPY:
            self.play.lab.exec("dtn2", ["umount", "--lazy", f"/data/tools/small/{name}"], check=False)
        self.play.clean()

    # --- the ends ---

    def sh(self, endpoint: str, script: str, user: str = "dtnaas") -> str:
        """Run it in the endpoint's service."""
        ran = self.play.run_in("play.pair", "bash", "-c", script, endpoint=endpoint, user=user)
        assert ran.exit_code == 0, ran
        return ran.stdout.decode()

    @contextlib.contextmanager
    def slow(self, rate: str = "8mbit") -> Iterator[None]:
        """The source's host sends no faster."""
        where = ["dev", "eth0", "root"]
        self.play.lab.exec("dtn1", ["tc", "qdisc", "add", *where, "tbf", "rate", rate, "burst", "256kb", "latency", "100ms"])
        try:
            yield
        finally:
            self.play.lab.exec("dtn1", ["tc", "qdisc", "del", *where])

    @contextlib.contextmanager
    def refused(self) -> Iterator[None]:
        """The destination's host refuses all connections from outside, to sshd and to data ports."""
        rule = ["INPUT", "!", "-i", "lo", "-p", "tcp", "--syn", "-j", "REJECT", "--reject-with", "tcp-reset"]
        self.play.lab.exec("dtn2", ["iptables", "-I", *rule])
        try:
            yield
        finally:
            self.play.lab.exec("dtn2", ["iptables", "-D", *rule])

    def age(self) -> float:
        """For how many seconds both services have been running."""
        starts = [self.play.container("pair", endpoint)["State"]["StartedAt"][:19] for endpoint in ("dtn1", "dtn2")]
        youngest = max(datetime.fromisoformat(start).replace(tzinfo=UTC) for start in starts)
        return (datetime.now(UTC) - youngest).total_seconds()

    def jobs(self) -> tuple[str, ...]:
        """Containers of attempts that are there, with their endpoint."""
        return tuple(
            sorted(f"{name} on {endpoint}" for endpoint in ("dtn1", "dtn2") for name in self.play.names(endpoint) if JOB.search(name))
        )

    def log(self, job: str) -> bytes:
        """What the job has written; nothing if it is not there."""
        found: bytes = self.play.engines["dtn1"].logs(job) if job in self.play.names("dtn1") else b""
        return found

    # --- transfers ---

    def declare(self, name: str, tool: str, source: str = "", destination: str = "", **fields: Any) -> None:
        """One transfer from dtn1 to dtn2, of `/data/SOURCE` to `/data/DESTINATION` where the tool copies files."""
        ends = {"from": "dtn1", "to": "dtn2"}
        if ROWS[tool].moves == "files":
            ends = {"from": f"dtn1:/data/{source}", "to": f"dtn2:/data/{destination}"}
        self.play.write(f"transfers/{name}", {**ends, "tool": tool, **fields})

    def forget(self) -> None:
        """No transfer is declared any more."""
        for file in (self.play.root / "state/transfers").glob("*.yaml"):
            file.unlink()

    def row(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.play.run("transfers", "show", name, "-o", "json").expect(0).json["transfer"]
        return found

    def starts(self, since: float) -> Mapping[str, int]:
        """How often containers of attempts were started since then, by name, as the engines' events have it."""
        now = int(time.time()) + 1
        wanted = {"type": ["container"], "event": ["start"]}
        events = (
            event
            for engine in self.play.engines.values()
            for event in engine.events(since=int(since), until=now, filters=wanted, decode=True)
        )
        return Counter(name for event in events if JOB.search(name := event["Actor"]["Attributes"]["name"]))

    def follow_up(self, scenario: str, tools: Sequence[str], first: Ran, began: float) -> Ended:
        """What an apply of the transfers `SCENARIO-TOOL` came to, and what further applies make of it."""
        rows = {row["name"]: row for row in self.play.run("transfers", "list", "-o", "json").expect(0).json["transfers"]}
        names = {tool: transfer_name(scenario, tool) for tool in tools}
        status = self.play.run("status", "-o", "wide").expect(0).out
        shown = self.play.run("transfers", "show", names[tools[0]]).expect(0).out
        second = self.play.apply()
        allowed = self.play.run("apply", "--yes", *(word for name in names.values() for word in ("--allow-failed", name)))
        starts = self.starts(began)
        return Ended(
            scenario,
            first,
            (first.code, second.code, allowed.code),
            {tool: rows[name] for tool, name in names.items()},
            status,
            shown,
            {tool: starts.get(f"play.{name}.g1a1", 0) for tool, name in names.items()},
            (*self.jobs(), *self.keys_left(), *self.processes_left()),
        )

    def keys_left(self) -> tuple[str, ...]:
        counts = {endpoint: self.sh(endpoint, KEYS).strip() for endpoint in ("dtn1", "dtn2")}
        return tuple(f"{count} keys on {endpoint}" for endpoint, count in counts.items() if count not in ("", "0"))

    def processes_left(self) -> tuple[str, ...]:
        """What the user of transfers still runs in the services; sessions of sshd may take a moment to end."""
        left: list[str] = []

        def is_quiet() -> bool:
            left[:] = [text for endpoint in ("dtn1", "dtn2") if (text := self.sh(endpoint, PROCESSES, user="root"))]
            return not left

        with contextlib.suppress(AssertionError):
            wait_for(is_quiet, seconds=60)
        return tuple(left)

    def kill_servers(self) -> None:
        """Ends every server of an attempt and every session at the destination."""
        for name in self.play.names("dtn2"):
            if name.endswith(".server"):
                self.play.engines["dtn2"].kill(name)
        self.sh("dtn2", KILL_SESSIONS, user="root")


def transfer_name(scenario: str, tool: str) -> str:
    return f"{scenario}-{tool.replace('_', '-')}"
