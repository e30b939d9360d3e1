"""Random values for every field of a profile, in all forms that people may write.

`CREATED` is for services that are never started: whatever an engine takes. `STARTED` narrows what must let a program run.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from dtnctl.model.engine_fields import CAPABILITIES, LIMIT_NAMES

Draw = Callable[[Random], object]

WORDS = (
    "",
    "a b",
    "ü☃",
    "$HOME",
    "${X:-y}",
    '"q"',
    "'",
    "a\nb",
    "\t",
    "=",
    "x=y",
    "--",
    "%s",
    "\\",
    "{}",
    "null",
    "1.10",
    "0x1F",
    "yes",
    "#",
    "~",
)
VALUES = (*WORDS, None, 0, 7, 1.5, 1.10, True, False, 2**53 - 1)
NAMES = ("A", "a.b", "é", "A-B", "_", "0", "PATH2", "HOSTNAME", "TERM", "HOME", "LANG")
SYSCTLS: dict[str, tuple[object, ...]] = {
    "net.core.somaxconn": (128, "2048"),
    "net.ipv4.ip_unprivileged_port_start": (0, 1024),
    "net.ipv4.tcp_rmem": ("4096 87380 16777216", "4096\t87380   16777216", " 4096 87380 16777216 "),
    "net.ipv4.ip_local_port_range": ("32768 60999",),
    "net.ipv4.conf.all.forwarding": (0, 1),
    "net.ipv4.tcp_slow_start_after_idle": (1, 0),
    "kernel.shmmax": (2**30, "18446744073692774399"),
    "kernel.sem": ("250 32000 32 128",),
    "kernel.shm_rmid_forced": (0, 1),
    "kernel.domainname": ("example.net",),
    "fs.mqueue.msg_max": (20,),
}
LIMITS_TO_LIVE_WITH = ("core", "locks", "fsize", "nofile")  # a lab without CAP_SYS_RESOURCE cannot raise others
# engine 20.10 does not know the first three; 26 refuses what this machine has not, as some have no SYS_RESOURCE
NOT_EVERYWHERE = {"BPF", "CHECKPOINT_RESTORE", "PERFMON", "SYS_RESOURCE"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFXQ"


def some(dice: Random, choices: tuple[object, ...] | list[object], most: int) -> list[object]:
    return dice.sample(choices, dice.randint(0, min(most, len(choices))))


def one_of(*choices: object) -> Draw:
    return lambda dice: dice.choice(choices)


def size(least: int, most: int) -> Draw:
    """Bytes as a number or with a unit, most of them no round ones."""

    def draw(dice: Random) -> object:
        count = dice.choice((least, least + 1, dice.randint(least, most), dice.randint(least, most) // 4096 * 4096 or least))
        return dice.choice((count, f"{count}B", f"{-(-count // 1024)}KiB", f"{count / 10**6 + 0.0001:.4f}MB"))

    return draw


def words(dice: Random) -> object:
    found = [dice.choice(WORDS) for _ in range(dice.randint(1, 3))]
    return dice.choice(([], ["run", *found], [found[0]], "run 'a b' \"$x\" c\\ d", ["run", 1.10, True, 0o17]))


def entry_point(dice: Random) -> object:
    return dice.choice((None, [], ["sh", "-c"], ["/bin/x", *(dice.choice(WORDS) for _ in range(2))], "env -i x"))


def env(dice: Random) -> object:
    return {name: dice.choice(VALUES) for name in some(dice, NAMES, 4)}


def limits(names: tuple[str, ...]) -> Draw:
    def draw(dice: Random) -> object:
        found: dict[object, object] = {}
        for name in some(dice, names, 4):
            low, high = sorted(dice.choice((64, 1000, *((65_536, 2**31 - 64) if name != "nofile" else (20_000,)))) for _ in range(2))
            endless = () if name == "nofile" else (-1, {"soft": low, "hard": -1}, {"soft": -1, "hard": -1}, 2**53 - 1)
            found[name] = dice.choice((low, {"soft": low, "hard": high}, *endless))
        return found

    return draw


def capabilities(known: tuple[str, ...]) -> Draw:
    def draw(dice: Random) -> object:
        forms = (str.upper, str.lower, "CAP_{}".format, "cap_{}".format)
        return {
            key: [dice.choice(forms)(str(name)) for name in some(dice, ("ALL", *known, *known), 3)]
            for key in some(dice, ("add", "drop"), 2)
        }

    return draw


def sysctls(dice: Random) -> object:
    return {name: dice.choice(SYSCTLS[str(name)]) for name in some(dice, tuple(SYSCTLS), 3)}


def wild_sysctls(dice: Random) -> object:
    unknown = {"net.no.such": "x", "net.ipv4.neigh.default.gc_stale_time": 1, "net.ipv6.conf.all.disable_ipv6": 1}
    return {**dict(sysctls(dice)), **{name: unknown[str(name)] for name in some(dice, tuple(unknown), 2)}}  # type: ignore[call-overload]


def moment(dice: Random, least: float, most: float) -> object:
    seconds = dice.choice((least, most, dice.uniform(least, most), round(dice.uniform(least, most), 3)))
    return dice.choice((seconds, f"{seconds:.9f}s", f"{seconds * 1000:.7f}ms", f"{seconds / 60:.9f}m"))


def health_test(dice: Random, program: str) -> object:
    return dice.choice((program, [program, "a b"], ["CMD", program], ["CMD-SHELL", f"{program} && {program}"]))


def wild_health(dice: Random) -> object:
    test = dice.choice((health_test(dice, "x"), ["NONE"], "NONE", ["CMD", "x", "", "ü"], "x | y\nz"))
    times = {name: moment(dice, 0.001, 86_400) for name in some(dice, ("interval", "timeout"), 2)}
    more = {"start_period": dice.choice((0, "1ms", moment(dice, 0.001, 100))), "retries": dice.choice((1, 7, 1000))}
    return dice.choice((None, {"test": test, **times, **{name: more[str(name)] for name in some(dice, tuple(more), 2)}}))


def health(dice: Random) -> object:
    """One that soon passes."""
    times = {"interval": moment(dice, 0.05, 0.5), "timeout": moment(dice, 60, 100), "retries": dice.randint(3, 9)}
    return dice.choice((None, {"test": health_test(dice, "true"), **times}, {"test": ["NONE"]}, {"test": "true", "shell": True, **times}))


def volumes(dice: Random) -> object:
    unique = f"{dice.randrange(16**8):08x}"
    options: tuple[dict[str, str], ...] = (
        {},
        {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=7"},
        {"type": "tmpfs", "device": "tmpfs"},
        {"type": "none", "device": "/data/b", "o": "bind"},
    )
    mode = dice.choice(("ro", "rw"))
    forms: list[Callable[[str], object]] = [
        lambda target: f"/data/a:{target}",
        lambda target: f"/data//a/:{target}/:ro",
        lambda target: f"vol-{unique}{target[-1]}:{target}",
        lambda target: {"type": "bind", "source": "/data/b/", "target": f"{target}/.", "mode": mode},
        lambda target: {"source": f"v_{unique}.{target[-1]}", "target": target, "driver_opts": dice.choice(options), "mode": mode},
        lambda target: {"type": "volume", "source": f"w-{unique}{target[-1]}", "target": target, "driver": "local"},
        lambda target: {"target": f"//{target}"},
        lambda target: {"type": "tmpfs", "target": target, "size": size(1, 10**8)(dice), "mode": mode},
    ]
    places = some(dice, ("/mnt/1", "/mnt/2/2", "/srv/ü 3", "/4", "/mnt/5"), 4)
    return [dice.choice(forms)(str(place)) for place in places]


def devices(*more: str) -> Draw:
    return lambda dice: some(dice, ("/dev/fuse", "/dev/null:/dev/x", "/dev/zero:/dev/y:mr", "/dev/full:/dev/z:r", "/dev/tty::w", *more), 3)


def cpus(dice: Random) -> object:
    return dice.choice((None, 0, 1, 0.5, 1.33333333333, 1 / 3, 0.123456789, round(dice.uniform(0.3, 1), dice.randint(1, 12))))


CREATED: dict[str, Draw] = {
    "arguments": words,
    "entrypoint": entry_point,
    "env": env,
    "user": one_of(None, "alice", "1000", "a@b.c", "_x$"),
    "ssh_keys": lambda dice: some(dice, (KEY, f"{KEY} alice@example", f'from="10.0.0.0/8" {KEY}'), 3),
    "dns": lambda dice: some(dice, ("10.10.0.254", "fd00::0:53", "FD00::AB", "1.1.1.1"), 3),
    "init": one_of(True, False),
    "tty": one_of(True, False),
    "systemd": one_of(True, False, False),
    "privileged": one_of(True, False, False, False),
    "tune_container": one_of(True, False),
    "memory": lambda dice: dice.choice((None, False, 0, "64MiB", "1.5GiB", size(6 * 2**20, 2**45)(dice))),
    "cpus": cpus,
    "cpu_set": one_of(None, "0", "0-1", "1,0", "0,1", "0-0", "0,0-1"),
    "memory_nodes": one_of(None, "0", "0-0", "0,0"),
    "shm_size": size(1, 2**40),
    "sysctls": wild_sysctls,
    "limits": limits(LIMIT_NAMES),
    "capabilities": capabilities(tuple(sorted(CAPABILITIES - NOT_EVERYWHERE))),
    "devices": devices("rdma_cm", "/dev/no-such"),
    "volumes": volumes,
    "health_check": wild_health,
    "restart": one_of("no", "always", "unless-stopped", "on-failure", "on-failure:5"),
    "stop_timeout": lambda dice: dice.choice((1, "77s", "2h", dice.randint(1, 10**6))),
    "settle": one_of(0, "10ms", "1.5s"),
    "pull": one_of("missing", "never"),
}
STARTED: dict[str, Draw] = {
    **CREATED,
    "memory": lambda dice: dice.choice((None, 0, "64MiB", size(32 * 2**20, 2**33)(dice))),
    "shm_size": size(1, 2**30),
    "sysctls": sysctls,
    "limits": limits(LIMITS_TO_LIVE_WITH),
    "capabilities": capabilities(("NET_ADMIN", "SYS_NICE", "IPC_LOCK", "CHOWN", "MKNOD", "SYS_PTRACE")),
    "devices": devices(),
    "health_check": health,
    "stop_timeout": one_of(1, "1s"),
    "settle": one_of(0, "10ms", "100ms"),
}
# What is not drawn, and why.
LEFT_OUT: dict[str, dict[str, str]] = {
    "sessions": {
        **dict.fromkeys(("freeze", "protect", "suspend"), "guard rails hold back what is tried here"),
        "labels": "they select a part of a site, and are no setting of a service",
    },
    "fields": {
        "image": "the session's own is drawn",
        "near": "whole CPUs are given by the agent",
        "qos": "shaping is the agent's",
    },
    "networks": {
        **dict.fromkeys(("vlan", "path"), "the lab's kernel makes no VLANs"),
        **dict.fromkeys(("vlan_priority", "trust", "spoofchk", "min_rate", "max_rate", "mac"), "settings of virtual functions"),
    },
}
