"""Keys are filled into the request that is sent, and nowhere before; what is no key is refused without a word of it."""

from __future__ import annotations

import pytest
from dtn_agent.protocol.volumes import ConnectVolume, Portal

from dtnctl.errors import EngineError
from dtnctl.model.actions import HostRequest
from dtnctl.model.secrets import SecretVariable
from dtnctl.runtime.transfers.joint_calls import no_secret
from dtnctl.runtime.volume_keys import with_keys
from tests.model.test_nvme_keys import key

REQUEST = ConnectVolume(
    site="lab", volume="scratch", nqn="nqn.2001-01.com.example:a", portal=Portal(transport="tcp", address="10.0.0.1", port=4420)
)
ACTION = HostRequest(REQUEST, "connect", "volume scratch", (SecretVariable("host_key", "k1:1", "env:KEY"),))
KEY = key(bytes(range(32)))


def test_the_key_is_in_what_is_sent_and_in_nothing_that_is_printed() -> None:
    sent = with_keys(ACTION, {"env:KEY": KEY}.__getitem__)
    assert isinstance(sent, ConnectVolume)
    assert (sent.host_key, sent.controller_key) == (KEY, None)
    assert KEY not in repr(sent) + repr(ACTION) + str(sent.for_log())


def test_a_request_without_secrets_is_sent_as_it_is() -> None:
    assert with_keys(HostRequest(REQUEST, "connect", "volume scratch"), no_secret) == REQUEST


def test_what_is_no_key_and_what_cannot_be_looked_up_are_refused_by_the_name_of_the_reference() -> None:
    with pytest.raises(EngineError, match=r"auth.host_key of volume scratch \(env:KEY\) cannot be used: it is no key") as caught:
        with_keys(ACTION, {"env:KEY": "hunter2hunter2"}.__getitem__)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(EngineError, match=r"\(env:KEY\) cannot be used: env:KEY is not looked up here"):
        with_keys(ACTION, no_secret)
