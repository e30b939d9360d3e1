# ruff: noqa: E501  # messages are written out as people see them
"""What no engine takes, or takes for something else, is refused in the file, with what to write instead."""

from __future__ import annotations

import pytest

from dtnctl.model.engine_fields import LIMIT_NAMES
from dtnctl.model.profile import Profile, Volume
from dtnctl.model.source import Source
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source
from tests.model.sites import problems as problems_between


def problems(text: str) -> list[str]:
    """What a profile of this text says, without places and codes."""
    source = Source("p.yaml")
    parse_source(text.encode(), source)
    validate(source, Profile)
    return [f"{problem.message}; try {problem.hint}" if problem.hint else problem.message for problem in source.problems]


def profile(text: str) -> Profile:
    source = Source("p.yaml")
    parse_source(text.encode(), source)
    value = validate(source, Profile)
    assert value is not None, [str(problem) for problem in source.problems]
    return value


# --- refused ------------------------------------------------------------------------------------------------

NOT_ON_PROC = "engines mount nothing into /proc; write another path, such as"
NOT_CHOSEN = "engines take 1ms and more, and read 0 as a time of their own choice; write 1ms to 1d"
NO_CHOICE = "0 is what engines read as a size of their own choice; write a size, or omit the key"

REFUSED = [
    # limits
    ("limits: {nofile: {soft: 4096, hard: 1024}}", "`limits.nofile`: `soft` (4096) is above `hard` (1024)"),
    ("limits: {nofile: {soft: -1, hard: 1024}}", "`limits.nofile`: `soft` (unlimited) is above `hard` (1024)"),
    ("limits: {memlocks: -1}", "`limits.memlocks`: `memlocks` is not a limit; write memlock"),
    ("limits: {NOFILE: 5}", "`limits.NOFILE`: `NOFILE` is not a limit; write nofile"),
    ("limits: {RLIMIT_NPROC: 5}", "`limits.RLIMIT_NPROC`: `RLIMIT_NPROC` is not a limit; write nproc"),
    ("limits: {zzz: 5}", f"`limits.zzz`: `zzz` is not a limit; write one of {', '.join(LIMIT_NAMES)}"),
    ("limits: {nofile: -1}", "`limits`: `nofile` cannot be unlimited: 2147483584 open files are the most that Linux has, and fs.nr_open the host's own limit"),
    ("limits: {memlock: 9223372036854775808}", "the number `9223372036854775808` is too large; try quotes, if it is text"),
    # capabilities
    ("capabilities: {add: [NET_ADMINN]}", "`capabilities.add[0]`: `NET_ADMINN` is not a capability; write NET_ADMIN"),
    ("capabilities: {drop: ['']}", "`capabilities.drop[0]`: `` is not a capability; write one of man 7 capabilities, such as NET_ADMIN"),
    # memory, CPUs, sizes
    ("memory: 4MiB", "`memory`: 4194304 bytes are less than 6MiB, the least that engines take"),
    ("memory: 64", "`memory`: 64 bytes are less than 6MiB, the least that engines take; write 64MiB or 64GiB"),
    ("memory: 4194304TiB", "`memory`: that is more than any machine has"),
    ("cpus: 0.001", "`cpus`: 0.001 is no number of CPUs: engines take 0.01 to 8192"),
    ("cpus: 9000", "`cpus`: 9000 is no number of CPUs: engines take 0.01 to 8192"),
    ('cpu_set: "3-1"', "`cpu_set`: `3-1`: the range 3-1 is backward; write 1-3"),
    ('cpu_set: "9000"', "`cpu_set`: `9000`: 9000 is beyond 8191, the highest number that engines take"),
    ('memory_nodes: "1-0"', "`memory_nodes`: `1-0`: the range 1-0 is backward; write 0-1"),
    ("shm_size: 0", f"`shm_size`: {NO_CHOICE}"),
    ("volumes: [{target: /t, size: 0}]", f"`volumes[0].size`: {NO_CHOICE}"),
    # volumes
    ('volumes: ["/data:/data", "/data/x:/data/"]', "`volumes`: two volumes are mounted on `/data`; remove one"),
    ('volumes: ["/data:/a//b", "/x:/a/./b"]', "`volumes`: two volumes are mounted on `/a/b`; remove one"),
    ('volumes: ["/data:/"]', "`volumes[0]`: nothing can be mounted on `/`, which is the image's"),
    ("volumes: [{target: /.}]", "`volumes[0].target`: nothing can be mounted on `/`, which is the image's"),
    ("volumes: [{source: /data, target: /data/../etc2}]", "`volumes[0].target`: `/data/../etc2` goes upward by `..`; write the path that it leads to"),
    ("volumes: [{source: /data/../etc, target: /x}]", "`volumes[0]`: `/data/../etc` goes upward by `..`; write the path that it leads to"),
    ("volumes: [{target: data}]", "`volumes[0].target`: `data` is not an absolute path"),
    ('volumes: ["/data:/proc"]', f"`volumes[0]`: `/proc`: {NOT_ON_PROC} /host/proc"),
    ('volumes: ["/data:/proc/x"]', f"`volumes[0]`: `/proc/x`: {NOT_ON_PROC} /host/proc/x"),
    ('volumes: ["/data:/x\\ny"]', "`volumes[0]`: `/x\ny` has an invisible character in it"),
    ('volumes: ["./data:/x"]', "`volumes[0]`: `./data` is a relative path; write an absolute one, such as /data, or the name of a volume"),
    ('volumes: ["~/data:/x"]', "`volumes[0]`: `~/data` is a relative path; write an absolute one, such as /data, or the name of a volume"),
    ('volumes: ["data/x:/x"]', "`volumes[0]`: `data/x` is a relative path; write an absolute one, such as /data, or the name of a volume"),
    ("volumes: [{type: bind, source: ~x, target: /x}]", "`volumes[0]`: `~x` is not an absolute path; write it in full instead of ~x"),
    ('volumes: [{source: "bad name!", target: /v}]', "`volumes[0]`: `bad name!` is not the name of a volume; write letters, digits, -, _ and ., two at least"),
    ("volumes: [{source: v, target: /v}]", "`volumes[0]`: `v` is not the name of a volume; write letters, digits, -, _ and ., two at least"),
    ("volumes: [{type: volume, source: /x, target: /v}]", "`volumes[0]`: `/x` is a relative path; write an absolute one, such as /data, or the name of a volume"),
    # environment and words
    ('env: {"A=B": "1"}', "`env.A=B`: the name of a variable: `A=B` has a `=` in it; write letters, digits and _"),
    ('env: {"": "1"}', "`env.`: the name of a variable: it is empty; write letters, digits and _"),
    ('env: {"A B": "1"}', "`env.A B`: the name of a variable: `A B` is none; write letters, digits and _"),
    ('env: {A: "a\\0b"}', "`env.A`: `a\0b` has a NULL character in it, which no program can be given"),
    ('arguments: ["a\\0"]', "`arguments[0]`: `a\0` has a NULL character in it, which no program can be given"),
    ('entrypoint: [""]', "`entrypoint`: the program's name is empty; write [] for no entry point"),
    ('user: "a b"', "`user`: `a b` is not a login name; write letters, digits, -, _ and ."),
    ('ssh_keys: ["ssh-ed25519 A\\nssh-rsa B"]', "`ssh_keys[0]`: `ssh-ed25519 A\nssh-rsa B` is not one line of a public key file; write each key as an item of its own"),
    ('ssh_keys: [""]', "`ssh_keys[0]`: `` is not one line of a public key file; write each key as an item of its own"),
    # health
    ("health_check: {test: x, interval: 0}", f"`health_check.interval`: 0 s: {NOT_CHOSEN}"),
    ("health_check: {test: x, timeout: 0.0000001}", f"`health_check.timeout`: 1e-07 s: {NOT_CHOSEN}"),
    ("health_check: {test: x, start_period: 0.5ms}", f"`health_check.start_period`: 0.0005 s: {NOT_CHOSEN}"),
    ("health_check: {test: x, interval: 2d}", f"`health_check.interval`: 172800 s: {NOT_CHOSEN}"),
    ("health_check: {test: []}", "`health_check`: `test` names no program; write `test: …`, or `test: [NONE]` for no check"),
    ('health_check: {test: ""}', "`health_check`: `test` names no program; write `test: …`, or `test: [NONE]` for no check"),
    ("health_check: {test: [CMD]}", "`health_check`: `test` names no program; write `test: …`, or `test: [NONE]` for no check"),
    ("health_check: {test: [CMD-SHELL, a, b]}", "`health_check`: what a shell runs is one text; write `test: …` with the whole command as text"),
    ("health_check: {test: [a, b], shell: true}", "`health_check`: what a shell runs is one text; write `test: …` with the whole command as text"),
    ("health_check: {test: [NONE, x]}", "`health_check`: `test: [NONE]` switches the check off, and takes nothing more"),
    ("stop_timeout: 0", "`stop_timeout`: 0 s: engines count whole seconds; write 1s or more"),
    ("stop_timeout: 1500ms", "`stop_timeout`: 1.5 s: engines count whole seconds; write 1s or more"),
    ("restart: on-failure:0", '`restart` cannot be `on-failure:0`; try "no", always, unless-stopped, on-failure or on-failure:3'),
    ("restart: on-failure:03", '`restart` cannot be `on-failure:03`; try "no", always, unless-stopped, on-failure or on-failure:3'),
    ("sysctls: {net.ipv4.tcp_rmem: []}", "`sysctls.net.ipv4.tcp_rmem` must be text or a whole number, not a list"),
    # sysctls
    ("sysctls: {kernel.hostname: foo}", "`sysctls.kernel.hostname`: `kernel.hostname` is set by the engine, from the endpoint's name; remove it"),
    (
        "sysctls: {net.ipv4.conf.eth0.rp_filter: 0}",
        "`sysctls.net.ipv4.conf.eth0.rp_filter`: `net.ipv4.conf.eth0.rp_filter` is of one interface, which engines name in an order of their own; write net.ipv4.conf.default.rp_filter",
    ),
    (
        "sysctls: {net.ipv6.neigh.eth1/5.gc_stale_time: 9}",
        "`sysctls.net.ipv6.neigh.eth1/5.gc_stale_time`: `net.ipv6.neigh.eth1/5.gc_stale_time` is of one interface, which engines name in an order of their own; write net.ipv6.neigh.default.gc_stale_time",
    ),
    (
        'sysctls: {vm.swappiness: "1"}',
        "`sysctls.vm.swappiness`: `vm.swappiness` belongs to the whole host, a container has none of its own; `tuning:` of the endpoint sets the host's",
    ),
    ('sysctls: {net/ipv4/ip_forward: "1"}', "`sysctls.net/ipv4/ip_forward`: `net/ipv4/ip_forward` is not the name of a sysctl; write for example net.ipv4.tcp_rmem"),
    ('sysctls: {net.ipv4.ip_forward: "1\\n2;x"}', "`sysctls.net.ipv4.ip_forward`: `1\n2;x` is not a value of a sysctl; write numbers or words, such as 4096 87380 1073741824"),
    # devices
    ("devices: [fuse]", "`devices[0]`: `fuse` is not a device; write /dev/fuse, or rdma_cm or uverbs"),
    ("devices: ['a:b:c']", "`devices[0]`: `a:b:c` is not a device; write /dev/fuse, /dev/nvme0n1:/dev/disk:r, or rdma_cm or uverbs"),
    ("devices: ['/dev/a:/dev/b:r:x']", "`devices[0]`: `/dev/a:/dev/b:r:x` is not a device; write /dev/fuse, /dev/nvme0n1:/dev/disk:r, or rdma_cm or uverbs"),
    ("devices: ['/dev/a:/dev/b:q']", "`devices[0]`: `/dev/a:/dev/b:q`: `q` is not what may be done with it; write r, w and m"),
    ("devices: ['/dev/a:/dev/b:rr']", "`devices[0]`: `/dev/a:/dev/b:rr`: `rr` is not what may be done with it; write r, w and m"),
    ("devices: ['/dev/../etc']", "`devices[0]`: `/dev/../etc` goes upward by `..`; write the path that it leads to"),
    ("devices: ['/dev/a:b']", "`devices[0]`: `b` is not an absolute path"),
    ("devices: ['/dev//a']", "`devices[0]`: `/dev//a`: `/dev//a` is not the plain path of a device"),
    ("devices: ['/dev/a:/dev/x', '/dev/b:/dev/x:r']", "`devices`: two devices are `/dev/x`; remove one"),
    # images
    ("image: Tiny:1", "`image`: `Tiny:1` is not the name of an image; its repository is written in lower case: tiny:1"),
    ("image: reg:5000/Tiny", "`image`: `reg:5000/Tiny` is not the name of an image; its repository is written in lower case: reg:5000/tiny"),
    ("image: Tiny:V1", "`image`: `Tiny:V1` is not the name of an image; its repository is written in lower case: tiny:V1"),
    ("image: https://reg/x", "`image`: `https://reg/x` is not the name of an image; write it without https://"),
    ('image: "tiny:"', "`image`: `tiny:` is not the name of an image; write a tag behind the `:`"),
    ('image: ""', "`image`: `` is not the name of an image; write for example reg.example.net/dtn:1"),
    ("image: tiny@sha256:abc", "`image`: `tiny@sha256:abc` is not the name of an image; write for example reg.example.net/dtn:1"),
    ("image: x/../y", "`image`: `x/../y` is not the name of an image; write for example reg.example.net/dtn:1"),
    ("image: x___y", "`image`: `x___y` is not the name of an image; write for example reg.example.net/dtn:1"),
    (f"image: x:{'a' * 129}", f"`image`: `x:{'a' * 58}…` is not the name of an image; write for example reg.example.net/dtn:1"),
    (f"image: {'x/' * 130}a", "`image`: the image's name has 261 characters, 255 are the most"),
    ("image: reg:99999/x", "`image`: `reg:99999/x`: there is no port 99999"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text[:60] for text, _ in REFUSED])
