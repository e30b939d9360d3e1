"""Maps to draw: two DTNs as they are described in docs/graph.md, a site far too large for paper, and names that would like to be obeyed."""

from __future__ import annotations

from dtnctl.model.host_map import CardPlace, CarriedNetwork, CpuPlace, DiskPlace, FunctionPlace, HeldHere, HostMap, NodePlace
from dtnctl.model.network_map import Crossing, EndpointPlace, NetworkMap, NetworkPlace, PathPlace, SessionPlace
from dtnctl.model.samples import Sample

HOSTILE = '</text><script>alert("1")</script>&amp;\\N]]>"]; n0 --> n1 %%{init}%% `1. x` \u202e\x07'
GIB = 1024**3


def cpus(*numbers: int, **held: tuple[int, ...]) -> tuple[CpuPlace, ...]:
    """CPUs by number; `held`: which of them each session has. 0, 1, 16 and 17 are the host's, and 0 and 16 serve interrupts."""
    holders = {number: (name.replace("_", "-"),) for name, found in held.items() for number in found}
    return tuple(CpuPlace(item, holders.get(item, ()), item % 16 in (0, 1), item % 16 == 0) for item in numbers)


def functions(count: int, network: str, *sessions: str, other: int = -1) -> tuple[FunctionPlace, ...]:
    """The first ones are held by these sessions, `other` by another site."""
    held = [FunctionPlace(index, session, network) for index, session in enumerate(sessions)]
    rest = [FunctionPlace(index, other="physics/alice" if index == other else "") for index in range(len(held), count)]
    return (*held, *rest)


HOST = HostMap(
    "starlight-dtn",
    hardware=("starlight-dtn.example.net", "Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", "Linux 6.8.0-60-generic"),
    sockets=2,
    nodes=(
        NodePlace(
            0,
            socket=0,
            memory=256 * GIB,
            memory_free=191 * GIB,
            cpus=cpus(*range(16), *range(32, 48), climate=(2, 3, 4, 5, 6, 7), ofed_test=(8, 9, 10, 11)),
            cards=(
                CardPlace("eno1", is_up=True, carrier=True, speed=10_000, mtu=1500, driver="tg3", pci="0000:04:00.0"),
                CardPlace(
                    "ens1f0np0",
                    is_up=True,
                    carrier=True,
                    speed=100_000,
                    mtu=9000,
                    driver="mlx5_core",
                    pci="0000:41:00.0",
                    rdma=("mlx5_0",),
                    networks=(CarriedNetwork("star222", "sriov", 222),),
                    functions=functions(8, "star222", "climate", "ofed-test", other=5),
                    functions_most=16,
                ),
            ),
            disks=(
                DiskPlace("nvme0n1", 3_840_755_982_336, "Micron_7450", "pcie", ("/nvme",), ("climate", "ofed-test")),
                DiskPlace("nvme1n1", 3_840_755_982_336, "Micron_7450", "pcie", ("/nvme",), ("climate", "ofed-test")),
            ),
        ),
        NodePlace(
            1,
            socket=1,
            memory=256 * GIB,
            memory_free=200 * GIB,
            cpus=cpus(*range(16, 32), *range(48, 64), archive=(18, 19)),
            cards=(
                CardPlace(
                    "ens2f0np0",
                    is_up=True,
                    carrier=False,
                    mtu=9000,
                    driver="mlx5_core",
                    pci="0000:c1:00.0",
                    rdma=("mlx5_1",),
                    networks=(CarriedNetwork("lab17", "macvlan", 17, ("archive", "perfsonar")),),
                    functions_most=16,
                ),
            ),
            disks=(
                DiskPlace("nvme2n1", 480_103_981_056, "Micron_7450", "pcie", ("/", "/boot")),
                DiskPlace("nvme3n1", 3_840_755_982_336, "INTEL SSDPF2KX038TZ", "pcie", exported="scratch"),
                DiskPlace(
                    "nvme4n1", 8_000_000_000_000, "Linux", "tcp", ("/var/lib/dtn-agent/volumes/scinet/far",), ("archive",), volume="far"
                ),
            ),
        ),
    ),
    sessions=(
        HeldHere("archive", "running", "18-19", (), ("lab17",), ("/archive",)),
        HeldHere("climate", "running", "2-7", ("ens1f0np0 0",), ("star222",), ("/nvme/climate",)),
        HeldHere("ofed-test", "exited", "8-11", ("ens1f0np0 1",), ("star222",), ("/nvme/ofed",)),
        HeldHere("perfsonar", "running", "", (), ("lab17",)),
    ),
)
NETWORKS = NetworkMap(
    "scinet",
    endpoints=(
        EndpointPlace("nersc-tbn-7"),
        EndpointPlace("starlight-dtn"),
        EndpointPlace("surf-dtn-ppc", "no answer within 10 s"),
    ),
    networks=(
        NetworkPlace("lab17", "macvlan", 17, 1500, ("10.17.0.0/24",)),
        NetworkPlace("star222", "sriov", 222, 9000, ("192.168.2.0/24",)),
        NetworkPlace("surf", "sriov", 3987, 9000, ("192.168.30.0/24", "2001:db8:30::/64"), "amsterdam-chicago"),
    ),
    crossings=(
        Crossing("nersc-tbn-7", "lab17", "eno2", 10_000, True),
        Crossing("nersc-tbn-7", "star222", "ens3f0np0", 100_000, True),
        Crossing("starlight-dtn", "lab17", "ens2f0np0", None, False),
        Crossing("starlight-dtn", "star222", "ens1f0np0", 100_000, True),
        Crossing("starlight-dtn", "surf", "ens1f1np1", 100_000, True),
        Crossing("surf-dtn-ppc", "surf", "enP5p1s0f0"),
    ),
    paths=(PathPlace("amsterdam-chicago", "active", "nsi", ("starlight-dtn", "surf-dtn-ppc"), (), 3987, 9000, 50_000_000),),
    sessions=(
        SessionPlace("archive", "STARTED", ("nersc-tbn-7", "starlight-dtn"), ("lab17",)),
        SessionPlace("climate", "MIXED", ("starlight-dtn", "surf-dtn-ppc"), ("surf",)),
        SessionPlace("ofed-test", "STARTED", ("nersc-tbn-7", "starlight-dtn"), ("star222",)),
        SessionPlace("ofed-test-2", "STARTED", ("nersc-tbn-7", "starlight-dtn"), ("star222",)),
        SessionPlace("perfsonar", "STOPPED", ("nersc-tbn-7",), ("lab17",)),
    ),
)
# two minutes: a slow start, a full link, and a quarter of a minute in which a disk held it back
RATES = (*(1.2e9 * step for step in range(1, 9)), *([11.6e9, 11.8e9, 11.5e9, 11.7e9] * 7), *([4.1e9] * 7), *([11.7e9, 11.4e9] * 8))


