"""kill -9 of dtnctl and of an agent, both at once, at the moment when the agent's ledger shows that a step has begun.

The agent writes its ledger before it changes anything, so that moment is the worst one.
"""

from __future__ import annotations

import json
import shlex
from typing import Any

from tests.hardware.scene import Scene

LEDGER = "/var/lib/dtn-agent/ledger.json"
AGENT_PROCESS = "systemctl show --property=MainPID --value dtn-agent.service"
# In the shell itself, with a pause of its own: a program started again and again would take the emulated processors from the agent.
WATCH = "exec {{pause}}<> <(:); until {seen}; do read -rt 0.05 -u $pause || :; done; {kill}; echo killed"
KILL = "systemctl kill --signal=KILL dtn-agent.service"


def seen(part: str, *, filled: bool) -> str:
    """A shell condition: this list of the ledger has something in it, or nothing."""
    return has(f'"{part}": []', there=not filled)


def has(text: str, *, there: bool = True) -> str:
    """A shell condition: the ledger has this text, or has it not."""
    return f"[[ $(<{LEDGER}) {'==' if there else '!='} *{shlex.quote(text)}* ]]"


def crash(scene: Scene, name: str, condition: str) -> None:
    """Start apply, and kill it and the agent of this guest when its ledger shows that the step has begun; that agent runs again then."""
    killed = scene.on(name, AGENT_PROCESS).strip()
    watching = scene.guests.remote(name).start(WATCH.format(seen=condition, kill=KILL), seconds=150)
    applying = scene.start("apply", "--yes", "--max-prune=100")
    try:
        out, _ = watching.communicate(timeout=160)
        assert "killed" in out
    finally:
        applying.kill()
        applying.communicate()
        watching.kill()
    wait_for_other(scene, name, killed)


def crash_agent(scene: Scene, name: str) -> None:
    """kill -9, and it runs again when this returns."""
    killed = scene.on(name, AGENT_PROCESS).strip()
    scene.on(name, KILL)
    wait_for_other(scene, name, killed)


def wait_for_other(scene: Scene, name: str, killed: str) -> None:
    """Until the agent is another process than this one, and serves."""
    waiting = f"until [ $({AGENT_PROCESS}) != {killed} ] && systemctl is-active --quiet dtn-agent.service; do sleep 1; done"
    scene.on(name, waiting, seconds=120)


def ledger(scene: Scene, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(scene.on(name, f"cat {LEDGER}"))
    return value
