"""Which cluster, and as whom: a kubeconfig as lightkube reads it (certificate, token, exec plugin), or the pod's own service account."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtnctl.errors import UnreachableError
from dtnctl.model.secret_fields import Secret
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource

if TYPE_CHECKING:
    from lightkube.config.kubeconfig import KubeConfig, SingleConfig

    from dtnctl.model.kubernetes_addresses import KubernetesAddress

EXEC_INFO = "KUBERNETES_EXEC_INFO"
NEWEST, KNOWN = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
USUAL_FILE = "~/.kube/config"


def config_of(address: KubernetesAddress, root: Path, secrets: SecretSource) -> SingleConfig:
    """The login of an endpoint. UnreachableError says what is wrong with it, and repeats nothing of what it holds."""
    from lightkube.core.exceptions import ConfigError
    from msgspec import ValidationError
    from yaml import YAMLError

    try:
        config = _kubeconfig(address, root, secrets).get(address.context)
        assert config is not None  # lightkube's own default is not asked for
        _tell_version(config)
    except SecretError as error:
        raise UnreachableError(f"{address.text}: the kubeconfig cannot be looked up: {error}") from None
    except ConfigError as error:
        raise UnreachableError(f"{address.text}: {error}") from None
    except OSError as error:
        raise UnreachableError(f"{address.text}: the kubeconfig cannot be read: {(error.strerror or 'unusable path').lower()}") from None
    except (AttributeError, KeyError, TypeError, YAMLError, ValidationError):
        raise UnreachableError(f"{address.text}: the kubeconfig is none, or names a cluster or user that is not in it") from None
    return config


def _tell_version(config: SingleConfig) -> None:
    """A login's program is asked in its own version, and not to ask on the terminal. lightkube knows the versions before the last one,
    which has the same answer.
    """
    from lightkube.config.models import NameValue

    program = config.user.exec if config.user is not None else None
    if program is not None:
        asked = {"apiVersion": program.apiVersion, "kind": "ExecCredential", "spec": {"interactive": False}}
        program.env = [*(program.env or ()), NameValue(EXEC_INFO, json.dumps(asked))]
        program.apiVersion = KNOWN if program.apiVersion == NEWEST else program.apiVersion


def _kubeconfig(address: KubernetesAddress, root: Path, secrets: SecretSource) -> KubeConfig:
    from lightkube.config.kubeconfig import KubeConfig

    if address.is_in_cluster:
        return KubeConfig.from_service_account()
    if isinstance(address.kubeconfig, Secret):
        return KubeConfig.from_dict(_decoded(secrets.look_up(address.kubeconfig.secret).reveal()))
    return KubeConfig.from_file(_file(address.kubeconfig, root))


def _file(written: str | None, root: Path) -> Path:
    """The file that is meant; of several in $KUBECONFIG the first that is there."""
    if written is not None:
        return root / written
    files = [Path(text).expanduser() for text in os.environ.get("KUBECONFIG", "").split(os.pathsep) if text]
    return next((file for file in files if file.is_file()), files[0] if files else Path(USUAL_FILE).expanduser())


def _decoded(text: str) -> dict[str, Any]:
    import yaml

    found = yaml.safe_load(text)
    return found if isinstance(found, dict) else {}
