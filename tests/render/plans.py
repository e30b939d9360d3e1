"""Plans by hand, as the planner makes them, and plans by chance, as hostile as text can be."""

from __future__ import annotations

import re
from dataclasses import replace

from dtn_agent.protocol.vfs import ReleaseVf, SetVfCount
from dtn_agent.protocol.vlans import MakeVlan
from hypothesis import strategies as st

from dtnctl.model.actions import (
    CreateContainer,
    FinishTransfer,
    HostRequest,
    JobEnd,
    RemoveContainer,
    RestoreContainer,
    RetireContainer,
    StartContainer,
    StartTransfer,
    StopContainer,
    UpdateContainer,
    WaitHealthy,
)
from dtnctl.model.plan import MARKS, Cause, Change, EndpointSummary, FieldChange, Plan, Power, Step, TransferNote, Usage
from dtnctl.model.resources import ContainerSpec
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.render.text import PAINT

IMAGE = "dtnaas/gct:latest"


def endpoint(
    name: str, sessions: tuple[int, int] = (1, 1), ports: tuple[int, int] = (1, 1), lock: str = "", silence: str = ""
) -> EndpointSummary:
    return EndpointSummary(name, silence, lock, *sessions, *ports)


def plan(*changes: Change, **more: object) -> Plan:
    """A plan in the planner's order, on two endpoints that answer unless said otherwise."""
    values: dict[str, object] = {"endpoints": (endpoint("dtn-a"), endpoint("dtn-b")), "steps": (), "owned": 4} | more
    ordered = tuple(sorted(changes, key=lambda change: change.sort_key))
    return Plan(site="scinet", changes=ordered, **values)  # type: ignore[arg-type]  # keywords of this module's tests


EMPTY = plan(
    transfers=(
        TransferNote(
            "run13",
            1,
            "succeeded",
            "4294967296 bytes in 5.0 s, sha256 equal, receipt of 2026-07-01T10:00:00Z",
            "state/transfers/run13.yaml:1",
        ),
        TransferNote("run12", 2, "failed", "no space left on device; raise `generation` to run it again", "state/transfers/run12.yaml:4"),
    ),
    unchanged=("session/climate @ dtn-a", "session/climate @ dtn-b", "session/mirror @ dtn-a"),
)


# --- create on two endpoints --------------------------------------------------------------------------------


def _create(at: str, port: str, address: str) -> tuple[Change, tuple[Step, ...]]:
    steps = (
        Step(f"{at}/create/scinet.run14", at, CreateContainer("scinet.run14", ContainerSpec(IMAGE), (("dtnctl.name", "run14"),))),
        Step(f"{at}/start/scinet.run14", at, StartContainer("scinet.run14"), (f"{at}/create/scinet.run14",)),
    )
    change = Change(
        mark="create",
        kind="session",
        name="run14",
        endpoint=at,
        cause=Cause("declared, not there", "state/sessions/run14.yaml", 1),
        summary="creates container scinet.run14",
        allocations=(("image", IMAGE), ("ctrl port", port), ("data ports", "50100-50199"), ("star222 ipv4", address)),
        notes=(f"image {IMAGE} is pulled first",) if at == "dtn-b" else (),
        steps=tuple(step.id for step in steps),
        powers=(Power("mount", "/nvme/data → /data", is_over_host=True), Power("command", "sshd -D", is_over_host=False)),
    )
    return change, steps


_A, _A_STEPS = _create("dtn-a", "30000", "192.168.2.64")
_B, _B_STEPS = _create("dtn-b", "30001", "192.168.2.65")
CREATE = plan(
    _A,
    _B,
    steps=_A_STEPS + _B_STEPS,
    endpoints=(endpoint("dtn-a", (1, 2), (1, 2)), endpoint("dtn-b", (0, 1), (0, 1))),
    unchanged=("session/climate @ dtn-a",),
)

# --- replace with kept values -------------------------------------------------------------------------------

