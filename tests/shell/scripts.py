"""A repository on two engines in memory, and scripts for `dtnctl shell` in it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.small_site import environment, two_engines
from tests.fakes.engine import World
from tests.forked_program import program_here
from tests.repository.branching import commit, git


@dataclass(frozen=True)
class ShellSite:
    """The site, committed once; what the shell keeps of its user is beside it."""

    root: Path
    world: World

    @property
    def home(self) -> Path:
        return self.root.parent / "home"

    def script(self, *lines: str, options: tuple[str, ...] = (), **variables: str) -> subprocess.CompletedProcess[str]:
        """`dtnctl shell` with these lines from a pipe."""
        file = self.root.parent / "script"
        file.write_text("".join(f"{line}\n" for line in lines))
        found = environment(**{"XDG_STATE_HOME": str(self.home), "GIT_CONFIG_GLOBAL": str(self.gitconfig()), **variables})
        return program_here().run(["shell", *options], self.root, found, streams={0: str(file)})

    def gitconfig(self) -> Path:
        file = self.root.parent / "gitconfig"
        file.write_text("[user]\nname = ann\nemail = ann@example.net\n")
        return file

    def text(self, name: str) -> str:
        return (self.root / "state" / name).read_text()

    def git(self, *words: str) -> str:
        return git(self.root, *words)

    def containers(self, engine: str) -> set[str]:
        return {item.name for item in self.world.engine(engine).state.containers.values() if "control" not in item.name}


@contextlib.contextmanager
def shell_site(folder: Path) -> Iterator[ShellSite]:
    with two_engines(folder / "site") as world:
        git(folder / "site", "init", "--quiet")
        commit(folder / "site", "first")
        yield ShellSite(folder / "site", world)
