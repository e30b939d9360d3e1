"""What transfers say of each other in `after`, with the very lines that people get to see."""

from __future__ import annotations

import pytest

from tests.model.sites import problems

SESSION = {"sessions/s": "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/x']}\n"}


def found(**after: str) -> list[str]:
    """What is wrong with transfers that are sound but for `after`."""
    base = "from: a:/x/x\nto: b:/x/y\ntool: gridftp\n"
    return problems(SESSION | {f"transfers/{name}": base + (f"after: {value}\n" if value else "") for name, value in after.items()})


@pytest.mark.parametrize("value", ["t", "[t]", "[t, u]"])
def test_a_transfer_may_follow_others(value: str) -> None:
    assert found(t="", u="t", v=value) == []


def test_a_name_without_a_file_is_an_error_at_its_own_place() -> None:
    assert found(t="", u="[t, tt]", v="nothing-like-it") == [
        "transfers/u.yaml:4:12: E0340: there is no transfer `tt`; try `t`",
        "transfers/v.yaml:4:8: E0340: there is no transfer `nothing-like-it`; try one of t, u",
    ]


def test_a_file_that_cannot_be_read_is_not_reported_twice() -> None:
    base = "from: a:/x/x\nto: b:/x/y\ntool: gridftp\nafter: broken\n"
    assert problems(SESSION | {"transfers/t": base}, transfers={"broken"}) == []


def test_each_entry_of_a_circle_is_an_error_and_what_only_follows_one_is_not() -> None:
    assert found(t="v", u="[t, w]", v="u", w="", x="[u, x]") == [
        "transfers/t.yaml:4:8: E0341: `v` follows `t` in turn, so that neither would ever start; try to remove one `after:`",
        "transfers/u.yaml:4:9: E0341: `t` follows `u` in turn, so that neither would ever start; try to remove one `after:`",
        "transfers/v.yaml:4:8: E0341: `u` follows `v` in turn, so that neither would ever start; try to remove one `after:`",
        "transfers/x.yaml:4:12: E0341: a transfer cannot follow itself; try to remove one `after:`",
    ]


def test_a_circle_of_thousands_is_reported_as_far_as_a_run_lists_problems() -> None:
    names = [f"t{number}" for number in range(1200)]
    lines = found(**{name: names[index - 1] for index, name in enumerate(names)})
    assert len(lines) == 1001
    assert all("E0341" in line for line in lines)
