"""A service that is replaced keeps its virtual function, with the new settings from the moment the old container is at rest."""

from __future__ import annotations

from dtnctl.model.actions import RestoreContainer
from tests.planning.building import drop, plan
from tests.planning.dtns import (
    ON_STAR,
    STAR,
    after,
    carry_out,
    configured,
    dtn,
    entry,
    held,
    live,
    session,
)
from tests.planning.listing import says, steps

ANEW = session(settings=ON_STAR.replace("}", ", init: true}"))


def test_a_replacement_keeps_its_function() -> None:
    made = after(dtn(STAR, session()))
    pci = entry(made).pci
    done = carry_out(dtn(STAR, ANEW), made)
    assert not configured(done)
    assert [item.vf for item in live(made).spec.attachments] == [pci]


def test_a_replacement_with_other_settings_sets_them_once_the_old_container_is_at_rest() -> None:
    made = after(dtn(STAR, session()))
    declared = dtn(STAR + "mtu: 9000\n", ANEW)
    says(
        steps(plan(declared, made)),
        """
        a/create/lab.one..new (or discard)
        a/stop/lab.one <- a/create/lab.one..new (or back)
        a/vf.star/lab.one <- a/stop/lab.one (or back)
        a/retire/lab.one <- a/vf.star/lab.one (or back)
        a/promote/lab.one <- a/retire/lab.one (or back)
        a/start/lab.one <- a/promote/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )
    carry_out(declared, made)


def test_a_replacement_that_fails_goes_back_to_the_old_container_on_the_same_function() -> None:
    made = after(dtn(STAR, session()))
    replacing = plan(dtn(STAR + "mtu: 9000\n", ANEW), made)
    *done, failing = replacing.steps[:7]
    for step in done:
        made.perform(step)
    assert isinstance(failing.undo, RestoreContainer)
    made._restore(made.hosts["a"], failing.undo)
    made.check()
    assert live(made).state == "running"
    assert held(made) == {"one/star": "ens1f0 0"}
    carry_out(dtn(STAR, session()), made)


def test_a_cut_off_replacement_is_ended_with_the_new_settings() -> None:
    """The new container runs already, so it rests for them and is started again."""
    made = after(dtn(STAR, session()))
    for step in plan(dtn(STAR, ANEW), made).steps[:6]:
        made.perform(step)
    assert live(made).state == "running"
    declared = dtn(STAR + "mtu: 9000\n", ANEW)
    says(
        steps(plan(declared, made)),
        """
        a/stop/lab.one (or back)
        a/vf.star/lab.one <- a/stop/lab.one (or back)
        a/start/lab.one <- a/vf.star/lab.one (or back)
        a/wait/lab.one <- a/start/lab.one (or back)
        a/remove/lab.one..old <- a/wait/lab.one
        """,
    )
    carry_out(declared, made)


def test_asked_for_replacement_of_a_lost_container_makes_it_on_its_function() -> None:
    declared = dtn(STAR, session())
    made = after(declared)
    drop(made, "a", "lab.one")
    assert not configured(plan(declared, made, replace=("session/one",)))


def test_blocked_session_keeps_its_function_and_settings() -> None:
    made = after(dtn(STAR + "vlan: 5\n", session()))
    declared = dtn(STAR + "vlan: 6\n", session(settings=ON_STAR.replace("}", ", image: dtn:2, pull: never}")))
    blocked = plan(declared, made)
    assert [item.mark for item in blocked.changes] == ["blocked"]
    assert not blocked.steps
