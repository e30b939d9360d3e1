"""Values for planning tests: a Site from inline YAML, and worlds in which it was applied."""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from dtn_agent.protocol import Host as Machine

from dtnctl.model.plan import Plan
from dtnctl.model.resources import LABEL_SPEC, ContainerSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.planning.planner import Scope, make_plan
from dtnctl.repository.load import load_site
from tests.properties.agent import Agent
from tests.properties.host import image
from tests.properties.world import World

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANYTHING = "{mounts: [/], volumes: ['*'], devices: ['*'], capabilities: ['*'], privileged: true}"


def files_of(text: str) -> dict[str, str]:
    """The files of a state folder in one text: a line `# KIND/NAME` starts each. What is missing is made up: site, endpoints a and b."""
    files: dict[str, str] = {}
    name = ""
    for line in textwrap.dedent(text).splitlines():
        if line.startswith("# "):
            name = f"{line[2:].strip()}.yaml"
            files[name] = ""
        elif line.strip():
            files[name] += f"{line}\n"
    files.setdefault("site.yaml", "name: lab\n")
    if not any(name.startswith("endpoints/") for name in files):
        files |= {f"endpoints/{name}.yaml": endpoint(name, files) for name in ("a", "b")}
    return files


def endpoint(name: str, files: Mapping[str, str]) -> str:
    """An endpoint whose owner allows everything, with an interface for each network that needs one."""
    networks = sorted(file[len("networks/") : -len(".yaml")] for file in files if file.startswith("networks/"))
    needing = [net for net in networks if yaml.safe_load(files[f"networks/{net}.yaml"])["driver"] != "bridge"]
    interfaces = ", ".join(f"{net}: eth{number}" for number, net in enumerate(needing, start=1))
    return f"docker: unix:///run/{name}.sock\nhost: {name}.example.net\ninterfaces: {{{interfaces}}}\nallow: {ANYTHING}\n"


def site(text: str) -> Site:
    """The site, loaded from files as dtnctl does it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files_of(text).items():
            path = Path(folder) / "state" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return load_site(Path(folder), "state", NOW)


def world(declared: Site, *, images: tuple[str, ...] = ("dtn:1",), machines: Mapping[str, Machine] = MappingProxyType({})) -> World:
    """The site's endpoints, with nothing on them but images. Those with a machine have an agent that tells of it."""
    empty = World(tuple(declared.endpoints), declared.name)
    for host in empty.hosts.values():
        host.images = {reference: image(reference) for reference in images}
        host.agent = Agent(machines[host.name]) if host.name in machines else None
    return empty


def applied(declared: Site, **options: Any) -> World:
    """The site's endpoints as apply leaves them."""
    made = world(declared, **options)
    made.apply(plan(declared, made))
    assert plan(declared, made).is_empty
    return made


def plan(declared: Site, seen: World | Snapshot, **scope: Any) -> Plan:
    """The plan; keywords are those of Scope. Endpoints that the site does not name are not looked at."""
    snapshot = seen.observe() if isinstance(seen, World) else seen
    snapshot = replace(snapshot, endpoints={name: item for name, item in snapshot.endpoints.items() if name in declared.endpoints})
    return make_plan(declared, snapshot, now=NOW, scope=Scope(**scope))


def change(made: World, endpoint_name: str, container: str, **values: Any) -> ContainerSeen:
    """Change a live container by hand: fields of what was seen, or of its spec."""
    host = made.hosts[endpoint_name]
    seen = host.by_name(container)
    assert seen is not None, f"there is no {container} on {endpoint_name}, only {[item.name for item in host.containers.values()]}"
    own = {name: value for name, value in values.items() if hasattr(seen, name)}
    spec = replace(seen.spec, **{name: value for name, value in values.items() if name not in own})
    if own.get("state") in ("exited", "created", "dead"):
        own.setdefault("addresses", ())
    host.containers[seen.id] = replace(seen, spec=spec, **own)
    return host.containers[seen.id]


def made_by_other_commit(made: World, endpoint_name: str, container: str) -> None:
    """The container was created when Git said something else."""
    seen = made.hosts[endpoint_name].by_name(container)
    assert seen is not None
    change(made, endpoint_name, container, labels={**seen.labels, LABEL_SPEC: "another"})


def drop(made: World, endpoint_name: str, container: str) -> None:
    """`docker rm -f` by hand."""
    host = made.hosts[endpoint_name]
    seen = host.by_name(container)
    assert seen is not None
    del host.containers[seen.id]