def test_what_no_engine_takes_is_refused_with_what_to_write(text: str, message: str) -> None:
    assert problems(text) == [message]


# --- taken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "limits: {nofile: {soft: 1024, hard: 1024}, memlock: -1, core: 0, as: {soft: 5, hard: -1}, nofile2: 1}".replace(", nofile2: 1", ""),
        "capabilities: {add: [net_admin, CAP_SYS_NICE, ALL], drop: [all]}",
        "memory: 6MiB",
        "memory: false",
        "cpus: 0.01",
        "cpus: 0",
        'cpu_set: "0,2-3"',
        "volumes: [/data, {target: /t}, 'scratch:/s', '/x:/proc/cpuinfo']",
        "devices: [rdma_cm, uverbs, /dev/fuse, '/dev/a:/dev/b', '/dev/a:/dev/c:rw', '/dev/d::r']",
        "sysctls: {net.ipv4.tcp_rmem: 4096 87380 16777216, kernel.shmmax: 5, fs.mqueue.msg_max: 10, kernel.domainname: x, net.ipv4.conf.all.rp_filter: 1, net.ipv6.neigh.default.gc_thresh1: 5, net.mpls.conf.lo.input: 1}",
        "restart: on-failure",
        "stop_timeout: 2s",
        "env: {É: x, A.B-C: y, 1A: z}",
        "entrypoint: []",
        "arguments: ['']",
        "user: dtn@example.org",
    ],
)
def test_what_engines_take_is_taken(text: str) -> None:
    assert profile(text).model_fields_set


