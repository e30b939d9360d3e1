"""Reads hosts that no file declares, and sends the packets between them that planning asks for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from dtnctl.errors import EngineError
from dtnctl.model.audit import Audit, HostRead
from dtnctl.model.engine_addresses import EngineAddress
from dtnctl.planning.audit import audit_of, carried_by, host_name
from dtnctl.planning.audit.pairs import pairs_of, pings_of, with_answers
from dtnctl.providers.host_by_ssh.connection import FarPython, Login, open_login
from dtnctl.providers.host_by_ssh.facts import read_host
from dtnctl.providers.timeouts import Timeouts


def audit_hosts(addresses: Sequence[EngineAddress], interfaces: Sequence[str], timeouts: Timeouts) -> Audit:
    """One host, or two and what passes from the first to the second. What runs there ends with this call."""
    with ExitStack() as stack:
        logins = [stack.enter_context(open_login(address, timeouts)) for address in addresses]
        reads: list[HostRead] = []
        for login, python in logins:
            reads.append(_read(login, python, [read.name for read in reads]))
        carried = carried_by(reads, interfaces)
        pairs = pairs_of(carried[reads[0].name], carried[reads[1].name]) if len(reads) > 1 else ()
        measured = []
        for pair in pairs:
            pings = pings_of(pair)
            answers = logins[0][0].ask([("echo", ping.address, ping.interface, ping.data) for ping in pings])
            measured.append(with_answers(pair, pings, answers.values))
        return audit_of(reads, carried, measured)


def _read(login: Login, python: FarPython, taken: Sequence[str]) -> HostRead:
    try:
        found = read_host(login.ask, python.machine)
    except EngineError as error:
        raise EngineError(f"{login.address}: {error}") from error
    name = host_name(login.address.host, found.facts.system.hostname, taken)
    return HostRead(name, login.address.text, found.facts, python.user, found.denied)
