"""Profile folders of Janus as state files: each line that is dropped or changed is noted, and what was written validates."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dtnctl.errors import UsageError
from dtnctl.repository.converting.conversion import Conversion, write_conversion
from dtnctl.repository.converting.janus import Era, convert_janus
from dtnctl.repository.load import validate_state
from tests.repository.converting.golden import CASES, HERE, expected, text_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NETS = "networks: {data: {driver: macvlan, options: {parent: eth1}, ipam: {config: [{subnet: 10.0.0.0/24}]}}}\n"


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("janus")])
def test_every_difference_is_noted_and_the_files_are_as_expected(name: str, tmp_path: Path) -> None:
    assert text_of(CASES[name](), tmp_path) == expected(name).read_text()


@pytest.mark.parametrize("name", CASES)
def test_what_was_written_validates(name: str, tmp_path: Path) -> None:
    write_conversion(CASES[name](), tmp_path, "state")
    assert validate_state(tmp_path, now=NOW).sessions


def converted(root: Path, text: str, era: Era | None = None) -> Conversion:
    (root / "profiles.yaml").write_text(text)
    return convert_janus(root, "janus", era, None)


def notes(found: Conversion) -> list[str]:
    return [str(note) for note in found.notes]


@pytest.mark.parametrize(
    ("line", "era", "memory"),
    [
        ("mem: 68719476736", "v0.2", "64GiB"),
        ("mem: 1073741825", "v0.2", 1073741825),
        ("memory: 68719476736", "v1.0", "64GiB"),
        ("mem: 68719476736", "v1.0", "64GiB"),
        ("mem: false", "v0.2", None),
        ("memory: null", "v1.0", None),
        ("mem: 0", "v0.2", None),
        ("memory: 64G", "v1.0", "8GiB"),
        ("cpu: 0", "v1.0", "8GiB"),
    ],
)
def test_memory_is_bytes_and_nothing_is_no_limit(tmp_path: Path, line: str, era: Era, memory: object) -> None:
    found = converted(tmp_path, f"profiles: {{p: {{{line}}}}}\n", era)
    assert found.files["profiles", "p"]["memory"] == memory


def test_a_key_that_the_version_ignored_is_used_and_noted(tmp_path: Path) -> None:
    found = converted(tmp_path, "profiles:\n  p:\n    mem: 1\n    ctrl_port_range: [10, 20]\n    internal_port: 22\n", "v1.0")
    assert notes(found) == [
        "janus/profiles.yaml:3: changed: Janus v1.0 ignored `mem` and gave 8 GiB: the value takes effect",
        "janus/profiles.yaml:4: changed: Janus v1.0 ignored `ctrl_port_range` and used its default: the value takes effect",
        "janus/profiles.yaml:5: changed: Janus v1.0 ignored `internal_port`: the control port maps to it",
    ]
    assert found.files["profiles", "p"]["ctrl_port_range"] == [10, 20]


def test_two_ports_far_from_each_other_are_the_range_that_a_migration_lost(tmp_path: Path) -> None:
    found = converted(tmp_path, "profiles: {p: {ctrl_ports: [30000, 30100], serv_ports: [22, 23], exposed_ports: [80, 443]}}\n", "v1.0")
    fields = found.files["profiles", "p"]
    assert (fields["ctrl_port_range"], fields["serv_port_range"], fields["exposed_ports"]) == ([30000, 30100], [22, 23], [80, 443])
    assert [note for note in notes(found) if "range 30000-30100" in note]


def test_missing_keys_are_written_as_the_version_had_them(tmp_path: Path) -> None:
    old = converted(tmp_path, "profiles: {p: {}}\n", "v0.2").files["profiles", "p"]
    new = converted(tmp_path, "profiles: {p: {}}\n", "v1.0").files["profiles", "p"]
    assert (old["ctrl_port_range"], old["serv_port_range"]) == ([30000, 30100], [60000, 60032])
    assert (new["ctrl_port_range"], new["serv_port_range"]) == ([30000, 30200], None)
    assert old["memory"] == new["memory"] == "8GiB"


def test_the_default_route_stays_on_the_network_that_is_first_by_name(tmp_path: Path) -> None:
    nets = NETS.replace("10.0.0.0/24", "10.0.0.0/24, gateway: 10.0.0.1").replace("data:", "alpha:")
    found = converted(tmp_path, nets + "profiles: {p: {data_net: alpha}}\n", "v1.0")
    assert found.files["profiles", "p"]["default_route"] == "alpha"
    other = converted(tmp_path, nets.replace("alpha:", "data:") + "profiles: {p: {data_net: data}}\n", "v1.0")
    assert "default_route" not in other.files["profiles", "p"]


ROUTE_JOB = "post_starts: {j: {type: ansible, gateway: 10.0.0.1}}\n"


@pytest.mark.parametrize(("data", "mgmt", "has_route"), [("alpha", "bridge", True), ("net", "null", True), ("net", "bridge", False)])
def test_the_route_of_a_job_is_declared_where_an_engine_would_put_it_so(tmp_path: Path, data: str, mgmt: str, has_route: bool) -> None:
    """It was declared everywhere, and where the engine would put it on the bridge each plan of that profile was blocked."""
    nets = NETS.replace("10.0.0.0/24", "10.0.0.0/24, gateway: 10.0.0.1").replace("data:", f"{data}:")
    found = converted(tmp_path, nets + ROUTE_JOB + f"profiles: {{p: {{mgmt_net: {mgmt}, data_net: {data}, post_starts: [j]}}}}\n", "v1.0")
    assert ("default_route" in found.files["profiles", "p"]) is has_route
    assert (
        any("refused: the job that set a route through 10.0.0.1 is not run: Docker puts" in note for note in notes(found)) is not has_route
    )


ROUTED = """networks:
  amber: {driver: macvlan, options: {parent: eth1}, ipam: {config: [{subnet: 10.1.0.0/24, gateway: 10.1.0.1}]}}
  NET: {driver: macvlan, options: {parent: eth2}, ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.1}]}}
