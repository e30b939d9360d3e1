"""Two engines as values, with what leases, the ledger and a transfer's containers need of them: each call is one atomic change.

What engines refuse is refused here: a name that is taken, a container that is gone or runs. Services answer every question at once, for
nothing changes them; every other call waits until the scheduler lets it happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from dtnctl.errors import ConflictError, EngineError, NotFoundError
from dtnctl.model.actions import EngineAction
from dtnctl.model.ledger import LEDGER_MOUNT, Entry
from dtnctl.model.resources import LABEL_SITE, ContainerSeen, ContainerSpec, ContainerState, EndpointSeen, Mount, Pairs, Wanted
from dtnctl.providers.base import FileEntry, Ran
from dtnctl.providers.docker.store import PlaceholderStore

SITE, IMAGE, SERVICE, TRANSFER = "lab", "dtn:1", "lab.demo", "run"
HERE, THERE = "a", "b"
LEASE, LEDGER = f"{SITE}.control.lease", f"{SITE}.control.ledger"
JOB, SERVER = f"{SITE}.{TRANSFER}.g1a1", f"{SITE}.{TRANSFER}.g1a1.server"
STARTED = "2026-01-01T00:00:00Z"
RECEIVED = b'{"end": {"sum_received": {"bytes": 1000, "bits_per_second": 8000.0}}}'
Value = TypeVar("Value")


@dataclass(slots=True)
class Box:
    """A container. `runs` counts how often its program got past the pipe that it makes first, which a container makes once."""

    name: str
    id: str
    labels: dict[str, str]
    spec: ContainerSpec
    state: ContainerState = "created"
    exit_code: int = 0
    started_at: str = ""
    finished_at: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    made_by: str = ""
    runs: int = 0

    def fingerprint(self) -> tuple[object, ...]:
        return (self.id, self.state, self.exit_code, self.started_at, self.runs, self.made_by, tuple(sorted(self.files.items())))


@dataclass(slots=True)
class Shared:
    """What all clients share: containers by endpoint and name, folders of the hosts, the time in seconds, and what went wrong."""

    boxes: dict[str, dict[str, Box]] = field(default_factory=dict)
    folders: dict[str, dict[str, bytes]] = field(default_factory=lambda: {HERE: {}, THERE: {}})
    made: dict[tuple[str, str], int] = field(default_factory=dict)
    time: float = 0.0
    changes: int = 0
    runs: int = 0
    unfenced: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for endpoint in (HERE, THERE):
            service = Box(SERVICE, f"{SERVICE}@{endpoint}", {LABEL_SITE: SITE}, ContainerSpec(IMAGE), "running", started_at=STARTED)
            self.boxes[endpoint] = {SERVICE: service}

    def fingerprint(self) -> tuple[object, ...]:
        boxes = tuple((endpoint, *(box.fingerprint() for _, box in sorted(found.items()))) for endpoint, found in self.boxes.items())
        folders = tuple((endpoint, tuple(sorted(found.items()))) for endpoint, found in self.folders.items())
        return boxes, folders, self.time, self.runs

    def find(self, endpoint: str, term: str) -> Box:
        for box in self.boxes[endpoint].values():
            if term in (box.name, box.id):
                return box
        raise NotFoundError(f"No such container: {term}", 404)

    def running_job(self) -> Box | None:
        job = self.boxes[HERE].get(JOB)
        return job if job is not None and job.state == "running" else None

    def end_job(self) -> None:
        """The running job ends well, and so does its server, which takes one client."""
        job = self.running_job()
        assert job is not None
        self.changes += 1
        server = self.boxes[THERE].get(SERVER)
        if server is not None and server.state == "running":
            server.state, server.finished_at = "exited", STARTED
            job.state, job.exit_code, job.finished_at = "exited", 0, STARTED
        else:
            job.state, job.exit_code, job.finished_at = "exited", 1, STARTED


class Turn(Protocol):
    """The client that makes a call, as the scheduler knows it."""

    name: str

    def call(self, what: str, work: Callable[[], Value]) -> Value:
        """Wait until it is this call's turn, and make it."""

    def note_write(self, endpoint: str, what: str) -> None:
        """It writes on an endpoint."""


