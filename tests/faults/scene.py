"""The demo's world in memory: two engines, a DTN image whose GridFTP really moves bytes, and somebody else's objects.

Beside each engine stands an agent, for sites whose endpoints name it: on dtn1 virtual functions can be made, on dtn2 others made some
and have one.
"""

from __future__ import annotations

import atexit
import posixpath
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dtn_agent.protocol import Held, Interface, Owner
from dtn_agent.protocol import Host as Machine
from dtn_agent.protocol.tuning import HeldTuning
from dtn_agent.protocol.vfs import HeldPf, HeldVf, VfSettings

from tests.fakes.engine import Program, Run, World
from tests.fakes.execs import ExecRun
from tests.fakes.machine import RegistryImage
from tests.fakes.programs import Files
from tests.faults.agents import open_agents
from tests.planning.machines import machine, pf

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
    world.add_image("dtn:2", {"Cmd": ["dtn-entry"], "Env": ["PATH=/usr/bin:/bin", "NEW=1"]}, IMAGE_FILES)
    world.add_image("stranger:1", {"Cmd": ["sleep"]})
    world.exec_programs["stat"] = _stat
    world.exec_programs["timeout"] = lambda run: 0  # both control ports answer
    world.programs.register(Program(lambda run: _copy(world, run), inline=True), name="*.g[0-9]*a[0-9]*")
    world.programs.register(Program(lambda run: _copy_meanwhile(world, run)), name="*.once.g[0-9]*a[0-9]*")
    for engine in world.engines.values():
        engine.machine.cpus, engine.machine.memory_nodes = 32, 2
        engine.machine.registry["far:1"] = RegistryImage({"Cmd": ["dtn-entry"]}, IMAGE_FILES)
    folder = tempfile.TemporaryDirectory(prefix="agents-")
    atexit.register(folder.cleanup)
    open_agents(world, {"dtn1": _first_machine(), "dtn2": _second_machine()}, SETTINGS, Path(folder.name))


# --- hosts with agents --------------------------------------------------------------------------------------

SETTINGS = {
    "sysctl/net.core.rmem_max": "212992",
    "sysctl/net.core.wmem_max": "212992",
    "sysctl/net.ipv4.tcp_mtu_probing": "0",
    "interface/eth2/tx_queue_len": "1000",
    "governor": "powersave",
}
PLAIN = Interface(name="eth2", index=20, mtu=9000)
TUNED_BY_OTHERS = HeldTuning(key="governor", found="performance", wanted="powersave", now=None, site="other")


def _first_machine() -> Machine:
    """ens1f0 has no functions yet; another site made two on ens2f0 and has one."""
    card = pf("ens2f0", 0, vfs=2, total=4)
    return machine(pf("ens1f0", 1, vfs=0), card, PLAIN, held=_of_others(card, found=0))


def _second_machine() -> Machine:
    """Another site made three on ens1f0, and has the first."""
    card = pf("ens1f0", 1, vfs=3)
    return machine(card, PLAIN, held=_of_others(card, found=0))


def _of_others(card: Interface, found: int) -> Held:
    assert card.sriov is not None
    made = HeldPf(pf=card.name, pci=card.pci, found=found, wanted=card.sriov.current, site="other")
    plain = VfSettings(mac="", vlan=0, vlan_priority=0, mtu=1500)
    owner = Owner(site="other", session="theirs", network="far")
    taken = HeldVf(pf=card.name, pf_pci=card.pci, index=0, pci=card.sriov.vfs[0].pci, owner=owner, found=plain, wanted=VfSettings(vlan=0))
    return Held(pfs=(made,), vfs=(taken,), tuning=(TUNED_BY_OTHERS,))


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


