"""Why this machine's ssh client cannot reach an endpoint, whatever the endpoint does: its own configuration, keys and known hosts.

Asked only of endpoints that are silent, so that nothing is refused which works. ssh itself reports its effective configuration.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dtnctl.errors import Problem
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.model.resources import Snapshot
from dtnctl.model.site import Site
from dtnctl.providers.ssh import REFUSED, ssh_command
from dtnctl.providers.timeouts import Timeouts

LONGEST = 10.0  # seconds that ssh may take to read its configuration, which can run programs
BROKEN = re.compile(r"^.*(?:: line \d+: |Can't open user config file|Bad owner or permissions on).*$", re.MULTILINE)
UNKNOWN_IS_REFUSED = ("ask", "true", "yes")  # values of StrictHostKeyChecking


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong and what to do, without a place."""

    code: str
    text: str
    fix: str


def find_ssh_problems(site: Site, snapshot: Snapshot, environment: Mapping[str, str]) -> list[Problem]:
    """For silent endpoints that ssh cannot reach for a reason on this machine: that reason, by the line of the address."""
    found = []
    for name, seen in snapshot.endpoints.items():
        document = site.endpoints[name]
        if seen.silence and document.value.address.scheme == "ssh":
            mark = document.mark(("docker",))
            troubles = _troubles(document.value.address, seen.silence, environment)
            found += [Problem(document.file, mark.line, mark.column, item.code, item.text, item.fix) for item in troubles]
    return sorted(found)


def _troubles(address: EngineAddress, silence: str, environment: Mapping[str, str]) -> Iterator[Trouble]:
    try:
        client, *options = ssh_command(address, address.path, Path("/socket"), Timeouts())
        command = [client, "-G", *options]
        ran = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=LONGEST, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return  # the reason of the silence is all that is known
    if ran.returncode:
        broken = BROKEN.search(ran.stderr)
        if broken is not None:
            yield Trouble("E0375", f"ssh cannot read its configuration: {broken[0].strip()}", "to correct that file")
        return
    settings = _settings(ran.stdout)
    yield from _known_hosts(settings)
    if REFUSED in silence:
        yield from _identities(settings, environment)


def _settings(text: str) -> Mapping[str, list[str]]:
    """Values by option, both as `ssh -G` prints them: one a line, in lower case."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    return found


def _values(settings: Mapping[str, list[str]], *names: str) -> list[str]:
    return [value for name in names for value in settings.get(name, [])]


def _known_hosts(settings: Mapping[str, list[str]]) -> Iterator[Trouble]:
    named = [path for path in " ".join(_values(settings, "userknownhostsfile", "globalknownhostsfile")).split() if path != "none"]
    others = [value for value in _values(settings, "knownhostscommand", "verifyhostkeydns") if value not in ("none", "false", "no")]
    strict = settings.get("stricthostkeychecking", ["ask"])[0] in UNKNOWN_IS_REFUSED
    if strict and not others and not any(_is_there(path) for path in named):
        files = f"there is none of {', '.join(named)}" if named else "ssh's configuration names no file of them"
        text = f"no host's key is known on this machine: {files}"
        yield Trouble("E0376", text, "to log in once by hand, or to add the host's key to one of these files")


def _identities(settings: Mapping[str, list[str]], environment: Mapping[str, str]) -> Iterator[Trouble]:
    """Why no key was shown. An agent that runs may hold some, so that it is the host that refused."""
    named = settings.get("identityfile", [])
    agents = [value for value in settings.get("identityagent", ["SSH_AUTH_SOCK"]) if value != "none"]
    agents = [environment.get(value.removeprefix("$"), "") if "/" not in value else value for value in agents]
    others = [*settings.get("pkcs11provider", []), *(path for path in agents if path and _is_there(path))]
    if not named or [item for item in others if item != "none"]:
        return
    if not any(_is_there(path) for path in named):
        text = f"ssh has no key to log in with: there is none of {', '.join(named)}, and no agent runs"
        yield Trouble("E0377", text, "the path of a key in ssh's configuration, or `ssh-add`")
    elif not any(map(_is_private, named)):
        there = ", ".join(path for path in named if _is_there(path))
        yield Trouble("E0377", f"ssh does not use {there}: users other than its owner may read it", "`chmod 600` of that file")


def _is_there(path: str) -> bool:
    """Whether the file is there, or could be: what ssh still has to fill in is not known."""
    return "%" in path or "$" in path or Path(path).expanduser().exists()


def _is_private(path: str) -> bool:
    """Whether ssh would use it: it does not show a key of ours that others may read."""
    try:
        found = Path(path).expanduser().stat()
    except OSError:
        return "%" in path or "$" in path
    return found.st_uid != os.getuid() or not stat.S_IMODE(found.st_mode) & 0o077
