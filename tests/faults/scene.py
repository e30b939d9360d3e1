"""The demo's world in memory: two engines, a DTN image whose GridFTP really moves bytes, and somebody else's objects."""

from __future__ import annotations

import posixpath
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.fakes.engine import Program, Run, World
from tests.fakes.execs import ExecRun
from tests.fakes.programs import Files

CONTENT = bytes(range(256)) * 64
PASSWD = b"root:x:0:0:root:/root:/bin/bash\ndtnaas:x:31000:31000::/home/dtnaas:/bin/bash\n"
IMAGE_FILES = {
    "/etc/passwd": PASSWD,
    "/etc/ssh/ssh_host_ed25519_key.pub": b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHRoaXMgaXMgbm90IGEgcmVhbCBob3N0IGtleSE root@image\n",
    "/home/dtnaas/.profile": b"",
    "/root/.profile": b"",
}


def prepare(world: World) -> None:
    """Called in the engines' process before they open."""
    world.add_image("dtn:1", {"Cmd": ["dtn-entry"], "Env": ["PATH=/usr/bin:/bin"]}, IMAGE_FILES)
    world.add_image("stranger:1", {"Cmd": ["sleep"]})
    world.exec_programs["stat"] = _stat
    world.exec_programs["timeout"] = lambda run: 0  # both control ports answer
    world.programs.register(Program(lambda run: _copy(world, run), inline=True), name="*.g[0-9]*a[0-9]*")


def _stat(run: ExecRun) -> int:
    """`stat -L -c "%f %s %Y %d %i" -- PATH`."""
    path = run.argv[-1]
    try:
        size = len(run.files.read(path))
    except FileNotFoundError:
        run.stderr(f"stat: cannot statx '{path}': No such file or directory\n")
        return 1
    except IsADirectoryError:
        run.stdout("41ed 4096 1700000000 7 1\n")
        return 0
    run.stdout(f"81a4 {size} 1700000000 7 {abs(hash((run.engine.name, path))) % 10**6}\n")
    return 0


def _copy(world: World, run: Run) -> int:
    """globus-url-copy between the services that the two URLs name."""
    source, destination = (urlsplit(word) for word in run.argv if word.startswith("sshftp://"))
    near = _service(world, run.engine.name)
    far = _service(world, str(destination.hostname))
    try:
        content = near.read(unquote(source.path))
    except FileNotFoundError:
        run.stderr("error: globus_ftp_client: the server responded with an error\n500 No such file or directory\n")
        return 1
    far.write(unquote(destination.path), content)
    run.stdout(f"Source: {source.geturl()}\nDest:   {destination.geturl()}\n  {posixpath.basename(source.path)}\n\n")
    run.stdout(f"{len(content):12d} bytes     1.00 MB/sec avg     1.00 MB/sec inst\r\n")
    return 0


def _service(world: World, endpoint: str) -> Files:
    return world.files(endpoint, "demo.climate")


SITE = {
    "site": "name: demo\n",
    "networks/data": "driver: macvlan\nmtu: 9000\nsubnet: 10.20.0.0/24\naddresses: 10.20.0.100-10.20.0.199\n",
    "profiles/dtn": (
        "volumes: ['/data:/data']\ninit: true\nmemory: 1GiB\nuser: dtnaas\ndata_nets: [data]\n"
        "ctrl_port_range: [30000, 30100]\ndata_port_range: [50100, 50199]\n"
    ),
    "sessions/climate": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\n",
    "transfers/run14": "from: dtn1:/data/run14.nc\nto: dtn2:/data/run14.nc\ntool: gridftp\n",
}


def write_site(root: Path, sockets: dict[str, str], changes: dict[str, str | None] | None = None) -> None:
    """Write the demo's state for these engines; `changes` replace files, None removes one."""
    files: dict[str, str | None] = {**SITE, **(changes or {})}
    for name in ("dtn1", "dtn2"):
        files[f"endpoints/{name}"] = (
            f"docker: unix://{sockets[name]}\nhost: {name}\ninterfaces: {{data: eth1}}\nallow: {{mounts: [/data]}}\n"
        )
    shutil.rmtree(root / "state", ignore_errors=True)
    for name, text in files.items():
        path = root / "state" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
