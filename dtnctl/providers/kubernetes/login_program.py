"""A kubeconfig's program that writes a token (`exec`): asked once by all threads together, again when its token is refused.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins describes what it is asked.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path

from httpx2 import Auth, Request, Response

from dtnctl.providers.kubernetes.errors import LoginError
from dtnctl.providers.kubernetes.identity import Json, Object

EXEC_INFO = "KUBERNETES_EXEC_INFO"
UNAUTHORIZED = 401
CLUSTER_KEYS = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
)  # of a cluster, if it is asked for


@dataclass(frozen=True, slots=True)
class Program:
    """What is run. `environment` is added to ours."""

    command: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        return Path(self.command[0]).name


def program_of(written: Json, cluster: Json, file: Path | None) -> Program:
    """The program of a user's entry. It is asked in its own version, and not to ask on the terminal."""
    command = str(written["command"])
    if os.sep in command and file is not None:  # with a slash it is relative to the kubeconfig, else looked for in $PATH
        command = str(file.parent / command)
    spec: Object = {"interactive": False} | ({"cluster": _cluster_info(cluster, file)} if written.get("provideClusterInfo") else {})
    asked = {"apiVersion": written["apiVersion"], "kind": "ExecCredential", "spec": spec}
    variables = {item["name"]: str(item["value"]) for item in written.get("env") or ()}
    return Program((command, *map(str, written.get("args") or ())), variables | {EXEC_INFO: json.dumps(asked)})


def _cluster_info(cluster: Json, file: Path | None) -> Object:
    """The cluster for a program that asks for it: a file of certificates by what is in it."""
    info = {key: cluster[key] for key in CLUSTER_KEYS if key in cluster}
    if authority := cluster.get("certificate-authority"):
        info["certificate-authority-data"] = base64.b64encode(((file or Path()).parent / authority).read_bytes()).decode()
    return info


class ProgramAuth(Auth):
    """May be used from several threads. LoginError names the program that gives no token, and quotes nothing that it wrote."""

    def __init__(self, program: Program, patience: float) -> None:
        self._program, self._patience = program, patience
        self._lock = threading.Lock()
        self._bearer = ""

    def sync_auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        known = self._bearer
        request.headers["Authorization"] = known or self._asked("")
        response = yield request
        if known and response.status_code == UNAUTHORIZED:
            request.headers["Authorization"] = self._asked(known)
            yield request

    def _asked(self, refused: str) -> str:
        """Another one than the one that was refused, unless another thread has it by now."""
        with self._lock:
            if self._bearer == refused:
                self._bearer = f"Bearer {self._token()}"
            return self._bearer

    def _token(self) -> str:
        ended = self._run()
        if ended.returncode:
            raise self._failed(f"failed: {self._program.name} ended with {ended.returncode}")
        try:
            return str(json.loads(ended.stdout)["status"]["token"])
        except (ValueError, KeyError, TypeError):  # a certificate in its place is not possible, either
            raise self._failed("writes no token") from None

    def _run(self) -> subprocess.CompletedProcess[bytes]:
        environment = os.environ | self._program.environment
        try:
            return subprocess.run(
                self._program.command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._patience, check=False
            )
        except subprocess.TimeoutExpired:
            raise self._failed(f"gave no token within {self._patience:g} s: {self._program.name} was ended") from None
        except OSError as error:
            raise self._failed(f"cannot be started: {self._program.name}: {error.strerror}") from None

    def _failed(self, words: str) -> LoginError:
        return LoginError(f"the login's program {words}")
