"""Paths through the whole program: two providers in one apply, waited for, shown, taken up after a kill, released at the end."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cli.small_site import two_engines
from tests.fakes.paths.double import TOKEN, TOKEN_VARIABLE, Accident, Double
from tests.fakes.paths.nsi import NsiDouble
from tests.runtime.program import Result, dtnctl


@dataclass
class Scene:
    """A site with a session over one path, or over two of different providers."""

    root: Path
    one: Double
    other: Double

    def write(self, name: str, value: object) -> None:
        file = self.root / "state" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(value, sort_keys=False))

    def declare(self, paths: dict[str, str]) -> None:
        """Paths by name, each of a provider, with a network over each; the session uses all of them."""
        for number, (name, provider) in enumerate(sorted(paths.items())):
            ends = [{"endpoint": place, "port": port} for place, port in zip("ab", self.one.ports, strict=True)]
            path = {"provider": provider, "ends": ends, "vlan": "1780-1789", "bandwidth": "10gbit"}
            self.write(f"paths/{name}", path)
            self.write(f"networks/over-{name}", {"driver": "macvlan", "path": name, "subnet": f"10.{number}.0.0/24"})
        networks = [f"over-{name}" for name in sorted(paths)]
        for place in "ab":
            found = yaml.safe_load((self.root / f"state/endpoints/{place}.yaml").read_text())
            self.write(f"endpoints/{place}", found | {"interfaces": dict.fromkeys(networks, "eth1")})
        settings = {"data_nets": networks, "mgmt_net": None} if networks else {}
        self.write("sessions/s", {"endpoints": ["a", "b"], "image": "app:1", "profile": "p", "settings": settings})

    def run(self, *arguments: str) -> Result:
        return dtnctl(self.root, *arguments)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    with two_engines(tmp_path) as world, NsiDouble() as one, NsiDouble() as other:
        for place in "ab":
            world.engine(place).machine.interfaces |= {f"eth1.{vlan}" for vlan in range(1780, 1790)}
        found = Scene(tmp_path, one, other)
        providers = {"first": one.settings, "second": other.settings}
        found.write("site", {"name": "small", "path_providers": providers, "limits": {"max_prune": "100%"}})
        found.declare({"p1": "first", "p2": "second"})
        yield found


def test_two_providers_in_one_apply(scene: Scene) -> None:
    applied = scene.run("apply", "--yes")
    assert applied.code == 0, applied.out + applied.err
    assert (len(scene.one.living), len(scene.other.living)) == (1, 1)
    assert "path p1: asked (RESERVING)" in applied.err
    assert TOKEN not in applied.out + applied.err
    assert "No changes" in scene.run("plan").out
    listed = json.loads(scene.run("paths", "list", "-o", "json").out)
    assert [(row["name"], row["provider"], row["state"], row["vlan"]) for row in listed["paths"]] == [
        ("p1", "first", "active", 1780),
        ("p2", "second", "active", 1781),
    ]
    assert listed["promised"][0] == {"endpoint": "a", "interface": "eth1", "before": 20_000_000, "after": 20_000_000, "total": None}


def test_plan_and_status_show_paths_and_what_interfaces_are_promised(scene: Scene) -> None:
    planned = scene.run("plan").out
    assert "  p1    first     missing  1780" in planned
    assert "eth1 of a  0mbit → 20000mbit" in planned
    status = scene.run("status")
    assert "p2    second" in status.out
    assert json.loads(scene.run("status", "-o", "json").out)["paths"][0]["state"] == "missing"
    shown = scene.run("paths", "show", "p1").out
    assert shown.startswith("path: p1\nprovider: first\nstate: missing\n")
    assert json.loads(scene.run("paths", "show", "p1", "-o", "json").out)["promised"][0]["after"] == 20_000_000


@pytest.mark.parametrize("at", [3, 4, 6])
def test_apply_that_lost_an_answer_is_taken_up_by_the_next_one(scene: Scene, at: int) -> None:
    """The provider did what it was asked for, and the connection broke before it answered."""
    scene.one.accident = Accident(at, "after", lambda: None)
    scene.run("apply", "--yes")
    assert scene.run("apply", "--yes").code == 0
    assert "No changes" in scene.run("plan").out
    assert (len(scene.one.living), len(scene.other.living)) == (1, 1)


def test_path_that_fails_says_so_in_the_words_of_its_provider(scene: Scene) -> None:
    scene.one.failing = "no capacity on port-7"
    applied = scene.run("apply", "--yes")
    assert applied.code == 3
    assert "no capacity on port-7" in applied.err + applied.out
    assert scene.run("apply", "--yes").code == 0


def test_provider_that_is_away_leaves_what_runs_and_says_what_is_unknown(scene: Scene) -> None:
    assert scene.run("apply", "--yes").code == 0
    scene.one.close()
    planned = scene.run("plan", "--detailed-exitcode")
    assert planned.code == 7
    assert "unknown: path provider first" in planned.out
    assert "No changes" in planned.out


def test_paths_are_released_with_all_that_is_ours(scene: Scene) -> None:
    assert scene.run("apply", "--yes").code == 0
    destroyed = scene.run("destroy", "--yes", "--confirm", "small")
    assert destroyed.code == 0, destroyed.out + destroyed.err
    assert (scene.one.living, scene.other.living) == ([], [])
    assert "No changes" in scene.run("destroy", "--dry-run").out


def test_vlan_goes_from_one_path_to_another_in_one_apply(scene: Scene) -> None:
    """Both were asked of the provider at once, and it refused the new one: its VLAN was still that of the old one."""
    scene.declare({"p1": "first"})
    only = scene.root / "state/paths/p1.yaml"
    only.write_text(only.read_text().replace("1780-1789", "'1780'"))
    for name in ("paths/p2", "networks/over-p2"):
        (scene.root / f"state/{name}.yaml").unlink()
    assert scene.run("apply", "--yes").code == 0
    (before,) = scene.one.living
    scene.declare({"p3": "first"})
    new = scene.root / "state/paths/p3.yaml"
    new.write_text(new.read_text().replace("1780-1789", "'1780'"))
    for name in ("paths/p1", "networks/over-p1"):
        (scene.root / f"state/{name}.yaml").unlink()
    applied = scene.run("apply", "--yes")
    assert applied.code == 0, applied.out + applied.err
    assert [item.id for item in scene.one.living] != [before.id]
    assert "No changes" in scene.run("plan").out


def git(root: Path, *words: str) -> None:
    own = ("-c", "user.name=Test", "-c", "user.email=test@example.net", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *own, *words], cwd=root, check=True, capture_output=True)


def test_provider_that_is_removed_with_its_path_is_asked_for_again_before_anything_is_touched(scene: Scene) -> None:
    """Nothing asked it any more: the reservation stayed, and no command showed it."""
    git(scene.root, "init", "-q")
    git(scene.root, "add", "-A")
    git(scene.root, "commit", "-qm", "two paths")
    assert scene.run("apply", "--yes").code == 0
    scene.write("site", {"name": "small", "path_providers": {"second": scene.other.settings}, "limits": {"max_prune": "100%"}})
    (scene.root / "state/paths/p1.yaml").unlink()
    (scene.root / "state/networks/over-p1.yaml").unlink()
    scene.declare({"p2": "second"})
    for command in (("plan",), ("apply", "--yes")):
        refused = scene.run(*command)
        assert refused.code == 65
        assert "site.yaml:2:1: E0548: session s on a was made with path p1 of provider `first` (" in refused.err
        assert f"try `first: {{kind: nsi, url: '{scene.one.url}'" in refused.err
    assert len(scene.one.living) == 1
    providers = {"first": scene.one.settings, "second": scene.other.settings}
    scene.write("site", {"name": "small", "path_providers": providers, "limits": {"max_prune": "100%"}})
    applied = scene.run("apply", "--yes")
    assert applied.code == 0, applied.out + applied.err
    assert scene.one.living == []
    scene.write("site", {"name": "small", "path_providers": {"second": scene.other.settings}, "limits": {"max_prune": "100%"}})
    assert "No changes" in scene.run("plan").out


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_provider_that_only_got_another_name_is_not_asked_for_again(scene: Scene, host: str) -> None:
    """What it reserved is released under the new name; also at another address, where it still reports the path."""
    git(scene.root, "init", "-q")
    git(scene.root, "add", "-A")
    git(scene.root, "commit", "-qm", "two paths")
    assert scene.run("apply", "--yes").code == 0
    settings = {**scene.one.settings, "url": scene.one.url.replace("127.0.0.1", host)}
    renamed = {"uno": settings, "second": scene.other.settings}
    scene.write("site", {"name": "small", "path_providers": renamed, "limits": {"max_prune": "100%"}})
    (scene.root / "state/paths/p1.yaml").unlink()
    (scene.root / "state/networks/over-p1.yaml").unlink()
    scene.declare({"p2": "second"})
    applied = scene.run("apply", "--yes")
    assert applied.code == 0, applied.out + applied.err
    assert (scene.one.living, len(scene.other.living)) == ([], 1)
