"""Bounded settings for the generated tests; a failure prints the blob that repeats it."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "properties",
    max_examples=int(os.environ.get("DTNCTL_EXAMPLES", "60")),  # more of them for a long look
    deadline=None,
    print_blob=True,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
settings.load_profile("properties")