@pytest.mark.parametrize(
    "image",
    [
        "tiny", "tiny:1", "reg.example.net/a/b:V1.2", "localhost/x", "reg:5000/x", "REG.example.net/x", "[fd00::1]:5000/x", "x__y", "x--y", "a.b/c:1",
        f"tiny:1@sha256:{'0' * 64}", f"sha256:{'0' * 64}", "0" * 64, f"x:{'a' * 128}",
    ],
)  # fmt: skip
def test_every_form_of_an_image_is_taken(image: str) -> None:
    assert profile(f'image: "{image}"').image == image


# --- one form for one meaning -------------------------------------------------------------------------------


def test_paths_have_one_form() -> None:
    [volume] = profile("volumes: [{source: //data//x/./, target: /a/}]").volumes
    assert (volume.source, volume.target) == ("/data/x", "/a")
    assert Volume.model_validate({"type": "tmpfs", "target": "//t/"}).target == "/t"


def test_capabilities_have_one_form() -> None:
    assert profile("capabilities: {add: [cap_net_admin]}").capabilities.add == ("NET_ADMIN",)


def test_no_start_period_is_the_least_that_engines_take() -> None:
    check = profile("health_check: {test: x, start_period: 0}").health_check
    assert check is not None
    assert check.start_period == 0.001


