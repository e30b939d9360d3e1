"""Declared tools: command lines, files of ssh, progress and verdicts by their definitions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dtnctl.model.actions import JobEnd
from dtnctl.model.declared_tools import DeclaredFailure, DeclaredTool, ProgressPattern, SuccessPatterns, ToolOption
from dtnctl.model.transfer_options import TransferOptions
from dtnctl.movers.base import Access, Entry, Evidence, JobRequest, Listing, Login, listens_on
from dtnctl.movers.command import MOVER, Reader

HERE = JobEnd("a", "lab.s", "/data/it's", "127.0.0.1", 22, "dtn")
THERE = JobEnd("b", "lab.s", "/data/in/x y", "fd00::2", 30001, "dtn", data_host="fd00::3", data_ports=(50100, 50109), listens=(50109,))
TOOL = DeclaredTool("copier", "files", ("copy",), logs_in_at=("destination",))
FILE = Listing("file", {"": Entry(1000, "1")})
SUMS = ({"": "0"}, {"": "0"})


def client(*words: str, source: JobEnd = HERE, **options: object) -> tuple[str, ...]:
    """The client's words as they would run; `options` as in TransferOptions, with the tool's own words for them."""
    arguments: tuple[tuple[ToolOption, tuple[str, ...]], ...]
    arguments = (("block_size", ("-b", "{value}")), ("links", ("-L",)), ("parallelism", ("-P{value}",)), ("recursive", ("-r",)))
    tool = replace(TOOL, client=words, options=arguments)
    settings = replace(TransferOptions(own=tool), **options)  # type: ignore[arg-type]  # tests write what the options take
    return MOVER.client(JobRequest(source, THERE, settings, folder="/dtnctl"))


def test_a_word_stays_one_argument_whatever_a_path_has_in_it() -> None:
    assert client("copy", "{source}", "{user}@{url_control_host}:{destination}") == ("copy", "/data/it's", "dtn@[fd00::2]:/data/in/x y")
    assert client("{source_folder}|{source_name}|{destination_folder}|{destination_name}") == ("/data|it's|/data/in|x y",)
    assert client("{source_quoted} {destination_name_quoted}") == ("""'/data/it'"'"'s' 'x y'""",)
    assert client("{source_folder}", source=replace(HERE, path="/x")) == ("/",)
    assert client("{source_folder}|{source_name}", source=replace(HERE, path="/data/tree/")) == ("/data/tree|",)


def test_places_of_the_destination_have_their_names() -> None:
    words = ("{control_host}", "{control_port}", "{data_host}", "{url_data_host}", "{port}", "{low_port}-{high_port}", "{port_count}")
    assert client(*words) == ("fd00::2", "30001", "fd00::3", "[fd00::3]", "50109", "50100-50109", "10")
    assert client("-e", "{ssh}", "{folder}", "{{x}}") == ("-e", "ssh -F /dtnctl/ssh_config", "/dtnctl", "{x}")


def test_options_that_are_asked_for_have_their_words_at_their_place() -> None:
    assert client("copy", "{options}", "x") == ("copy", "-P4", "x")
    wanted = client("copy", "{options}", "x", block_size=4096, links="follow", recursive=True, parallelism=8)
    assert wanted == ("copy", "-b", "4096", "-L", "-P8", "-r", "x")


def test_a_server_finds_the_destinations_folder_and_is_probed_at_its_port() -> None:
    tool = replace(TOOL, server=("serve", "{port}", "{destination}"))
    request = JobRequest(HERE, THERE, TransferOptions(own=tool))
    assert MOVER.server(request)[3:] == ("server", "/data/in", "serve", "50109", "/data/in/x y")
    assert MOVER.listening(request) == listens_on(50109)
    measurement = replace(tool, moves="memory", server=("serve", "{port}"), ready=("probe", "{port}"))
    request = JobRequest(HERE, THERE, TransferOptions(own=measurement))
    assert (MOVER.server(request), MOVER.listening(request)) == (("serve", "50109"), ("probe", "50109"))


def test_ssh_knows_the_ends_by_name_and_the_destination_by_its_host() -> None:
    request = JobRequest(HERE, THERE, TransferOptions(own=TOOL), folder="/dtnctl")
    logins = {"source": Login(HERE, b"KEY1", "ssh-ed25519 A"), "destination": Login(replace(THERE, user=""), b"KEY2", "ssh-ed25519 B")}
    files = {file.path: file.content.decode() for file in MOVER.client_files(request, Access(logins, "secret"))}  # type: ignore[arg-type]  # literals
    assert sorted(files) == ["/dtnctl/id_destination", "/dtnctl/id_source", "/dtnctl/known_hosts", "/dtnctl/ssh_config"]
    config = files["/dtnctl/ssh_config"]
    assert "Host source\n    HostName 127.0.0.1\n    Port 22\n    User dtn\n    HostKeyAlias source\n" in config
    assert "Host destination fd00::2\n    HostName fd00::2\n    Port 30001\n    HostKeyAlias destination\n" in config
    assert "StrictHostKeyChecking yes" in config.partition("Host *")[2]
    assert MOVER.client_files(request, Access({}, "secret")) == ()


# --- progress -----------------------------------------------------------------------------------------------


def test_progress_is_what_the_pattern_says_in_whole_lines() -> None:
    pattern = ProgressPattern(r"(?P<bytes>[\d.]+) ?(?P<unit>\w*B) at (?P<rate>\d+)(?P<rate_unit>\w+)/s")
    reader = Reader(pattern, 0)
    assert reader.feed(b"1.5 MB at 8") is None
    moved = reader.feed(b"Mbit/s\rnothing here\r\n2 M")
    assert moved is not None
    assert (moved.bytes, moved.rate, moved.is_moving) == (1_500_000, 1_000_000.0, True)
    again = reader.feed(b"B at 0Mbit/s\n2 MB at 0Mbit/s\n")
    assert again is not None
    assert (again.bytes, again.rate, again.is_moving) == (2_000_000, 0.0, True)
    stalled = reader.feed(b"2 MB at 0Mbit/s\n")
    assert stalled is not None
    assert not stalled.is_moving


def test_intervals_are_added_percents_are_of_the_source_and_a_rate_alone_moves() -> None:
    intervals = Reader(ProgressPattern(r"(?P<bytes>\d+)", counts="interval"), 0)
    said = [intervals.feed(b"10\n"), intervals.feed(b"0\n"), intervals.feed(b"5\n5\n")]
    assert [(moved.bytes, moved.is_moving) for moved in said if moved] == [(10, True), (10, False), (20, True)]
    percents = Reader(ProgressPattern(r"(?P<percent>[\d.]+)%"), 2000)
    moved = percents.feed(b"50%\n")
    assert moved is not None
    assert (moved.bytes, moved.rate) == (1000, None)
    rates = Reader(ProgressPattern(r"(?P<rate>\d+)"), 0)
    assert [moved.is_moving for chunk in (b"5\n", b"0\n") if (moved := rates.feed(chunk))] == [True, False]
    assert Reader(None, 0).feed(b"anything\n") is None


def test_a_line_that_never_ends_is_not_kept_for_ever() -> None:
    reader = Reader(ProgressPattern(r"(?P<bytes>\d+)"), 0)
    for _ in range(5):
        reader.feed(b"x" * 100_000)
    assert len(reader._rest) <= 64 * 1024


# --- verdict ------------------------------------------------------------------------------------------------


def judged(tool: DeclaredTool, exit_code: int, log: str, server_log: str = "") -> tuple[str, str, bool]:
    """(verdict, cause or evidence, retryable); a copy arrived whole."""
    seen = {} if tool.moves == "memory" else {"before": FILE, "source": FILE, "destination": FILE, "sums": SUMS}
    evidence = Evidence(exit_code, log, server_log=server_log, **seen)  # type: ignore[arg-type]  # of one kind each
    found = MOVER.judge(evidence, TransferOptions(own=tool))
    return found.verdict, (found.cause or found.verified).partition("; at the dest")[0], found.retryable


def test_exit_code_0_and_equal_checksums_are_a_success() -> None:
    assert judged(TOOL, 0, "") == ("succeeded", "md5 of 1 file equal at both ends", False)
    assert judged(TOOL, 3, "") == ("failed", "copier failed and does not say why (exit code 3)", True)
    assert judged(TOOL, 137, "") == ("failed", "somebody or something stopped the job (exit code 137)", False)


def test_a_cause_is_that_of_the_first_failure_that_either_side_says_else_a_known_one() -> None:
    failures = (
        DeclaredFailure("cannot open (?P<what>.+)", "no {what}\x1b", retryable=False),
        DeclaredFailure("busy", "it is busy", retryable=True),
    )
    tool = replace(TOOL, failures=failures)
    assert judged(tool, 1, "busy\nx: cannot open /a\rdone\n") == ("failed", "no /a (exit code 1)", False)
    assert judged(tool, 1, "", "busy\n") == ("failed", "it is busy (exit code 1)", True)
    assert judged(tool, 1, "Host key verification failed.")[1].startswith("the host key on the control port is not the one")
    assert judged(tool, 1, "", "write: No space left on device") == ("failed", "the disk at the destination is full (exit code 1)", False)
    assert judged(replace(tool, logs_in_at=()), 1, "Host key verification failed.")[1].startswith("copier failed")


@pytest.mark.parametrize(
    ("success", "log", "server_log", "cause"),
    [
        (SuccessPatterns(client_has="^done$"), "almost\n", "", "its output has no line with '^done$'"),
        (SuccessPatterns(client_lacks="Ignoring .*"), "Ignoring link x\n", "", "its output has 'Ignoring link x'"),
        (SuccessPatterns(server_has="bytes: 5"), "bytes: 5", "", "its server's output has no line with 'bytes: 5'"),
        (SuccessPatterns(server_lacks="error"), "", "an error\n", "its server's output has 'error'"),
    ],
)
def test_exit_code_0_alone_does_not_convince(success: SuccessPatterns, log: str, server_log: str, cause: str) -> None:
    assert judged(replace(TOOL, success=success), 0, log, server_log) == ("failed", f"{cause} (exit code 0)", True)


def test_what_convinces_may_stand_in_any_line_of_both_sides() -> None:
    success = SuccessPatterns("^done$", "error", "^done$", "error")
    assert judged(replace(TOOL, success=success), 0, "a\ndone\nb", "done\r\n")[0] == "succeeded"


def test_a_failure_that_is_known_says_more_than_a_missing_line() -> None:
    tool = replace(TOOL, success=SuccessPatterns("done"), failures=(DeclaredFailure("refused", "it was refused", retryable=False),))
    assert judged(tool, 0, "refused\n") == ("failed", "it was refused (exit code 0)", False)


def test_a_measurement_counts_what_the_server_says_else_the_client() -> None:
    both = SuccessPatterns(client_has="sent (?P<bytes>[0-9.]+)(?P<unit>[A-Z]*)", server_has="got (?P<bytes>[0-9.]+)")
    tool = replace(TOOL, moves="memory", success=both)
    found = MOVER.judge(Evidence(0, "sent 7", server_log="got 5"), TransferOptions(own=tool))
    assert (found.verdict, found.bytes, found.verified) == ("succeeded", 5, "as its output says")
    client_alone = replace(tool, success=replace(both, server_has=None), progress=ProgressPattern("(?P<bytes>x)", k_is=1024))
    assert MOVER.judge(Evidence(0, "sent 2M"), TransferOptions(own=client_alone)).bytes == 2097152
    assert judged(tool, 0, "sent 0", "got 0") == ("failed", "it ended well, but its output has no bytes in it", True)
