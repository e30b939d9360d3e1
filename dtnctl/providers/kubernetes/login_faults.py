"""What a cluster's login needs on this machine: a kubeconfig that can be read, or the service account of a pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from dtnctl.model.kubernetes_addresses import KubernetesAddress
from dtnctl.model.secret_fields import Secret
from dtnctl.providers.secrets.errors import SecretError
from dtnctl.providers.secrets.source import SecretSource

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def kubeconfig_paths(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Where kubectl looks for its file, if none is named: all of `$KUBECONFIG`, else the one of the user."""
    listed = tuple(Path(item) for item in environment.get("KUBECONFIG", "").split(":") if item)
    return listed or (Path(environment.get("HOME", "/")) / ".kube" / "config",)


def login_faults(
    address: KubernetesAddress, root: Path, environment: Mapping[str, str], secrets: SecretSource, account: Path = SERVICE_ACCOUNT
) -> Iterator[str]:
    """Why this machine cannot log in at the cluster, before it is asked."""
    login = address.kubeconfig
    if address.portainer is not None:
        return
    if isinstance(login, Secret):
        try:
            secrets.look_up(login.secret)
        except SecretError as error:
            yield f"{login.secret} cannot be used: {error}"
    elif address.is_in_cluster:
        if not account.exists() or "KUBERNETES_SERVICE_HOST" not in environment:
            yield "`kubeconfig: in-cluster` is for a dtnctl that runs in a pod with a service account, and this is none"
    elif login is not None:
        yield from _unreadable(root / login)
    else:
        paths = kubeconfig_paths(environment)
        yield from () if any(path.is_file() for path in paths) else _unreadable(paths[0])


def _unreadable(path: Path) -> Iterator[str]:
    try:
        path.read_bytes()
    except (OSError, ValueError) as error:
        yield f"cannot read {path}: {(getattr(error, 'strerror', None) or 'unusable path').lower()}"
