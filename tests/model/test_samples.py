"""Samples of a transfer: thinned to a few hundred, with rates that add up to what was moved, kept as a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtnctl.model.samples import LONGEST_FILE, MOST, Collector, Sample, decode_samples, encode_samples, samples_path, thinned


def collected(*points: tuple[float, int]) -> tuple[Sample, ...]:
    collector = Collector()
    for seconds, moved in points:
        collector.add(seconds, moved)
    return collector.samples()


def test_each_sample_has_the_rate_since_the_one_before() -> None:
    assert collected((5.0, 500), (10.0, 500), (12.0, 1500)) == (Sample(5.0, 500, 100.0), Sample(10.0, 500, 0.0), Sample(12.0, 1500, 500.0))


def test_what_comes_at_one_moment_is_one_sample_and_nothing_goes_back() -> None:
    assert collected((1.0, 10), (1.0, 20), (0.5, 30), (2.0, 15), (2.0, 40)) == (Sample(1.0, 20, 20.0), Sample(2.0, 40, 20.0))


def test_a_line_that_the_engine_stamped_before_the_start_counts_as_the_start() -> None:
    assert collected((-0.1, 2), (1.001, 5)) == (Sample(0.001, 2, 2000.0), Sample(1.001, 5, 3.0))


def test_nothing_was_moved_and_nothing_is_kept() -> None:
    assert collected() == ()


def test_a_long_transfer_keeps_its_whole_length_in_a_few_hundred_samples() -> None:
    samples = collected(*((second, second * 7) for second in range(1, 100_001)))
    assert len(samples) <= MOST
    assert samples[-1] == Sample(100_000, 700_000, 7.0)
    assert {sample.rate for sample in samples} == {7.0}


def test_points_without_any_time_between_them_are_one() -> None:
    assert thinned([(1.0, number) for number in range(5)], 3) == [(1.0, 4)]


def _advancing(points: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Those whose bytes do not go back."""
    kept: list[tuple[float, int]] = []
    for seconds, moved in sorted(points):
        if not kept or moved >= kept[-1][1]:
            kept.append((seconds, moved))
    return kept


POINTS = st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 10**15)), max_size=700)


@given(POINTS)
def test_the_end_is_exact_and_nothing_goes_back_whatever_was_left_out(points: list[tuple[float, int]]) -> None:
    samples = collected(*sorted(points))
    assert len(samples) <= MOST
    assert [sample.seconds for sample in samples] == sorted(sample.seconds for sample in samples)
    assert [sample.bytes for sample in samples] == sorted(sample.bytes for sample in samples)
    assert (samples[-1].bytes if samples else 0) == max((moved for _, moved in _advancing(points)), default=0)


def test_a_file_is_read_as_it_was_written() -> None:
    samples = (Sample(1.5, 10, 6.7), Sample(2.0, 20, 20.0))
    assert decode_samples(encode_samples(samples)) == samples


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b'{"version": 2, "samples": []}',
        b'{"version": 1}',
        b'{"version": 1, "samples": [7]}',
        b'{"version": 1, "samples": [[1, 2]]}',
        b" " * (LONGEST_FILE + 1),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode_samples(content)


def test_samples_lie_beside_the_log() -> None:
    assert samples_path(("run14", 2, 3)) == "/ledger/logs/run14.g2a3.samples.json"
