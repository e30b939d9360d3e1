"""Two in-memory endpoints with a service each, and a globus-url-copy that checks its keys and copies between them."""

from __future__ import annotations

import contextlib
import posixpath
import re
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

from dtnctl.model.actions import FinishTransfer, JobEnd, StartTransfer
from dtnctl.model.engine_addresses import parse_engine
from dtnctl.model.ledger import Attempt
from dtnctl.model.ownership import labels
from dtnctl.model.resources import ContainerSpec
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import Engine
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.timeouts import Timeouts
from dtnctl.runtime.transfers.joint_calls import JointCalls
from dtnctl.runtime.transfers.notes import read_options
from dtnctl.runtime.transfers.record import ensure_ledger, read_ledger
from dtnctl.runtime.transfers.transfer import Progress, StartResult, Waiting, await_transfer, record_transfer, start_transfer
from tests.docker_clients import connect
from tests.fakes.engine import Behaviour, Program, Run, World
from tests.fakes.execs import ExecFunction, ExecRun
from tests.fakes.programs import Files

SITE, IMAGE, SERVICE, TRANSFER = "lab", "dtn:1", "lab.demo", "run"
HERE, THERE = "dtn1", "dtn2"
ADDRESSES = {"10.0.0.1": HERE, "10.0.0.2": THERE, "dtn2.example.net": THERE}
PASSWD = "root:x:0:0:root:/root:/bin/bash\nsshd:x:102:65534::/run/sshd:/usr/sbin/nologin\ndtn:x:31000:31001:,,,:/home/dtn:/bin/bash\n"
KEYS = "/home/dtn/.ssh/authorized_keys2"
FOLDER = "/var/lib/dtnctl/lab"
SOON = Timeouts(connect=2.0, answer=2.0, read=20.0, write=60.0, login=10.0)


