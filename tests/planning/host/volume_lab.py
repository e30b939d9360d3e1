"""Hosts `a`, `b` and `c` with agents, of which `b` has the disk of volume `scratch`; and what became of it in between."""

from __future__ import annotations

from typing import Any

from dtn_agent.protocol import Host as Machine

from dtnctl.model.plan import Plan
from dtnctl.model.site import Site
from tests.planning.building import ANYTHING, site, world
from tests.planning.dtns import agent, carry_out, session
from tests.planning.machines import machine, pf
from tests.planning.volumes import nvme_facts
from tests.properties.world import World

DATA = "# networks/data\ndriver: macvlan\nsubnet: 10.20.0.0/24\n"
SCRATCH = "# volumes/scratch\ntarget: {endpoint: b, device: /dev/nvme1n1, network: data}\nfilesystem: xfs\n"
RAW = "# volumes/scratch\ntarget: {endpoint: b, device: /dev/nvme1n1, network: data}\n"
READS = '{volumes: ["nvme:scratch:/data"]}'
WRITES = '{volumes: ["nvme:scratch:/data:rw"]}'
MAY_REMOVE = "# site\nname: lab\nlimits: {max_prune: 100%}\n"
ADDRESSES = {"a": "10.20.0.11/24", "b": "10.20.0.12/24", "c": "10.20.0.13/24"}


def endpoint(name: str, *, more: str = "") -> str:
    head = f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nagent: unix:///run/{name}-agent.sock\n"
    return f"{head}interfaces: {{data: ens1f0}}\nallow: {ANYTHING[:-1]}, exports: [/dev]}}\n{more}"


ENDPOINTS = endpoint("a") + endpoint("b") + endpoint("c")


def lab(*texts: str, endpoints: str = ENDPOINTS) -> Site:
    """Hosts `a`, `b` and `c`, and volume `scratch` on a disk of `b`."""
    text = "".join(texts)
    return site(endpoints + DATA + MAY_REMOVE + ("" if "# volumes/" in text else SCRATCH) + text)


def told(name: str, **values: Any) -> Machine:
    """The host as its agent reports it; `values` are fields of its interface's and of its facts about NVMe-oF."""
    nic = pf("ens1f0", 1).model_copy(update={"addresses": (ADDRESSES[name],), **values.pop("nic", {})})
    host = machine(nic, lacks=values.pop("lacks", ()))
    facts = host.facts.model_copy(update={"nvme": nvme_facts(name).model_copy(update=values)})
    return host.model_copy(update={"facts": facts})


def before(declared: Site, **machines: Machine) -> World:
    return world(declared, machines={name: machines.get(name, told(name)) for name in declared.endpoints})


def after(declared: Site, **machines: Machine) -> World:
    made = before(declared, **machines)
    carry_out(declared, made)
    return made


def lost(made: World, endpoint_name: str, **values: Any) -> None:
    """The kernel has a host's connection otherwise: fields of HeldVolume; `is_mounted` and `is_being_unmounted` are its mount's."""
    told_now = agent(made, endpoint_name)
    (held,) = told_now.machine.held.volumes
    of_mount: dict[str, Any] = {name: values.pop(name) for name in ("is_mounted", "is_being_unmounted") if name in values}
    if of_mount:
        assert held.mount is not None
        values["mount"] = held.mount.model_copy(update=of_mount)
    entries = told_now.machine.held.model_copy(update={"volumes": (held.model_copy(update=values),)})
    told_now.machine = told_now.machine.model_copy(update={"held": entries})


def exported(made: World, **values: Any) -> None:
    """The target has it otherwise: fields of HeldExport."""
    told_now = agent(made, "b")
    (held,) = told_now.machine.held.exports
    entries = told_now.machine.held.model_copy(update={"exports": (held.model_copy(update=values),)})
    told_now.machine = told_now.machine.model_copy(update={"held": entries})


def reads(name: str = "one", on: str = "a", *, state: str = "started") -> str:
    return session(name, READS, on=on, state=state)


def codes(found: Plan) -> list[str]:
    """What is blocked, with its reason."""
    return [f"{item.code} {item.kind}/{item.name} @ {item.endpoint}: {item.summary}" for item in found.changes if item.mark == "blocked"]
