"""An API server with one login to it, for all endpoints of a run that are nodes of its cluster: one client, whose connections are kept."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from dtnctl import __version__
from dtnctl.providers.kubernetes.gathered import Gathered
from dtnctl.providers.shared import Once
from dtnctl.providers.timeouts import Timeouts

if TYPE_CHECKING:
    from httpx2 import Client, Request, Timeout

    from dtnctl.providers.kubernetes.login import Login

USER_AGENT = f"dtnctl/{__version__}"


class ApiServer:
    """`facts` are those of the whole cluster, `gathered` the lists of its namespaces. May be used from several threads."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts, self.facts, self.gathered = timeouts, Once(), Gathered()
        self._lock = Lock()
        self._client: Client | None = None

    def client(self, login: Login) -> Client:
        """The HTTP client; made when it is first asked for."""
        with self._lock:
            if self._client is None:
                self._client = _client(login, self.limits())
            return self._client

    def limits(self, read: float | None = 0.0) -> Timeout:
        """Seconds for one call; `read` is how long an answer may take, None as long as it likes, 0 the usual."""
        from httpx2 import Timeout

        return Timeout(self.timeouts.read if read == 0.0 else read, connect=self.timeouts.connect)

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None


def _client(login: Login, limits: Timeout) -> Client:
    from http.cookiejar import CookieJar, DefaultCookiePolicy

    from httpx2 import Client, Limits

    def name_server(request: Request) -> None:
        """Which name the server's certificate must have, where it is not the host's."""
        if login.server_name:
            request.extensions["sni_hostname"] = login.server_name

    return Client(
        base_url=login.server,
        verify=login.trusted,
        auth=login.auth,
        proxy=login.proxy,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # with one of its own Portainer wants more
        headers={"User-Agent": USER_AGENT, **login.headers},
        event_hooks={"request": [name_server]},
        timeout=limits,
        limits=Limits(),  # as many connections as threads ask: a call that waits for one in the client would count as a silent server
        trust_env=False,
    )
