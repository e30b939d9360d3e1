"""A name server that knows no names and says so at once.

Run as a program with the addresses to listen on; prints "ready" when it does. Without it a lookup in a container takes
two seconds to fail, because the engine's own name server stays silent when the one behind it cannot be reached.
"""

import selectors
import socket
import struct
import sys

HEADER = struct.Struct("!HHHHHH")
PORT = 53
LARGEST_QUERY = 4096
RESPONSE, AUTHORITATIVE, RECURSION_AVAILABLE, NO_SUCH_NAME = 0x8000, 0x0400, 0x0080, 3
KEPT_FLAGS = 0x7900  # the query's operation and its wish for recursion


def refuse(query: bytes) -> bytes | None:
    """The "no such name" answer to a query; None when it is too short to be one."""
    if len(query) < HEADER.size:
        return None
    number, flags, questions, *_ = HEADER.unpack_from(query)
    answer_flags = flags & KEPT_FLAGS | RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | NO_SUCH_NAME
    question = query[HEADER.size : _end_of_question(query)] if questions == 1 else b""
    return HEADER.pack(number, answer_flags, 1 if question else 0, 0, 0, 0) + question


def _end_of_question(query: bytes) -> int:
    at = HEADER.size
    while at < len(query) and query[at]:
        at += query[at] + 1
    return at + 5  # the final empty label, the type and the class


def serve(addresses: list[str]) -> None:
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
                _answer(key.data)


def _answer(plug: socket.socket) -> None:
    try:
        query, asker = plug.recvfrom(LARGEST_QUERY)
        if (answer := refuse(query)) is not None:
            plug.sendto(answer, asker)
    except OSError:  # the asker is gone
        return


if __name__ == "__main__":
    serve(sys.argv[1:])
