"""Which cluster, and as whom: a kubeconfig (certificate, token, program), or the pod's own service account.

lightkube knows the form of kubeconfigs. What it leaves out is here: proxies, another name in the server's certificate, programs that hang.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtnctl.errors import UnreachableError
from dtnctl.model.secret_fields import Secret
from dtnctl.providers.kubernetes.identity import NOTHING, Json
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource

if TYPE_CHECKING:
    import ssl

    from httpx2 import Auth
    from lightkube.config.kubeconfig import KubeConfig, SingleConfig

    from dtnctl.model.kubernetes_addresses import KubernetesAddress

USUAL_FILE = "~/.kube/config"
PROXIES = ("http://", "https://")
NOT_DONE = ("as", "as-groups", "as-uid", "as-user-extra", "auth-provider")  # of a user: who is asked for then would be another one


def _may_be_its_own(status: int, content: bytes) -> str:
    del status, content
    return ""


@dataclass(frozen=True, slots=True)
class Login:
    """How a server is reached, and as whom. `headers` may be secret.

    `server_name`: the name that the server's certificate must have; empty: that of its host. `unanswered`: what an answer with this status
    and content, of what is in front of the server, says of why the server gave none; empty for one that may be the server's own.
    """

    server: str
    trusted: ssl.SSLContext | bool = True
    auth: Auth | None = None
    proxy: str | None = None
    server_name: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    unanswered: Callable[[int, bytes], str] = _may_be_its_own


def login_of(address: KubernetesAddress, root: Path, secrets: SecretSource, patience: float) -> Login:
    """The login of an endpoint. UnreachableError says what is wrong with it, and repeats nothing of what it holds.

    `patience`: seconds until a program of a kubeconfig must have given a token.
    """
    from lightkube.core.exceptions import ConfigError
    from msgspec import ValidationError
    from yaml import YAMLError

    try:
        return _login(address, *_written(address, root, secrets), patience)
    except SecretError as error:
        raise UnreachableError(f"{address.text}: the kubeconfig cannot be looked up: {error}") from None
    except ConfigError as error:
        raise UnreachableError(f"{address.text}: {error}") from None
    except OSError as error:
        raise UnreachableError(f"{address.text}: the kubeconfig cannot be read: {(error.strerror or 'unusable path').lower()}") from None
    except (AttributeError, KeyError, TypeError, YAMLError, ValidationError):
        raise UnreachableError(f"{address.text}: the file is no kubeconfig, or names a cluster or user that is not in it") from None


def _written(address: KubernetesAddress, root: Path, secrets: SecretSource) -> tuple[Json, Path | None]:
    """The kubeconfig as it is written, and its file; nothing for a pod's own account."""
    from lightkube.core.exceptions import ConfigError

    if address.is_in_cluster:
        return NOTHING, None
    if isinstance(address.kubeconfig, Secret):
        return _decoded(secrets.look_up(address.kubeconfig.secret).reveal()), None
    file = _file(address.kubeconfig, root)
    if not file.is_file():
        raise ConfigError(f"Configuration file {file} not found")
    return _decoded(file.read_text()), file


def _file(written: str | None, root: Path) -> Path:
    """The file that is meant; of several in $KUBECONFIG the first that is there."""
    if written is not None:
        return (root / written).expanduser()
    files = [Path(text).expanduser() for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    return next((file for file in files if file.is_file()), files[0] if files else Path(USUAL_FILE).expanduser())


def _decoded(text: str) -> dict[str, Any]:
    import yaml

    found = yaml.safe_load(text)
    return found if isinstance(found, dict) else {}


def _login(address: KubernetesAddress, written: Json, file: Path | None, patience: float) -> Login:
    from lightkube.config.models import User

    config = _kubeconfig(written, file).get(address.context)
    assert config is not None  # lightkube's own default is not asked for
    cluster, user = _entry(written, "cluster", config.context.cluster), _entry(written, "user", config.context.user)
    for fault in (*_faults_of_cluster(cluster), *_faults_of_user(user)):
        raise UnreachableError(f"{address.text}: {fault}")
    config = config if config.user is not None else config._replace(user=User())  # kubectl, too, then sends no login
    return Login(
        config.cluster.server,
        _trusted(address, config),
        _auth(config, (cluster, user), patience),
        cluster.get("proxy-url") or None,
        cluster.get("tls-server-name") or "",
    )


def _kubeconfig(written: Json, file: Path | None) -> KubeConfig:
    from lightkube.config.kubeconfig import KubeConfig

    return KubeConfig.from_dict(dict(written), fname=file) if written is not NOTHING else KubeConfig.from_service_account()


def _entry(written: Json, kind: str, name: str | None) -> Json:
    """The cluster or user of this name, with what lightkube does not read."""
    found: Json = {item["name"]: item[kind] for item in written.get(f"{kind}s") or ()}.get(name) or NOTHING
    return found


def _faults_of_cluster(cluster: Json) -> Iterator[str]:
    if not str(cluster.get("proxy-url") or PROXIES[0]).startswith(PROXIES):
        yield "`proxy-url` of the kubeconfig's cluster is neither http:// nor https://, and dtnctl uses no other proxies"


def _faults_of_user(user: Json) -> Iterator[str]:
    for key in NOT_DONE:
        if user.get(key):
            yield f"`{key}` of the kubeconfig's user is not possible with dtnctl: give it a token, a certificate or a program (`exec`)"


def _trusted(address: KubernetesAddress, config: SingleConfig) -> ssl.SSLContext:
    from lightkube.config.client_adapter import verify_cluster

    assert config.user is not None
    try:
        return verify_cluster(config.cluster, config.user, config.abs_file, trust_env=False)
    except (OSError, ValueError, TypeError) as error:  # no such file, no base64, no PEM; a certificate without its key
        said = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
        raise UnreachableError(f"{address.text}: the certificates or the key of the kubeconfig cannot be used{said}") from None


def _auth(config: SingleConfig, entries: tuple[Json, Json], patience: float) -> Auth | None:
    from lightkube.config.client_adapter import user_auth

    from dtnctl.providers.kubernetes.login_program import ProgramAuth, program_of

    cluster, user = entries
    assert config.user is not None
    if config.user.token_file is not None:
        config.user.token_file = str(config.abs_file(config.user.token_file))
    elif config.user.token is None and config.user.exec is not None:
        return ProgramAuth(program_of(user["exec"], cluster, config.fname), patience)
    return user_auth(config.user)