class FakeClock:
    """Time that passes only when somebody sleeps or a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)


@dataclass
class Copy:
    """How the next copies behave. `keep` is how much of each file arrives; `hold` lets a copy wait until it is set or stopped."""

    exit_code: int = 0
    code_when_stopped: int = 143
    log: str = ""
    keep: int | None = None
    hold: threading.Event | None = None
    started: threading.Event = field(default_factory=threading.Event)
    during: Callable[[], None] = lambda: None
    logins: list[str] = field(default_factory=list)
    exit_codes: list[int] = field(default_factory=list)
    """For several tries: the exit code of each, before `exit_code` counts."""


class TransferWorld:
    """The endpoints and what tests do with them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.copy = Copy()
        self.answers_after = 1  # at which question the control ports accept connections
        self.refused = 1  # the exit code of a question for connections before that
        self.links: dict[tuple[str, str], str] = {}  # (endpoint, path): where it leads
        self.lacks = ""  # the endpoint whose image has no program for checksums beyond coreutils
        self.touched: list[list[str]] = []  # the arguments of each touch
        self.cannot_touch = ""  # what it complains of
        self.look_ups: list[int] = []  # the exit codes of the next questions for a name
        self.clock = FakeClock()
        self.calls: JointCalls | None = None
        self.progress: list[Progress] = []
        self.stop = threading.Event()
        self.moments: list[tuple[str, ...]] = []  # the jobs that were there each time that leases were taken
        self.engines: dict[str, DockerEngine] = {}
        world.add_image(IMAGE, {"Cmd": ["dtn-entry"]}, {"/etc/passwd": PASSWD.encode(), "/root/.keep": b"", "/home/dtn/.keep": b""})
        for name in (HERE, THERE):
            host_key = f"ssh-ed25519 HOSTKEY{name}\n"
            behaviour = Behaviour(writes={"/etc/ssh/ssh_host_ed25519_key.pub": host_key, KEYS: "ssh-rsa FOREIGN someone else\n"})
            world.programs.register(behaviour, image=IMAGE, endpoint=name)
            endpoint = Endpoint(docker=parse_engine(f"unix://{world.sockets[name]}"), host="127.0.0.1")
            self.engines[name] = connect(name, endpoint, site=SITE, registries={}, read_only=False, root=Path("/"), timeouts=SOON)
        world.programs.register(Program(self._job), image=IMAGE, argv="sh")
        self.commands: list[str] = []
        self.hindered: dict[str, str] = {}  # by endpoint: what `find` prints of what cannot be read or written there
        programs = world.exec_programs | {
            "stat": _stat,
            "readlink": self._readlink,
            "find": self._find,
            "sh": self._checksum_script,
            "touch": self._touch,
            "timeout": self._connect,
        }
        world.exec_programs.update({name: self._noted(name, program) for name, program in programs.items()})
        ensure_ledger(self.engines[HERE], SITE, FOLDER)
        for name in (HERE, THERE):
            self.add_service(name, SERVICE)

    def add_service(self, endpoint: str, name: str, spec: ContainerSpec | None = None) -> None:
        engine = self.engines[endpoint]
        pairs = labels(SITE, endpoint, "service", name.partition(".")[2], name, "digest")
        engine.start(engine.create_container(name, spec or ContainerSpec(image=IMAGE), pairs))

    # --- files of the services ---

    def files(self, endpoint: str, container: str = SERVICE) -> Files:
        return Files(self.world.engine(endpoint), self.world.container(endpoint, container))

    def keys(self, endpoint: str) -> str:
        return self.files(endpoint).read(KEYS).decode()

    # --- actions ---

    def ends(self, source: str = "/data/in", destination: str = "/data/out") -> tuple[JobEnd, JobEnd]:
        return JobEnd(HERE, SERVICE, source, "127.0.0.1", 22, "dtn"), JobEnd(THERE, SERVICE, destination, "10.0.0.2", 30001, "dtn")

    def start(
        self, attempt: int = 1, generation: int = 1, ends: tuple[JobEnd, JobEnd] | None = None, engines: Mapping[str, Engine] | None = None,
        transfer: str = TRANSFER, **options: str,
    ) -> StartResult:  # fmt: skip
        source, destination = ends or self.ends()
        action = StartTransfer(transfer, generation, attempt, "gridftp", source, destination, IMAGE, read_options(options, "gridftp"))
        return start_transfer(action, engines or self.engines, SITE, self.clock, calls=self.calls)

    def finish(
        self, attempt: int = 1, generation: int = 1, ends: tuple[JobEnd, JobEnd] | None = None, engines: Mapping[str, Engine] | None = None,
        wait: bool = True, transfer: str = TRANSFER, **options: str,
    ) -> Attempt:  # fmt: skip
        source, destination = ends or self.ends()
        action = FinishTransfer(transfer, generation, attempt, "gridftp", source, destination, read_options(options, "gridftp"), wait)
        there = engines or self.engines
        if not wait:
            return record_transfer(action, there, SITE, self.clock, self.calls)
        return await_transfer(action, there, SITE, self.clock, Waiting(self.progress.append, self.stop), self.leased, calls=self.calls)

    @contextlib.contextmanager
    def leased(self) -> Iterator[None]:
        """The leases of both ends, as far as tests are concerned: when they were held is noted."""
        self.moments.append(tuple(self.job_names()))
        yield

    # --- what came of it ---

    def records(self) -> tuple[Attempt, ...]:
        return read_ledger(self.engines[HERE], SITE).attempts

    def job_starts(self) -> int:
        return sum(item["count"] for item in self.world.starts() if item["name"].startswith(f"{SITE}.{TRANSFER}."))

    def job_names(self) -> list[str]:
        containers = self.world.engine(HERE).state.containers.values()
        return sorted(found.name for found in containers if re.fullmatch(r"lab\..*\.g\d+a\d+", found.name))

    # --- programs ---

    def _job(self, run: Run) -> int:
        """What the job's script does, with a globus-url-copy that looks at keys and host keys like ssh."""
        copy = self.copy
        copy.started.set()
        try:
            code = self._copy(run, copy)
        finally:
            for name in ("source", "destination"):
                run.files.remove(f"/root/dtnctl/id_{name}")
        return code

    def _copy(self, run: Run, copy: Copy) -> int:
        source, destination = run.argv[-2:]
        for url in (source, destination):
            if problem := self._refuse_login(run, url):
                run.stdout(f"\nerror: an end-of-file was reached\nssh: {problem}\n")
                return 1
        run.stdout(f"Source: {source.rpartition('/')[0]}/\nDest:   {destination.rpartition('/')[0]}/\n")
        there, here = self.files(THERE), self.files(run.engine.name)
        for name, content in here.below(_path(source)).items():
            run.stdout(f"  {posixpath.basename(source)}\n")
            kept = content if copy.keep is None else content[: copy.keep]
            target = _path(destination)
            there.write(posixpath.join(target, name) if name else target, kept)
            run.stdout(f"  {len(kept):10d} bytes        1.00 MB/sec avg         1.00 MB/sec inst\n")
        copy.during()
        if copy.hold is not None:
            while not copy.hold.is_set():
                if run.wait(0.01):
                    return copy.code_when_stopped
        run.stdout(copy.log)
        return copy.exit_codes.pop(0) if copy.exit_codes else copy.exit_code

    def _refuse_login(self, run: Run, url: str) -> str:
        place = urlsplit(url)
        host, port = place.hostname or "", place.port
        endpoint = run.engine.name if host == "127.0.0.1" else ADDRESSES[host]
        wrapper = run.files.read("/root/.globus/gridftp-ssh").decode()
        ends = re.findall(rf'^"{re.escape(host)} {port}"\) end=(\w+) ;;$', wrapper, re.MULTILINE)
        assert len(ends) == 1, wrapper
        if f"{ends[0]} ssh-ed25519 HOSTKEY{endpoint}\n" not in run.files.read("/root/dtnctl/known_hosts").decode():
            return "Host key verification failed."
        key = load_ssh_private_key(run.files.read(f"/root/dtnctl/id_{ends[0]}"), None)
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        self.copy.logins.append(public)
        if not any(line.startswith("restrict,expiry-time=") and public in line for line in self.keys(endpoint).splitlines()):
            return f"dtn@{host}: Permission denied (publickey)."
        return ""

    def _find(self, run: ExecRun) -> int:
        if r"%y %P\0" not in run.argv:
            return _find(run)
        run.stdout(self.hindered.get(run.engine.name, ""))
        return 0

    def _readlink(self, run: ExecRun) -> int:
        """What is in files is there, and so are all folders above; links lead where the test says."""
        paths = run.argv[run.argv.index("--") + 1 :]
        there = [path for path in paths if path == "/" or (run.engine.name, path) in self.links or self._is_there(run, path)]
        run.stdout("".join(f"{self._leads_to(run.engine.name, path)}\0" for path in there))
        return int(there != paths)

    def _is_there(self, run: ExecRun, path: str) -> bool:
        with contextlib.suppress(FileNotFoundError):
            return bool(run.files.below(path))
        return any(endpoint == run.engine.name and link.startswith(f"{path}/") for endpoint, link in self.links)

    def _leads_to(self, endpoint: str, path: str) -> str:
        for (name, link), target in self.links.items():
            if name == endpoint and f"{path}/".startswith(f"{link}/"):
                return target + path[len(link) :]
        return path

    def _noted(self, name: str, program: ExecFunction) -> ExecFunction:
        def run(run: ExecRun) -> int:
            self.commands.append(name)
            return program(run)

        return run

    def _connect(self, run: ExecRun) -> int:
        """Whether both control ports accept a connection, or a name is known."""
        if "getent" in run.argv:
            return self.look_ups.pop(0)
        return 0 if self.answers_after <= len([name for name in self.commands if name == "timeout"]) else self.refused

    def _checksum_script(self, run: ExecRun) -> int:
        """`cd "$1" && shift && exec md5sum -- "$@"`, as the runtime asks for trees; and whether programs are there."""
        if "command -v" in run.argv[2]:
            return int(self.lacks == run.engine.name and "which" not in run.argv)
        match = re.search(r"exec (\w+) --", run.argv[2])
        assert match is not None
        folder, *names = run.argv[4:]
        run.argv = [match[1], "--", *(posixpath.normpath(posixpath.join(folder, name)) for name in names)]
        return self.world.exec_programs[match[1]](run)

    def _touch(self, run: ExecRun) -> int:
        self.touched.append([run.engine.name, *run.argv[1:]])
        run.stderr(self.cannot_touch)
        return int(self.cannot_touch != "")


