"""What a file in state/tools may say, by itself and to the transfers that name it."""

from __future__ import annotations

import pytest

from dtnctl.model.declared_tools import DeclaredTool, read_own_options, row_of
from dtnctl.model.plan import as_data
from dtnctl.model.source import Source
from dtnctl.model.tool_files import ToolFile
from dtnctl.model.tool_patterns import amount, fill_text, find_line
from dtnctl.model.tool_words import fill_word, words_for_shells
from dtnctl.repository.load import validate
from dtnctl.repository.yaml_source import parse_source
from tests.model.sites import objects, problems

COPY = "moves: files\nlogs_in_at: [destination]\n"
OVER_SSH = COPY + 'client: [copy, -F, "{ssh_config}", "{source}", "{control_host}:{destination}"]\n'
SERVED = 'moves: files\nserver: [serve, "{port}"]\nclient: [copy, "{source}", "{data_host}:{port}"]\n'
MEASURE = 'moves: memory\nserver: [test, -s, "{port}"]\nclient: [test, "{data_host}"]\nsuccess: {server_has: "(?P<bytes>[0-9]+) bytes"}\n'
SESSION = "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/data'], data_port_range: [50100, 50199]}\n"
TRANSFER = "from: a:/data/x\nto: b:/data/x\ntool: copier\n"


def alone(text: str) -> list[str]:
    """What is wrong with the file by itself."""
    source = Source("tools/copier.yaml")
    parse_source(text.encode(), source)
    validate(source, ToolFile)
    return [str(problem) for problem in source.problems]


def together(text: str, transfer: str = TRANSFER, session: str = SESSION, **broken: set[str]) -> list[str]:
    """What is wrong with a tool `copier` and a transfer by it."""
    return problems({"tools/copier": text, "sessions/s": session, "transfers/t": transfer}, **broken)


def tool(text: str) -> DeclaredTool:
    file = objects({"tools/copier": text}).tools["copier"].value
    assert isinstance(file, ToolFile)
    return file.declared("copier")


@pytest.mark.parametrize("text", [OVER_SSH, SERVED])
def test_a_tool_is_declared_in_its_file_alone(text: str) -> None:
    assert (alone(text), together(text)) == ([], [])


def test_a_measurement_has_ends_without_paths() -> None:
    assert together(MEASURE, "from: a\nto: b\ntool: copier\n") == []
    [line] = together(MEASURE, "from: a\nto: b:/data/x\ntool: copier\n")
    assert line == "transfers/t.yaml:2:5: E0207: copier measures from memory to memory and takes no path: write `b`"
    [line] = together(OVER_SSH, "from: a\nto: b:/data/x\ntool: copier\n")
    assert line == "transfers/t.yaml:1:7: E0207: copier copies files: write `a:/path`"


# --- words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("{sorce}", "E0206: `client[1]`: {sorce} is none of the placeholders; write {source}, or {{sorce}} for braces in the argument"),
        ("{awk}", "E0206: `client[1]`: {awk} is none of the placeholders; write {{awk}} for braces in the argument"),
        ("x{options}", "E0206: `client[1]`: {options} is none of the placeholders; write {{options}} for braces in the argument"),
        ("x" * 5000, "E0206: `client[1]`: an argument has at most 4096 characters, and no NUL"),
    ],
)
def test_a_word_that_cannot_be_an_argument_is_reported_at_its_place(word: str, problem: str) -> None:
    [line] = alone(f'moves: files\nclient: [copy, "{word}"]\n')
    assert line == f"tools/copier.yaml:2:16: {problem}"


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        (OVER_SSH + "options: {recursive: [-r]}\n", "3:1", "the arguments of `options` need one place in `client`, and there are 0"),
        (SERVED.replace("{source}", "{ssh_config}"), "3:16", "{ssh_config} needs a login; try `logs_in_at: [destination]`"),
        (OVER_SSH.replace("{source}", "{port}"), "3:36", "{port} needs a server"),
        (OVER_SSH.replace("{source}", "{value}"), "3:36", "{value} is the value of an option"),
        (SERVED.replace("serve,", "serve, '{source}',"), "2:17", "{source} is not known in the server's container"),
        (SERVED.replace("serve,", "serve, '{options}',"), "2:17", "{options} has its place in `client`; try to remove it"),
        (MEASURE.replace("{data_host}", "{destination}"), "3:16", "{destination} is a path, and a measurement has none"),
        (MEASURE + "reads_source: true\n", "5:15", "a measurement reads no files"),
        (MEASURE + "options: {recursive: []}\n", "5:1", "a measurement has neither `recursive` nor `links`"),
        (MEASURE.replace("?P<bytes>", ""), "4:1", "a measurement needs a pattern with a group (?P<bytes>…)"),
        (OVER_SSH + "ready: [test]\n", "4:1", "`ready` is about a server, and there is none"),
        (OVER_SSH + "success: {server_has: x}\n", "4:23", "`server_has` is about a server, and there is none"),
        ("moves: files\nclient: [copy]\n", "2:1", "nothing of it is at the destination; try `server: […]`, or `logs_in_at: [destination]`"),
    ],
)
def test_what_does_not_go_together_is_reported_where_it_is_written(text: str, place: str, problem: str) -> None:
    [line] = problems({"tools/copier": text})
    assert line.startswith(f"tools/copier.yaml:{place}: E0347: {problem}"), line


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ('[ssh, -F, "{ssh_config}", "{control_host}", "cat > {destination}"]', "destination"),
        ('[/usr/bin/ssh, "{control_host}", "cat", "{destination_folder}/x"]', "destination_folder"),
        ('[bash, -e, -c, "tar -c {source}"]', "source"),
    ],
)
def test_a_path_in_an_argument_that_a_shell_reads_must_be_quoted(client: str, name: str) -> None:
    [line] = problems({"tools/copier": f"{COPY}client: {client}\n"})
    assert f"E0347: a shell reads this argument, and {{{name}}} may hold anything that a shell obeys; try {{{name}_quoted}}" in line
    assert problems({"tools/copier": f"{COPY}client: {client.replace(name + '}', name + '_quoted}')}\n"}) == []


