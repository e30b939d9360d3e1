"""P4: pure planning of 20 endpoints with 100 services each, and of ten times as many; no file and no engine takes part.

Times are the processor's: nothing here waits for anything. The plan that counts is the first one, where everything is to be made;
beside it stands one where a tenth drifted and a tenth is gone.

The ratio asks whether planning's own work grows with the sites. It is taken without Python's search for garbage, which spares the
small plan and looks at the large one, and at all else that lives here, again and again; what it adds stands beside the ratio.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from statistics import median
from time import process_time
from typing import TypeVar

from bench.figures import Figure, Options, Pairs, absolute, at_most, figure_of, in_turn, seconds
from dtnctl.model.actions import CreateContainer, CreateNetwork
from dtnctl.model.plan import Plan
from dtnctl.model.profile import Profile
from dtnctl.model.resources import ContainerSeen, EndpointSeen, ImageSeen, NetworkSeen, Snapshot
from dtnctl.model.site import Document, Endpoint, Location, Mark, Network, Session, Site
from dtnctl.model.site_settings import SiteSettings
from dtnctl.model.transfer import Transfer
from dtnctl.planning.containers.compare import fill_in
from dtnctl.planning.planner import make_plan

T = TypeVar("T")
ENDPOINTS = 20
SERVICES = 100  # on each endpoint
NOW = datetime(2026, 6, 1, tzinfo=UTC)
MARKS: dict[Location, Mark] = {(): Mark(1, 1)}
IMAGE = ImageSeen("sha256:1", env=(("PATH", "/usr/bin"),), command=("serve",))


def measure(options: Options) -> Iterator[Figure]:
    services = options.size(SERVICES, SERVICES // 10)
    once, tenfold = Scene(services), Scene(10 * services)
    above, below, whole, searched, lived_in = in_turn(
        options.rounds_or(5),
        tenfold.work_of_first,
        once.work_of_first,
        once.time_of_first,
        tenfold.time_of_first,
        once.time_of_repair,
    )
    pairs = Pairs(above, below)
    beside = f"repair {median(lived_in):.2f} s; peak memory {_mebibytes(once)}, ten times the sessions {_mebibytes(tenfold)}"
    yield absolute(f"P4 plan of {ENDPOINTS} endpoints x {services} services, CPU seconds", whole, at_most(2.0), beside)
    detail = f"{seconds('ten times', 'once', pairs)}; with searches for garbage {median(searched):.3f} s and {median(whole):.3f} s"
    yield figure_of("P4 plan of ten times the sessions / once", pairs, at_most(11), detail)


def _mebibytes(scene: Scene) -> str:
    return f"{scene.peak() / 2**20:.0f} MiB"


class Scene:
    """A site, and two worlds that it is planned for: an empty one, and one where it was applied and then lived in."""

    def __init__(self, services: int) -> None:
        self.site = site_of(services)
        self.empty = Snapshot({name: EndpointSeen(name, images={"dtn:1": IMAGE}) for name in self.site.endpoints})
        self.lived_in = lived_in(make_plan(self.site, self.empty, now=NOW), self.empty)

    def work_of_first(self) -> float:
        """As `time_of_first`, without what searching for garbage adds."""
        gc.disable()
        try:
            return self._time(self.empty)
        finally:
            gc.enable()

    def time_of_first(self) -> float:
        return self._time(self.empty)

    def time_of_repair(self) -> float:
        return self._time(self.lived_in)

    def _time(self, snapshot: Snapshot) -> float:
        gc.collect()
        before = process_time()
        plan = make_plan(self.site, snapshot, now=NOW)
        elapsed = process_time() - before
        if not plan.steps or plan.blocked:  # it is kept until here: forgetting it is no part of planning
            raise RuntimeError("there was nothing to plan, or it was blocked")
        return elapsed

    def peak(self) -> int:
        """Bytes that the first plan needs beside what it is given; measured apart, since watching memory takes time."""
        gc.collect()
        tracemalloc.start()
        make_plan(self.site, self.empty, now=NOW)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak


def site_of(services: int) -> Site:
    """Every session has a service on two endpoints, every tenth a transfer between them; ports and addresses are for choice."""
    endpoints = [f"dtn{number:02}" for number in range(ENDPOINTS)]
    sessions, transfers = {}, {}
    for number in range(ENDPOINTS * services // 2):
        pair = [endpoints[number % ENDPOINTS], endpoints[(number + 1) % ENDPOINTS]]
        name = f"s{number:05}"
        sessions[name] = document(name, Session.model_validate({"endpoints": pair, "image": "dtn:1", "profile": "dtn", "user": "dtn"}))
        if number % 10 == 0:
            ends = {"from": f"{pair[0]}:/data/{number}", "to": f"{pair[1]}:/data/{number}"}
            transfers[name] = document(name, Transfer.model_validate({**ends, "tool": "gridftp", "session": name}))
    data = {"driver": "macvlan", "mtu": 9000, "subnet": "10.20.0.0/16"}
    profile = {
        "volumes": ["/data"],
        "data_nets": ["data"],
        "ctrl_port_range": [20000, 29999],
        "serv_port_range": [30000, 39999],
        "memory": "4GiB",
    }
    return Site(
        settings=document("site", SiteSettings.model_validate({"name": "bench"})),
        endpoints={name: document(name, _endpoint(name)) for name in endpoints},
        networks={"data": document("data", Network.model_validate(data))},
        profiles={"dtn": document("dtn", Profile.model_validate(profile))},
        sessions=sessions,
        transfers=transfers,
    )


def _endpoint(name: str) -> Endpoint:
    return Endpoint.model_validate(
        {"docker": f"ssh://dtn@{name}.example.net", "interfaces": {"data": "eth1"}, "allow": {"mounts": ["/data"]}}
    )


def document(name: str, value: T) -> Document[T]:
    return Document(name, f"state/{name}.yaml", value, MARKS)


def lived_in(plan: Plan, empty: Snapshot) -> Snapshot:
    """What the plan makes, of which a tenth drifted and a tenth is gone."""
    containers: dict[str, list[ContainerSeen]] = {name: [] for name in empty.endpoints}
    networks: dict[str, list[NetworkSeen]] = {name: [] for name in empty.endpoints}
    for number, step in enumerate(plan.steps):
        action = step.action
        if isinstance(action, CreateNetwork):
            networks[step.endpoint].append(NetworkSeen(action.network, f"n{number}", dict(action.labels), action.spec))
        elif isinstance(action, CreateContainer) and number % 10:
            spec = fill_in(action.spec, IMAGE)
            spec = replace(spec, memory=1) if number % 10 == 1 else spec
            seen = ContainerSeen(action.container, f"c{number}", dict(action.labels), spec, IMAGE.id, "running", started_at="now")
            containers[step.endpoint].append(replace(seen, addresses=spec.attachments))
    return Snapshot(
        {
            name: replace(
                seen, containers=tuple(containers[name]), networks=tuple(networks[name]), images={"dtn:1": IMAGE, IMAGE.id: IMAGE}
            )
            for name, seen in empty.endpoints.items()
        }
    )
