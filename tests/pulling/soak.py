"""`make soak`: the pull loop follows random pushes on real engines that restart and go away, and is killed itself.

At the end everything answers again, and the endpoints must be equal to HEAD: the plan is empty, and no container is there that no session
declares. The seed is printed; `python -m tests.pulling.soak MINUTES SEED` takes the same actions again, though what they meet may differ.
"""

from __future__ import annotations

import contextlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab import Lab, unavailable
from tests.e2e.playground import PROGRAM, Playground
from tests.pulling.scene import Repository
from tests.repository.branching import commit, git

CLONE = Path(__file__).parents[2]
INTERVAL = "1s"
MOST_SESSIONS = 6
MOST_RUNS = 30  # of HEAD at the end; the first ones may meet an engine that has just started, or wait for a lease of a run that was killed
HANGS = 900.0  # seconds after which what waits is called hung, however busy the machine is
KEPT = "base"  # a session that stays, since no site is emptied by accident
CONTROL = "play.control."
LEAKED = "port is already allocated"  # a Docker that is killed while it starts a container keeps its port until its next start


class SoakError(AssertionError):
    """The loop did not come to what HEAD declares."""


@dataclass
class Soak:
    """`say` gets a line for each action."""

    lab: Lab
    folder: Path
    seed: int
    say: Callable[[str], None]
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.repository = Repository(self.folder)
        self.play = Playground(self.lab, self.repository.work)
        self.play.site(limits={"max_prune": "100%"})
        self.sessions: dict[str, dict[str, Any]] = {}
        self.away: str | None = None
        self.is_hidden = False
        self.number = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._change(KEPT, {"endpoints": ["dtn1", "dtn2"]})
        self.repository.push({}, "the first state")
        self._push()  # so that there is one to take away

    @property
    def state(self) -> Path:
        return self.folder / "loop"

    @property
    def log(self) -> Path:
        return self.folder / "loop.log"

    # --- the loop itself ---

    def start(self) -> None:
        """Start the loop, in the controller's network."""
        words = ["reconcile", "--repo", self.repository.url, "--interval", INTERVAL, "--state-dir", str(self.state)]
        environment = self.lab.environment() | {"PYTHONPATH": str(CLONE), "DTNCTL_LOCK_TIMEOUT": "45s", "DTNCTL_TIMEOUT": "30s"}
        with self.log.open("ab") as log:
            command = self.lab.command("ctl", [*PROGRAM, *words])
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after the signal."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(HANGS)

    def check_alive(self) -> None:
        """It ends by a signal alone; one that was killed while its apply ran may find the folder locked, and is started again."""
        assert self.process is not None
        if self.process.poll() not in (None, 6):
            raise SoakError(f"the loop ended with {self.process.returncode}")
        if self.process.poll() == 6:
            self.start()

    # --- what happens to it ---

    def act(self) -> None:
        """One random action."""
        actions: dict[Callable[[], None], int] = {
            self.add: 4,
            self.change: 4,
            self.remove: 3,
            self.break_state: 1,
            self.rewrite: 2,
            self.drift: 2,
            self.restart_engine: 2,
            self.cut_off: 2,
            self.hide_remote: 1,
            self.kill_loop: 2,
        }
        (action,) = self.random.choices([*actions], [*actions.values()])
        self.counts[action.__name__] += 1
        self.say(f"{action.__name__}")
        action()

    def add(self) -> None:
        if len(self.sessions) >= MOST_SESSIONS:
            self.remove()
            return
        self.number += 1
        endpoints = self.random.choice([["dtn1"], ["dtn2"], ["dtn1", "dtn2"]])
        self._change(f"s{self.number}", {"endpoints": endpoints, "env": {"STEP": str(self.number)}})
        self._push()

    def change(self) -> None:
        name = self.random.choice(sorted(self.sessions))
        self.number += 1
        changed: dict[str, Any] = self.random.choice([{"env": {"STEP": str(self.number)}}, {"memory": f"{100 + self.number}MiB"}])
        self._change(name, self.sessions[name] | changed)
        self._push()

    def remove(self) -> None:
        others = sorted(self.sessions.keys() - {KEPT})
        if others:
            name = self.random.choice(others)
            del self.sessions[name]
            self.play.remove(f"sessions/{name}")
        self._push()

    def break_state(self) -> None:
        """A commit that no one can plan; the next one that is pushed has it repaired."""
        text = self.random.choice(["a: [", "image: x\n", "endpoints: [no]\n"])
        (self.repository.work / "state" / "sessions" / "broken.yaml").write_text(text)
        self._push(repair=False)

    def rewrite(self) -> None:
        """The newest commit was never made: what it declared is gone, unless it is declared again."""
        self.repository.drop_last()
        self._read_sessions()
        self.number += 1
        self._change(KEPT, self.sessions[KEPT] | {"env": {"STEP": str(self.number)}})
        self._push()

    def drift(self) -> None:
        """Somebody stops or removes a container by hand."""
        endpoint = self._there()
        with contextlib.suppress(Exception):  # the engine may just go, or the container may
            name = self.random.choice(sorted(item for item in self.play.names(endpoint) if not item.startswith(CONTROL)))
            engine = self.play.engines[endpoint]
            engine.stop(name, timeout=0) if self.random.random() < 0.5 else engine.remove_container(name, force=True)

    def restart_engine(self) -> None:
        endpoint = self._there()
        self.lab.kill_engine(endpoint)
        self.lab.start_engine(endpoint)

    def free_ports(self) -> None:
        """What the loop's log asks for: engines that keep ports of no container are restarted, in order."""
        self.counts["free_ports"] += 1
        self.say("free_ports")
        for endpoint in ("dtn1", "dtn2"):
            self.lab.stop_engine(endpoint)
            self.lab.start_engine(endpoint)

    def cut_off(self) -> None:
        """An endpoint goes away, or the one that is away comes back."""
        if self.away is None:
            self.away = self.random.choice(["dtn1", "dtn2"])
            self.lab.stop_engine(self.away)
        else:
            self.lab.start_engine(self.away)
            self.away = None

    def hide_remote(self) -> None:
        """The repository goes away, or comes back."""
        places = (self.repository.remote, self.folder / "away.git")
        places[self.is_hidden].rename(places[not self.is_hidden])
        self.is_hidden = not self.is_hidden

    def kill_loop(self) -> None:
        self.end(signal.SIGKILL)
        self.start()

    # --- the end ---

    def settle(self) -> None:
        """Everything answers again, HEAD is good; wait until the loop has applied it, and see that nothing is left to do."""
        if self.is_hidden:
            self.hide_remote()
        if self.away is not None:
            self.cut_off()
        self._push()
        self._await(self.repository.head)
        code = self.end()
        if code != 143:
            raise SoakError(f"the loop ended with {code}, not 143")
        self._compare()

    def _await(self, head: str) -> None:
        """Until HEAD is applied. How many runs that may take is counted, not how long they take: the machine may be busy."""
        end, known = time.monotonic() + HANGS, len(self.log.read_text())
        while not self._has_applied(head):
            self.check_alive()
            if LEAKED in self.log.read_text()[known:]:
                self.free_ports()
                known = len(self.log.read_text())
            runs = sum(run["repeats"] for run in self._journal()["runs"] if run["commit"] == head)
            if runs > MOST_RUNS or time.monotonic() > end:
                raise SoakError(f"{head} is not applied after {runs} runs of it; the log ends:\n{self.log.read_text()[-3000:]}")
            self.pause(0.5)

    def _journal(self) -> dict[str, Any]:
        """The loop's; a loop that was killed early has not written one."""
        file = self.state / "journal.json"
        found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"applied": "", "conditions": [], "runs": []}
        return found

    def _has_applied(self, head: str) -> bool:
        journal = self._journal()
        return bool(journal["applied"] == head and not journal["conditions"])

    def _compare(self) -> None:
        self.play.assert_nothing_to_do()
        for endpoint in ("dtn1", "dtn2"):
            wanted = {f"play.{name}" for name, value in self.sessions.items() if endpoint in value["endpoints"]}
            there = {name for name in self.play.names(endpoint) if not name.startswith(CONTROL)}
            if there != wanted:
                raise SoakError(f"{endpoint} has {sorted(there)}, not {sorted(wanted)}")
            leases = [name for name in self.play.names(endpoint) if name.endswith(".lease")]
            if leases:
                raise SoakError(f"{endpoint} still has {leases}")

    def summary(self) -> str:
        """How many actions and runs there were, for a person."""
        ends = Counter[str]()
        for run in self._journal()["runs"]:
            ends[run["exit_name"]] += run["repeats"]
        actions = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        return f"{actions}; the last runs: {', '.join(f'{count} {name}' for name, count in sorted(ends.items()))}"

    # --- parts ---

    def run(self, seconds: float, pause: float) -> None:
        """Actions for that long, with random pauses around `pause`, then the comparison."""
        self.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pause(self.random.uniform(0.0, 2 * pause))
            self.act()
            self.check_alive()
        self.settle()

    def close(self) -> None:
        """Nothing of it runs on."""
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)

    def pause(self, seconds: float) -> None:
        """Until then, or until the loop ends."""
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)

    def _change(self, name: str, fields: dict[str, Any]) -> None:
        self.sessions[name] = fields
        settings = {key: value for key, value in fields.items() if key in ("env", "memory")}
        self.play.session(name, endpoints=fields["endpoints"], settings=settings)

    def _read_sessions(self) -> None:
        self.sessions = {}
        for file in (self.repository.work / "state" / "sessions").glob("*.yaml"):
            if file.stem != "broken":
                written = yaml.safe_load(file.read_text())
                self.sessions[file.stem] = {"endpoints": written["endpoints"], **written.get("settings", {})}

    def _push(self, *, repair: bool = True) -> None:
        """Commit all of it; a remote that is away gets it with the next push."""
        if repair:
            (self.repository.work / "state" / "sessions" / "broken.yaml").unlink(missing_ok=True)
        self.number += 1
        (self.repository.work / "number").write_text(str(self.number))
        commit(self.repository.work, f"change {self.number}")
        if not self.is_hidden:
            git(self.repository.work, "push", "--quiet", "--force", "origin", "HEAD:main")

    def _there(self) -> str:
        return self.random.choice([name for name in ("dtn1", "dtn2") if name != self.away])