def _copy_meanwhile(world: World, run: Run) -> int:
    """A copy that lasts while the engines get as many calls as the name of what it writes says; without calls it ends as well."""
    calls = int(re.findall(r"/after-(\d+)", " ".join(run.argv))[-1])
    with world.changed:
        due = len(world.journal.calls) + calls
        world.changed.wait_for(lambda: run.orphaned or run.stop_requested or len(world.journal.calls) >= due, timeout=0.3)
    return 143 if run.stop_requested else _copy(world, run)


def _service(world: World, endpoint: str) -> Files:
    return world.files(endpoint, "demo.climate")


SITE = {
    "site": "name: demo\n",
    "networks/data": "driver: macvlan\nmtu: 9000\nsubnet: 10.20.0.0/24\naddresses: 10.20.0.100-10.20.0.199\n",
    "profiles/dtn": (
        "volumes: ['/data:/data']\ninit: true\nmemory: 1GiB\nuser: dtnaas\nsettle: 100ms\ndata_nets: [data]\n"
        "ctrl_port_range: [30000, 30100]\ndata_port_range: [50100, 50199]\n"
    ),
    "sessions/climate": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\n",
    "transfers/run14": "from: dtn1:/data/run14.nc\nto: dtn2:/data/run14.nc\ntool: gridftp\n",
}

PLAIN_ENDPOINT = "interfaces: {data: eth1}\nallow: {mounts: [/data]}\n"

WITH_AGENT = "$agent\ninterfaces: {star: ens1f0, lan: eth2}\n"
TUNING = "tuning:\n  sysctls: {net.core.rmem_max: 268435456, net.ipv4.tcp_mtu_probing: 1}\n  interfaces: {eth2: {tx_queue_len: 10000}}\n"
STAR = "driver: sriov\nsubnet: 10.30.0.0/24\nvlan: 222\nmtu: 9000\n"
ON_HARDWARE = (
    "memory: 1GiB\nuser: dtnaas\nsettle: 100ms\ninit: true\n"
    "data_nets: [star, lan]\ncpus: 2\nnear: data_net\nctrl_port_range: [30000, 30100]\n"
    "qos: {rate: 500mbit, delay: 10ms}\n"
)
HARDWARE_SITE: Mapping[str, str | None] = {
    "endpoints/dtn1": f"{WITH_AGENT}vfs: {{ens1f0: 4}}\n{TUNING}",
    "endpoints/dtn2": f"{WITH_AGENT}{TUNING}",
    "networks/data": None,
    "networks/star": STAR,
    "networks/lan": "driver: macvlan\nvlan: 6\nmtu: 9000\nsubnet: 10.20.0.0/24\naddresses: 10.20.0.100-10.20.0.199\n",
    "profiles/dtn": ON_HARDWARE,
    "sessions/climate": None,
    "sessions/star222": "endpoints: [dtn1, dtn2]\nimage: dtn:1\nprofile: dtn\n",
    "transfers/run14": None,
}
"""A session whose services get a virtual function, a place on a VLAN, CPUs of their own and shaped packets, on tuned hosts."""


def write_site(root: Path, sockets: Mapping[str, str], changes: Mapping[str, str | None] | None = None) -> None:
    """Write the demo's state for these engines; `changes` replace files, None removes one.

    Of an endpoint's file they are what follows the engine's lines; `$agent` stands for the lines that name its agent.
    """
    files: dict[str, str | None] = {**SITE, **(changes or {})}
    for name in (name for name in sockets if re.fullmatch(r"dtn\d", name)):
        agent = f"agent: {sockets.get(f'agent {name}')}\nagent_tls: {{ca: {sockets['agents_ca']}}}\n"
        agent += f"agent_token_file: {sockets['agents_token']}"
        more = files.get(f"endpoints/{name}") or PLAIN_ENDPOINT
        files[f"endpoints/{name}"] = f"docker: unix://{sockets[name]}\nhost: {name}\n{more.replace('$agent', agent)}"
    shutil.rmtree(root / "state", ignore_errors=True)
    for name, text in files.items():
        path = root / "state" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text)
