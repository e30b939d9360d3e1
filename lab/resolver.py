"""A name server that knows the names of a hosts file, and says at once that there are no others.

Run as a program with the hosts file and the addresses to listen on; prints "ready" when it does. Without it a lookup in a container
takes two seconds to fail, because the engine's own name server stays silent when the one behind it cannot be reached.
"""

import selectors
import socket
import struct
import sys
from pathlib import Path

HEADER = struct.Struct("!HHHHHH")
PORT = 53
LARGEST_QUERY = 4096
RESPONSE, AUTHORITATIVE, RECURSION_AVAILABLE, NO_SUCH_NAME = 0x8000, 0x0400, 0x0080, 3
KEPT_FLAGS = 0x7900  # the query's operation, and whether it asks for recursion
# an answer's start: the name as in the question, type A, class IN, a minute to live, four bytes
ADDRESS_FOLLOWS = struct.pack("!HHHIH", 0xC000 | HEADER.size, 1, 1, 60, 4)
ASKS_FOR_ADDRESS = struct.pack("!HH", 1, 1)


def read_names(hosts: str) -> dict[str, str]:
    """IPv4 addresses by name, of a hosts file's text."""
    lines = [line.split() for line in hosts.splitlines()]
    return {name: address for address, *names in filter(None, lines) for name in names}


def answer(query: bytes, names: dict[str, str]) -> bytes | None:
    """The answer to a query: an address, nothing of the kind asked for, or "no such name"; None when it is too short to be one."""
    if len(query) < HEADER.size:
        return None
    number, flags, questions, *_ = HEADER.unpack_from(query)
    question = query[HEADER.size : _end_of_question(query)] if questions == 1 else b""
    address = names.get(_name_of(question))
    answers = b""
    if address is not None and question.endswith(ASKS_FOR_ADDRESS):
        answers = ADDRESS_FOLLOWS + socket.inet_aton(address)
    answer_flags = flags & KEPT_FLAGS | RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | (NO_SUCH_NAME if address is None else 0)
    return HEADER.pack(number, answer_flags, 1 if question else 0, 1 if answers else 0, 0, 0) + question + answers


def _name_of(question: bytes) -> str:
    labels, at = [], 0
    while at < len(question) and question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace").lower())
        at += question[at] + 1
    return ".".join(labels)


def _end_of_question(query: bytes) -> int:
    at = HEADER.size
    while at < len(query) and query[at]:
        at += query[at] + 1
    return at + 5  # the final empty label, the type and the class


def serve(names: dict[str, str], addresses: list[str]) -> None:
    """Listen on the addresses until killed."""
    with selectors.DefaultSelector() as selector:
        for address in addresses:
            plug = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            plug.bind((address, PORT))
            selector.register(plug, selectors.EVENT_READ, plug)
        sys.stdout.write("ready\n")
        sys.stdout.close()
        while True:
            for key, _ in selector.select():
                _answer_one(key.data, names)


def _answer_one(plug: socket.socket, names: dict[str, str]) -> None:
    try:
        query, asker = plug.recvfrom(LARGEST_QUERY)
        if (text := answer(query, names)) is not None:
            plug.sendto(text, asker)
    except OSError:  # the asker is gone
        return


if __name__ == "__main__":
    serve(read_names(Path(sys.argv[1]).read_text()), sys.argv[2:])