# --- the text of a number -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    ["1.10", "0x1F", "0.00001", "2.50", "1.0", "12345678901234567.5", "-0.0", "100000000000000000000000.0", "+5", "True", "1.5e+3", ".5"],
)
def test_number_in_the_environment_keeps_its_text(word: str) -> None:
    assert profile(f"env: {{A: {word}, B: x}}").env == {"A": word, "B": "x"}


def test_number_keeps_its_text_wherever_text_is_wanted_and_numbers_are_taken() -> None:
    made = profile(
        "arguments: [sleep, 1.10, true]\nentrypoint: [run, 0x10]\nsysctls: {kernel.shmmax: 0x10000}\ncpu_set: 3\nmemory_nodes: 0\n"
    )
    assert made.arguments == ("sleep", "1.10", "true")
    assert made.entrypoint == ("run", "0x10")
    assert made.sysctls == {"kernel.shmmax": "0x10000"}
    assert (made.cpu_set, made.memory_nodes) == ("3", "0")
    check = profile("health_check: {test: [nc, -z, localhost, 22.10]}").health_check
    assert check is not None
    assert check.test == ("CMD", "nc", "-z", "localhost", "22.10")


@pytest.mark.parametrize("word", ["1e3", "017", "1_000", "22:22", "yes", ".inf"])
def test_word_that_readers_of_yaml_disagree_on_wants_quotes_there_as_well(word: str) -> None:
    assert len(problems(f"env: {{A: {word}}}")) == 1
    assert "quotes" in problems(f"env: {{A: {word}}}")[0]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("image: 1.10", "image"),
        ("user: 1000", "user"),
        ("dns: [1.5]", "dns[0]"),
        ("volumes: [{target: /x, driver_opts: {a: 1}}]", "volumes[0].driver_opts.a"),
    ],
)
def test_number_elsewhere_is_refused_with_its_text_in_quotes(text: str, field: str) -> None:
    word = text.replace("}", "").replace("]", "").split()[-1].removeprefix("[")
    assert problems(text) == [f'`{field}` must be text, not the number {word}; try "{word}" in quotes']


