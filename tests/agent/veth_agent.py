"""The agent's network driver on a card of veth pairs, as a program of its own: it is started inside an endpoint, and killed there.

usage: python -m tests.agent.veth_agent FOLDER insert ADDRESS | perform REQUEST | serve [after-reboot] | kernel
FOLDER holds the card (`sys`) and the agent's ledger; ADDRESS is what the far end of the VFs' wires answers to.
`kernel` brings interfaces back whose namespace is gone.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

from dtn_agent.engine.driver import NetworkDriver
from dtn_agent.engine.driver_socket import DriverSocket
from dtn_agent.errors import RefusedError
from dtn_agent.ledger import Ledger
from dtn_agent.protocol.vfs import VfRequest
from dtn_agent.vf.virtual_functions import VirtualFunctions
from pydantic import TypeAdapter
from pyroute2 import IPRoute

from tests.agent.veth_card import bring_back, hardware, insert_card


def insert(folder: Path, address: str) -> None:
    """The card, with its VFs' wires in one bridge."""
    insert_card(folder / "sys")
    with IPRoute() as route:
        route.link("add", ifname="wire", kind="bridge", state="up")
        route.addr("add", index=route.link_lookup(ifname="wire")[0], address=address, prefixlen=24)


def perform(vfs: VirtualFunctions, text: str) -> str:
    try:
        return vfs.perform(TypeAdapter[VfRequest](VfRequest).validate_json(text)).model_dump_json()
    except RefusedError as error:
        return f"refused: {error}"


def serve(vfs: VirtualFunctions) -> None:
    """From the socket's appearance to SIGTERM."""
    vfs.restore()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    watcher = threading.Thread(target=vfs.watch, args=(stopped,))
    watcher.start()
    with DriverSocket(NetworkDriver(vfs.ledger, vfs).answer):
        print("ready", flush=True)
        stopped.wait()
    watcher.join()


def main(folder: Path, what: str, *words: str) -> None:
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("dtn_agent").setLevel(logging.DEBUG)
    boot = "another" if "after-reboot" in words else None
    vfs = VirtualFunctions(Ledger(folder / "ledger.json"), hardware(folder / "sys", seconds=30), boot)
    match what:
        case "insert":
            insert(folder, words[0])
        case "perform":
            print(perform(vfs, words[0]))
        case "kernel":
            bring_back(folder / "sys")
        case "serve":
            if boot:
                vfs.hardware.tree.write_count("pf0", 0)
            serve(vfs)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