_UNDO = RestoreContainer("scinet.climate", "0c1d", start=True)
_GROUP = "dtn-a/scinet.climate"
_REPLACE_STEPS = (
    Step("dtn-a/stop/scinet.climate", "dtn-a", StopContainer("scinet.climate", "0c1d", 10), (), _GROUP, _UNDO),
    Step("dtn-a/retire/scinet.climate", "dtn-a", RetireContainer("scinet.climate", "0c1d"), ("dtn-a/stop/scinet.climate",), _GROUP, _UNDO),
    Step("dtn-a/wait/scinet.climate", "dtn-a", WaitHealthy("scinet.climate", 60, 0), ("dtn-a/retire/scinet.climate",), _GROUP, _UNDO),
    Step("dtn-a/remove/scinet.climate.old", "dtn-a", RemoveContainer("scinet.climate.old", "0c1d"), ("dtn-a/wait/scinet.climate",)),
)
_IMAGE_CAUSE = Cause("image differs", "state/sessions/climate.yaml", 14, "image")
REPLACE = plan(
    Change(
        mark="replace",
        kind="session",
        name="climate",
        endpoint="dtn-a",
        cause=_IMAGE_CAUSE,
        summary="replaces container scinet.climate",
        fields=(
            FieldChange("image", "dtnaas/xrootd@sha256:11aa", "dtnaas/xrootd@sha256:9f3c", True, _IMAGE_CAUSE),
            FieldChange("memory", "8 GiB", "64 GiB", False, Cause("memory differs", "state/profiles/big.yaml", 3, "memory")),
        ),
        kept=(("ctrl port", "30000"), ("data ports", "50000-50099"), ("star222 ipv4", "192.168.2.70")),
        notes=("image dtnaas/xrootd@sha256:9f3c is pulled first",),
        steps=tuple(step.id for step in _REPLACE_STEPS),
        interrupts="climate on dtn-a is down while it restarts",
    ),
    steps=_REPLACE_STEPS,
    unchanged=("session/climate @ dtn-b",),
)

# --- destroy, blocked, silent -------------------------------------------------------------------------------

_DESTROY_STEPS = (
    Step("dtn-c/stop/scinet.old-mirror", "dtn-c", StopContainer("scinet.old-mirror", "77fe", 10)),
    Step("dtn-c/remove/scinet.old-mirror", "dtn-c", RemoveContainer("scinet.old-mirror", "77fe"), ("dtn-c/stop/scinet.old-mirror",)),
)
DANGER = plan(
    Change(
        mark="blocked",
        kind="session",
        name="run15",
        endpoint="dtn-a",
        cause=Cause("it mounts /etc, the owner allows /nvme", "state/endpoints/dtn-a.yaml", 9, "allow.mounts"),
        summary="it mounts /etc, the owner allows /nvme",
        code="E0412",
        fix="ask the owner to extend allow.mounts in state/endpoints/dtn-a.yaml",
    ),
    Change(
        mark="destroy",
        kind="session",
        name="old-mirror",
        endpoint="dtn-c",
        cause=Cause("no file state/sessions/old-mirror.yaml any more"),
        summary="removes container scinet.old-mirror, running",
        steps=tuple(step.id for step in _DESTROY_STEPS),
        interrupts="old-mirror on dtn-c ends",
    ),
    steps=_DESTROY_STEPS,
    endpoints=(
        endpoint("dtn-a", (6, 6), (12, 12)),
        endpoint("dtn-c", (3, 2), (6, 4), lock="alice@ci-7, apply of 4f2c1e9"),
        endpoint("dtn-d", silence="ssh: connect to host dtn-d port 22: No route to host"),
    ),
    notes=("network old222 on dtn-c is used no more but stays: postgres, not ours, is on it",),
    owned=14,
    unchanged=("session/climate @ dtn-a",),
)

# --- a transfer that starts, one that only gets its receipt --------------------------------------------------

_SOURCE = JobEnd("dtn-a", "scinet.run14", "/data/1T", "127.0.0.1", 30000, "dtnaas")
_DESTINATION = JobEnd("dtn-b", "scinet.run14", "/data/1T_2", "192.168.2.65", 30001, "dtnaas")
_OPTIONS = TransferOptions()
_TRANSFER_STEPS = (
    Step("dtn-a/transfer/copy", "dtn-a", StartTransfer("copy", 1, 1, "gridftp", _SOURCE, _DESTINATION, IMAGE, _OPTIONS)),
    Step(
        "dtn-a/finish/copy",
        "dtn-a",
        FinishTransfer("copy", 1, 1, "gridftp", _SOURCE, _DESTINATION, _OPTIONS, True),
        ("dtn-a/transfer/copy",),
    ),
    Step("dtn-a/finish/old", "dtn-a", FinishTransfer("old", 1, 1, "gridftp", _SOURCE, _DESTINATION, _OPTIONS, False)),
)
TRANSFER = plan(
    Change(
        mark="transfer",
        kind="transfer",
        name="copy",
        endpoint="dtn-a",
        cause=Cause("no record of it", "state/transfers/copy.yaml", 5, "generation"),
        summary="generation 1 starts once: dtn-a:/data/1T → dtn-b:/data/1T_2 by gridftp",
        allocations=(("session", "run14"), ("streams", "4"), ("verify", "checksum")),
        steps=("dtn-a/transfer/copy", "dtn-a/finish/copy"),
    ),
    Change(
        mark="transfer",
        kind="transfer",
        name="old",
        endpoint="dtn-a",
        cause=Cause("it ended with exit code 0 and has no receipt", "state/transfers/old.yaml", 1),
        summary="generation 1 judges and records its result; starts nothing: dtn-a:/data/2T → dtn-b:/data/2T by gridftp",
        steps=("dtn-a/finish/old",),
    ),
    steps=_TRANSFER_STEPS,
)

