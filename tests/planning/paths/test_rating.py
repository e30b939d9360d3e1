"""How much goes over a path and what of it is lost, by a short iperf3. The outputs are those of iperf3 3.12, without what is not read."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dtnctl.planning.paths.rating import Ended, Measured, is_refused, measured_findings, read_measured, sending_command, serving_command
from tests.planning.paths.test_probing import PROBE

RESULT = {
    "start": {"tcp_mss_default": 8948},
    "end": {"sum_sent": {"bytes": 89480000, "retransmits": 3}, "sum_received": {"bits_per_second": 9412345678.9}},
}
BUSY = {"start": {}, "end": {}, "error": "the server is busy running a test. try again later"}
PROMISED = replace(PROBE, bandwidth=10_000_000)


def test_both_sides_use_their_own_addresses_on_the_path_and_end_by_themselves() -> None:
    assert " ".join(serving_command(PROBE)) == "timeout 20 iperf3 -s -1 -B 10.9.0.3 -p 52017"
    assert " ".join(sending_command(PROBE)) == "iperf3 -c 10.9.0.3 -B 10.9.0.2 -p 52017 -t 5 --connect-timeout 3000 -J"


REFUSED = Ended(1, json.dumps({"error": "error - unable to connect to server: Connection refused"}))
LISTENED = Ended(0, "Server listening on 52017 (test #1)\n")


def of_no_program(endpoint: str, program: str = "iperf3") -> Measured:
    return Measured(trouble=f"{endpoint}: its image has no {program}", fix=f"`{program}` in the image")


@pytest.mark.parametrize(
    ("exit_code", "output", "expected"),
    [
        (0, json.dumps(RESULT), Measured(9412345, 10000, 3)),
        (0, f"a warning\n{json.dumps(RESULT)}\n", Measured(9412345, 10000, 3)),
        (1, json.dumps(BUSY), Measured(trouble="a: iperf3: the server is busy running a test. try again later")),
        (1, "iperf3: error - no such option\n", Measured(trouble="a: iperf3: no such option")),
        (127, "sh: iperf3: not found", of_no_program("a")),
        (126, "", of_no_program("a")),
        (1, "", Measured(trouble="a: iperf3 ended with exit code 1 and no result")),
        (1, json.dumps({"start": {}, "end": {}}), Measured(trouble="a: iperf3 ended with exit code 1 and no result")),
        (1, json.dumps({"end": []}), Measured(trouble="a: iperf3 ended with exit code 1 and no result")),
    ],
)
def test_output_of_iperf3(exit_code: int, output: str, expected: Measured) -> None:
    assert read_measured(PROBE, Ended(exit_code, output), LISTENED) == expected


@pytest.mark.parametrize(
    ("exit_code", "output", "expected"),
    [
        (127, "timeout: failed to run command 'iperf3': No such file or directory", of_no_program("b")),
        (126, 'exec: "timeout": executable file not found in $PATH', of_no_program("b", "timeout")),
        (
            1,
            "iperf3: error - unable to start listener for connections: Address already in use\niperf3: exiting\n",
            Measured(trouble="b: iperf3: unable to start listener for connections: Address already in use"),
        ),
        (
            124,
            "Server listening on 52017 (test #1)\niperf3: interrupt - the server has terminated\n",
            Measured(trouble="a: iperf3: error - unable to connect to server: Connection refused"),
        ),
    ],
)
def test_what_keeps_the_far_side_from_listening_is_shown_in_its_own_words(exit_code: int, output: str, expected: Measured) -> None:
    """They were those of the sending side, which is only refused, and the text named no side."""
    assert read_measured(PROBE, REFUSED, Ended(exit_code, output)) == expected


def test_one_that_does_not_listen_yet_is_known_by_its_refusal() -> None:
    assert is_refused("iperf3: error - unable to connect to server: Connection refused")
    assert not is_refused(json.dumps(RESULT))


def found(measured: Measured, *, promised: bool = True) -> list[tuple[str, str, str]]:
    return [(item.aspect, item.verdict, item.text) for item in measured_findings(PROMISED if promised else PROBE, measured)]


def test_rate_is_compared_with_what_is_promised() -> None:
    assert found(Measured(9412345, 10000, 0)) == [
        ("rate", "ok", "9412mbit in 5 s, by one TCP stream; 10000mbit are promised"),
        ("loss", "ok", "0 of 10,000 packets were sent again (0.00%)"),
    ]
    assert found(Measured(4000000, 10000, 0))[0] == ("rate", "wrong", "4000mbit in 5 s, by one TCP stream; 10000mbit are promised")
    assert found(Measured(4000000, 10000, 0), promised=False)[0] == ("rate", "ok", "4000mbit in 5 s, by one TCP stream")


def test_loss_is_a_share_of_the_packets() -> None:
    assert found(Measured(9412345, 10000, 30))[1] == ("loss", "wrong", "30 of 10,000 packets were sent again (0.30%)")
    assert found(Measured(9412345, 100000, 3))[1][1] == "ok"


def test_what_was_not_measured_is_unknown_and_says_why() -> None:
    missing = of_no_program("b")
    assert found(missing) == [("rate", "unknown", "b: its image has no iperf3")]
    (unmeasured,) = measured_findings(PROBE, missing)
    (busy,) = measured_findings(PROBE, Measured(trouble="a: iperf3: busy"))
    assert (unmeasured.fix, busy.fix) == ("`iperf3` in the image", "")
