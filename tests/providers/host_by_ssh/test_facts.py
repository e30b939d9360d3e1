"""The facts of a host at the other end are those that the agent's probe finds on it, and take few questions."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from dtn_agent.namespaces import in_a_new_one
from dtn_agent.probe import probe
from dtn_agent.protocol import Facts

from dtnctl.errors import EngineError
from dtnctl.providers.host_by_ssh import reader
from dtnctl.providers.host_by_ssh.connection import Answers, Question
from dtnctl.providers.host_by_ssh.facts import look_until_known, read_facts_of, read_host
from tests.agent.namespace_host import needs_root
from tests.agent.recorded import NAMES, RecordedKernel, unpack

FOLDERS = ("sys", "proc", "dev", "run", "etc", "lib/modules", "var/lib/dtn-agent")
WORLD = """
set -e
ip link add cable0 mtu 4000 alias 'to the other' txqueuelen 777 type veth peer name cable1
ip link add bridge0 type bridge
ip link set cable1 master bridge0
ip link add child0 link cable0 type macvlan mode bridge
ip address add 192.0.2.7/24 dev cable0
ip address add 2001:db8::7/64 dev cable0 nodad
ip link set cable0 up
ip link set cable1 up
"""


def asked(questions: Sequence[Question]) -> Answers:
    """The reader's own answers, on this machine, as JSON brings them."""
    found = reader.unpacked(reader.packed(reader.answers(json.loads(json.dumps(questions)))))
    return Answers(tuple(found["answers"]), frozenset(found["denied"]))


def without_what_passes(facts: Facts) -> Facts:
    """Two reads are never at the same moment: amounts and counters differ, and processes come and go."""
    nodes = tuple(node.model_copy(update={"memory_free": None}) for node in facts.cpus.numa)
    interfaces = tuple(item.model_copy(update={"counters": {}}) for item in facts.interfaces)
    return facts.model_copy(
        update={
            "cpus": facts.cpus.model_copy(update={"numa": nodes}),
            "memory": facts.memory.model_copy(update={"available": 0}),
            "system": facts.system.model_copy(update={"uptime": 0.0}),
            "interfaces": interfaces,
            "listeners": (),
            "block_devices": (),
            "sysctls": {name: value for name, value in facts.sysctls.items() if "conntrack_count" not in name},
        }
    )


@pytest.mark.parametrize("name", NAMES)
def test_recorded_host_is_read_as_by_the_agent_on_it(name: str, tmp_path: Path) -> None:
    root = unpack(name, tmp_path)
    folders = {"lib/modules": root.modules, "var/lib/dtn-agent": root.state} | {
        word: getattr(root, word) for word in ("sys", "proc", "dev", "run", "etc")
    }

    def ask(questions: Sequence[Question]) -> Answers:
        return asked([(word, _moved(str(path), folders), *more) for word, path, *more in questions])

    found = look_until_known(ask, lambda notebook: read_facts_of(notebook, RecordedKernel(name)))
    assert found.facts.model_dump() == probe(root, kernel=RecordedKernel(name)).model_dump()


def _moved(path: str, folders: dict[str, Path]) -> str:
    return next(f"{folders[word]}{path.removeprefix(f'/{word}')}" for word in FOLDERS if f"{path}/".startswith(f"/{word}/"))


def test_this_machine_is_read_as_by_the_agent_on_it_in_a_few_rounds() -> None:
    rounds: list[int] = []

    def ask(questions: Sequence[Question]) -> Answers:
        rounds.append(len(questions))
        return asked(questions)

    found = read_host(ask, os.uname().machine)
    assert without_what_passes(found.facts) == without_what_passes(probe())
    assert 1 < len(rounds) < 10


@needs_root
def test_interfaces_of_all_kinds_are_read_as_by_the_agent() -> None:
    def both() -> tuple[Facts, Facts]:
        subprocess.run(["sh", "-c", WORLD], check=True)
        return read_host(asked, os.uname().machine).facts, probe()

    there, here = in_a_new_one(both)
    assert {item.name for item in there.interfaces} == {"cable0", "cable1", "bridge0", "child0"}
    assert without_what_passes(there).interfaces == without_what_passes(here).interfaces


def test_what_may_not_be_read_is_named_and_counts_as_unknown() -> None:
    def ask(questions: Sequence[Question]) -> Answers:
        found = asked(questions)
        closed = [number for number, question in enumerate(questions) if question[-1] == "/proc/sys/kernel/hostname"]
        return Answers(tuple(None if number in closed else value for number, value in enumerate(found.values)), frozenset(closed))

    found = read_host(ask, "x86_64")
    assert (found.denied, found.facts.system.hostname) == (("/proc/sys/kernel/hostname",), "")


def test_host_that_never_stands_still_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(EngineError, match="its files changed while they were read"):
        look_until_known(asked, lambda notebook: notebook.look_up("content", f"/none/{len(notebook.known)}"))
