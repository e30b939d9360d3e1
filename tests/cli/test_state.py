"""init, validate, fmt and schema as the shell sees them."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from dtnctl.repository.starter import FILES, ID_LINE, NAME_LINE, SCHEMA_FOLDER, new_identity, schema_text
from tests.render.plans import obeyed
from tests.repository.state_folder import SESSION, VALID, write_state
from tests.runtime.program import Result, dtnctl

REPOSITORY = Path(__file__).parents[2]


# --- validate -------------------------------------------------------------------------------------------------------


def test_valid_site_is_counted(tmp_path: Path) -> None:
    assert dtnctl(write_state(tmp_path), "validate") == Result(
        0, "ok: 7 files; site lab: 2 endpoints, 1 network, 1 profile, 1 session, 1 transfer\n", ""
    )


def test_kinds_that_few_sites_have_are_counted_where_there_are_any(tmp_path: Path) -> None:
    path = {"paths/a2b.yaml": "ends: [{endpoint: a}, {endpoint: b}]\nvlan: 1790\n"}
    assert dtnctl(write_state(tmp_path, path), "validate").out == (
        "ok: 8 files; site lab: 2 endpoints, 1 network, 1 path, 1 profile, 1 session, 1 transfer\n"
    )


def test_problems_go_to_stderr_and_the_exit_code_is_a_contract(tmp_path: Path) -> None:
    write_state(tmp_path, {SESSION: VALID[SESSION] + "imgae: x\n", "site.yaml": "name: 5\n"})
    assert dtnctl(tmp_path, "validate") == Result(
        65,
        "",
        "state/sessions/s.yaml:4:1: E0201: unknown key `imgae`; try `image`\n"
        'state/site.yaml:1:7: E0203: `name` must be text, not the number 5; try "5" in quotes\n'
        "dtnctl: invalid-config (65)\n",
    )


def test_json_is_one_document_on_stdout(tmp_path: Path) -> None:
    write_state(tmp_path, {SESSION: VALID[SESSION] + "imgae: x\n"})
    result = dtnctl(tmp_path, "validate", "-o", "json")
    document = json.loads(result.out)
    assert (result.code, result.err) == (65, "dtnctl: invalid-config (65)\n")
    assert document["valid"] is False
    assert document["problems"] == [
        {"file": "state/sessions/s.yaml", "line": 4, "column": 1, "code": "E0201", "message": "unknown key `imgae`", "hint": "`image`"}
    ]


def test_json_of_a_valid_site_says_so(tmp_path: Path) -> None:
    result = dtnctl(write_state(tmp_path), "validate", "-o", "json")
    assert (result.code, result.err) == (0, "")
    document = json.loads(result.out)
    assert (document["valid"], document["problems"]) == (True, [])


def test_folder_without_state_says_how_to_get_one(tmp_path: Path) -> None:
    result = dtnctl(tmp_path, "validate")
    assert result.code == 65
    assert f"state:1:1: E0121: there is no state/site.yaml in {tmp_path}" in result.err
    assert result.err.splitlines()[0].endswith("or `dtnctl init` for a new one in this empty folder")


# --- fmt ------------------------------------------------------------------------------------------------------------

UGLY = "profile: p\nimage:   dtn:1 # pinned\nendpoints: [a,b]\n"
NICE = "endpoints: [a, b]\nimage: dtn:1  # pinned\nprofile: p\n"


def test_check_names_files_and_exits_with_one(tmp_path: Path) -> None:
    write_state(tmp_path, {SESSION: UGLY})
    assert dtnctl(tmp_path, "fmt", "--check") == Result(1, "state/sessions/s.yaml\n", "dtnctl: 1 file is not formatted; try dtnctl fmt\n")
    assert (tmp_path / "state" / SESSION).read_text() == UGLY


def test_fmt_rewrites_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    write_state(tmp_path, {SESSION: UGLY, "sessions/t.yaml": UGLY})
    assert dtnctl(tmp_path, "fmt", "--check").err == "dtnctl: 2 files are not formatted; try dtnctl fmt\n"
    assert dtnctl(tmp_path, "fmt", "state/sessions/t.yaml") == Result(0, "state/sessions/t.yaml\n", "")
    assert dtnctl(tmp_path, "fmt") == Result(0, "state/sessions/s.yaml\n", "")
    assert (tmp_path / "state" / SESSION).read_text() == NICE
    assert dtnctl(tmp_path, "fmt", "--check") == Result(0, "", "")


def test_fmt_of_what_is_no_yaml_is_an_invalid_config(tmp_path: Path) -> None:
    write_state(tmp_path, {SESSION: "a: [\n"})
    assert dtnctl(tmp_path, "fmt").code == 65


# --- schema ---------------------------------------------------------------------------------------------------------


def test_schema_of_one_kind_is_printed(tmp_path: Path) -> None:
    schema = json.loads(dtnctl(tmp_path, "schema", "session").out)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.validate({"endpoints": ["a"]}, schema)


def test_schemas_of_all_kinds_are_one_mapping(tmp_path: Path) -> None:
    assert list(json.loads(dtnctl(tmp_path, "schema").out)) == [
        "site",
        "endpoint",
        "network",
        "path",
        "profile",
        "session",
        "transfer",
        "tool",
        "volume",
    ]


def test_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    assert dtnctl(tmp_path, "schema", "network", "--out", "schemas").out == "schemas/network.json\n"
    assert (tmp_path / "schemas/network.json").read_text() == schema_text("network")


def test_unknown_kind_is_a_usage_error(tmp_path: Path) -> None:
    result = dtnctl(tmp_path, "schema", "sessions")
    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "there is no kind sessions; try one of site, endpoint, network, path, profile, session, transfer, tool, volume",
    )


@pytest.mark.parametrize("file", sorted((REPOSITORY / SCHEMA_FOLDER).iterdir()), ids=lambda file: file.name)
def test_shipped_schemas_are_up_to_date(file: Path) -> None:
    assert file.read_text() == schema_text(file.stem), "run: dtnctl schema --out .dtnctl/schema"


@pytest.mark.parametrize("file", sorted((REPOSITORY / "state").rglob("*.yaml")), ids=lambda file: file.name)
def test_shipped_state_is_formatted_and_its_modelines_lead_to_schemas(file: Path) -> None:
    assert dtnctl(REPOSITORY, "fmt", "--check", str(file)).out == ""
    modeline = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
    assert modeline is not None
    assert (file.parent / modeline[1]).resolve().parent == REPOSITORY / SCHEMA_FOLDER


# --- init -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("scinet", "scinet"),
        ("My site (2)", "My-site-2"),
        ("_data.lab_", "data-lab"),
        ("2026", "2026"),
        ("no", "no"),
        ("Ünïcode", "n-code"),
        ("x" * 60, "x" * 40),
    ],
)
def test_a_site_is_named_after_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert dtnctl(tmp_path, "init", folder).code == 0
    assert dtnctl(tmp_path / folder, "validate") == Result(
        0, f"ok: 7 files; site {name}: 2 endpoints, 1 network, 1 profile, 1 session, 1 transfer\n", ""
    )
    assert dtnctl(tmp_path / folder, "fmt", "--check").code == 0


def test_a_folder_whose_name_has_nothing_for_a_site_gets_one_by_the_id(tmp_path: Path) -> None:
    dtnctl(tmp_path, "init", "数据")
    found = re.search(r"name: site-([0-9a-f]{6})\n.*\nid: ([0-9a-f]{12})\n", (tmp_path / "数据/state/site.yaml").read_text())
    assert found is not None
    assert found[2].startswith(found[1])


def test_no_two_repositories_get_one_id() -> None:
    ids = {new_identity() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[a-f][0-9a-f]{11}", item) for item in ids)


def test_a_repository_without_an_id_is_valid_and_shown_the_line_to_add(tmp_path: Path) -> None:
    result = dtnctl(write_state(tmp_path, {"site.yaml": "name: lab\n"}), "validate")
    assert (result.code, result.out[:3]) == (0, "ok:")
    assert re.search(r"add the line `id: [a-f][0-9a-f]{11}`, and `adopts: unlabelled` if there are objects of it already\n", result.err)


def test_starter_is_valid_and_formatted_and_explained(tmp_path: Path) -> None:
    assert dtnctl(tmp_path, "init", "new").code == 0
    assert dtnctl(tmp_path / "new", "validate").out.startswith("ok: 7 files; site new: 2 endpoints")
    assert dtnctl(tmp_path / "new", "fmt", "--check") == Result(0, "", "")
    for file in (tmp_path / "new/state").rglob("*.yaml"):
        modeline, comment, *_ = file.read_text().splitlines()
        schema = (file.parent / modeline.removeprefix("# yaml-language-server: $schema=")).resolve()
        assert json.loads(schema.read_text())["title"].startswith("dtnctl ")
        assert comment.startswith("# ")


def test_the_site_that_the_starter_is_made_of_is_valid_itself_and_nothing_of_it_is_left_out() -> None:
    folder = Path(str(files("dtnctl.repository"))) / "starter_site"
    assert dtnctl(folder, "validate").out.startswith("ok: 7 files; site starter: 2 endpoints")
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == set(FILES)
    text = (folder / "state/site.yaml").read_text()
    assert (text.count(NAME_LINE), text.count(ID_LINE)) == (1, 1)


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state/site.yaml").write_text("mine\n")
    result = dtnctl(tmp_path, "init")
    assert (result.code, result.out) == (64, "")
    assert "these files exist already: state/site.yaml" in result.err
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")] == ["state", "state/site.yaml"]


# --- what files say cannot add lines ----------------------------------------------------------------------------------

HOSTILE = (
    '"\\n::error file=state/x::forged"',
    '"\\e[2Jx"',
    '"x\\r::stop-commands::y"',
    '" ::add-mask::x"',
    '"##[error]x"',
    '"\\u2028\\u202ey"',
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "line",
    [
        "{}: 1",
        "user: [{}]",
        "state: {}",
        "image: {}",
        "profile: {}",
        "expires: {}",
        "endpoints: [{}]",
        "settings: {{env: {{{}: 1}}}}",
        "settings: {{memory: {}}}",
        "settings: {{arguments: {{a: {}}}}}",
        "overrides: {{{}: {{}}}}",
        "settings: {{volumes: [{}]}}",
        "settings: {{mgmt_net: {}}}",
    ],
)
def test_value_of_a_file_is_no_line_and_no_command_of_the_log(tmp_path: Path, line: str, value: str) -> None:
    text = "\n".join(["endpoints: [a, b]", "image: dtn:1", line.format(value)]) + "\n"
    write_state(tmp_path, {SESSION: text, "transfers/t.yaml": None, "networks/data.yaml": f"driver: {value}\n"})
    for arguments in (["validate"], ["validate", "-o", "json"], ["fmt", "--check"], ["plan"]):
        result = dtnctl(tmp_path, *arguments)
        shown = result.out + result.err
        assert obeyed(shown) == []
        assert all(part.isprintable() for part in shown.split("\n"))
        assert all(re.match(r"state/\S+:\d+:\d+: E\d{4}: |dtnctl: ", part) for part in result.err.splitlines()), result.err


# --- owners' rules ----------------------------------------------------------------------------------------------------


def test_what_an_owner_does_not_allow_is_blocked_and_not_invalid(tmp_path: Path) -> None:
    """The state files are right; so the code is that of a plan that is blocked. Beside other problems it is theirs."""
    write_state(tmp_path, {SESSION: VALID[SESSION] + "settings: {privileged: true}\n"})
    result = dtnctl(tmp_path, "validate")
    assert (result.code, result.out) == (4, "")
    assert "state/sessions/s.yaml:4:24: E0501: the owner of " in result.err
    assert result.err.endswith("dtnctl: blocked (4)\n")
    document = json.loads(dtnctl(tmp_path, "validate", "-o", "json").out)
    assert {problem["code"] for problem in document["problems"]} == {"E0501"}
    write_state(tmp_path, {"site.yaml": "name: 5\n", SESSION: VALID[SESSION] + "settings: {privileged: true}\n"})
    both = dtnctl(tmp_path, "validate")
    assert both.code == 65
    assert "E0203" in both.err
    assert "E0501" in both.err
