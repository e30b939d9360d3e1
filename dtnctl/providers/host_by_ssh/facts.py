"""The facts of a host, as the agent's own probe finds them, from what our reader answers over a login.

The probe runs here. It reads what is known already; what it misses is noted, and all of that is one question to the host. It is run
again until it misses nothing: as often as one thing must be read before another is known of, and no oftener.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dtn_agent.ethtool import KernelNic
from dtn_agent.probe import HostRoot, netlink, nics, read_facts
from dtn_agent.probe.answers import Answers as KernelAnswers
from dtn_agent.probe.answers import Kernel
from dtn_agent.probe.files import Files
from dtn_agent.protocol import Facts, Held

from dtnctl.errors import EngineError
from dtnctl.providers.host_by_ssh.connection import Answer, Answers, Question

T = TypeVar("T")
Ask = Callable[[Sequence[Question]], Answers]
MOST_ROUNDS = 40  # a path is some ten folders deep; a host that changes all the time ends here


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """What was found, and the files that this login may not read."""

    facts: T
    denied: tuple[str, ...]


@dataclass(slots=True)
class Notebook:
    """What was answered so far, and what is not known yet."""

    known: dict[Question, Answer] = field(default_factory=dict)
    missing: dict[Question, None] = field(default_factory=dict)  # a set in the order in which it came

    def look_up(self, *question: str | int) -> Answer:
        """The answer; None where there is none, or none yet."""
        if question not in self.known:
            self.missing[question] = None
        return self.known.get(question)


def read_host(ask: Ask, machine: str) -> Read[Facts]:
    """All facts, now. Nothing is known of what containers see, nor of an agent's ledger."""
    return look_until_known(ask, lambda notebook: read_facts_of(notebook, lambda: _kernel(notebook, machine)))


def read_facts_of(notebook: Notebook, kernel: Kernel) -> Facts:
    """What the probe makes of what is known so far."""
    return read_facts(FarFiles(notebook), kernel, Held())


def look_until_known(ask: Ask, look: Callable[[Notebook], T]) -> Read[T]:
    """What `look` finds when it misses nothing any more. EngineError if there is always something new."""
    notebook, denied = Notebook(), set[str]()
    for _ in range(MOST_ROUNDS):
        notebook.missing.clear()
        found = look(notebook)
        if not notebook.missing:
            return Read(found, tuple(sorted(denied)))
        questions = tuple(notebook.missing)
        answers = ask(questions)
        notebook.known.update(zip(questions, answers.values, strict=True))
        denied.update(str(questions[number][1]) for number in answers.denied if len(questions[number]) > 1)
    raise EngineError(f"its files changed while they were read, {MOST_ROUNDS} times; try again")


class FarFiles(Files):
    """The files of the host at the other end."""

    def __init__(self, notebook: Notebook) -> None:
        super().__init__(HostRoot())
        self._notebook = notebook

    def content(self, path: str) -> bytes | None:
        return _bytes(self._notebook.look_up("content", path))

    def start(self, path: str, size: int) -> bytes:
        return _bytes(self._notebook.look_up("start", path, size)) or b""

    def names(self, path: str) -> list[str]:
        return list(self._notebook.look_up("names", path) or ())

    def target(self, path: str) -> str:
        return self._notebook.look_up("target", path) or ""

    def exists(self, path: str) -> bool:
        return bool(self._notebook.look_up("exists", path))


class FarNic(KernelNic):
    """A NIC of the host at the other end; every refusal is the same."""

    def __init__(self, interface: str, notebook: Notebook) -> None:
        super().__init__(interface)
        self._notebook = notebook

    def ask(self, question: bytes) -> bytes:
        answer = _bytes(self._notebook.look_up("ethtool", self.interface, question.decode("latin-1")))
        if answer is None:
            raise OSError(errno.EOPNOTSUPP, "no answer")
        return answer


def _kernel(notebook: Notebook, machine: str) -> KernelAnswers:
    def take(kind: int, body: bytes) -> list[bytes]:
        return [text.encode("latin-1") for text in notebook.look_up("dump", kind, body.decode("latin-1")) or ()]

    links, addresses, qdiscs = netlink.ask(take)
    return KernelAnswers(
        links=links,
        addresses=addresses,
        qdiscs=qdiscs,
        ethtool=nics.ask((link.name for link in links if not link.is_loopback), lambda name: FarNic(name, notebook)),
        clock_synchronized=notebook.look_up("clock"),
        machine=machine,
    )


def _bytes(answer: str | None) -> bytes | None:
    return None if answer is None else answer.encode("latin-1")