"""
OF_AMBER = "write `default_route: false` in state/networks/amber.yaml, "
OF_BRIDGE = "use a bridge of state/networks with a name after `net` in place of `bridge`, "


@pytest.mark.parametrize(
    ("network", "data", "chosen", "fix"),
    [("blue", "blue, amber", "amber", OF_AMBER), ("net", "net, amber", "amber", OF_AMBER + OF_BRIDGE), ("net", "net", "bridge", OF_BRIDGE)],
)
def test_a_route_that_would_be_on_another_network_says_what_to_change(
    tmp_path: Path, network: str, data: str, chosen: str, fix: str
) -> None:
    """It advised another `mgmt_net` where another data network came first."""
    profile = f"profiles: {{p: {{mgmt_net: bridge, data_nets: [{data}], post_starts: [j]}}}}\n"
    found = converted(tmp_path, ROUTED.replace("NET", network) + ROUTE_JOB + profile, "v1.0")
    (refused,) = (note for note in notes(found) if "refused" in note)
    assert f"Docker puts the default route on `{chosen}`, the first network by name" in refused
    assert refused.endswith(f"; for one on `{network}`, {fix}and write `default_route: {network}` in this profile")


def test_what_no_profile_names_is_called_by_its_whole_word(tmp_path: Path) -> None:
    found = converted(tmp_path, "profiles: {p: {}}\nqos: {q: {rate: 1mbps}}\n" + ROUTE_JOB, "v1.0")
    assert [note for note in notes(found) if "by no profile" in note] == [
        "janus/profiles.yaml:2: dropped: qos `q` is named by no profile",
        "janus/profiles.yaml:3: dropped: job `j` is named by no profile",
    ]


def test_secrets_are_not_written(tmp_path: Path) -> None:
    found = converted(tmp_path, "profiles: {p: {environment: ['DB_PASSWORD=hunter2', 'A=b']}}\n", "v1.0")
    assert found.files["profiles", "p"]["env"] == {"A": "b"}
    assert not [note for note in notes(found) if "hunter2" in note]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("profiles: {p: [1]}\n", "refused: profile `p` is no mapping, so Janus skipped it: it is left out"),
        ("profiles: {p: {data_net: x}}\n", "refused: network `x` is in no networks file, so nothing is known of it: it is not attached"),
        (NETS + "profiles: {p: {data_net: {name: data, ipv4_addr: nonsense}}}\n", "dropped: `nonsense` is no address"),
        ("profiles: {p: {qos: x}}\n", "refused: qos `x` is in no qos file"),
        ("profiles: {p: {qos: x}}\nqos: {x: {rate: fast}}\n", "refused: rate `fast` is not understood; write 500mbit"),
        ("profiles: {p: {serv_ports: [x]}}\n", "dropped: `x` is no port and no range of ports"),
        ("profiles: {p: {internal_port: x}}\n", "dropped: `internal_port: x` is no port"),
        ("profiles: {p: {volumes: v}}\nvolumes: {v: {type: rbd, target: /x}}\n", "refused: volume `v` of type `rbd`: it is left out"),
        (
            "profiles: {p: {features: f}}\nfeatures: {f: {limits: [{Name: x}]}}\n",
            "dropped: limit `x` (None, None) is none that engines know",
        ),
        ("networks: {n: {driver: bridge, options: {parent: eth1.7}}}\n", "dropped: a bridge has no VLAN"),
        ("networks: {n: {driver: bridge, options: {mtu: big}}}\n", "dropped: `mtu: big` is no MTU from 576 to 65535"),
        ("networks: {n: {driver: bridge, options: {vlan: x}}}\n", "dropped: `vlan: x` is no VLAN id"),
        ("networks: {n: {driver: bridge, mode: vepa}}\n", "dropped: mode `vepa`: bridge has no modes here"),
        ("networks: {n: {driver: bridge, ipam: {driver: x, config: [{subnet: y}]}}}\n", "dropped: `y` is no subnet"),
    ],
)
def test_what_cannot_be_converted_is_said_with_its_reason(tmp_path: Path, text: str, note: str) -> None:
    assert note in [f"{item.effect}: {item.text}" for item in converted(tmp_path, text, "v1.0").notes]


def test_a_name_that_is_there_twice_counts_as_the_last_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("profiles: {p: {mem: 1}}\n")
    found = converted(tmp_path, "profiles: {p: {mem: 2}}\n", "v0.2")
    assert found.files["profiles", "p"]["memory"] == 2
    assert "janus/a.yaml:1: dropped: profile `p` is there again (janus/profiles.yaml:1), and that one counts" in notes(found)


def test_privileged_leaves_out_what_it_gives_anyway(tmp_path: Path) -> None:
    found = converted(
        tmp_path, "profiles: {p: {privileged: true, features: [f]}}\nfeatures: {f: {caps: [CAP_NET_RAW], devices: [{names: [fuse]}]}}\n"
    )
    assert "capabilities" not in found.files["profiles", "p"]
    assert "devices" not in found.files["profiles", "p"]
    other = converted(tmp_path, "profiles: {p: {features: [f]}}\nfeatures: {f: {caps: [CAP_NET_RAW], devices: [{names: [fuse]}]}}\n")
    assert (other.files["profiles", "p"]["devices"], other.files["profiles", "p"]["capabilities"]) == (["/dev/fuse"], {"add": ["NET_RAW"]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nprofiles: [", "janus/profiles.yaml:2:12: is not YAML"),
        (b"\xff\xfe", "janus/profiles.yaml is not UTF-8"),
        (b"a: !!python/object:os.system x", "janus/profiles.yaml:1:4: is not YAML"),
        (b"[" * 5000, "is nested too deeply|is not YAML"),
        (
            b"a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
            b"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n",
            "it has too many values",
        ),
    ],
)
def test_files_that_cannot_be_read_are_errors_with_their_place(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "profiles.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        convert_janus(tmp_path, "janus", None, None)


def test_a_folder_without_files_and_files_that_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"janus has no \*\.yaml"):
        convert_janus(tmp_path, "janus", None, None)
    with pytest.raises(UsageError, match="nothing cannot be read: no such file"):
        convert_janus(tmp_path / "nothing", "nothing", None, None)
    found = convert_janus(HERE / "janus-v1.0", "janus", "v1.0", None)
    write_conversion(found, tmp_path, "state")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")}
    with pytest.raises(UsageError, match=r"nothing is written, because these files exist already: state/networks/net3001\.yaml"):
        write_conversion(found, tmp_path, "state")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.yaml")} == before
