"""A container engine that knows only what QoS asks it, with containers that are processes in network namespaces of their own.

It speaks the engine's HTTP on a unix socket: inspect, and the stream of events. What it tells of a container is what Docker 20.10
and 28 tell, without the rest. The real engine's turn is in test_qos_engine.py.
"""

from __future__ import annotations

import json
import os
import queue
import socketserver
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from dtn_agent.namespaces import within
from pyroute2 import IPRoute

ADDRESS, ADDRESS6 = "10.9.9.2", "fd09::2"
FAR_ADDRESS = "10.9.8.2"  # of the other interface


@dataclass
class StandIn:
    """One container. `network` is its HostConfig.NetworkMode."""

    name: str
    network: str = "data"
    process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None else 0

    @property
    def namespace(self) -> Path:
        return Path(f"/proc/{self.pid}/ns/net")

    def start(self) -> None:
        """A process in a new network namespace, with `near` at ADDRESS and `far` at FAR_ADDRESS; on the host's own for `host`."""
        script = ["sh", "-c", "echo up; exec sleep infinity"]
        command = script if self.network == "host" else ["unshare", "--net", *script]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"
        if self.network != "host":
            self.inside(_wire_up)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def inside(self, action: Any) -> Any:
        """What `action` returns in the container's network namespace."""
        namespace = os.open(self.namespace, os.O_RDONLY)
        try:
            return within(namespace, action)
        finally:
            os.close(namespace)

    def told(self) -> dict[str, Any]:
        state = {"Running": self.process is not None, "Pid": self.pid}
        return {"Id": f"id-{self.name}", "Name": f"/{self.name}", "State": state, "HostConfig": {"NetworkMode": self.network}}


def _wire_up() -> None:
    with IPRoute() as netlink:
        netlink.link("add", ifname="near", kind="veth", peer="far")
        for name in ("near", "far"):
            (index,) = netlink.link_lookup(ifname=name)
            netlink.link("set", index=index, state="up")
        (near,) = netlink.link_lookup(ifname="near")
        netlink.addr("add", index=near, address=ADDRESS, prefixlen=24)
        netlink.addr("add", index=netlink.link_lookup(ifname="far")[0], address=FAR_ADDRESS, prefixlen=24)
        if Path("/proc/sys/net/ipv6").exists():
            netlink.addr("add", index=near, address=ADDRESS6, prefixlen=64, flags=0x02)  # usable at once


@dataclass
class EngineStandIn:
    """The engine on a socket. It can be switched off and on; the containers go on meanwhile, as with live-restore."""

    socket: Path
    containers: dict[str, StandIn] = field(default_factory=dict)
    listeners: list[queue.Queue[dict[str, Any] | None]] = field(default_factory=list)
    subscribed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    server: _Server | None = None

    def __enter__(self) -> Self:
        self.switch_on()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.switch_off()
        for container in self.containers.values():
            container.stop()

    def run(self, name: str, network: str = "data") -> StandIn:
        """A new container, started."""
        container = self.containers[name] = StandIn(name, network)
        self.start(name)
        return container

    def start(self, name: str) -> None:
        self.containers[name].start()
        about = {"ID": f"id-{name}", "Attributes": {"name": name}}
        self.tell({"Type": "container", "Action": "start", "Actor": about})

    def tell(self, event: dict[str, Any]) -> None:
        """Send an event to everybody who listens."""
        for listener in self.listeners:
            listener.put(event)

    def switch_on(self) -> None:
        self.server = _Server(str(self.socket), self)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def switch_off(self) -> None:
        """Every stream ends, and nobody answers any more."""
        for listener in self.listeners:
            listener.put(None)
        self.listeners.clear()
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None
        self.socket.unlink(missing_ok=True)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, engine: EngineStandIn) -> None:
        super().__init__(path, _Answer)
        self.engine = engine

    def get_request(self) -> Any:
        connection, _ = super().get_request()
        return connection, ("unix", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hung up hears nothing, as with the real one."""


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        path = urlsplit(unquote(self.path)).path
        if path == "/events":
            self._events()
            return
        name = path.removeprefix("/containers/").removesuffix("/json")
        container = self.server.engine.containers.get(name)
        body = {"message": f"No such container: {name}"} if container is None else container.told()
        text = json.dumps(body).encode()
        self.send_response(404 if container is None else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _events(self) -> None:
        listener: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.server.engine.listeners.append(listener)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        self.server.engine.subscribed.release()
        while (event := listener.get()) is not None:
            text = json.dumps(event).encode() + b"\n"
            self.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Silent."""