def samples() -> tuple[Sample, ...]:
    """One every two seconds."""
    found, moved = [], 0.0
    for index, rate in enumerate(RATES, start=1):
        moved += 2 * rate
        found.append(Sample(2.0 * index, int(moved), rate))
    return tuple(found)


def large_host() -> HostMap:
    """2 sockets of 64 CPUs, 4 cards of 64 virtual functions, 40 sessions."""
    names = [f"session-{number:02}" for number in range(40)]
    nodes = []
    for node in range(2):
        numbers = range(64 * node, 64 * node + 64)
        cards = tuple(
            CardPlace(
                f"ens{node}f{port}np{port}",
                is_up=True,
                carrier=True,
                speed=400_000,
                networks=(CarriedNetwork(f"net{node}{port}", "sriov", 200 + port),),
                functions=functions(64, f"net{node}{port}", *names[:30]),
                functions_most=127,
            )
            for port in range(2)
        )
        held = tuple(CpuPlace(number, (names[number % 40],) if number % 3 else ()) for number in numbers)
        nodes.append(NodePlace(node, node, 512 * GIB, 100 * GIB, held, cards))
    return HostMap("big", hardware=("big",), sockets=2, nodes=tuple(nodes), sessions=tuple(HeldHere(name, "running") for name in names))


def large_site() -> NetworkMap:
    """100 endpoints in 12 networks, 1,000 sessions between neighbours."""
    names = [f"dtn{number:03}" for number in range(100)]
    networks = [f"net{number:02}" for number in range(12)]
    crossings = [
        Crossing(name, network, f"ens{place}f0", 100_000, True)
        for number, name in enumerate(names)
        for place, network in enumerate(sorted({networks[number % 12], networks[number % 5]}))
    ]
    sessions = (
        SessionPlace(
            f"s{number:04}", "STARTED", tuple(sorted({names[number % 100], names[number * 7 % 100]})), (networks[number % 100 % 12],)
        )
        for number in range(1000)
    )
    return NetworkMap(
        "wide",
        tuple(EndpointPlace(name) for name in names),
        tuple(NetworkPlace(name, "macvlan", 100 + index) for index, name in enumerate(networks)),
        tuple(crossings),
        (),
        tuple(sessions),
    )
