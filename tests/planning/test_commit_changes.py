"""What a commit changed, in the words of the plan: services with what they really have, other objects with their files' fields."""

from __future__ import annotations

from dtnctl.model.commit_changes import DeclaredChange
from dtnctl.model.site import KINDS, Site
from dtnctl.planning.commit_changes import DOCUMENTS, commit_changes
from tests.planning.building import site
from tests.planning.paths.scene import ASKED, RANGE, declared

BEFORE = """
    # profiles/dtn
    memory: 8GiB
    env: {TOKEN: xyzzy, KEPT: same, GONE: x}
    dns: [10.0.0.53]
    # profiles/spare
    memory: 1GiB
    # networks/data
    driver: bridge
    mtu: 1500
    # sessions/one
    endpoints: [a, b]
    image: dtn:1
    profile: dtn
    # sessions/old
    endpoints: [a]
    image: dtn:1
    """
AFTER = """
    # profiles/dtn
    memory: 16GiB
    env: {TOKEN: plugh, KEPT: same, NEW: y}
    dns: []
    # profiles/spare
    memory: 2GiB
    # networks/data
    driver: bridge
    mtu: 9000
    # sessions/one
    endpoints: [a]
    image: dtn:2
    profile: dtn
    settings: {shm_size: 64MiB, init: true}
    # transfers/copy
    from: a:/data/x
    to: b:/data/x
    tool: rsync
    session: two
    # sessions/two
    endpoints: [a, b]
    image: dtn:1
    settings: {volumes: [{source: /data, target: /data}]}
    """


def text(before: Site | None, after: Site | None) -> str:
    return "\n".join(line for change in commit_changes(before, after) for line in lines(change)) + "\n"


def lines(change: DeclaredChange) -> list[str]:
    where = f" @ {change.endpoint}" if change.endpoint else ""
    head = f"{change.mark} {change.kind} {change.name}{where} ({change.place})"
    return [head, *(f"  {item.field}: {item.before} -> {item.after} ({item.place})" for item in change.fields)]


def test_each_object_that_differs_is_named_with_its_fields_and_places() -> None:
    assert (
        text(site(BEFORE), site(AFTER))
        == """\
update network data (state/networks/data.yaml:1)
  mtu: 1500 -> 9000 (state/networks/data.yaml:2)
update profile spare (state/profiles/spare.yaml:1)
  memory: 1 GiB -> 2 GiB (state/profiles/spare.yaml:1)
destroy session old (state/sessions/old.yaml:1)
update session one (state/sessions/one.yaml:1)
  endpoints: a, b -> a (state/sessions/one.yaml:1)
create session two (state/sessions/two.yaml:1)
destroy service old @ a (state/sessions/old.yaml:1)
update service one @ a (state/sessions/one.yaml:1)
  dns: 10.0.0.53 -> [] (state/profiles/dtn.yaml:3)
  env.GONE: (set) ->  (state/sessions/one.yaml:3)
  env.NEW:  -> (set) (state/profiles/dtn.yaml:2)
  env.TOKEN: (set) -> (set otherwise) (state/profiles/dtn.yaml:2)
  image: dtn:1 -> dtn:2 (state/sessions/one.yaml:2)
  init: false -> true (state/sessions/one.yaml:4)
  memory: 8 GiB -> 16 GiB (state/profiles/dtn.yaml:1)
destroy service one @ b (state/sessions/one.yaml:1)
create service two @ a (state/sessions/two.yaml:1)
create service two @ b (state/sessions/two.yaml:1)
create transfer copy (state/transfers/copy.yaml:1)
"""
    )


def test_every_kind_of_file_is_looked_at() -> None:
    assert {folder for _, folder in DOCUMENTS} | {"profiles"} == set(KINDS)  # of profiles, those that no session has
    assert (
        text(declared(path=ASKED), declared(path=RANGE))
        == """\
update network wan (state/networks/wan.yaml:1)
  vlan: 1790 ->  (state/networks/wan.yaml:2)
update path a2b (state/paths/a2b.yaml:1)
  vlan: 1790 -> 1780-1782 (state/paths/a2b.yaml:5)
"""
    )


def test_no_value_of_a_variable_is_shown() -> None:
    assert "xyzzy" not in text(site(BEFORE), site(AFTER))
    assert "plugh" not in text(None, site(AFTER))


def test_the_first_commit_creates_all_and_the_last_one_removes_all() -> None:
    made = text(None, site(AFTER))
    assert made.splitlines()[0] == "create site lab (state/site.yaml:1)"
    assert made.replace("create ", "destroy ") == text(site(AFTER), None)
    assert text(None, None) == "\n"


def test_what_only_looks_different_changes_nothing() -> None:
    spelled = BEFORE.replace("memory: 8GiB", "memory: 8192MiB").replace("mtu: 1500", "mtu:    1500")
    assert commit_changes(site(BEFORE), site(spelled)) == ()


def test_a_name_of_the_site_that_changes_is_another_site() -> None:
    other = site(BEFORE + "\n    # site\n    name: other\n")
    assert [(item.mark, item.name) for item in commit_changes(site(BEFORE), other)] == [
        ("create" if name == "other" else "destroy", name) for name in ("lab", "other")
    ]


def test_an_empty_text_is_seen() -> None:
    before, after = (site(AFTER.replace("tool: rsync", f"tool: rsync\n    labels: {{mark: {value}}}")) for value in ("x", "''"))
    (change,) = commit_changes(before, after)
    assert [(item.field, item.before, item.after) for item in change.fields] == [("labels.mark", "x", '""')]


def test_of_command_lines_and_options_of_volumes_no_secret_is_shown() -> None:
    text_of = (
        "# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings:\n  arguments: [run, --token, {0}]\n"
        "  volumes: [{{source: share, target: /s, driver_opts: {{type: cifs, device: //nas/{0}x, o: 'username={1},password={0}'}}}}]\n"
    )
    before, after = (site(text_of.format(*words).replace(f"nas/{words[0]}x", "nas/x")) for words in (("xyzzy", "u"), ("plugh", "v")))
    (change,) = commit_changes(before, after)
    command, volumes = change.fields
    assert (command.field, command.before, command.after) == ("arguments", "(set)", "(set otherwise)")
    assert ("username=u,password=…" in volumes.before, "username=v,password=…" in volumes.after) == (True, True)
    assert not any(word in lines(change)[2] for word in ("xyzzy", "plugh"))