def test_arguments_after_a_script_are_no_language_of_the_shell() -> None:
    assert list(words_for_shells(("bash", "-c", 'tar -c "$1"', "tar", "{source}"))) == [2]
    assert list(words_for_shells(("rsync", "-e", "{ssh}", "{source}"))) == []
    assert list(words_for_shells(("gcc", "-O", "-c", "{source}"))) == []


def test_braces_are_doubled_and_other_ones_stay() -> None:
    assert fill_word("{{print}} ${x:-{a}} {A}", {"a": "/b"}) == "{print} ${x:-/b} {A}"


# --- patterns -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("", "a pattern has 1 to 300 characters"),
        ("x" * 301, "a pattern has 1 to 300 characters"),
        ("(", "this is no regular expression of Python: missing ), unterminated subpattern at position 0"),
        ("(a+)+", "a group with `*`, `+`, `{n,}` or `|` in it is repeated without limit, which can take for ever; write it flat"),
        ("((a|b)x){2,}", "a group with `*`, `+`, `{n,}` or `|` in it is repeated without limit, which can take for ever; write it flat"),
        ("(((a{3,})))*", "a group with `*`, `+`, `{n,}` or `|` in it is repeated without limit, which can take for ever; write it flat"),
    ],
)
def test_a_pattern_that_cannot_be_searched_for_is_refused(pattern: str, problem: str) -> None:
    lines = alone(OVER_SSH + f"success: {{client_has: '{pattern}'}}\n")
    assert lines == [f"tools/copier.yaml:4:23: E0206: `success.client_has`: {problem}"]


@pytest.mark.parametrize("pattern", [r"(a+)?", r"(?:ab){1,5}[(+]+", r"\(a+\)+", r"(a|b)x*", "[]()*]+x", r"(?P<bytes>[\d.]+)\s*(KiB|MiB)"])
def test_what_is_repeated_within_limits_may_be_searched_for(pattern: str) -> None:
    assert alone(OVER_SSH + f"success: {{client_has: '{pattern}'}}\n") == []


def test_progress_needs_a_group_that_says_how_far_it_is() -> None:
    [line] = alone(OVER_SSH + "progress: {pattern: '(?P<unit>x)'}\n")
    assert line.endswith("E0206: `progress.pattern`: it has none of the groups (?P<bytes>…), (?P<percent>…) and (?P<rate>…)")
    [line] = alone(OVER_SSH + "progress: {pattern: '(?P<bits>x)'}\n")
    assert line.endswith("there is no group `bits` of progress; its groups are bytes, unit, rate, rate_unit, percent")


def test_a_cause_names_groups_of_its_pattern() -> None:
    failures = "failures: [{pattern: 'open (?P<what>.+): (.+)', cause: '%s', retryable: false}]\n"
    assert alone(OVER_SSH + failures % "{what}: {2} of {0}") == []
    [line] = alone(OVER_SSH + failures % "{what}: {3}")
    assert line.endswith("E0207: `failures[0]`: `cause` names {3}, which is no group of `pattern`")
    match = find_line("open (?P<what>.+): (.+)(x)?", "a\ropen /x: no\rb")
    assert match is not None
    assert fill_text("{what} {2}{3} {{0}}", match) == "/x no {open /x: no}"


@pytest.mark.parametrize(
    ("number", "unit", "thousand", "expected"),
    [
        ("1,024", "", 1000, 1024),
        ("1.5", "MiB", 1000, 1572864),
        ("2", "MB/s", 1000, 2e6),
        ("2", "M", 1024, 2097152),
        ("8", "Gbit/s", 1000, 1e9),
        ("8", "kb", 1000, 1000),
        ("8", "kBytes", 1000, 8000),
        ("8", "parsecs", 1000, None),
        ("x", "B", 1000, None),
        (None, "B", 1000, None),
    ],
)
def test_amounts_are_in_bytes(number: str | None, unit: str, thousand: int, expected: float | None) -> None:
    assert amount({"bytes": number, "unit": unit}, "bytes", "unit", thousand) == expected


