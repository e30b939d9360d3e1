"""Pieces of a host's facts, by name."""

from __future__ import annotations

from dtn_agent.protocol import BlockDevice, Facts, Interface, Listener, RdmaDevice, Vf


def interface(facts: Facts, name: str) -> Interface:
    return next(item for item in facts.interfaces if item.name == name)


def vfs(facts: Facts, name: str) -> tuple[Vf, ...]:
    sriov = interface(facts, name).sriov
    assert sriov
    return sriov.vfs


def disk(facts: Facts, name: str) -> BlockDevice:
    return next(item for item in facts.block_devices if item.name == name)


def rdma(facts: Facts, name: str) -> RdmaDevice:
    return next(item for item in facts.rdma if item.name == name)


def listener(facts: Facts, protocol: str, port: int) -> list[Listener]:
    return [item for item in facts.listeners if (item.protocol, item.port) == (protocol, port)]
