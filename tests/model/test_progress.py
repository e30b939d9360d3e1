"""How far a transfer is, before anything is known of it."""

from __future__ import annotations

from dtnctl.model.progress import Measured


def test_nothing_but_a_lower_bound_is_known_at_first() -> None:
    known = Measured("run14")
    assert (known.bytes, known.still) == (0, 0.0)
    assert (known.total, known.rate, known.average, known.eta, known.files, known.total_files) == (None,) * 6
