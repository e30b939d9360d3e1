"""What a doctor found, made by hand: with all judgements, with little known, not at all, and with a host that writes odd things."""

from __future__ import annotations

from dtnctl.model.findings import Examination, Finding

PLACE = "state/endpoints/a.yaml:4"
FULL = Examination(
    "a",
    (
        Finding(
            "net.rmem_max",
            "error",
            "",
            "net.core.rmem_max at least 2147483647",
            "212992",
            "tuning: {sysctl/net.core.rmem_max: 2147483647}",
            PLACE,
        ),
        Finding("cpu.smt", "info", "", "off", "on", 'tuning: {smt: "off"}', PLACE),
        Finding("nic.duplex", "ok", "ens1f0", "full", "full", "", PLACE),
        Finding("cpu.turbo", "unknown", "", "on", "", "", PLACE),
    ),
    nic="ens1f0",
    speed=100_000,
    ignored=1,
)
POOR = Examination("b", (Finding("nic.qdisc", "warning", "ens2f0", "fq", "pfifo_fast", "tuning: {interface/ens2f0/qdisc: fq}", PLACE),))
SILENT = Examination("c", silence="connection refused")
EXAMINATIONS = (FULL, POOR, SILENT)
ODD = Examination("a", (Finding("cpu.governor", "warning", "", "performance", "\x1b[2J\u202eperf\n→", "x", PLACE),), nic="é\x07", speed=1)
