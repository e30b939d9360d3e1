"""Reads the host's facts from sysfs, procfs, netlink and ethtool. Changes nothing, keeps nothing, and invents nothing.

Files absent in a virtual machine or a container are no error. Everything is passed in, so that a test can show a host that it
does not run on.
"""

from __future__ import annotations

from dtn_agent.probe.answers import Kernel, silent_kernel
from dtn_agent.probe.blocks import block_devices
from dtn_agent.probe.files import Files, HostRoot
from dtn_agent.probe.interfaces import interfaces
from dtn_agent.probe.kernel import ask_kernel
from dtn_agent.probe.listeners import listeners
from dtn_agent.probe.nvme import nvme
from dtn_agent.probe.processors import cpus, memory
from dtn_agent.probe.rdma import rdma_devices
from dtn_agent.probe.sriov import holders_of
from dtn_agent.probe.sysctls import sysctls
from dtn_agent.probe.system import system
from dtn_agent.protocol import Facts, Held

__all__ = ["HostRoot", "probe", "read_facts"]


def probe(root: HostRoot | None = None, held: Held | None = None, kernel: Kernel | None = None) -> Facts:
    """Everything, now. `held` is the ledger's, for who has which virtual function.

    The kernel that we run on is asked for our own host only; of another root what `kernel` answers, nothing without it.
    """
    root = root or HostRoot()
    if kernel is None:
        kernel = ask_kernel if root.is_real else silent_kernel
    return read_facts(Files(root), kernel, held or Held())


def read_facts(files: Files, kernel: Kernel, held: Held) -> Facts:
    """The same from files that are read in another way, such as by one that counts."""
    answers = kernel()
    return Facts(
        system=system(files, answers),
        cpus=cpus(files),
        memory=memory(files),
        interfaces=interfaces(files, answers, holders_of(held)),
        rdma=rdma_devices(files),
        block_devices=block_devices(files),
        listeners=listeners(files),
        sysctls=sysctls(files),
        nvme=nvme(files),
    )
