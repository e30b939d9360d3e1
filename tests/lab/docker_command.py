"""The docker command on one endpoint, as the tests speak it."""

from __future__ import annotations

import json
import subprocess
import time

from lab import Lab

LOG_SECONDS = 120.0  # an engine that starts while another worker unpacks engines takes its time


class Docker:
    """The docker command on one endpoint."""

    def __init__(self, lab: Lab, endpoint_name: str) -> None:
        self.prefix = ["docker", f"--host={lab.endpoint(endpoint_name).unix_url}"]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it, whatever comes of it."""
        return subprocess.run([*self.prefix, *words], text=True, capture_output=True, check=False)

    def __call__(self, *words: str) -> str:
        """Run it and return what it printed; a failure shows what it said."""
        done = self.run(*words)
        assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def container(self, name: str, *words: str) -> str:
        """Make and start a container that the test has to remove."""
        return self("run", "--detach", f"--name={name}", *words)

    def state(self, name: str) -> dict[str, object]:
        """The state part of the container's inspection."""
        state: dict[str, object] = json.loads(self("inspect", "--format={{json .State}}", name))
        return state

    def wait_for_log(self, name: str, text: str, times: int = 1) -> None:
        """Return when the container has logged the text, so many times. It is polled: nobody who waits for a restart is followed."""
        deadline = time.monotonic() + LOG_SECONDS
        while sum(text in line for line in self._logs(name)) < times:
            assert time.monotonic() < deadline, f"{name} did not say {text!r} {times} times in {LOG_SECONDS:.0f} s"
            time.sleep(0.1)

    def _logs(self, name: str) -> list[str]:
        logs = self.run("logs", name)
        return (logs.stdout + logs.stderr).splitlines()
