"""What runs inside simulated containers: declared behaviours, Python programs, and which container gets which."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from tests.fakes import configs, files
from tests.fakes.mounts import View
from tests.fakes.references import normal
from tests.fakes.state import Container, LogLine, Tree

if TYPE_CHECKING:
    from tests.fakes.core import Engine


class Orphaned(BaseException):
    """Raised inside a program whose world was reset: it ends without a trace."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A main process without code.

    It writes its lines and files when it starts; then it ends at once (`ends`) or runs until a signal or a release.
    """

    ends: bool = False
    exit_code: int = 0
    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    writes: Mapping[str, str] = field(default_factory=dict)
    health: str = "healthy"
    checks_until_healthy: int = 1
    check_output: str = ""
    """How many inspects still show `starting`."""


class Files:
    """The files that a program in a container sees: its layer, its mounts and its tmpfs."""

    def __init__(self, engine: Engine, container: Container) -> None:
        self._engine = engine
        self._view = View(engine, container, from_inside=True)

    def read(self, path: str) -> bytes:
        """The content; FileNotFoundError when there is no such file."""
        with self._engine.changed:
            try:
                tree, inner, _ = self._view.find(path)
            except files.PathMissing:
                raise FileNotFoundError(path) from None
            if tree[inner].kind == "dir":
                raise IsADirectoryError(path)
            return tree[inner].content

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file, making its folders; PermissionError on a read-only mount."""
        with self._engine.changed:
            tree, inner = self._writable(path)
            files.write_file(tree, inner, content, mode, self._engine.clock())

    def remove(self, path: str) -> None:
        with self._engine.changed:
            tree, inner = self._writable(path)
            files.remove_path(tree, inner)

    def exists(self, path: str) -> bool:
        with self._engine.changed:
            try:
                self._view.find(path)
            except files.PathMissing:
                return False
            return True

    def below(self, path: str) -> dict[str, bytes]:
        """Every file at or below `path`, by its path relative to it ("" for a file itself)."""
        with self._engine.changed:
            try:
                tree, top, _ = self._view.find(path)
            except files.PathMissing:
                raise FileNotFoundError(path) from None
            found = files.walk(tree, top)
            return {name[len(top) :].lstrip("/"): node.content for name, node in found if node.kind == "file"}

    def _writable(self, path: str) -> tuple[Tree, str]:
        tree, inner, writable = self._view.locate(path)
        if not writable:
            raise PermissionError(f"read-only file system: {path}")
        return tree, inner


class Run:
    """What a Python program gets: its arguments, its container, and the means to be seen from outside."""

    def __init__(self, engine: Engine, container: Container, argv: list[str], environment: list[str] | None = None) -> None:
        self.engine = engine
        self.container = container
        self.argv = argv
        entries = container.config["Env"] or [] if environment is None else environment
        self.environment: dict[str, str] = {name: value for name, _, value in (e.partition("=") for e in entries)}
        self.files = Files(engine, container)
        self.stop_requested = False
        self.signals: list[int] = []
        self.orphaned = False

    def stdout(self, text: str) -> None:
        self._write(1, text)

    def stderr(self, text: str) -> None:
        self._write(2, text)

    def _write(self, stream: int, text: str) -> None:
        with self.engine.changed:
            self.check()
            self.container.logs.append(LogLine(stream, text.encode(), self.engine.clock()))
            self.engine.changed.notify_all()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a signal asks to stop (true) or the time is over (false)."""
        with self.engine.changed:
            stopped = self.engine.changed.wait_for(lambda: self.stop_requested, timeout=seconds)
        self.check()
        return stopped

    def check(self) -> None:
        """End this program if its world has gone on without it."""
        if self.orphaned:
            raise Orphaned


Function: TypeAlias = Callable[[Run], int]
"""A main process in Python; its result is the exit code."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Python main process. `inline` ones end before the start call is answered; others run in a thread."""

    function: Function
    inline: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    program: Behaviour | Program
    image: str
    argv: str
    name: str
    endpoint: str

    def fits(self, engine: Engine, container: Container) -> bool:
        argv = configs.command_of(container.config)
        return (
            self.endpoint in ("", engine.name)
            and (not self.name or fnmatchcase(container.name, self.name))
            and (not self.image or normal(container.config["Image"]) == normal(self.image))
            and (not self.argv or posixpath.basename(argv[0]) == self.argv)
        )


class Programs:
    """Which container runs what: the last rule that fits; without one, a process that runs until it is stopped."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def register(self, program: Behaviour | Program, *, image: str = "", argv: str = "", name: str = "", endpoint: str = "") -> None:
        """Use `program` for containers with this image, first argument, name (a glob) and endpoint, where given."""
        self._rules.append(_Rule(program, image, argv, name, endpoint))

    def choose(self, engine: Engine, container: Container) -> Behaviour | Program:
        for rule in reversed(self._rules):
            if rule.fits(engine, container):
                return rule.program
        return Behaviour()