def test_nothing_in_the_environment_is_the_empty_text() -> None:
    assert profile("env: {A: ~, B: null, C: }").env == {"A": None, "B": None, "C": None}


# --- health checks as Compose writes them -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "wanted"),
    [
        ("curl -f localhost", ("CMD-SHELL", "curl -f localhost")),
        ("[curl, -f, localhost]", ("CMD", "curl", "-f", "localhost")),
        ("[CMD, curl, -f]", ("CMD", "curl", "-f")),
        ('[CMD-SHELL, "curl -f x || exit 1"]', ("CMD-SHELL", "curl -f x || exit 1")),
        ("[NONE]", ("NONE",)),
        ("NONE", ("NONE",)),
        ("[CMD, NONE]", ("CMD", "NONE")),
    ],
)
def test_health_check_reads_as_in_compose(test: str, wanted: tuple[str, ...]) -> None:
    check = profile(f"health_check: {{test: {test}}}").health_check
    assert check is not None
    assert check.test == wanted
    assert check.is_off is (wanted == ("NONE",))


def test_health_check_of_one_text_in_a_list_runs_in_a_shell_if_asked() -> None:
    check = profile("health_check: {test: [a && b], shell: true}").health_check
    assert check is not None
    assert check.test == ("CMD-SHELL", "a && b")


@pytest.mark.parametrize("value", ["5", "{test: 5}", "{test: {a: b}}"])
def test_health_check_of_another_type_is_refused(value: str) -> None:
    assert problems(f"health_check: {value}")


# --- between files ------------------------------------------------------------------------------------------

SESSION = "endpoints: [a]\nimage: dtn:1\n"


def test_sysctls_of_the_network_do_not_go_with_the_hosts_network() -> None:
    files = {
        "profiles/p": 'sysctls: {net.ipv4.tcp_rmem: "1 2 3", kernel.shmmax: 5}\n',
        "sessions/s": f"{SESSION}profile: p\nsettings: {{mgmt_net: host}}\n",
        "sessions/t": f"{SESSION}profile: p\n",
    }
    assert problems_between(files) == [
        "profiles/p.yaml:1:30: E0360: `net.ipv4.tcp_rmem` on the host's network (sessions/s.yaml:4) would be the host's own setting"
        "; try `tuning:` of the endpoint, or `mgmt_net: bridge`"
    ]


def test_network_is_not_named_like_the_engines_word_for_its_bridge() -> None:
    assert problems_between({"networks/default": "driver: bridge\n"}) == [
        "networks/default.yaml:1:1: E0122: `default` is a network of the engine itself; try another file name"
    ]


def test_ipv6_needs_packets_of_its_least_size() -> None:
    assert problems_between({"networks/six": "driver: bridge\nmtu: 1000\nsubnet6: fd00::/64\n"}) == [
        "networks/six.yaml:2:6: E0361: IPv6 needs packets of 1280 bytes (RFC 8200): the kernel gives no IPv6 address with less"
        "; try 1280 or more, or no `subnet6`"
    ]
    assert problems_between({"networks/six": "driver: bridge\nmtu: 1280\nsubnet6: fd00::/64\n"}) == []
