"""Which setting a key names, and in which order settings are made live."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from dtn_agent.errors import RefusedError
from dtn_agent.protocol import INTERFACE_NAME
from dtn_agent.tuning.cpu import Governor, Smt
from dtn_agent.tuning.files import block_setting, huge_pages
from dtn_agent.tuning.interface import interface_setting
from dtn_agent.tuning.irqbalance import Irqbalance, Services
from dtn_agent.tuning.setting import Root, Setting
from dtn_agent.tuning.sysctl import Sysctl

BLOCK_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$")
EARLY = ("sysctl", "smt", "governor", "huge_pages", "irqbalance", "block", "interface")
ORDERS = {
    "block": ("scheduler",),
    "interface": ("channels", "rx_ring", "tx_ring", "mtu", "tx_queue_len", "adaptive_rx", "pause_rx", "pause_tx", "qdisc", "irqs"),
}


def setting_of(root: Root, services: Services, key: str) -> Setting:
    """The setting; RefusedError if the key names none that the agent knows."""
    try:
        found = _setting(root, services, key)
    except ValueError as error:
        raise RefusedError("bad-request", f"{key}: {error}") from None
    if found is None:
        raise RefusedError("bad-request", f"{key} is not a setting that the agent knows")
    return found


def _setting(root: Root, services: Services, key: str) -> Setting | None:
    match key.split("/"):
        case ["sysctl", first, *rest]:
            return Sysctl(root, "/".join([first, *rest]))
        case ["interface", name, what] if re.fullmatch(INTERFACE_NAME, name) and set(name) != {"."}:
            return interface_setting(root, name, what)
        case ["block", name, what] if BLOCK_NAME.fullmatch(name):
            return block_setting(root, name, what)
        case ["governor"]:
            return Governor(root)
        case ["smt"]:
            return Smt(root)
        case ["huge_pages"]:
            return huge_pages(root)
        case ["irqbalance"]:
            return Irqbalance(services)
        case _:
            return None


def apply_order(key: str) -> tuple[int, int, str]:
    """Sorts keys so that none undoes an earlier one.

    A driver recreates its queues when their number or the MTU changes; a new scheduler has its own number of requests.
    """
    kind, _, name = key.partition("/")
    what = name.rpartition("/")[2]
    order = ORDERS.get(kind, ())
    place = order.index(what) if what in order else len(order)
    return (EARLY.index(kind) if kind in EARLY else len(EARLY), place, key)


def device_of(key: str) -> tuple[str, str]:
    """Kind and name of the interface or block device that the setting is one of; its name is empty if it is the host's."""
    kind, _, rest = key.partition("/")
    return kind, rest.partition("/")[0] if kind in ("interface", "block") else ""


def reset_with(key: str) -> str:
    """The key that the kernel resets when this one is written; empty if there is none."""
    return f"{key.removesuffix('/scheduler')}/nr_requests" if key.startswith("block/") and key.endswith("/scheduler") else ""


def spelled_out(keys: Iterable[str], block_devices: Collection[str]) -> list[str]:
    """The keys in order; a pattern of block devices as one key for each that fits, or as it is where none does."""
    found: set[str] = set()
    for key in keys:
        group, _, rest = key.partition("/")
        pattern, _, setting = rest.partition("/")
        fitting = [name for name in block_devices if fnmatchcase(name, pattern)] if group == "block" else []
        found |= {f"block/{name}/{setting}" for name in fitting} or {key}
    return sorted(found)
