"""Whatever valid files say of each other, the checks between them end in problems or in silence, in any order of files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.site import Declarations
from dtnctl.model.validation.references import find_reference_problems
from tests.model.sites import objects

NOW = datetime(2026, 6, 1, tzinfo=UTC)

_names = st.sampled_from(["a", "b", "c"])
_subnets = st.sampled_from(["10.0.0.0/24", "10.0.0.128/25", "10.0.0.0/31", "10.0.0.7/32", "255.255.255.255/32", "0.0.0.0/0"])
_subnets6 = st.sampled_from(["fd00::/64", "fd00::/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "::/0"])
_ipv4 = st.sampled_from(["10.0.0.0", "10.0.0.1", "10.0.0.7", "10.0.0.255", "255.255.255.255"])
_ipv6 = st.sampled_from(["::", "fd00::", "fd00::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"])
_range = st.sampled_from([None, 5000, [5000, 5000], [5000, 5001], [1, 65535]])


def _some(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=fields)


_networks = st.one_of(
    st.fixed_dictionaries({"driver": st.just("bridge")}, optional={"subnet": _subnets, "subnet6": _subnets6, "gateway": _ipv4}),
    st.fixed_dictionaries(
        {"driver": st.sampled_from(["macvlan", "ipvlan", "sriov"]), "subnet": _subnets},
        optional={
            "subnet6": _subnets6,
            "gateway": _ipv4,
            "gateway6": _ipv6,
            "addresses": _ipv4,
            "addresses6": _ipv6,
            "internal": st.booleans(),
            "default_route": st.booleans(),
            "vlan": st.just(5),
        },
    ),
    st.just({"driver": "macvlan", "mode": "passthru", "subnet": "10.0.0.0/24"}),
    st.just({"driver": "ipvlan", "mode": "l3", "subnet": "10.0.0.0/24"}),
)
_nets = st.sampled_from(["a", "b", "c", "bridge", "host", "none"])
_attachments = st.one_of(_nets, st.fixed_dictionaries({"name": _nets}, optional={"ipv4": _ipv4, "ipv6": st.lists(_ipv6, max_size=2)}))
_fields = {
    "image": st.sampled_from([None, "x"]),
    "mgmt_net": st.one_of(st.none(), _attachments),
    "data_nets": st.lists(_attachments, max_size=2),
    "default_route": _nets,
    "ctrl_port_range": _range,
    "serv_port_range": _range,
    "data_port_range": _range,
    "internal_port": st.sampled_from([None, 22, 5000]),
    "exposed_ports": st.sampled_from([5000, "5000/udp", "4000-6000"]),
    "devices": st.just(["uverbs"]),
    "qos": st.sampled_from([None, {"loss": "1%"}]),
}
_endpoints = st.builds(
    lambda interfaces, agent: {"docker": "ssh://x", "interfaces": interfaces, **agent},
    st.dictionaries(_nets, st.sampled_from(["eth0", "eth1"])),
    st.sampled_from([{}, {"agent": "https://x", "agent_token_env": "T"}]),
)
_sessions = st.fixed_dictionaries(
    {"endpoints": st.lists(_names, min_size=1, max_size=3, unique=True)},
    optional={
        "image": st.just("x"),
        "profile": st.sampled_from(["a", "b", "c", "default"]),
        "state": st.sampled_from(["started", "stopped"]),
        "expires": st.sampled_from(["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]),
        "settings": _some(**_fields),
        "overrides": st.dictionaries(_names, _some(**_fields), max_size=2),
    },
)
_transfers = st.builds(
    lambda source, destination, more: {"from": f"{source}:/x", "to": f"{destination}:/x", "tool": "gridftp", **more},
    _names,
    _names,
    _some(session=_names),
)
_KINDS = {
    "endpoints": _endpoints,
    "networks": _networks,
    "profiles": _some(extends=st.sampled_from(["a", "b", "c", "default"]), **_fields),
    "sessions": _sessions,
    "transfers": _transfers,
}


@st.composite
def _files(draw: st.DrawFn) -> dict[str, str]:
    found = {kind: draw(st.dictionaries(_names, values, max_size=3)) for kind, values in _KINDS.items()}
    return {f"{kind}/{name}": json.dumps(value) for kind, files in found.items() for name, value in files.items()}


_broken = st.dictionaries(st.sampled_from(list(_KINDS)), st.sets(_names, max_size=2))


@given(_files(), _broken, st.randoms())
def test_any_site_is_judged_the_same_in_any_order(files: dict[str, str], broken: dict[str, set[str]], random: Random) -> None:
    site = objects(files)
    problems = find_reference_problems(site, NOW, broken)
    assert problems == sorted(set(problems))
    shuffled = Declarations(**{kind: dict(sorted(getattr(site, kind).items(), key=lambda _: random.random())) for kind in _KINDS})
    assert {problem.code for problem in find_reference_problems(shuffled, NOW, broken)} == {problem.code for problem in problems}