# --- what it is to others -----------------------------------------------------------------------------------


def test_its_row_says_what_its_file_says() -> None:
    over_ssh, served, measured = (tool(text).row for text in (OVER_SSH, SERVED, MEASURE))
    assert (over_ssh.ports, over_ssh.programs, over_ssh.server_programs, over_ssh.reads_source) == ("none", ("copy", "ssh"), (), True)
    assert (served.ports, served.programs, served.server_programs) == ("server", ("copy",), ("serve",))
    assert (measured.moves, measured.reads_source, measured.has_server) == ("memory", False, True)
    controls = tool(COPY.replace("[destination]", "[source, destination]") + "reads_source: false\nclient: [copy]\n").row
    assert (controls.reads_source, controls.logs_in_at) == (False, ("source", "destination"))


def test_a_tool_that_names_data_ports_needs_some_at_the_destination() -> None:
    text = OVER_SSH.replace("copy,", "copy, '{low_port}', '{port_count}',")
    assert together(text) == []
    [line] = together(text, session=SESSION.replace(", data_port_range: [50100, 50199]", ""))
    assert line == (
        "transfers/t.yaml:3:7: E0344: copier needs data ports of the destination, and session s has none on b; "
        "try `data_port_range: [50100, 50199]` in its profile"
    )


def test_it_has_the_options_that_its_file_has_arguments_for() -> None:
    text = OVER_SSH.replace("copy,", "copy, '{options}',") + "options: {parallelism: [-t, '{value}'], recursive: [-r]}\n"
    folder = "from: a:/data/x/\nto: b:/data/x/\ntool: copier\nrecursive: true\nparallelism: 8\nverify: size\n"
    assert together(text, folder) == []
    assert together(text, TRANSFER + "block_size: 4MiB\n") == [
        "transfers/t.yaml:4:13: E0343: copier has no `block_size`; try to remove it, or `tool: gridftp`"
    ]
    assert together(text, TRANSFER + "options: {a: 1}\n") == [
        "transfers/t.yaml:4:1: E0343: copier has no options of its own; try to remove them"
    ]
    links = text.replace("recursive:", "links: [-L], recursive:")
    assert together(links, folder + "links: follow\n") == []
    assert together(links, folder + "links: omit\n") == [
        "transfers/t.yaml:7:8: E0343: copier follows links where it is asked to, and leaves none out; try `links: follow`, or to remove it"
    ]
    assert "E0343: copier has no `stall_timeout`" in together(text, TRANSFER + "stall_timeout: 5\n")[0]
    assert together(text + "progress: {pattern: '(?P<bytes>x)'}\n", TRANSFER + "stall_timeout: 5\n") == []


def test_a_transfer_names_a_tool_that_there_is() -> None:
    [line] = together(OVER_SSH, TRANSFER.replace("copier", "copyer"))
    assert line.startswith("transfers/t.yaml:3:7: E0204: `tool` cannot be `copyer`, only gridftp, ")
    assert line.endswith(" or copier; try copier")
    [line] = together(OVER_SSH, TRANSFER.replace("copier", "fax"))
    assert line.endswith(" or copier")
    [line] = problems({"sessions/s": SESSION, "transfers/t": TRANSFER.replace("copier", "globus")})
    assert line.endswith("; try gridftp")


def test_a_tool_whose_file_is_broken_is_not_missed() -> None:
    files = {"sessions/s": SESSION, "transfers/t": TRANSFER}
    assert problems(files, tools={"copier"}) == []


def test_a_built_in_tool_cannot_be_declared_and_stays_what_it_is() -> None:
    lines = problems({"tools/gridftp": OVER_SSH, "sessions/s": SESSION, "transfers/t": TRANSFER.replace("copier", "gridftp")})
    assert lines == ["tools/gridftp.yaml:1:1: E0346: `gridftp` is a tool of dtnctl itself; try another file name"]


def test_a_plan_carries_the_whole_definition_and_notes_give_it_back() -> None:
    document = objects(
        {"tools/copier": OVER_SSH + "failures: [{pattern: a, cause: b, retryable: true}]\n", "transfers/t": TRANSFER}
    ).transfers["t"]
    own = document.value.settings.own
    assert isinstance(own, DeclaredTool)
    carried = as_data(own)
    assert carried["client"] == ["copy", "-F", "{ssh_config}", "{source}", "{control_host}:{destination}"]
    values = {key: value for key, value in carried.items() if key != "type"}
    assert row_of("copier", own).name == "copier"
    plain = {**values, "success": {}, "failures": [{"pattern": "a", "cause": "b", "retryable": True}]}
    assert read_own_options("copier", plain) == own
    assert read_own_options("gridftp", None) is None
    with pytest.raises(KeyError):
        row_of("copier", None)