# --- drift --------------------------------------------------------------------------------------------------

_DRIFT_CAUSE = Cause("cpus differs", "state/profiles/small.yaml", 4, "cpus")
_DRIFT_STEP = Step("dtn-b/update/scinet.beta", "dtn-b", UpdateContainer("scinet.beta", cpus=4.0))
DRIFT = plan(
    Change(
        mark="update",
        kind="session",
        name="beta",
        endpoint="dtn-b",
        cause=_DRIFT_CAUSE,
        summary="changes container scinet.beta in place",
        fields=(FieldChange("cpus", "", "4", False, _DRIFT_CAUSE),),
        steps=(_DRIFT_STEP.id,),
        is_drift=True,
    ),
    steps=(_DRIFT_STEP,),
)

# --- the hosts themselves -----------------------------------------------------------------------------------

_COUNT = HostRequest(SetVfCount(site="scinet", pf="ens1f0", count=8), "make", "8 virtual functions of ens1f0")
_VLAN = HostRequest(MakeVlan(site="scinet", parent="ens1f1", vlan=310, mtu=9000), "make", "VLAN ens1f1.310")
_RELEASE = HostRequest(ReleaseVf(site="scinet", pf="ens2f0", index=1), "release", "virtual function 0000:b1:00.3")
_HOST_STEPS = (
    Step("dtn-a/vfs/ens1f0", "dtn-a", _COUNT),
    Step("dtn-a/vlan/ens1f1.310", "dtn-a", _VLAN),
    Step("dtn-b/release.0000:b1:00.3/run13", "dtn-b", _RELEASE),
)
_COUNT_CAUSE = Cause("declared, not there", "state/endpoints/dtn-a.yaml", 5, "vfs")
HARDWARE = plan(
    Change(
        mark="create",
        kind="vfs",
        name="ens1f0",
        endpoint="dtn-a",
        cause=_COUNT_CAUSE,
        summary="makes 8 virtual functions on ens1f0",
        fields=(FieldChange("virtual functions", "0", "8", False, _COUNT_CAUSE),),
        steps=("dtn-a/vfs/ens1f0",),
    ),
    Change(
        mark="create",
        kind="vlan",
        name="ens1f1.310",
        endpoint="dtn-a",
        cause=Cause("network lab310 uses it", "state/networks/lab310.yaml", 2, "vlan"),
        summary="makes VLAN sub-interface ens1f1.310",
        allocations=(("vlan", "310"), ("mtu", "9000")),
        steps=("dtn-a/vlan/ens1f1.310",),
    ),
    Change(
        mark="destroy",
        kind="vfs",
        name="ens2f0",
        endpoint="dtn-b",
        cause=Cause("it is held for session run13, which is not here any more"),
        summary="releases virtual function 0000:b1:00.3 of ens2f0 and restores it as it was found",
        steps=("dtn-b/release.0000:b1:00.3/run13",),
    ),
    steps=_HOST_STEPS,
    endpoints=(
        replace(endpoint("dtn-a"), vfs=Usage(0, 0, 8), cpus=((0, Usage(0, 0, 16)), (1, Usage(4, 4, 16)))),
        replace(endpoint("dtn-b"), vfs=Usage(2, 1, 4), cpus=((0, Usage(8, 4, 16)), (1, Usage(0, 4, 16)))),
    ),
)

BY_HAND = {
    "empty": EMPTY,
    "create": CREATE,
    "replace": REPLACE,
    "danger": DANGER,
    "transfer": TRANSFER,
    "drift": DRIFT,
    "hardware": HARDWARE,
}

