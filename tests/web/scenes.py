"""Views to render: a site like that of the talk, of which something is wrong; a fleet; names that others chose to do harm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from dtnctl.model.head import Head
from dtnctl.model.ledger import Attempt, LedgerSeen
from dtnctl.model.resources import EndpointSeen, LeaseSeen, Snapshot
from dtnctl.model.site import Site
from dtnctl.web.view import Answer, View
from tests.planning.building import ANYTHING, applied, site
from tests.planning.doctor.hosts import host, well_tuned
from tests.planning.machines import ABILITIES

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HEAD = Head("4f2c1e9a0b3d5f7788990011223344556677aabb", "main")
ENDPOINTS = ("lbnl-dtn", "nersc-tbn-7", "starlight-dtn", "surf-dtn-ppc")
SITE = """
# site
name: scinet
limits: {max_prune: 100%}
# networks/star222
driver: macvlan
vlan: 222
mtu: 9000
subnet: 192.168.2.0/24
addresses: 192.168.2.64-192.168.2.95
# networks/surf331
driver: macvlan
vlan: 331
mtu: 9000
subnet: 192.168.3.0/24
# profiles/lbnl
volumes: [/nvme/data:/data]
limits: {memlock: -1, nofile: 131072}
data_nets: [star222]
ctrl_port_range: [30000, 30009]
# profiles/surf
volumes: [/nvme/data:/data]
data_nets: [surf331]
ctrl_port_range: [30010, 30019]
# sessions/ofed-test
endpoints: [nersc-tbn-7, starlight-dtn]
image: dtnaas/ofed:latest
profile: lbnl
# sessions/climate
endpoints: [starlight-dtn, surf-dtn-ppc]
image: dtnaas/gct:latest
profile: surf
# sessions/stopped-for-upgrade
endpoints: [lbnl-dtn]
image: dtnaas/gct:latest
profile: lbnl
state: stopped
# transfers/sc20-1T
from: nersc-tbn-7:/data/1T
to: starlight-dtn:/data/1T_2
tool: gridftp
session: ofed-test
# transfers/sc20-2T
from: nersc-tbn-7:/data/2T
to: starlight-dtn:/data/2T
tool: gridftp
session: ofed-test
# transfers/run14
from: starlight-dtn:/data/run14.nc
to: surf-dtn-ppc:/data/run14.nc
tool: rsync
session: climate
"""


def _endpoint(name: str) -> str:
    return (
        f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nagent: https://{name}.example.net:5050\n"
        f"agent_token_env: T\ninterfaces: {{star222: ens1f0, surf331: ens1f0}}\nallow: {ANYTHING}\n"
    )


DECLARED = SITE + "".join(_endpoint(name) for name in ENDPOINTS)


def _attempt(name: str, source: str, **more: object) -> Attempt:
    begun = {"container": "c" * 64, "claimed_at": "2026-06-01T09:59:58Z", "started_at": "2026-06-01T10:00:00Z"}
    ended = {"finished_at": "2026-06-01T10:22:34Z", "seconds": 1354.2, "tool": "gridftp", "who": "alice@ci-7", "commit": "4f2c1e9"}
    return Attempt(transfer=name, generation=1, attempt=1, endpoint=source, **{**begun, **ended, **more})  # type: ignore[arg-type]


@cache
def _scinet() -> tuple[Site, Snapshot]:
    declared = site(DECLARED)
    snapshot = applied(declared, images=("dtnaas/ofed:latest", "dtnaas/gct:latest")).observe()
    return declared, snapshot


def scinet() -> View:
    """Three endpoints answer, one is silent; a container has ended, a transfer failed, a lock is held, and doctor finds something."""
    declared, snapshot = _scinet()
    able = {"abilities": [{"name": name} for name in ABILITIES]}
    seen = {name: replace(item, engine_version="27.3.1", host=host(well_tuned() | able)) for name, item in snapshot.endpoints.items()}
    ledger = LedgerSeen(
        readable=True,
        attempts=(
            _attempt(
                "sc20-1T",
                "nersc-tbn-7",
                verdict="succeeded",
                bytes=1_099_511_627_776,
                files=1,
                streams=8,
                verified="sha256 of 1 file equal at both ends",
            ),
            _attempt("sc20-2T", "nersc-tbn-7", verdict="failed", cause="no space left on device at starlight-dtn:/data", exit_code=1),
        ),
    )
    seen["nersc-tbn-7"] = replace(seen["nersc-tbn-7"], ledger=ledger)
    ended = tuple(
        replace(item, state="exited", exit_code=137, oom_killed=True) if item.owner == "climate" else item
        for item in seen["starlight-dtn"].containers
    )
    slow = well_tuned()
    slow["facts"]["sysctls"]["net.core.rmem_max"] = "212992"
    seen["starlight-dtn"] = replace(seen["starlight-dtn"], containers=ended, host=host(slow | able), lease=LeaseSeen("lease", "alice@ci-7"))
    seen["surf-dtn-ppc"] = EndpointSeen("surf-dtn-ppc", silence="connection refused")
    return view_of(declared, Snapshot(seen))


def view_of(declared: Site, snapshot: Snapshot, number: int = 1) -> View:
    """The view in which every endpoint was asked twelve seconds ago; one that is silent has been so for six minutes."""
    at = NOW - timedelta(seconds=12)
    answers = {
        name: Answer(item, at, at - timedelta(minutes=6), at - timedelta(minutes=6, seconds=5))
        if item.is_silent
        else Answer(item, at, None, at)
        for name, item in snapshot.endpoints.items()
    }
    return View(number, Path("/srv/scinet"), declared, HEAD, at, answers, examined=snapshot, examined_at=at)


@cache
def fleet(endpoints: int = 100, sessions: int = 1000) -> View:
    """Many of both: every tenth session is on a silent endpoint, and nothing of the others is there yet."""
    names = [f"dtn{number:03d}" for number in range(endpoints)]
    text = "# site\nname: fleet\n# profiles/p\npull: never\n"
    text += "".join(f"# endpoints/{name}\ndocker: unix:///run/{name}.sock\nhost: {name}.example.net\nallow: {ANYTHING}\n" for name in names)
    text += "".join(
        f"# sessions/s{number:04d}\nendpoints: [{names[number % endpoints]}]\nimage: dtn:{number % 7}\nprofile: p\n"
        for number in range(sessions)
    )
    declared = site(text)
    seen = {
        name: EndpointSeen(name, silence="connection refused") if number % 10 == 0 else EndpointSeen(name, engine_version="27.3.1")
        for number, name in enumerate(names)
    }
    return view_of(declared, Snapshot(seen))
