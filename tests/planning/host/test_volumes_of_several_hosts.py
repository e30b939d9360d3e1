"""A volume that several hosts use: who may connect, and that one of them writes at most."""

from __future__ import annotations

from tests.planning.building import plan
from tests.planning.dtns import agent, carry_out, session
from tests.planning.host.volume_lab import (
    RAW,
    READS,
    WRITES,
    after,
    before,
    codes,
    endpoint,
    lab,
    reads,
    told,
)
from tests.planning.listing import details, steps
from tests.planning.volumes import host_nqn


def test_exactly_the_hosts_that_use_it_are_allowed() -> None:
    made = after(lab(reads()))
    carry_out(lab(session("one", READS, on="a, c")), made)
    assert agent(made, "b").machine.held.exports[0].hosts == (host_nqn("a"), host_nqn("c"))
    found = carry_out(lab(reads(on="c")), made)
    assert "b/export-volume/scratch <- a/disconnect-volume/scratch" in steps(found)
    assert agent(made, "b").machine.held.exports[0].hosts == (host_nqn("c"),)


def test_a_writer_lets_go_before_another_host_mounts() -> None:
    made = after(lab(session("one", WRITES, on="a")))
    found = carry_out(lab(session("one", WRITES, on="c")), made)
    assert "c/connect-volume/scratch <- a/disconnect-volume/scratch, b/export-volume/scratch" in steps(found)
    found = carry_out(lab(session("one", READS, on="a, c")), made)
    assert "a/connect-volume/scratch <- c/mount-volume/scratch, b/export-volume/scratch" in steps(found)


def test_a_device_that_no_file_names_any_more_counts_as_written() -> None:
    device = '{volumes: ["nvme:scratch:/dev/scratch"]}'
    made = after(lab(RAW, session("one", device, on="a")))
    found = carry_out(lab(RAW, session("one", device, on="c")), made)
    assert "c/connect-volume/scratch <- a/disconnect-volume/scratch, b/export-volume/scratch" in steps(found)


def test_a_host_that_keeps_it_is_the_only_one_that_may_write() -> None:
    made = after(lab(session("one", WRITES, on="a")))
    declared = lab(session("one", WRITES, on="c"))
    assert codes(plan(declared, made, excludes=("endpoint/a",))) == [
        "E0457 session/one @ c: volume scratch has one writer: a writes it for a session that no file declares any more and keeps it, "
        "and session one on c asks for it at state/sessions/one.yaml:4"
    ]


def test_a_host_that_does_not_answer_may_still_write() -> None:
    made = after(lab(session("one", WRITES, on="a")))
    made.hosts["a"].silence = "no answer"
    (found,) = codes(plan(lab(session("one", WRITES, on="c")), made))
    assert found == "E0457 session/one @ c: volume scratch has one writer, and a, to which it is exported, may write it and does not answer"


def test_one_that_never_answers_again_lets_others_write_once_its_file_is_removed() -> None:
    made = after(lab(session("one", WRITES, on="a")))
    made.hosts["a"].silence = "no answer"
    without = lab(session("one", WRITES, on="c"), endpoints=endpoint("b") + endpoint("c"))
    found = plan(without, made)
    assert codes(found) == []
    assert "  hosts: nqn.2014-08.org.nvmexpress:uuid:a -> c (state/volumes/scratch.yaml:1)" in details(found)
    assert "c/connect-volume/scratch <- b/export-volume/scratch" in steps(found)


def test_a_host_that_reads_and_does_not_answer_hinders_no_reader() -> None:
    made = after(lab(reads(on="a")))
    made.hosts["a"].silence = "no answer"
    declared = lab(reads(on="a"), reads("two", on="c"))
    found = plan(declared, made)
    assert not codes(found)
    made.apply(found)
    assert agent(made, "b").machine.held.exports[0].hosts == (host_nqn("a"), host_nqn("c"))


def test_two_hosts_of_one_name_are_refused() -> None:
    declared = lab(reads())
    (found,) = codes(plan(declared, before(declared, c=told("c", host_nqn=host_nqn("a")))))
    assert found == (
        "E0453 session/one @ a: a and c have one NVMe host NQN, nqn.2014-08.org.nvmexpress:uuid:a: images of one machine have it in common"
    )