class SmallEngine:
    """One client's way to one engine."""

    agent = None
    repository = ""

    def __init__(self, shared: Shared, endpoint: str, turn: Turn) -> None:
        self.shared = shared
        self.endpoint = endpoint
        self.turn = turn

    @property
    def store(self) -> PlaceholderStore:
        return PlaceholderStore(self)

    # --- looking ---

    def observe(self, wanted: Wanted) -> EndpointSeen:
        raise AssertionError("nothing is planned here")

    def owns(self, labels: Mapping[str, str], object_name: str) -> bool:
        del object_name
        return labels.get(LABEL_SITE) == SITE

    def engine_id(self) -> str:
        return f"engine of {self.endpoint}"

    def inspect(self, container: str) -> ContainerSeen:
        if container == SERVICE:
            return self._seen(container)
        return self.turn.call(f"inspect {self.endpoint} {container}", lambda: self._seen(container))

    def _seen(self, container: str) -> ContainerSeen:
        box = self.shared.find(self.endpoint, container)
        return ContainerSeen(
            box.name, box.id, box.labels, box.spec, "sha256:1", box.state, exit_code=box.exit_code,
            started_at=box.started_at, finished_at=box.finished_at,
        )  # fmt: skip

    def read_files(self, container: str, path: str) -> Mapping[str, bytes]:
        if container == SERVICE:
            raise NotFoundError(f"no {path} in {container}", 404)
        return self.turn.call(f"read {self.endpoint} {container} {path}", lambda: self._files(container, path))

    def read_entries(self, container: str, path: str) -> Mapping[str, Entry]:
        return self.turn.call(f"read {self.endpoint} {container} {path}", lambda: self._files(container, path))

    def file_size(self, container: str, path: str) -> int | None:
        raise AssertionError("no size is asked for here")

    def _files(self, container: str, path: str) -> dict[str, bytes]:
        box = self.shared.find(self.endpoint, container)
        files = self.shared.folders[self.endpoint] if path.startswith(LEDGER_MOUNT) else box.files
        found = {name: content for name, content in files.items() if name == path or name.startswith(f"{path}/")}
        if not found:
            raise NotFoundError(f"Could not find the file {path} in container {container}", 404)
        return found

    def logs(self, container: str, *, follow: bool = False, tail: int | None = None, timestamps: bool = False) -> Iterator[bytes]:
        del follow, tail, timestamps
        box = self.shared.find(self.endpoint, container)
        yield RECEIVED if box.name == SERVER and box.state == "exited" else b""

    def close(self) -> None:
        """Nothing is open."""

    # --- changing ---

    def perform(self, action: EngineAction) -> None:
        raise AssertionError(f"no plan here has {action}")

    def create_container(self, name: str, spec: ContainerSpec, labels: Pairs, *, binds: Pairs = ()) -> str:
        return self._write(f"create {name}", lambda: self._create(name, spec, labels, binds), is_lease=name == LEASE)

    def create_placeholder(self, name: str, labels: Pairs, *, binds: Pairs = ()) -> str:
        return self.create_container(name, ContainerSpec("dtnctl/empty:1", network="none"), labels, binds=binds)

    def _create(self, name: str, spec: ContainerSpec, labels: Pairs, binds: Pairs) -> str:
        boxes = self.shared.boxes[self.endpoint]
        if name in boxes:
            raise ConflictError(f"the name {name} is taken", 409)
        number = self.shared.made[self.endpoint, name] = self.shared.made.get((self.endpoint, name), 0) + 1
        mounts = tuple(Mount(target, "bind", source) for source, target in binds)
        box = Box(name, f"{name}#{number}", dict(labels), replace(spec, mounts=(*spec.mounts, *mounts)), made_by=self.turn.name)
        boxes[name] = box
        return box.id

    def start(self, container: str) -> None:
        self._write(f"start {container}", lambda: self._start(container))

    def _start(self, container: str) -> None:
        box = self.shared.find(self.endpoint, container)
        if box.state == "running":
            return
        box.started_at = STARTED
        if box.name != JOB:
            box.state = "running"
        elif box.runs:
            box.state = "exited"  # its pipe is there already: it ends at once, with the code of its first run
        else:
            box.state = "running"
            box.runs += 1
            self.shared.runs += 1
            if self.shared.runs > 1:
                self.shared.wrong.append(f"{JOB} ran {self.shared.runs} times")

    def stop(self, container: str, timeout: int) -> None:
        del timeout
        self._write(f"stop {container}", lambda: self._stop(container))

    def _stop(self, container: str) -> None:
        box = self.shared.find(self.endpoint, container)
        if box.state == "running":
            box.state, box.exit_code, box.finished_at = "exited", 143, STARTED

    def remove(self, container: str, *, force: bool = False) -> None:
        is_lease = container.startswith(LEASE)
        self._write(f"remove {container}", lambda: self._remove(container, force), is_lease=is_lease)

    def _remove(self, container: str, force: bool) -> None:
        try:
            box = self.shared.find(self.endpoint, container)
        except NotFoundError:
            return
        if box.state == "running" and not force:
            raise EngineError(f"You cannot remove a running container {container}", 409)
        del self.shared.boxes[self.endpoint][box.name]

    def wait(self, container: str, timeout: float) -> int | None:
        del timeout
        return self.shared.find(self.endpoint, container).exit_code

    def write_files(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        self._write(f"write {container} {entries[0].path}", lambda: self._put(container, entries), is_lease=container.startswith(LEASE))

    def _put(self, container: str, entries: tuple[FileEntry, ...]) -> None:
        box = self.shared.find(self.endpoint, container)
        for entry in entries:
            files = self.shared.folders[self.endpoint] if entry.path.startswith(LEDGER_MOUNT) else box.files
            files[entry.path] = entry.content

    def run(self, container: str, command: tuple[str, ...], *, user: str = "") -> Ran:
        """Services have every program, and servers listen."""
        del user
        self.shared.find(self.endpoint, container)
        return Ran(127, b"", b"") if "joined" in command else Ran(0, b"", b"")

    def _write(self, what: str, work: Callable[[], Value], *, is_lease: bool = False) -> Value:
        def write() -> Value:
            if not is_lease:
                self.turn.note_write(self.endpoint, what)
            done = work()
            self.shared.changes += 1
            return done

        return self.turn.call(f"{self.endpoint}: {what}", write)
