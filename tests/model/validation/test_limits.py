"""What a transfer takes of its endpoints' limits."""

from __future__ import annotations

import pytest

from tests.model.sites import HOST, problems

SESSION = {"sessions/s": "endpoints: [a, b]\nimage: x\nsettings: {volumes: ['/d:/x']}\n"}
TRANSFER = "from: a:/x/x\nto: b:/x/y\ntool: gridftp\n"

RSYNC = TRANSFER.replace("gridftp", "rsync")


@pytest.mark.parametrize("limits", ["", "limits: {transfers: 1}\n", "limits: {bandwidth: 10gbit}\n", "limits: {bandwidth: 100gbit}\n"])
def test_a_transfer_may_take_all_that_there_is(limits: str) -> None:
    assert (
        problems(SESSION | {"endpoints/b": HOST + limits, "transfers/t": TRANSFER + "bandwidth: 10gbit\n", "transfers/u": TRANSFER}) == []
    )


@pytest.mark.parametrize("field", ["bandwidth", "max_rate"])
def test_a_transfer_that_takes_more_than_there_is_would_wait_for_ever(field: str) -> None:
    files = SESSION | {"endpoints/b": HOST + "limits:\n  bandwidth: 8gbit\n", "transfers/t": f"{RSYNC}{field}: 10gbit\n"}
    assert problems(files) == [
        f"transfers/t.yaml:4:{len(field) + 3}: E0342: 10000mbit is more than all transfers may have on b: 8000mbit (endpoints/b.yaml:4); "
        "try at most 8000mbit, or a higher limit"
    ]


def test_the_endpoint_that_does_not_exist_is_the_only_mistake() -> None:
    assert [line.split(": ")[1] for line in problems(SESSION | {"transfers/t": TRANSFER.replace("b:", "c:") + "bandwidth: 1gbit\n"})] == [
        "E0301"
    ]


def test_a_generation_with_a_schedule_leaves_room_for_the_firings() -> None:
    for generation, expected in (
        (999_999, []),
        (
            1_000_000,
            [
                "transfers/t.yaml:5:13: E0349: with a schedule the time of each firing is added to the generation, "
                "and 1000000 leaves no room for it; try at most 999999"
            ],
        ),
    ):
        text = f"{TRANSFER}when: {{schedule: '0 0 * * *'}}\ngeneration: {generation}\n"
        assert problems(SESSION | {"transfers/t": text}) == expected
    assert problems(SESSION | {"transfers/t": f"{TRANSFER}when: {{days: [sat]}}\ngeneration: 1000000\n"}) == []
