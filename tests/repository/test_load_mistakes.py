# ruff: noqa: E501  # messages are written out as people see them
"""Mistakes that people who know networks, Compose, Kubernetes or Janus make, each with the very words that help, or taken as it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.state_folder import ENDPOINT, NETWORK, PROFILE, SESSION, SITE, TRANSFER, VALID, more, own_volumes, problems

UNDER = "below `settings:`"

MISTAKES = [
    # keys of Compose
    (PROFILE, "ports: [8080]", "E0201: unknown key `ports`; try `exposed_ports`"),
    (PROFILE, "environment: {A: b}", "E0201: unknown key `environment`; try `env`"),
    (PROFILE, "env_file: x", "E0201: unknown key `env_file`; try `env: {NAME: value}`; files are not read"),
    (PROFILE, "command: x", "E0201: unknown key `command`; try `arguments`"),
    (PROFILE, "hostname: x", "E0201: unknown key `hostname`; try to remove it: the container is named after its endpoint"),
    (PROFILE, "container_name: x", "E0201: unknown key `container_name`; try to remove it: the session's file names it"),
    (PROFILE, "networks: [data]", "E0201: unknown key `networks`; try `data_nets`"),
    (PROFILE, "network_mode: host", "E0201: unknown key `network_mode`; try `mgmt_net`"),
    (PROFILE, "cap_add: [NET_ADMIN]", "E0201: unknown key `cap_add`; try `capabilities: {add: […]}`"),
    (PROFILE, "ulimits: {memlock: -1}", "E0201: unknown key `ulimits`; try `limits`"),
    (PROFILE, "mem_limit: 8g", "E0201: unknown key `mem_limit`; try `memory`"),
    (PROFILE, "cpuset: 0-3", "E0201: unknown key `cpuset`; try `cpu_set`"),
    (PROFILE, "healthcheck: {test: x}", "E0201: unknown key `healthcheck`; try `health_check`"),
    (PROFILE, "stop_grace_period: 5s", "E0201: unknown key `stop_grace_period`; try `stop_timeout`"),
    (PROFILE, "tmpfs: /tmp", "E0201: unknown key `tmpfs`; try `volumes: [{target: /path, size: 1GiB}]`"),
    (PROFILE, "depends_on: [x]", "E0201: unknown key `depends_on`; try to remove it: sessions do not wait for each other"),
    (PROFILE, "build: .", "E0201: unknown key `build`; try `image: …`; images are not built here"),
    (PROFILE, "health_check: {test: x, disable: true}", "E0201: unknown key `disable` in `health_check`; try `test: [NONE]`"),
    (PROFILE, "volumes: [{source: /x, target: /y, read_only: true}]", "E0201: unknown key `read_only` in `volumes[0]`; try `mode: ro`"),
    # keys of Kubernetes
    (PROFILE, "imagePullPolicy: Always", "E0201: unknown key `imagePullPolicy`; try `pull`"),
    (PROFILE, "pull: IfNotPresent", "E0204: `pull` cannot be `IfNotPresent`, only missing, always or never; try missing"),
    (PROFILE, "hostNetwork: true", "E0201: unknown key `hostNetwork`; try `mgmt_net: host`"),
    (PROFILE, "resources: {}", "E0201: unknown key `resources`; try `memory: 8GiB` and `cpus: 4`"),
    (PROFILE, "health_check: {test: x, periodSeconds: 5}", "E0201: unknown key `periodSeconds` in `health_check`; try `interval`"),
    (SESSION, "nodeName: a", "E0201: unknown key `nodeName`; try `endpoints`"),
    # keys of Janus and of hand-written notes
    (SESSION, "instances: [a]", "E0201: unknown key `instances`; try `endpoints`"),
    (SESSION, "container_user: x", "E0201: unknown key `container_user`; try `user`"),
    (PROFILE, "data_net: [data]", "E0201: unknown key `data_net`; try `data_nets`"),
    (ENDPOINT, "nics: {data: eth1}", "E0201: unknown key `nics`; try `interfaces`"),
    (NETWORK, "vlan_id: 5", "E0201: unknown key `vlan_id`; try `vlan`"),
    (NETWORK, "parent: eth1", "E0201: unknown key `parent`; try `interfaces: {NETWORK: eth1}` in each endpoint's file"),
    (NETWORK, "pool: 10.0.0.5", "E0201: unknown key `pool`; try `addresses`"),
    (TRANSFER, "streams: 8", "E0201: unknown key `streams`; try `parallelism`"),
    (TRANSFER, "preserve_timestamp: true", "E0201: unknown key `preserve_timestamp`; try `preserve_times`"),
    (TRANSFER, "skip_source_errors: true", "E0201: unknown key `skip_source_errors`; try `on_file_error: skip`"),
    (TRANSFER, "checksum: md5", "E0201: unknown key `checksum`; try `verify`"),
    (TRANSFER, "verify: md5", "E0204: `verify` cannot be `md5`, only none, size or checksum; try checksum, with `algorithm: md5`"),
    # fields of a profile in a session
    (SESSION, "volumes: [/data]", "E0201: unknown key `volumes`; try `settings: {volumes: …}`"),
    (SESSION, "memory: 8GiB", "E0201: unknown key `memory`; try `settings: {memory: …}`"),
    (SESSION, "environment: {A: b}", "E0201: unknown key `environment`; try `settings: {env: …}`"),
    (SESSION, "cap_add: [NET_ADMIN]", f"E0201: unknown key `cap_add`; try `capabilities: {{add: […]}}` {UNDER}"),
    (SESSION, "state: running", "E0204: `state` cannot be `running`, only initialized, started or stopped; try started"),
    (SESSION, "state: absent", "E0204: `state` cannot be `absent`, only initialized, started or stopped; try to remove the file, which removes the session"),
    # units
    (PROFILE, "memory: 64", "E0206: `memory`: 64 bytes are less than 6MiB, the least that engines take; write 64MiB or 64GiB"),
    (PROFILE, "memory: 64G", "E0206: `memory`: `64G` is not a size; write 64GiB or 64GB"),
    (PROFILE, "memory: 64Gi", "E0206: `memory`: `64Gi` is not a size; write 64GiB"),
    (PROFILE, "memory: 512 mb", "E0206: `memory`: `512 mb` is not a size; write 512MB"),
    (PROFILE, 'stop_timeout: "30"', "E0206: `stop_timeout`: `30` is not a duration; write 30s"),
    (PROFILE, "stop_timeout: 30 sec", "E0206: `stop_timeout`: `30 sec` is not a duration; write 30s"),
    (TRANSFER, "deadline: 2 hours", "E0206: `deadline`: `2 hours` is not a duration; write 2h"),
    (PROFILE, "qos: {rate: 10G}", "E0206: `qos.rate`: `10G` is not a rate; write 10gbit"),
    (PROFILE, "qos: {rate: 10 Gbit/s}", "E0206: `qos.rate`: `10 Gbit/s` is not a rate; write 10gbit"),
    (NETWORK, "max_rate: 10gbit", "E0203: `max_rate` must be a whole number, not the text `10gbit`; try 10000, in Mb/s"),
    # numbers, truths and lists
    (NETWORK, 'mtu: "9000"', "E0203: `mtu` must be a whole number, not the text `9000`; try 9000, without quotes"),
    (NETWORK, "mtu: 9000 bytes", "E0203: `mtu` must be a whole number, not the text `9000 bytes`; try 9000"),
    (NETWORK, 'vlan: "222"', "E0203: `vlan` must be a whole number, not the text `222`; try 222, without quotes"),
    (PROFILE, 'cpus: "1.5"', "E0203: `cpus` must be a number, not the text `1.5`; try 1.5, without quotes"),
    (PROFILE, 'init: "yes"', "E0203: `init` must be true or false, not the text `yes`; try true, without quotes"),
    (PROFILE, "init: yes", 'E0114: `yes` is true in YAML 1.1 and text in YAML 1.2; try true, or "yes" in quotes'),
    (PROFILE, "restart: false", 'E0203: `restart` must be text, not false; try "no" in quotes'),
    (PROFILE, "dns: 10.0.0.1", "E0203: `dns` must be a list, not the text `10.0.0.1`; try [10.0.0.1]"),
    (PROFILE, "volumes: /data:/data", "E0203: `volumes` must be a list, not the text `/data:/data`; try [/data:/data]"),
    (PROFILE, "env: [A=1]", "E0203: `env` must be a mapping, not a list; try `key: value` lines without `-`"),
    (SITE, "limits: {parallel: many}", "E0203: `limits.parallel` must be a whole number, not the text `many`"),
    # addresses
    (NETWORK, "gateway6: fd00::1/64", "E0206: `gateway6`: `fd00::1/64` is not an IPv6 address; write fd00::1"),
    (NETWORK, "gateway6: x/64", "E0206: `gateway6`: `x/64` is not an IPv6 address"),
    (NETWORK, "addresses: 10.0.0.64/27", "E0206: `addresses`: `10.0.0.64/27` is not an address or FIRST-LAST; write 10.0.0.64-10.0.0.95"),
    (NETWORK, "addresses: 10.0.0.64-95", "E0206: `addresses`: `10.0.0.64-95` is not an address or FIRST-LAST; write 10.0.0.64-10.0.0.95"),
    (NETWORK, "addresses: 10.0.0.64-999", "E0206: `addresses`: `10.0.0.64-999` is not an address or FIRST-LAST"),
    (NETWORK, "subnet6: fd00::/300", "E0206: `subnet6`: `fd00::/300` is not an IPv6 subnet; write for example fd00:2::/64"),
    (SESSION, "expires: 2026-12-01", "E0206: `expires`: `2026-12-01` has no time zone; write 2026-12-01T00:00:00Z, which is UTC, or another zone as +02:00"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "line", "message"), MISTAKES, ids=[f"{file}: {line}" for file, line, _ in MISTAKES])
def test_likely_mistake_is_answered_with_what_to_write(tmp_path: Path, file: str, line: str, message: str) -> None:
    found = problems(tmp_path, own_volumes(line) if line.startswith("volumes") and file == PROFILE else more(file, f"{line}\n"))
    assert [text.partition(": ")[2] for text in found] == [message]


def test_subnet_with_a_mask_is_answered_with_its_prefix(tmp_path: Path) -> None:
    [line] = problems(tmp_path, {NETWORK: "driver: bridge\nsubnet: 10.0.0.0 255.255.255.0\n"})
    assert line.endswith("`10.0.0.0 255.255.255.0` is not an IPv4 subnet; write 10.0.0.0/24")
    [line] = problems(tmp_path, {NETWORK: "driver: bridge\nsubnet: 10.0.0.0 x\n"})
    assert line.endswith("is not an IPv4 subnet; write for example 192.168.2.0/24")


@pytest.mark.parametrize(
    "text", ["30000-30200", "30000:30200", "30000..30200", "30000 - 30200", "[30000-30200]", '"30000"', "[30000, 30200]"]
)
def test_range_of_ports_is_taken_as_it_is_meant(tmp_path: Path, text: str) -> None:
    line = f'ctrl_port_range: "{text}"' if ":" in text or ".." in text else f"ctrl_port_range: {text}"
    assert problems(tmp_path, more(PROFILE, f"{line}\n")) == []


def test_range_of_ports_as_text_is_held_to_the_same_bounds(tmp_path: Path) -> None:
    [line] = problems(tmp_path, more(PROFILE, "ctrl_port_range: 30200-30000\n"))
    assert line.endswith("the range is backward: 30200 is above 30000; write [30000, 30200]")


@pytest.mark.parametrize("name", ["s.yaml~", "#s.yaml#", ".s.yaml.swp", ".#s.yaml", "s.yaml.swp", "s.yaml.bak", "s.yaml.swo", "README.md"])
@pytest.mark.parametrize("folder", ["", "sessions/"])
def test_backup_of_an_editor_is_passed_over(tmp_path: Path, folder: str, name: str) -> None:
    assert problems(tmp_path, {f"{folder}{name}": "not: [even yaml\n"}) == []


@pytest.mark.parametrize("ending", ["orig", "rej"])
def test_leftover_of_a_merge_is_named(tmp_path: Path, ending: str) -> None:
    assert problems(tmp_path, {f"sessions/s.yaml.{ending}": VALID[SESSION]}) == [
        f"state/sessions/s.yaml.{ending}:1:1: E0120: is left from a merge or a patch that did not apply whole; try to look at s.yaml, and to remove this"
    ]
