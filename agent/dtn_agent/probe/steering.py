"""Which CPUs the kernel's own steering gives a device's queues to: RPS for what arrives, XPS for what is sent."""

from __future__ import annotations

from dtn_agent.cpu_lists import cpu_list
from dtn_agent.probe.files import Files


def steering(files: Files, folder: str, kind: str) -> tuple[str, ...] | None:
    """The CPUs of each queue in their order, by the interface's folder; `kind` is rps or xps. None where the kernel does not report them.

    It reports nothing of interfaces with one send queue (ENOENT), nor when it is built without steering.
    """
    side = "rx-" if kind == "rps" else "tx-"
    queues = sorted((name for name in files.names(f"{folder}/queues") if name.startswith(side)), key=lambda name: int(name[len(side) :]))
    masks = [files.text(f"{folder}/queues/{queue}/{kind}_cpus") for queue in queues]
    found = [_list(mask) for mask in masks if mask]
    return tuple(found) if found and len(found) == len(masks) else None


def _list(mask: str) -> str:
    """A mask as the kernel writes it, `00000001,0000ffff`: 32 CPUs to a group, the first CPUs last."""
    bits = int(mask.replace(",", ""), 16)
    return cpu_list(tuple(cpu for cpu in range(bits.bit_length()) if bits >> cpu & 1))