def _path(url: str) -> str:
    return unquote(urlsplit(url).path)


def _identity(run: ExecRun, path: str) -> str:
    return f"1 {zlib.crc32(f'{run.engine.name}{run.container.id}{path}'.encode())}"


def _stat(run: ExecRun) -> int:
    path = run.argv[-1]
    try:
        run.stdout(f"{0o100644:x} {len(run.files.read(path))} 1 {_identity(run, path)}\n")
    except FileNotFoundError:
        run.stderr(f"stat: cannot statx '{path}': No such file or directory\n")
        return 1
    except IsADirectoryError:
        run.stdout(f"{0o40755:x} 4096 1 {_identity(run, path)}\n")
    return 0


def _find(run: ExecRun) -> int:
    path = run.argv[2]
    try:
        below = run.files.below(path)
    except FileNotFoundError:
        run.stderr(f"find: '{path}': No such file or directory\n")
        return 1
    folders = {posixpath.dirname(name) for name in below} | {""}
    lines = [f"d 4096 1.0 {_identity(run, path + name)} {name}\0" for name in sorted(folders)]
    lines += [f"f {len(content)} 1.0 1 2 {name}\0" for name, content in sorted(below.items())]
    run.stdout("".join(lines))
    return 0


@contextlib.contextmanager
def transfer_world() -> Iterator[TransferWorld]:
    with World([HERE, THERE]) as world:
        scene = TransferWorld(world)
        try:
            yield scene
        finally:
            if scene.copy.hold is not None:
                scene.copy.hold.set()
            for engine in scene.engines.values():
                engine.close()
