"""What was found on two hosts that no file declares: one with faults, one behind a switch with small frames, as a login sees them."""

from __future__ import annotations

from dataclasses import replace

from dtnctl.model.audit import Audit
from dtnctl.planning.audit import audit_of, carried_by
from dtnctl.planning.audit.pairs import pairs_of, pings_of, with_answers
from tests.planning.audit.undeclared import read, tuned
from tests.planning.doctor.hosts import item


def two_hosts() -> Audit:
    """dtn1 has faults and is seen by a user; dtn2 has none."""
    near, far = tuned(), tuned()
    near["sysctls"]["net.core.rmem_max"] = "212992"
    item({"facts": near}, "interfaces", "ens1f0")["rings"]["rx"] = 1024
    item({"facts": far}, "interfaces", "ens1f0")["addresses"] = ["10.9.0.2/24"]
    reads = read(near, user=1000, denied=("/proc/1/fd",)), read(far, "dtn2")
    carried = carried_by(reads, ())
    pairs = [
        with_answers(pair, pings_of(pair), [size.bytes < 9000 for size in pings_of(pair)])
        for pair in pairs_of(carried["dtn1"], carried["dtn2"])
    ]
    return audit_of(reads, carried, pairs)


AUDIT = two_hosts()
ONE = replace(AUDIT, hosts=AUDIT.hosts[1:], pairs=(), pair_faults=(), drafts=AUDIT.drafts[1:])
UNTRIED = replace(AUDIT, pairs=tuple(replace(pair, sizes=(), trouble="it may not") for pair in AUDIT.pairs), pair_faults=())
APART = replace(AUDIT, pairs=(), pair_faults=())
WARNED = replace(AUDIT, pair_faults=tuple(replace(fault, severity="warning") for fault in AUDIT.pair_faults))
FILES = (("state/endpoints/dtn1.yaml", "# a note\ndocker: ssh://root@dtn1\n"), ("state/networks/n.yaml", "driver: macvlan\n"))
