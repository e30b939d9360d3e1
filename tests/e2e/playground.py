"""A site in a folder, two real endpoints, and the dtnctl program: what every scenario plays with."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
import yaml

from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.plan import Plan
from dtnctl.model.site import Endpoint
from dtnctl.planning.planner import Scope
from dtnctl.providers.base import Ran as Executed
from dtnctl.repository.load import load_site
from dtnctl.runtime.reconcile import look_and_plan
from lab import Lab
from tests.docker_clients import connect
from tests.forked_program import program_in

PROGRAM = [sys.executable, "-m", "dtnctl"]
BASE_NETWORKS = {"bridge", "host", "none"}


@dataclass(frozen=True)
class Ran:
    """A finished dtnctl."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def expect(self, code: int) -> Ran:
        """Fail with everything that was printed unless the exit code is this."""
        assert self.code == code, f"exit code {self.code}, not {code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"
        return self


class Playground:
    """Write state, run dtnctl as the controller, look at the engines."""

    def __init__(self, lab: Lab, root: Path, api: str = "1.41") -> None:
        self.lab = lab
        self.root = root
        self.engines: dict[str, docker.APIClient] = {}
        for endpoint in lab.endpoints:
            self.engines[endpoint.name] = docker.APIClient(base_url=endpoint.unix_url, version=api, timeout=60)
        self.site()
        for endpoint in lab.endpoints:
            self.endpoint(endpoint.name)

    # --- state ---

    def write(self, path: str, value: Mapping[str, Any]) -> None:
        """Write one state file, such as sessions/a."""
        file = self.root / "state" / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(dict(value), sort_keys=False))

    def remove(self, path: str) -> None:
        (self.root / "state" / f"{path}.yaml").unlink()

    def site(self, **more: Any) -> None:
        self.write("site", {"name": "play", **more})

    def endpoint(self, name: str, transport: str = "unix", **more: Any) -> None:
        """An endpoint of the lab; `allow` is generous unless told otherwise."""
        value = yaml.safe_load(self.lab.endpoint_yaml(name, transport))  # type: ignore[arg-type]
        value["interfaces"] = {}
        value["allow"] = {"mounts": ["/data"], "devices": ["*"], "capabilities": ["*"], "privileged": True}
        self.write(f"endpoints/{name}", value | more)

    def session(self, name: str, **fields: Any) -> None:
        """A session on dtn1 with the tiny image and a process that ends when it is told to."""
        value = {"endpoints": ["dtn1"], "image": "tiny:1", "profile": "tiny"} | fields
        self.profile("tiny") if not (self.root / "state/profiles/tiny.yaml").exists() else None
        self.write(f"sessions/{name}", value)

    def profile(self, name: str, **fields: Any) -> None:
        self.write(f"profiles/{name}", {"arguments": ["sleep", "100000"], "init": True, "memory": "256MiB", "stop_timeout": "2s"} | fields)

    def data_network(self, name: str = "data", **fields: Any) -> None:
        """A macvlan network on eth1 of every endpoint."""
        value = {"driver": "macvlan", "subnet": "10.20.0.0/24", "addresses": "10.20.0.100-10.20.0.199", "mtu": 9000}
        self.write(f"networks/{name}", value | fields)
        for endpoint in self.lab.endpoints:
            file = self.root / "state" / "endpoints" / f"{endpoint.name}.yaml"
            written = yaml.safe_load(file.read_text())
            written["interfaces"][name] = "eth1"
            self.write(f"endpoints/{endpoint.name}", written)

    # --- dtnctl ---

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start dtnctl in the controller's network; its folder is the site's."""
        return subprocess.Popen(
            self.lab.command("ctl", [*PROGRAM, *arguments]),
            cwd=self.root,
            env=self.lab.environment() | {"PYTHONPATH": str(Path(__file__).parents[2])} | dict(env or {}),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    @contextlib.contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A dtnctl that does not outlive the block."""
        process = self.start(*arguments)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Ran:
        """The same to its end, in a fork: most of a short command is Python's start."""
        environment = {**self.lab.environment(), "HOME": str(self.lab.layout.home), **(env or {})}
        ran = program_in(self.lab).run(arguments, self.root, environment)
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def ended(self, process: subprocess.Popen[str]) -> Ran:
        """What a dtnctl that was started came to."""
        out, err = process.communicate(timeout=300)
        return Ran(process.returncode, out, err)

    def apply(self, *arguments: str) -> Ran:
        return self.run("apply", "--yes", *arguments)

    def plan(self, *arguments: str) -> Ran:
        return self.run("plan", *arguments)

    def converge(self, *arguments: str) -> Ran:
        """Apply, and see that nothing is left to do."""
        ran = self.apply(*arguments).expect(0)
        self.assert_nothing_to_do()
        return ran

    def assert_nothing_to_do(self) -> None:
        ran = self.plan("--detailed-exitcode")
        assert ran.code == 0, f"the plan is not empty:\n{ran.out}\n{ran.err}"
        assert "No changes" in ran.out

    def changes(self) -> list[tuple[str, str, str]]:
        """(actions, name, endpoint) of the plan's operations."""
        return [("+".join(item["actions"]), item["name"], item["endpoint"]) for item in self.plan("-o", "json").json["changes"]]

    def plan_here(self) -> Plan:
        """The plan, made in this process through the real provider: for scenarios that need many."""
        site = load_site(self.root)
        with contextlib.ExitStack() as stack:
            observers = {}
            for name, document in site.endpoints.items():
                observers[name] = connect(name, document.value, site=site.name, registries={}, read_only=True, root=self.root)
                stack.callback(observers[name].close)
            return look_and_plan(site, observers, datetime.now(UTC), Scope())[0]

    # --- the engines ---

    def container(self, session: str, endpoint: str = "dtn1") -> dict[str, Any]:
        """Inspect of the session's container."""
        value: dict[str, Any] = self.engines[endpoint].inspect_container(f"play.{session}")
        return value

    def run_in(self, container: str, *command: str, endpoint: str = "dtn1", user: str = "") -> Executed:
        """Run the command there. The SDK loses what is written at once: its answer and the first output share a buffer."""
        where = Endpoint(docker=parse_engine(self.lab.endpoint(endpoint).unix_url), host="none")
        engine = connect(endpoint, where, site="play", registries={}, read_only=False, root=self.root)
        with contextlib.closing(engine):
            return engine.run(container, command, user=user)

    def names(self, endpoint: str = "dtn1") -> set[str]:
        return {item["Names"][0].lstrip("/") for item in self.engines[endpoint].containers(all=True)}

    def networks(self, endpoint: str = "dtn1") -> set[str]:
        return {item["Name"] for item in self.engines[endpoint].networks()} - BASE_NETWORKS

    def foreign(self, name: str, endpoint: str = "dtn1", **options: Any) -> str:
        """Start a container of somebody else; returns its id."""
        engine = self.engines[endpoint]
        host_config = engine.create_host_config(init=True, **options.pop("host", {}))
        created = engine.create_container("tiny:1", ["sleep", "100000"], name=name, host_config=host_config, **options)
        engine.start(created["Id"])
        return str(created["Id"])

    def dump(self, endpoint: str = "dtn1") -> dict[str, Any]:
        """Everything that must not change while nothing is written: containers and networks by id."""
        engine = self.engines[endpoint]
        containers = {item["Id"]: (item["Names"], item["State"], item["Labels"]) for item in engine.containers(all=True)}
        return {"containers": containers, "networks": {item["Id"]: item["Name"] for item in engine.networks()}}

    def clean(self) -> None:
        """Take everything off the engines, for the next scenario."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._clean, self.engines))

    def _clean(self, name: str) -> None:
        engine = self.engines[name]
        for item in engine.containers(all=True):
            engine.remove_container(item["Id"], force=True, v=True)
        for item in engine.volumes()["Volumes"] or ():
            engine.remove_volume(item["Name"])
        for item in engine.networks():
            if item["Name"] not in BASE_NETWORKS:
                engine.remove_network(item["Id"])
        self.lab.exec(name, ["sh", "-c", "rm -rf /var/lib/dtnctl /data/* /data/.[!.]*"], check=False)
        engine.close()
