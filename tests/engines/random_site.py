"""Random networks and sessions for one endpoint: the files of a state folder, batch by batch.

Addresses and ports come from a session's number, so that sessions are in each other's way by none of them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.engines.random_values import CREATED, STARTED, WORDS, Draw

File = dict[str, Any]
SLEEP = ["sleep", "100000"]
# Images of the test: what `docker commit` gives them beside what the plain one has, and the arguments with which they run.
IMAGES: dict[str, tuple[File, list[list[str] | None]]] = {
    "tiny:1": ({}, [SLEEP]),
    "full:1": (
        {
            "Entrypoint": ["sh", "-c"],
            "Cmd": ["sleep 100000"],
            "Env": ["IMAGE=yes", "A=from the image", "EMPTY="],
            "Healthcheck": {"Test": ["CMD", "true"], "Interval": 3 * 10**8, "Timeout": 77 * 10**9, "Retries": 5},
            "StopSignal": "SIGKILL",
            "Volumes": {"/image/one": {}, "/mnt/1": {}},
            "WorkingDir": "/tmp",
            "ExposedPorts": {"8080/tcp": {}, "53/udp": {}},
            "Labels": {"dtnctl.site": "other", "com.example.x": "y z"},
        },
        [["sleep 100000"], None],
    ),
    "bare:1": ({"Healthcheck": {"Test": ["NONE"]}, "User": "65534:65534", "Cmd": SLEEP}, [SLEEP, None]),
}
MACVLANS = {"mac": "eth1", "mac0": "eth0"}
BRIDGES = tuple(f"b{number}" for number in range(6))
NETWORKS = (*BRIDGES, *MACVLANS)
MOST_SESSIONS = 100


def network(dice: Random, name: str) -> File:
    """A network in any form; the subnets are of its own."""
    number = NETWORKS.index(name)
    is_bridge = name in BRIDGES
    four = {"subnet": f"10.{60 + number}.0.0/{dice.choice((16, 20, 23))}", "gateway": f"10.{60 + number}.0.{dice.choice((1, 9))}"}
    six = {"subnet6": f"fd00:{60 + number}::/{dice.choice((48, 64, 112))}", "gateway6": f"fd00:{60 + number}::{dice.choice(('1', 'f0'))}"}
    chosen = dice.choice(((four, six), (four,), (six,), () if is_bridge else (four,)))
    found: File = {"driver": "bridge" if is_bridge else "macvlan"}
    for family in chosen:
        keys = [*family][: dice.randint(1, 2)]
        found |= {key: family[key] for key in keys}
    if "subnet" in found and dice.random() < 0.5:
        found["addresses"] = f"10.{60 + number}.0.10-10.{60 + number}.1.200"
    if "subnet6" in found and dice.random() < 0.5:
        found["addresses6"] = f"fd00:{60 + number}::100-fd00:{60 + number}::1ff"
    more = {
        "mtu": dice.choice((1280, 1400, 9000)),
        "internal": dice.choice((True, False)),
        "default_route": dice.choice((True, False)),
        "mode": None if is_bridge else "bridge",
    }
    found |= {key: more[key] for key in dice.sample(sorted(more), dice.randint(0, 3)) if more[key] is not None}
    if found.get("default_route") and (found.get("internal") or not (is_bridge or "gateway" in found or "gateway6" in found)):
        del found["default_route"]  # `validate` knows that it has none
    return found


@dataclass
class State:
    """What is declared at the moment; `files` by path below state/, without `.yaml`. `created`: fields of what is never started."""

    dice: Random
    count: int
    created: Mapping[str, Draw] = field(default_factory=lambda: CREATED)
    files: dict[str, File] = field(default_factory=dict)

    def draw_networks(self) -> None:
        for name in NETWORKS:
            if f"networks/{name}" not in self.files or self.dice.random() < 0.3:
                self.files[f"networks/{name}"] = network(self.dice, name)

    def draw_profiles(self) -> None:
        """Their values must let programs run, for they are in every session's way."""
        for number in range(3):
            names = self.dice.sample(["env", "limits", "init", "dns", "ssh_keys", "user", "restart", "tty", "cpus"], 4)
            profile = {name: STARTED[name](self.dice) for name in names}
            self.files[f"profiles/p{number}"] = {
                **profile,
                "stop_timeout": 1,
                "settle": "10ms",
                "memory": "1GiB",
                **({"extends": "p0"} if number else {}),
            }

    def draw_sessions(self) -> None:
        """Each session is kept, changed in a few fields, or drawn as a new one."""
        for number in range(self.count):
            before = self.files.get(f"sessions/s{number}")
            fresh = self.session(number)
            kept = before and before["state"] == fresh["state"] and self.dice.random() < 0.5
            self.files[f"sessions/s{number}"] = self.changed(before, fresh) if before and kept else fresh

    def changed(self, before: File, fresh: File) -> File:
        """The session with a few settings of another one; its program, image and networks are not among them."""
        after = copy.deepcopy(before)
        own = sorted((before["settings"].keys() | fresh["settings"].keys()) - PROGRAM)
        for name in self.dice.sample(own, self.dice.randint(0, min(3, len(own)))):
            after["settings"].pop(name, None)
            after["settings"] |= {name: fresh["settings"][name]} if name in fresh["settings"] else {}
        return after

    def session(self, number: int) -> File:
        """A session on dtn1 in any form; the kernel that runs it is not asked for the impossible."""
        dice = self.dice
        state = dice.choice(("started", "started", "started", "initialized", "initialized", "stopped"))
        tables = STARTED if state == "started" else self.created
        names = dice.sample(sorted(tables.keys() - {"arguments", "entrypoint"}), dice.randint(0, 10))
        settings: File = {name: tables[name](dice) for name in names}
        settings |= self.program(state) | (nets := self.networking(number)) | self.ports(number, nets["mgmt_net"])
        if settings.get("privileged"):
            settings.pop("capabilities", None)
            settings.pop("devices", None)
        if settings.get("mgmt_net") == "host":
            settings["sysctls"] = {
                name: value for name, value in settings.get("sysctls", {}).items() if name.startswith(("kernel.sh", "fs."))
            }
        found: File = {"endpoints": ["dtn1"], "image": settings.pop("image"), "profile": f"p{dice.randrange(3)}", "state": state}
        more = {"expires": "2099-01-01T00:00:00Z", "user": "bob"}
        found |= {name: more[name] for name in dice.sample(sorted(more), dice.randint(0, 2))}
        movable = sorted(settings.keys() - PROGRAM)
        overrides = {name: settings.pop(name) for name in dice.sample(movable, min(len(movable), dice.choice((0, 0, 2))))}
        return {**found, "settings": settings, **({"overrides": {"dtn1": overrides}} if overrides else {})}

    def program(self, state: str) -> File:
        dice = self.dice
        image = dice.choice(sorted(IMAGES))
        if state != "started":
            return {"image": image} | {name: value for name in ("arguments", "entrypoint") if (value := CREATED[name](dice)) is not None}
        forms: list[File] = [{"arguments": words} if words else {} for words in IMAGES[image][1]]
        forms += [{"entrypoint": ["sleep"], "arguments": ["100000"]}, {"entrypoint": [], "arguments": SLEEP}]
        forms += [
            {"entrypoint": ["sh", "-c", "sleep 100000", *dice.sample(WORDS, 2)]},
            {"entrypoint": "sh -c", "arguments": ["sleep 100000", "x"]},
        ]
        return {"image": image, **dice.choice(forms)}

    def networking(self, number: int) -> File:
        dice = self.dice
        mgmt = dice.choice(("host", None, "bridge", "bridge", dice.choice(BRIDGES), dice.choice(BRIDGES)))
        data = [name for name in dice.sample(NETWORKS, dice.choice((0, 0, 1, 2, 3))) if name != mgmt]
        if mgmt == "host":
            return {"mgmt_net": "host"}
        able = sorted(name for name in (mgmt, *data) if name and self.carries_default_route(name))
        route = {"default_route": able[0]} if able and (len(able) > 1 or dice.random() < 0.3) else {}
        return {"mgmt_net": mgmt, "data_nets": [self.attachment(name, number) for name in data], **route}

    def carries_default_route(self, name: str) -> bool:
        """As the state reference has it; of several, engines take the first by name."""
        net = self.files.get(f"networks/{name}", {})
        has_route = name not in MACVLANS or "gateway" in net or "gateway6" in net
        return not net.get("internal") and bool(net.get("default_route", has_route))

    def attachment(self, name: str, number: int) -> object:
        """By name, or with an address of its own, several to choose from."""
        net, at = self.files[f"networks/{name}"], NETWORKS.index(name) + 60
        fixed: File = {"name": name}
        if "subnet" in net and self.dice.random() < 0.3:
            fixed["ipv4"] = self.dice.choice((f"10.{at}.0.{100 + number}", [f"10.{at}.0.{100 + number}", f"10.{at}.1.{number + 1}"]))
        if "subnet6" in net and self.dice.random() < 0.3:
            fixed["ipv6"] = self.dice.choice((f"fd00:{at}::{0x180 + number:x}", f"FD00:{at}:0::{0x180 + number:04X}"))
        return fixed if len(fixed) > 1 or self.dice.random() < 0.2 else name

    def ports(self, number: int, mgmt: object) -> File:
        dice, base = self.dice, 40_000 + 20 * number
        if mgmt == "host" or dice.random() < 0.6:
            return {"ctrl_port_range": None}
        forms: Mapping[str, object] = {
            "ctrl_port_range": dice.choice(([30000, 30400], "31000-31400")),
            "internal_port": dice.choice((22, 8080)),
            "serv_port_range": [32000, 32400],
            "data_port_range": [base, base + 1],
            "exposed_ports": dice.choice((base + 5, [base + 5, f"{base + 5}/udp"], [f"{base + 6}-{base + 7}/tcp"])),
        }
        return {"ctrl_port_range": None} | {name: forms[name] for name in dice.sample(sorted(forms), dice.randint(1, 3))}


PROGRAM = {"image", "arguments", "entrypoint", "mgmt_net", "data_nets", "privileged", "capabilities", "devices", "sysctls"}