@contextlib.contextmanager
def soaking(lab: Lab, folder: Path, seed: int, say: Callable[[str], None]) -> Iterator[Soak]:
    """A soak whose loop does not outlive the block."""
    soak = Soak(lab, folder, seed, say)
    try:
        yield soak
    finally:
        soak.close()


def main(words: list[str]) -> int:
    minutes = float(words[0]) if words else 10.0
    seed = int(words[1]) if len(words) > 1 else random.SystemRandom().randrange(10**6)
    if reason := unavailable():
        print(f"soak: {reason}", file=sys.stderr)
        return 1
    print(f"soak: {minutes:g} minutes with seed {seed}", flush=True)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"soak: {time.monotonic() - began:6.1f} s  {text}", flush=True)

    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dtn-soak-")))
        lab = stack.enter_context(Lab(folder / "lab", 2, image="tiny"))
        soak = stack.enter_context(soaking(lab, folder / "soak", seed, say))
        try:
            soak.run(minutes * 60, pause=4.0)
        except SoakError as error:
            print(f"soak: FAILED with seed {seed}: {error}\n{soak.log.read_text()[-5000:]}", flush=True)
            return 1
        print(f"soak: equal to HEAD, 0 orphans after {time.monotonic() - began:.0f} s; {soak.summary()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