# --- what a CI system obeys ---------------------------------------------------------------------------------

# Written out as actions/runner reads a line (ActionCommand.cs): `::name …::` after any spaces, and `##[name]` anywhere in it.
COMMAND_LINE = re.compile(r"^\s*::\s*[A-Za-z-]+(\s.*)?::|##\[")


def obeyed(text: str) -> list[str]:
    """Lines that GitHub's runner would carry out if they stood in a log."""
    return [line for line in text.split("\n") if COMMAND_LINE.search(PAINT.sub("", line))]


# --- by chance ----------------------------------------------------------------------------------------------

WORDS = st.sampled_from(["", "port", "30000", "dtn-a", "a b", "→", "·", "it is exited (exit code 1)", "x" * 50, "192.168.2.64"])
NASTY = st.sampled_from(
    [
        "@octocat", "@org/team", "#1", "GH-12", "owner/repo#3", "https://evil.example/x", "www.evil.example", "mail@evil.example",
        "<b>", "<!--", "-->", "<script>alert(1)</script>", "</details>", "&amp;", "`", "```", "````\n", "``` ", "~~~", "|", "\\|", "\\",
        "\n", "\r\n", "\n\n# head", "\n- item", "> quote", "*a*", "_a_", "__a__", "~~a~~", "[a](http://evil.example)", "![a](b)", "[^1]",
        "\x1b[31m", "\x1b]0;title\x07", "\x08", "\u202e", "\u200b", "\u2028", "\ud800", "\x00",
        "日本", "é", "😀", ":tada:", "$x$", "1.", "---",
        "::error file=x::forged", " ::stop-commands::x", "##[error]forged", "::endgroup::",
    ]
)  # fmt: skip
TEXT = st.one_of(
    WORDS,
    st.builds("{}{}{}".format, WORDS, NASTY, WORDS),
    st.builds("{}{}".format, NASTY, NASTY),
    st.text(max_size=6),
)
NAME = st.one_of(TEXT, st.sampled_from(["run14", "climate", "old-mirror"]))
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
CAUSES = st.builds(Cause, TEXT, TEXT, st.integers(0, 99), TEXT)
FIELDS = st.builds(FieldChange, TEXT, TEXT, TEXT, st.booleans(), CAUSES)
CHANGES = st.builds(
    Change,
    mark=st.sampled_from(MARKS),
    kind=st.sampled_from(["session", "network", "transfer", "ledger", "vfs", "vlan", "tuning"]),
    name=NAME,
    endpoint=NAME,
    cause=CAUSES,
    summary=TEXT,
    fields=st.lists(FIELDS, max_size=2).map(tuple),
    allocations=PAIRS,
    kept=PAIRS,
    notes=st.lists(TEXT, max_size=2).map(tuple),
    is_drift=st.booleans(),
    interrupts=TEXT,
    code=TEXT,
    fix=TEXT,
    powers=st.lists(st.builds(Power, TEXT, TEXT, st.booleans()), max_size=3).map(tuple),
)
COUNT = st.integers(0, 5000)
USAGES = st.builds(Usage, COUNT, COUNT, COUNT)
CPUS = st.lists(USAGES, max_size=4).map(lambda usages: tuple(enumerate(usages)))
ENDPOINTS = st.builds(EndpointSummary, NAME, TEXT, TEXT, COUNT, COUNT, COUNT, COUNT, st.none() | USAGES, CPUS)
NOTES = st.builds(TransferNote, NAME, st.integers(1, 9), st.one_of(TEXT, st.sampled_from(["succeeded", "running", "failed"])), TEXT, TEXT)


def _with_twins(changes: list[Change], twins: bool) -> list[Change]:
    """With twins, each change also on a second endpoint, so that headings are shared."""
    second = [
        replace(change, endpoint=f"{change.endpoint}-2", allocations=change.allocations[:1], notes=change.notes[1:]) for change in changes
    ]
    return changes + second * twins


PLANS = st.builds(
    lambda changes, twins, **values: plan(*_with_twins(changes, twins), **values),
    changes=st.lists(CHANGES, max_size=3),
    twins=st.booleans(),
    endpoints=st.lists(ENDPOINTS, max_size=2).map(tuple),
    transfers=st.lists(NOTES, max_size=7).map(tuple),
    notes=st.lists(TEXT, max_size=1).map(tuple),
    owned=COUNT,
    unchanged=st.lists(TEXT, max_size=3).map(tuple),
)
