"""Reading takes a time that grows with what is there and no faster: counted in calls, which no busy machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

import pytest

from tests.repository.state_folder import problems

Files = Mapping[str, str]
ENDPOINT = "docker: ssh://dtn@{}.example.net\n"
BASE = {"site.yaml": "name: lab\n", "endpoints/a.yaml": ENDPOINT.format("a"), "endpoints/b.yaml": ENDPOINT.format("b")}
SESSION = "endpoints: [a, b]\nimage: dtn:1\n"


def counted(work: Callable[[], object]) -> int:
    """How many functions are called, ours and the libraries'."""
    calls = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


def numbered(kind: str, count: int, text: Callable[[int], str]) -> dict[str, str]:
    return {f"{kind}/x{number}.yaml": text(number) for number in range(count)}


def unknown_keys(count: int) -> Files:
    return {"sessions/s.yaml": SESSION + "".join(f"key{number}: 1\n" for number in range(20 * count))}


def wrong_values(count: int) -> Files:
    return {"profiles/p.yaml": "limits:\n" + "".join(f"  memlok{number}: x\n" for number in range(20 * count))}


def unknown_keys_of_many_files(count: int) -> Files:
    return numbered("sessions", count, lambda number: f"{SESSION}imgae: x\nprofil: y\n")


def chain_of_profiles(count: int) -> Files:
    return numbered(
        "profiles", count, lambda number: f"extends: x{number + 1}\nenv: {{A{number}: 1}}\n" if number + 1 < count else "init: true\n"
    )


def circle_of_profiles(count: int) -> Files:
    return numbered("profiles", count, lambda number: f"extends: x{(number + 1) % count}\n")


def sessions_of_a_chain(count: int) -> Files:
    return {**chain_of_profiles(count), **numbered("sessions", count, lambda number: f"{SESSION}profile: x{number}\nstate: stopped\n")}


def unknown_endpoints(count: int) -> Files:
    sessions = numbered("sessions", count, lambda number: f"endpoints: [nosuch{number}]\nimage: dtn:1\n")
    return {**sessions, **numbered("endpoints", count, ENDPOINT.format)}


def transfers_without_a_session(count: int) -> Files:
    sessions = numbered("sessions", count, lambda number: f"{SESSION}settings: {{ctrl_port_range: null}}\n")
    return {**sessions, **numbered("transfers", count, lambda number: f"from: a:/data/{number}\nto: b:/data/{number}\ntool: gridftp\n")}


def numbers_in_the_environment(count: int) -> Files:
    return {"profiles/p.yaml": "env:\n" + "".join(f"  A{number}: 1.10\n" for number in range(20 * count))}


def characters_that_are_not_seen(count: int) -> Files:
    return {"profiles/p.yaml": "user: " + "\u200b" * 1000 * count + "\n"}


def fixed_addresses_taken_twice(count: int) -> Files:
    net = {"networks/data.yaml": "driver: bridge\nsubnet: 10.0.0.0/16\n"}
    return {**net, **numbered("sessions", count, lambda number: f"{SESSION}settings: {{data_nets: [{{name: data, ipv4: 10.0.0.9}}]}}\n")}


LONG_CHAINS = (chain_of_profiles, circle_of_profiles, sessions_of_a_chain)
KINDS = [
    unknown_keys,
    wrong_values,
    unknown_keys_of_many_files,
    chain_of_profiles,
    circle_of_profiles,
    sessions_of_a_chain,
    unknown_endpoints,
    transfers_without_a_session,
    numbers_in_the_environment,
    characters_that_are_not_seen,
    fixed_addresses_taken_twice,
]


@pytest.fixture
def folders(tmp_path: Path) -> Callable[[int], Path]:
    def made(count: int) -> Path:
        folder = tmp_path / str(count)
        folder.mkdir()
        return folder

    return made


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_twice_as_much_takes_about_twice_the_work(folders: Callable[[int], Path], kind: Callable[[int], Files]) -> None:
    problems(folders(1), base={**BASE, **kind(2)})  # what is done once is done
    few = 300 if kind in LONG_CHAINS else 80  # a step of a chain costs little beside its file
    small, large = (counted(lambda count=count: problems(folders(count), base={**BASE, **kind(count)})) for count in (few, 2 * few))  # type: ignore[misc]
    assert large < 3 * small


def test_file_with_a_hundred_thousand_unknown_keys_has_a_bounded_answer(tmp_path: Path) -> None:
    keys = "".join(f"k{number}:\n" for number in range(100_000))
    found = problems(tmp_path, base={**BASE, "sessions/s.yaml": SESSION + keys})
    assert len(found) == 101
    assert "E0124: more than 100 problems" in found[-1]


def test_three_thousand_profiles_in_one_chain_are_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, base={**BASE, **chain_of_profiles(3000)})
    assert len(found) == 1001
    assert found[0] == "state:1:1: E0126: more than 1000 problems; the others are not listed; try to correct the first ones"
    assert all("E0362: more than 32 profiles extend each other here; try fewer, larger profiles" in line for line in found[1:])


def test_thirty_two_profiles_may_extend_each_other_and_one_more_may_not(tmp_path: Path) -> None:
    assert problems(tmp_path / "good", base={**BASE, **chain_of_profiles(32)}) == []
    assert problems(tmp_path / "bad", base={**BASE, **chain_of_profiles(33)}) == [
        "state/profiles/x0.yaml:1:10: E0362: more than 32 profiles extend each other here; try fewer, larger profiles"
    ]


def test_no_further_file_is_read_when_there_are_more_problems_than_are_listed(tmp_path: Path) -> None:
    """Whatever the first files say."""
    broken = numbered("sessions", 20, lambda number: SESSION + "".join(f"key{key}: 1\n" for key in range(200)))
    found = problems(tmp_path, base={**BASE, **broken, "transfers/t.yaml": "nonsense\n"})
    assert len(found) == 1001
    assert not any("transfers" in line for line in found)


def test_advice_names_only_the_first_of_very_many(tmp_path: Path) -> None:
    files = numbered("sessions", 20, lambda number: f"{SESSION}settings: {{ctrl_port_range: null}}\n")
    [line] = problems(tmp_path, base={**BASE, **files, "transfers/t.yaml": "from: a:/x\nto: b:/x\ntool: gridftp\n"})
    assert line.endswith("`session: x14` or `session: x15` or another")
