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
from dtn_agent.protocol import ConfigureVf, ReleaseVf, Request, SetVfCount
from dtn_agent.vf.functions import VfHands
from pydantic import TypeAdapter
from pyroute2 import IPRoute

from tests.agent.veth_card import bring_back, hardware, insert_card


def insert(folder: Path, address: str) -> None:
    """The card, with its VFs' wires in one bridge."""
    insert_card(folder / "sys")
    with IPRoute() as route:
        route.link("add", ifname="wire", kind="bridge", state="up")
        route.addr("add", index=route.link_lookup(ifname="wire")[0], address=address, prefixlen=24)


def perform(hands: VfHands, text: str) -> str:
    request: object = TypeAdapter(Request).validate_json(text)
    try:
        match request:
            case SetVfCount():
                return hands.set_count(request).model_dump_json()
            case ConfigureVf():
                return hands.configure(request).model_dump_json()
            case ReleaseVf():
                return hands.release(request).model_dump_json()
    except RefusedError as error:
        return f"refused: {error}"
    return "not one of ours"


def serve(hands: VfHands) -> None:
    """From the socket's appearance to SIGTERM."""
    hands.restore()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    watcher = threading.Thread(target=hands.watch, args=(stopped,))
    watcher.start()
    with DriverSocket(NetworkDriver(hands.ledger, hands).answer):
        print("ready", flush=True)
        stopped.wait()
    watcher.join()


def main(folder: Path, what: str, *words: str) -> None:
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    logging.getLogger("dtn_agent").setLevel(logging.DEBUG)
    boot = "another" if "after-reboot" in words else None
    hands = VfHands(Ledger(folder / "ledger.json"), hardware(folder / "sys"), boot)
    match what:
        case "insert":
            insert(folder, words[0])
        case "perform":
            print(perform(hands, words[0]))
        case "kernel":
            bring_back(folder / "sys")
        case "serve":
            if boot:
                hands.hardware.tree.write_count("pf0", 0)
            serve(hands)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
