# ruff: noqa: E501  # tables of words
"""Words of other programs (Compose, Kubernetes, Janus, switches) for our keys and values, and what to write instead. Data only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Advice is `…` where the key alone does not say it; a word alone is one of our keys, and counts only where that key exists.
PROFILE_KEYS: Mapping[str, str] = {
    "environment": "env", "envs": "env", "env_vars": "env", "env_file": "`env: {NAME: value}`; files are not read",
    "command": "arguments", "cmd": "arguments", "args": "arguments", "entry_point": "entrypoint",
    "ports": "exposed_ports", "expose": "exposed_ports", "publish": "exposed_ports", "port": "exposed_ports",
    "networks": "data_nets", "network": "mgmt_net", "network_mode": "mgmt_net", "data_net": "data_nets", "management_net": "mgmt_net",
    "net": "mgmt_net", "hostNetwork": "`mgmt_net: host`",
    "cap_add": "`capabilities: {add: […]}`", "cap_drop": "`capabilities: {drop: […]}`",
    "securityContext": "`capabilities:` and `privileged:`",
    "ulimits": "limits", "ulimit": "limits", "mem_limit": "memory", "mem": "memory", "ram": "memory", "cpu": "cpus",
    "cpuset": "cpu_set", "cpuset_cpus": "cpu_set", "cpuset_mems": "memory_nodes", "affinity": "near", "numa": "near",
    "resources": "`memory: 8GiB` and `cpus: 4`", "deploy": "`memory: 8GiB` and `cpus: 4`",
    "healthcheck": "health_check", "livenessProbe": "health_check", "readinessProbe": "health_check",
    "stop_grace_period": "stop_timeout", "terminationGracePeriodSeconds": "stop_timeout",
    "restart_policy": "restart", "restartPolicy": "restart", "shm": "shm_size",
    "pull_policy": "pull", "image_pull_policy": "pull", "imagePullPolicy": "pull",
    "tmpfs": "`volumes: [{target: /path, size: 1GiB}]`", "mounts": "volumes", "volume": "volumes", "binds": "volumes", "volumeMounts": "volumes",
    "device": "devices", "username": "user", "container_user": "user", "public_key": "ssh_keys", "public_keys": "ssh_keys",
    "inherits": "extends", "inherit": "extends", "parent": "extends", "base": "extends",
    "hostname": "to remove it: the container is named after its endpoint", "container_name": "to remove it: the session's file names it",
    "depends_on": "to remove it: sessions do not wait for each other", "labels": "to remove it: dtnctl sets its own",
    "logging": "to remove it: the engine's daemon.json sets it", "build": "`image: …`; images are not built here",
    "ctrl_port": "ctrl_port_range", "serv_port": "serv_port_range", "data_ports": "data_port_range",
}  # fmt: skip
KEYS: Mapping[str, Mapping[str, str]] = {
    "Profile": PROFILE_KEYS,
    "ProfileFields": PROFILE_KEYS,
    "Session": {
        **PROFILE_KEYS, "hosts": "endpoints", "nodes": "endpoints", "nodeName": "endpoints", "instances": "endpoints", "host": "endpoints",
        "endpoint": "endpoints", "status": "state", "profiles": "profile", "override": "overrides",
    },
    "Volume": {
        "read_only": "`mode: ro`", "readOnly": "`mode: ro`", "readonly": "`mode: ro`", "ro": "`mode: ro`", "mountPath": "target",
        "destination": "target", "dst": "target", "src": "source", "hostPath": "source", "host_path": "source", "name": "source",
        "path": "target", "bind": "to remove it", "volume": "to remove it", "tmpfs": "`size: …`", "options": "driver_opts",
    },
    "HealthCheck": {
        "disable": "`test: [NONE]`", "cmd": "test", "command": "test", "exec": "test", "period": "interval", "periodSeconds": "interval",
        "timeoutSeconds": "timeout", "failureThreshold": "retries", "initialDelaySeconds": "start_period", "start_interval": "interval",
    },
    "Network": {
        "vlan_id": "vlan", "vid": "vlan", "tag": "vlan", "cidr": "subnet", "prefix": "subnet", "subnets": "subnet", "gw": "gateway",
        "ip_range": "addresses", "range": "addresses", "pool": "addresses", "type": "driver", "subnet_v6": "subnet6", "ipv6_subnet": "subnet6",
        "parent": "`interfaces: {NETWORK: eth1}` in each endpoint's file", "interface": "`interfaces: {NETWORK: eth1}` in each endpoint's file",
        "ipam": "`subnet:`, `gateway:` and `addresses:`", "driver_opts": "`mtu:`, `mode:` and `vlan:`", "external": "to remove it",
        "max_tx_rate": "max_rate", "min_tx_rate": "min_rate", "qos": "vlan_priority", "pcp": "vlan_priority",
    },
    "Endpoint": {
        "url": "docker", "socket": "docker", "engine": "docker", "docker_host": "docker", "uri": "docker", "hostname": "host", "address": "host",
        "ip": "host", "ctrl_host": "host", "nics": "interfaces", "nic": "interfaces", "sriov": "vfs", "num_vfs": "vfs", "name": "to remove it: the file names it",
    },
    "Transfer": {
        "source": "from", "src": "from", "destination": "to", "dest": "to", "dst": "to", "protocol": "tool", "mover": "tool", "method": "tool",
        "preserve_timestamp": "preserve_times", "skip_source_errors": "`on_file_error: skip`", "external_checksum": "expected",
        "checksum_algorithm": "algorithm", "bwlimit": "max_rate", "streams": "parallelism", "parallel": "parallelism", "checksum": "verify", "timeout": "deadline", "retry": "retries", "gen": "generation",
        "recurse": "recursive", "buffer": "tcp_buffer", "tcp_buffer_size": "tcp_buffer", "profile": "session",
    },
    "SiteSettings": {"site": "name", "title": "name", "registry": "registries"},
}  # fmt: skip
VALUES: Mapping[str, Mapping[str, str]] = {
    "state": {
        "running": "started", "up": "started", "start": "started", "present": "started", "enabled": "started", "active": "started", "stop": "stopped",
        "down": "stopped", "exited": "stopped", "paused": "stopped", "created": "initialized", "init": "initialized",
        "absent": "to remove the file, which removes the session", "deleted": "to remove the file, which removes the session",
    },
    "pull": {"Always": "always", "IfNotPresent": "missing", "if_not_present": "missing", "Never": "never", "newer": "always"},
    "tool": {"globus-url-copy": "gridftp", "globus": "gridftp", "gsiftp": "gridftp", "ftp": "gridftp"},
    "driver": {"vlan": "macvlan, with `vlan: …`", "sr-iov": "sriov", "SR-IOV": "sriov", "vf": "sriov"},
    "verify": {"md5": "checksum, with `algorithm: md5`", "sha256": "checksum, with `algorithm: sha256`", "sha512": "checksum, with `algorithm: sha512`"},
    "mode": {"r": "ro", "readonly": "ro", "read-only": "ro", "RO": "ro", "w": "rw", "RW": "rw", "passthrough": "passthru", "L2": "l2", "L3": "l3"},
    "algorithm": {"MD5": "md5", "sha-256": "sha256", "SHA256": "sha256", "sha-512": "sha512", "SHA512": "sha512"},
}  # fmt: skip


def key_advice(model_name: str, key: str, fields: Iterable[str], settings: Iterable[str]) -> str:
    """What to write instead of a key of another program; empty if it is none. `settings` are the keys that a session has one level down."""
    advice = KEYS.get(model_name, {}).get(key, key)
    if advice in fields:
        return f"`{advice}`"
    if advice in settings:
        return f"`settings: {{{advice}: …}}`"
    if " " not in advice and "`" not in advice:
        return ""
    return f"{advice} below `settings:`" if model_name == "Session" and advice.startswith("`") else advice


def value_advice(field: str, value: str) -> str:
    """What to write instead of a value of another program; empty if it is none."""
    return VALUES.get(field, {}).get(value, "")
