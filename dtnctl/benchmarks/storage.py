"""What `dtnctl bench storage` measures: the declared volumes of a session, and the session of its own that carries that. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dtnctl.benchmarks.fio import WAYS, DiskSample, Shape, remove_script
from dtnctl.benchmarks.machines import Machine
from dtnctl.benchmarks.rows import BENCH, IDLE, Basis, with_session
from dtnctl.benchmarks.spread import Spread, spread_of
from dtnctl.model.profile import Volume
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site


@dataclass(frozen=True, slots=True)
class Place:
    """A volume on an endpoint, by where it is in the container. `source`: the host's folder, the volume's name, or `tmpfs`."""

    endpoint: str
    target: str
    source: str

    @property
    def label(self) -> str:
        return f"{self.endpoint}:{self.target}"

    def folder(self, site: str) -> str:
        """Where the benchmark's files are, in the container. Shared storage has one for each endpoint."""
        return f"{self.target.rstrip('/')}/.{BENCH}-{site}-{self.endpoint}"


@dataclass(frozen=True, slots=True)
class PlaceLeftOut:
    place: Place
    why: str


def places(
    site: Site, basis: Basis, seen: Snapshot, endpoints: Iterable[str], targets: Iterable[str] = ()
) -> tuple[tuple[Place, ...], tuple[PlaceLeftOut, ...]]:
    """The volumes to measure and those that cannot be. `targets`: only these; empty: all."""
    wanted = frozenset(targets)
    chosen: list[Place] = []
    left: list[PlaceLeftOut] = []
    for endpoint in endpoints:
        for volume in _volumes(basis, endpoint):
            place = Place(endpoint, volume.target, _source(site, volume))
            if wanted and volume.target not in wanted:
                continue
            if why := _why_not(site, volume, seen, endpoint):
                left.append(PlaceLeftOut(place, why))
            else:
                chosen.append(place)
    return tuple(chosen), tuple(left)


def _volumes(basis: Basis, endpoint: str) -> tuple[Volume, ...]:
    return basis.settings[endpoint].volumes if basis.settings is not None else ()


def _source(site: Site, volume: Volume) -> str:
    """Of a volume over NVMe-oF also how it is reached: `nvme:scratch, over TCP from dtn2`."""
    if not volume.nvme:
        return volume.source or "tmpfs"
    declared = site.volumes[volume.nvme].value
    far = declared.target.endpoint or "an external target"
    return f"{volume.source}, over {declared.transport.upper()} from {far}"


def _why_not(site: Site, volume: Volume, seen: Snapshot, endpoint: str) -> str:
    if volume.nvme and site.volumes[volume.nvme].value.filesystem is None:
        return "it is a block device without a file system, and what is on it is not known"
    if volume.mode == "ro":
        return "it is mounted read-only, and only files of the benchmark's own are read"
    if volume.kind == "volume" and volume.source not in seen.endpoints[endpoint].volumes:
        return "the volume is not there yet; apply makes it"
    return ""


def storage_site(site: Site, basis: Basis, measured: tuple[Place, ...], cpus: str = "") -> Site:
    """The site with one more session: a container at each endpoint with the volumes that are measured, and no network."""
    endpoints = tuple(dict.fromkeys(place.endpoint for place in measured))
    return with_session(site, endpoints, basis, {name: _own(site, basis, name, measured, cpus) for name in endpoints})


def _own(site: Site, basis: Basis, endpoint: str, measured: tuple[Place, ...], cpus: str) -> Mapping[str, object]:
    here = {place.target: place for place in measured if place.endpoint == endpoint}
    # Stopped by whoever removes an undeclared session after a kill, it removes its files by itself.
    removing = "; ".join(remove_script(place.folder(site.name)) for place in here.values())
    return {
        "volumes": tuple(volume for volume in _volumes(basis, endpoint) if volume.target in here or _may_have_programs(volume)),
        "arguments": (IDLE.replace("exit 0", f"{removing}; exit 0"),),
        "mgmt_net": None,
        "stop_timeout": 10.0,
        "cpu_set": cpus or None,
    }


def _may_have_programs(volume: Volume) -> bool:
    """A folder of the host that is mounted read-only, such as /usr: without it there may be no fio and no shell."""
    return volume.kind == "bind" and volume.mode == "ro"


def shapes(blocks: Iterable[int], jobs: Iterable[int], size: int, seconds: int) -> tuple[Shape, ...]:
    """Each block size with each number of jobs, written and then read."""
    counts = tuple(jobs)
    return tuple(Shape(way, block, count, size, seconds) for block in blocks for count in counts for way in WAYS)


# --- what was found -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DiskFigures:
    """What the rounds of one volume and one shape gave. `is_direct`: past the host's page cache."""

    place: Place
    shape: Shape
    is_direct: bool
    samples: tuple[DiskSample, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def rate(self) -> Spread | None:
        """Bytes a second."""
        return spread_of([sample.rate for sample in self.samples])

    @property
    def megabytes(self) -> Spread | None:
        """The same in MB/s."""
        return spread_of([sample.rate / 1e6 for sample in self.samples])

    @property
    def requests(self) -> Spread | None:
        return spread_of([sample.requests for sample in self.samples])

    @property
    def cpu(self) -> Spread | None:
        """fio's CPU seconds per 10^9 bytes."""
        return spread_of([sample.cpu for sample in self.samples])


@dataclass(frozen=True, slots=True)
class StorageFigures:
    """All of one run. `is_whole`: no signal ended it before the last round."""

    session: str
    image: str
    size: int
    seconds: int
    rounds: int
    rows: tuple[DiskFigures, ...]
    left_out: tuple[PlaceLeftOut, ...] = ()
    machines: tuple[Machine, ...] = ()
    is_whole: bool = True
