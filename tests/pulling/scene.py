"""A repository that people push to, and a loop that follows it: real git, real dtnctl, engines in memory or of the lab."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker

from dtnctl.pulling.folder import LoopFolder, held_folder
from dtnctl.pulling.loop import Loop, Runs, Terms
from dtnctl.pulling.programs import Programs
from dtnctl.pulling.sending import StatusPage, Webhook
from dtnctl.pulling.tally import Tally
from dtnctl.pulling.waking import Waking
from dtnctl.repository.followed import Followed, FollowingClone
from dtnctl.runtime.clock import Clock, SystemClock
from tests.fakes.engine import World
from tests.repository.branching import commit, git

BRANCH = "main"
SESSION = "endpoints: [a]\nimage: app:1\nprofile: p\n"


class Repository:
    """A work tree and the bare repository that it pushes to."""

    def __init__(self, folder: Path) -> None:
        self.work, self.remote = folder / "work", folder / "remote.git"
        self.work.mkdir(parents=True, exist_ok=True)
        git(self.work, "init", "--quiet")
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.remote))
        git(self.work, "remote", "add", "origin", str(self.remote))

    @property
    def url(self) -> str:
        return f"file://{self.remote}"

    def write(self, files: Mapping[str, str | None]) -> None:
        """State files by their path below state/, without their ending; None removes one."""
        for path, text in files.items():
            file = self.work / "state" / f"{path}.yaml"
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)

    def push(self, files: Mapping[str, str | None], message: str = "a change", *, force: bool = False) -> str:
        """Commit these files and push; returns the commit."""
        self.write(files)
        commit(self.work, message)
        git(self.work, "push", "--quiet", *["--force"] * force, "origin", "HEAD:main")
        return self.head

    def drop_last(self) -> None:
        """The newest commit was never made; a push needs force then."""
        git(self.work, "reset", "--quiet", "--hard", "HEAD~1")

    @property
    def head(self) -> str:
        return git(self.work, "rev-parse", "HEAD")

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """The remote does not answer within the block."""
        hidden = self.remote.with_name("away.git")
        self.remote.rename(hidden)
        try:
            yield
        finally:
            hidden.rename(self.remote)


@dataclass
class Following:
    """A loop in this process, with all that it said."""

    loop: Loop
    said: list[str] = field(default_factory=list)

    def round(self) -> list[str]:
        """One round; what it said."""
        self.said.clear()
        self.loop.round()
        return list(self.said)

    @property
    def code(self) -> int | None:
        """The exit code of the round's apply; None if there was none."""
        return self.loop.last.exit_code if self.loop.last is not None else None


@contextlib.contextmanager
def following(
    folder: Path,
    repository: Repository,
    *,
    terms: Terms | None = None,
    clock: Clock | None = None,
    runs: Runs | None = None,
    webhook: Webhook | None = None,
    page: StatusPage | None = None,
    run_seconds: float = 300.0,
) -> Iterator[Following]:
    """A loop as `dtnctl reconcile` makes it. In one folder after the other it is the same loop, started again."""
    clock = clock or SystemClock()
    with contextlib.closing(Waking()) as waking, held_folder(folder, clock) as held:
        said: list[str] = []
        loop = _loop(held, repository, terms or Terms(60.0), clock, waking, said, webhook, runs, run_seconds)
        loop.status_page = page
        loop.open()
        yield Following(loop, said)


def _loop(
    held: LoopFolder,
    repository: Repository,
    terms: Terms,
    clock: Clock,
    waking: Waking,
    said: list[str],
    webhook: Webhook | None,
    runs: Runs | None,
    run_seconds: float,
) -> Loop:
    def is_stopped() -> bool:
        return waking.is_stopped

    def beat() -> None:
        loop.beat()

    clone = FollowingClone(held.clone, Followed(repository.url, BRANCH), (held.lock,), is_stopped)
    programs = runs or Programs(held.path, (held.lock,), SystemClock(), is_stopped, beat, run_seconds)
    loop = Loop(held, clone, programs, terms, clock, waking, Tally(), said.append, webhook)
    return loop


@dataclass
class Scene:
    world: World
    repository: Repository
    folder: Path

    def names(self, engine: str = "a") -> set[str]:
        """All containers there."""
        with contextlib.closing(self._client(engine)) as client:
            return {item["Names"][0].lstrip("/") for item in client.containers(all=True)}

    def remove(self, name: str, engine: str = "a") -> None:
        """Somebody removes a container behind our back."""
        with contextlib.closing(self._client(engine)) as client:
            client.remove_container(name, force=True)

    def _client(self, engine: str) -> docker.APIClient:
        return docker.APIClient(base_url=f"unix://{self.world.sockets[engine]}", version="1.41", timeout=60)
