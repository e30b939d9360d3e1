"""The known shapes of files that are converted, with values that are right and such that are not."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A mapping with a few of these fields."""
    return st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=6).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


def one(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


# --- compose ------------------------------------------------------------------------------------------------

SERVICE = some(
    privileged=one(True, "yes"),
    init=one(True),
    tty=one(True),
    restart=one("always", "unless-stopped", "on-failure:3", "sometimes"),
    pull_policy=one("always", "never", "build"),
    shm_size=one("64m", 1024, "x"),
    stop_grace_period=one("1m30s", "2", "x"),
    mem_limit=one("8g", 512, "x"),
    cpus=one(2, "0.5", "x"),
    cpuset=one("0-3", 4, "x"),
    memswap_limit=one("9g"),
    pids_limit=one(9),
    deploy=some(
        replicas=one(2),
        mode=one("global"),
        resources=some(limits=some(memory=one("8g"), cpus=one("2"), pids=one(7)), reservations=some(memory=one("1g"))),
    ),
    ulimits=some(memlock=one(-1), nofile=some(soft=one(10), hard=one(20), middle=one(15)), odd=one(1)),
    environment=st.one_of(
        some(A=one("b", "${V}", "${V:-w}"), TOKEN=one("t"), N=one(5)), st.lists(one("A=b", "C", "D=${V}"), max_size=2, unique=True)
    ),
    command=one("run it", ["a", "${V}"], [["x"]]),
    entrypoint=one("/bin/x", ["/bin/x"]),
    dns=one("1.1.1.1", ["1.1.1.1", "x"], "x"),
    cap_add=one(["NET_ADMIN", "x y"], "ALL"),
    cap_drop=one(["ALL"]),
    devices=one(["/dev/a", "/dev/a:/dev/b:r"], [{"source": "/dev/a"}]),
    sysctls=one({"net.ipv4.tcp_rmem": "4096"}, ["net.core.a=1", "x"]),
    healthcheck=some(
        test=one("x", ["CMD", "x"]),
        interval=one("1m"),
        timeout=one("5s"),
        retries=one(5),
        start_period=one("9s"),
        start_interval=one("1s"),
        disable=one(True),
    ),
    network_mode=one("host", "none", "service:x"),
    networks=st.one_of(
        one(["n", "m", "default"]),
        some(n=some(ipv4_address=one("10.0.0.9", "x"), aliases=one(["q"]), priority=one(3)), m=some(ipv6_address=one("fd00::9"))),
    ),
    ports=st.lists(
        one(
            "80",
            "8080:80",
            "127.0.0.1:9:9",
            "50000-50010:50000-50010/udp",
            81,
            {"target": 82, "published": "82", "mode": "host"},
            "x",
            {"target": 83, "app_protocol": "http"},
            True,
        ),
        max_size=3,
    ),
    volumes=st.lists(
        one(
            "/a:/b",
            "./c:/d:ro,z",
            "v:/e",
            "/f",
            {"type": "tmpfs", "target": "/g", "tmpfs": {"size": 9}},
            "~/h:/i",
            "v:j",
            {"type": "bind", "source": "/k", "target": "/l", "read_only": True, "bind": {"propagation": "rshared"}},
            7,
        ),
        max_size=3,
    ),
    tmpfs=one("/t", ["/t:size=64m,noexec"]),
    depends_on=one(["x"], {"x": {"condition": "y"}}),
    labels=one({"a": "b"}),
    user=one("1000"),
    odd_key=one("x"),
    scale=one(2),
)
NETWORK = some(
    driver=one("bridge", "macvlan", "ipvlan", "overlay"),
    internal=one(True),
    external=one(True),
    name=one("real"),
    enable_ipv6=one(True),
    attachable=one(True),
    labels=one({"a": "b"}),
    driver_opts=some(
        **{
            "parent": one("eth1", "eth1.1000", "eth1.9999"),
            "macvlan_mode": one("bridge", "x"),
            "com.docker.network.driver.mtu": one(9000, "x"),
            "odd": one("1"),
        }
    ),
    ipam=some(
        driver=one("default"),
        options=one({"a": "b"}),
        config=st.lists(
            some(
                subnet=one("10.0.0.0/24", "10.1.0.0/24", "fd00::/64", "x", "10.0.0.7/24"),
                gateway=one("10.0.0.1", "fd00::1", "x"),
                ip_range=one("10.0.0.64/26", "x"),
                aux_addresses=one({"h": "10.0.0.3"}),
            ),
            max_size=2,
        ),
    ),
)
VOLUME = some(name=one("real"), external=one(True), driver=one("nfs", "local"), driver_opts=one({"type": "nfs"}), labels=one({"a": "b"}))
COMPOSE = st.fixed_dictionaries(
    {"services": st.fixed_dictionaries({"s": SERVICE.map(lambda fields: {"image": "dtn:1", **fields})})},
    optional={
        "networks": st.fixed_dictionaries({}, optional={"n": NETWORK, "m": NETWORK}),
        "volumes": st.fixed_dictionaries({"v": VOLUME}),
        "name": one("proj"),
        "secrets": one({"a": {"file": "b"}}),
        "include": one(["x"]),
    },
)

# --- Janus --------------------------------------------------------------------------------------------------

SETTINGS = some(
    privileged=one(True, "yes"),
    systemd=one(True),
    pull_image=one(True),
    cpu=one(4, "x", 1.5),
    memory=one(68719476736, 100, "x"),
    mem=one(1 << 30),
    affinity=one("network"),
    cpu_set=one("0-3", 4),
    auto_tune=one(True),
    mgmt_net=one("bridge", "n", "host", "none", "x", {"name": "n"}),
    data_net=one("n", {"name": "n", "ipv4_addr": ["10.0.0.9", "x"], "ipv6_addr": "fd00::9", "odd": 1}, ["n", "m"], "x"),
    data_nets=one(["m"]),
    features=one(["f", "x"]),
    volumes=one(["v", "w", "x"]),
    environment=one(["A=b", "C", "TOKEN=t", "HOSTNAME=x", "A=c"]),
    qos=one("q", "x"),
    tools=one(["dtn"]),
    arguments=one("run 'it now'", ["a"]),
    entrypoint=one("/bin/x", ["/bin/x"]),
    dns=one("1.1.1.1", ["1.1.1.1", "x"]),
    ctrl_ports=one([30000, 30005], [[1, 2], [9, 12]], "x"),
    ctrl_port_range=one([10000, 10100], [3]),
    serv_ports=one([[60000, 60001]], [7, 9, 11]),
    serv_port_range=one([60000, 60032]),
    data_ports=one([22, [5000, 5010]], [1, 9]),
    data_port_range=one([50000, 50099]),
    exposed_ports=one([80, [90, 95], "x"], 81),
    internal_port=one("22", "x"),
    post_starts=one(["j", "x"], "j"),
    odd=one(1),
    **{"post-starts": one(["j"])},
)
JANUS_NETWORK = some(
    driver=one("bridge", "macvlan", "vlan", "sriov", "overlay"),
    mode=one("bridge", "x"),
    enable_ipv6=one(True),
    users=one(["a"]),
    odd=one(1),
    options=some(
        parent=one("eth1", "eth1.1000"),
        netdevice=one("eth2"),
        vlan=one(1000, "x"),
        mtu=one(9000, "x"),
        macvlan_mode=one("bridge", "x"),
        odd=one(1),
    ),
    ipam=some(
        driver=one("default"),
        config=st.lists(
            some(
                subnet=one("10.0.0.0/24", "10.1.0.0/24", "fd00::/64", "x", "10.0.0.7/24"),
                gateway=one("10.0.0.1", "fd00::1", "x"),
                ip_range=one("10.0.0.0/26"),
            ),
            max_size=2,
        ),
    ),
)
JANUS_VOLUME = some(
    type=one("bind", "volume", "tmpfs", "x"), source=one("/a"), target=one("/b"), ReadOnly=one(True, "x"), driver=one("nfs"), odd=one(1)
)
FEATURE = some(
    devices=one([{"devprefix": "/dev/infiniband", "names": ["rdma_cm", "uverbs", "x"], "odd": 1}]),
    caps=one(["NET_ADMIN"]),
    odd=one(1),
    limits=one(
        [
            {"Name": "memlock", "Soft": -1, "Hard": -1},
            {"Name": "x", "Soft": 1, "Hard": 2},
            {"Name": "nofile", "Soft": 1, "Hard": 2, "odd": 3},
        ]
    ),
)
QOS = some(delay=one("10ms"), rate=one("500mbps", "x"), loss=one("1%"), dport=one("8000,x"), ip=one("10.0.0.1"), limit=one("1000"))
JOB = some(type=one("ansible"), jobtemplate=one("routes"), interface=one("eth1"), gateway=one("10.0.0.1"))
JANUS = st.fixed_dictionaries(
    {
        "profiles": st.fixed_dictionaries(
            {"p": st.one_of(SETTINGS, SETTINGS.map(lambda found: {"settings": found, "users": ["a"], "groups": ["b"]}))}
        )
    },
    optional={
        "networks": st.fixed_dictionaries({}, optional={"n": JANUS_NETWORK, "m": JANUS_NETWORK}),
        "volumes": st.fixed_dictionaries({}, optional={"v": JANUS_VOLUME, "w": JANUS_VOLUME}),
        "features": st.fixed_dictionaries({"f": FEATURE.filter(bool)}),
        "qos": st.fixed_dictionaries({"q": QOS.filter(bool)}),
        "post_starts": st.fixed_dictionaries({"j": JOB}),
        "odd": one({"a": 1}),
    },
)
