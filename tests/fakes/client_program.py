"""A client in a process of its own, for tests that kill it: creates and starts containers until it is told to end.

`python -m tests.fakes.client_program SOCKET NAME…` does four calls for each name: create, put_archive, start, inspect.
"""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Mapping

import docker


def tar(contents: Mapping[str, bytes]) -> bytes:
    """A tar; names that end in "/" are folders."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name.rstrip("/"))
            member.type, member.mode = (tarfile.DIRTYPE, 0o755) if name.endswith("/") else (tarfile.REGTYPE, 0o644)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def main(socket: str, names: list[str]) -> None:
    client = docker.APIClient(base_url=f"unix://{socket}", version="1.41")
    for name in names:
        client.create_container("tiny:1", name=name, labels={"made-by": "client"})
        client.put_archive(name, "/etc", tar({"note": name.encode()}))
        client.start(name)
        client.inspect_container(name)
    client.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
