"""A further way to an engine is one module and two rows, its scheme and its transport: over HTTP, behind a key, the contract holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dtnctl.model.engine_addresses import SCHEMES, EngineAddress
from dtnctl.model.resources import Wanted
from dtnctl.model.site import Endpoint
from dtnctl.providers.base import EndpointAccess
from dtnctl.providers.docker.engine import DockerEngine
from dtnctl.providers.docker.reach import TRANSPORTS
from dtnctl.providers.docker.reach.pool import DirectReads
from dtnctl.providers.docker.reach.transport import Transport
from tests.fakes.engine import World
from tests.providers.backends import ENDPOINT, Backend, FakeBackend
from tests.providers.gateway import PREFIX, Gateway, reach_gateway
from tests.providers.test_contract import (  # noqa: F401  # they run here, over the gateway
    test_the_engines_clock_is_read_from_the_answer_that_comes_first,
)
from tests.providers.test_contract_containers import (  # noqa: F401  # they run here, over the gateway
    test_creating_over_a_foreign_container_is_a_conflict,
    test_creating_twice_is_creating_once,
    test_starting_twice_is_starting_once,
    test_stopping_twice_is_stopping_once,
)
from tests.providers.test_contract_files import (  # noqa: F401  # they run here, over the gateway
    test_a_command_gives_its_output_and_its_code,
    test_a_hand_takes_and_gives_files_and_never_runs,
    test_files_have_the_owner_and_mode_asked_for_and_so_have_new_folders,
    test_followed_logs_end_when_the_container_does,
    test_logs_are_what_was_written,
    test_of_eight_who_ask_at_once_exactly_one_gets_the_hand,
    test_waiting_for_one_that_ended_gives_its_code_at_once,
)
from tests.providers.test_contract_networks import (  # noqa: F401  # they run here, over the gateway
    test_an_address_that_is_taken_is_a_conflict,
    test_an_image_is_pulled_with_the_login_of_its_registry,
    test_creating_a_network_twice_is_creating_it_once,
)
from tests.providers.test_contract_reading import (  # noqa: F401  # they run here, over the gateway
    test_several_threads_share_one_provider,
)


class GatewayBackend(FakeBackend):
    """The in-memory engine behind the gateway."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        super().__init__(world)
        self.gateway = gateway

    def _state(self, socket: Path | None) -> Endpoint:
        assert socket is None, "the gateway leads to one engine"
        port = self.gateway.port
        address = EngineAddress(f"gateway://127.0.0.1:{port}", "gateway", "127.0.0.1", port)
        return Endpoint.model_construct(docker=address, host="127.0.0.1")  # no file can name it: it has no row in the model


@pytest.fixture
def backend() -> Iterator[GatewayBackend]:
    TRANSPORTS["gateway"] = reach_gateway
    try:
        with World([ENDPOINT]) as world, Gateway(Path(world.sockets[ENDPOINT])) as gateway:
            backend = GatewayBackend(world, gateway)
            try:
                yield backend
            finally:
                backend.close()
    finally:
        del TRANSPORTS["gateway"]


@pytest.fixture
def engine(backend: Backend) -> DockerEngine:
    return backend.engine()


def test_every_scheme_that_a_file_may_name_has_a_transport() -> None:
    assert set(TRANSPORTS) == set(SCHEMES)


def test_every_request_goes_through_the_folder(backend: GatewayBackend, engine: DockerEngine) -> None:
    assert engine.observe(Wanted()).silence == ""
    assert backend.gateway.requests
    assert all(request.partition(" ")[2].startswith(f"{PREFIX}/") for request in backend.gateway.requests)


def test_without_the_header_nothing_is_answered(backend: GatewayBackend) -> None:
    def reach_without_key(access: EndpointAccess, *, read_only: bool) -> Transport:
        del read_only
        return Transport(DirectReads(access.endpoint.address.host, access.endpoint.address.port), PREFIX)

    TRANSPORTS["gateway"] = reach_without_key
    silence = backend.engine().observe(Wanted()).silence
    assert silence.startswith("gateway://127.0.0.1:")
    assert "no such key" in silence
