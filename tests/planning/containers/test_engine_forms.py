"""What an engine keeps in a form of its own counts as what was declared."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.resources import ContainerSpec, Health, ImageSeen
from dtnctl.planning.containers.compare import fill_in
from tests.planning.building import applied, site


def test_an_empty_list_is_no_command_to_an_engine_but_an_entry_point() -> None:
    image = ImageSeen("sha256:1", command=("serve",), entrypoint=("/init",))
    spec = ContainerSpec("dtn:1", command=(), entrypoint=())
    assert (fill_in(spec, image).command, fill_in(spec, image).entrypoint) == (("serve",), ())
    assert fill_in(replace(spec, entrypoint=("run",)), image).command == ()


def test_numbers_of_a_health_check_that_are_zero_are_the_images() -> None:
    theirs, ours = Health(("CMD", "theirs"), 7.0, 6.0, 5, 4.0), Health(("CMD", "ours"), 0.0, 2.0, 1, 0.0)
    image, spec = ImageSeen("sha256:1", health=theirs), ContainerSpec("dtn:1", health=ours)
    assert fill_in(spec, image).health == Health(("CMD", "ours"), 7.0, 2.0, 1, 4.0)
    assert fill_in(spec, replace(image, health=None)).health == ours
    assert fill_in(replace(spec, health=None), image).health == theirs


def test_numbers_are_as_exact_as_engines_keep_them() -> None:
    check = "{test: ['true'], interval: 1.234567891ms, timeout: 2s}"
    text = f"# sessions/one\nendpoints: [a]\nimage: dtn:1\nsettings: {{cpus: 1.33333333333, health_check: {check}}}\n"
    spec = next(iter(applied(site(text)).hosts["a"].active)).spec
    assert spec.health is not None
    assert (spec.cpus, spec.health.interval) == (1.33333, 0.001234568)
