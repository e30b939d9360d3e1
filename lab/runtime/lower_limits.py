"""Rewrites a container's config.json to ask for no more than this machine may give. Called by the runc beside it.

The file of a program that is run in a container has the same form as the config's `process`.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

REFUSED = "CAP_SYS_RESOURCE"
LOCKS = 10  # RLIMIT_LOCKS, which Python has no name for


def lower_limits(process: dict[str, Any]) -> None:
    """Take the missing capability out of every set and lower each resource limit to this process's own."""
    capabilities = process.get("capabilities") or {}
    for name, words in capabilities.items():
        capabilities[name] = [word for word in words or [] if word != REFUSED]
    for limit in process.get("rlimits") or []:
        most = resource.getrlimit(getattr(resource, limit["type"], LOCKS))[1]
        if most != resource.RLIM_INFINITY:
            limit["hard"] = min(limit["hard"], most)
            limit["soft"] = min(limit["soft"], most)
    if (process.get("oomScoreAdj") or 0) < 0:
        process["oomScoreAdj"] = 0


def main(path: Path) -> None:
    """Rewrite the file in one step, so that runc never reads half of it."""
    config = json.loads(path.read_text())
    lower_limits(config.get("process", config))
    fresh = path.with_suffix(".lowered")
    fresh.write_text(json.dumps(config))
    fresh.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
