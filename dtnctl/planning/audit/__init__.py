"""Decides what to examine on hosts that no file declares, what is wrong there, and what would declare them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from dtnctl.errors import UsageError
from dtnctl.model.audit import Audit, Carried, HostAudit, HostRead, Pair
from dtnctl.planning.audit.carriers import LONGEST_NAME, carried, data_nics, name_of
from dtnctl.planning.audit.drafts import drafts_of
from dtnctl.planning.audit.examine import data_mounts, examine_hosts
from dtnctl.planning.audit.pairs import faults_of
from dtnctl.planning.audit.unseen import unseen

CarriedByHost = Mapping[str, tuple[Carried, ...]]


def host_name(host: str, hostname: str, taken: Sequence[str]) -> str:
    """What a host is called in reports and files: the first part of how it was reached, of an address what it calls itself."""
    try:
        ip_address(host)
        called = hostname
    except ValueError:
        called = host
    name = name_of(called.partition(".")[0])[:LONGEST_NAME]
    return next(each for each in (name, *(f"{name[: LONGEST_NAME - 2]}-{number}" for number in range(2, 9))) if each not in taken)


def carried_by(reads: Sequence[HostRead], interfaces: Sequence[str]) -> CarriedByHost:
    """What each host's data NICs carry. UsageError if no host has an interface that was named."""
    there = sorted({item.name for read in reads for item in read.facts.interfaces})
    if missing := [name for name in interfaces if name not in there]:
        raise UsageError(f"--interface {missing[0]}: there is no such interface; there are {', '.join(there) or 'none'}")
    return {read.name: carried(read.facts, data_nics(read.facts, interfaces)) for read in reads}


def audit_of(reads: Sequence[HostRead], carried: CarriedByHost, pairs: Sequence[Pair]) -> Audit:
    """All that was found; `pairs` with what came back of the packets that were sent."""
    examinations = examine_hosts(reads, carried)
    hosts = tuple(
        HostAudit(read.address, found, carried[read.name], tuple(unseen(read, has_data_mounts=bool(data_mounts(read.facts)))))
        for read, found in zip(reads, examinations, strict=True)
    )
    faults = tuple(fault for pair in pairs for fault in faults_of(pair))
    return Audit(hosts, tuple(pairs), faults, drafts_of(reads, carried, examinations))
