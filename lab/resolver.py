"""A name server that knows no names and says so at once.

Run as a program with the addresses to listen on; prints "ready" when it does. Without it a lookup in a container takes
two seconds to fail, because the engine's own name server stays silent when the one behind it cannot be reached.
"""

import asyncio
import struct
import sys

HEADER = struct.Struct("!HHHHHH")
PORT = 53
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


class Refuser(asyncio.DatagramProtocol):
    """Answers every datagram."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = refuse(data)
        if answer is not None:
            self.transport.sendto(answer, addr)


async def serve(addresses: list[str]) -> None:
    """Listen on the addresses until killed."""
    loop = asyncio.get_running_loop()
    for address in addresses:
        await loop.create_datagram_endpoint(Refuser, local_addr=(address, PORT))
    print("ready", flush=True)
    sys.stdout.close()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
