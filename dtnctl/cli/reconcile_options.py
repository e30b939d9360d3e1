"""The options of `dtnctl reconcile`; each can be a variable of a service's environment."""

from __future__ import annotations

from typing import Annotated

import typer

from dtnctl.cli import names
from dtnctl.cli import options as opt
from dtnctl.cli.status_page import StatusForge

RepoOption = Annotated[
    str, typer.Option("--repo", metavar="URL", help="Repository to follow, as git fetch takes it.", envvar="DTNCTL_REPO")
]
BranchOption = Annotated[str, typer.Option("--branch", help="Its branch.", envvar="DTNCTL_BRANCH")]
IntervalOption = Annotated[
    float,
    typer.Option(
        "--interval",
        parser=opt.seconds,
        show_default="1m",
        metavar="TIME",
        help="Between two rounds: 30s, 5m; a number is seconds.",
        envvar="DTNCTL_INTERVAL",
    ),
]
OnceOption = Annotated[bool, typer.Option("--once", help="One round, then end with its exit code.")]
StateOption = Annotated[
    str,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="Where clone and journal are kept. Default: systemd's StateDirectory, else ~/.local/state/dtnctl/reconcile.",
        show_default=False,
        envvar="DTNCTL_STATE_DIR",
        autocompletion=names.files,
    ),
]
KeyOption = Annotated[
    str,
    typer.Option(
        "--deploy-key",
        metavar="FILE",
        help="Private ssh key for the repository.",
        envvar="DTNCTL_DEPLOY_KEY",
        autocompletion=names.files,
    ),
]
HostsOption = Annotated[
    str,
    typer.Option(
        "--known-hosts",
        metavar="FILE",
        help="The keys of its host; else as ssh is set up.",
        envvar="DTNCTL_KNOWN_HOSTS",
        autocompletion=names.files,
    ),
]
SignersOption = Annotated[
    str,
    typer.Option(
        "--allowed-signers",
        metavar="FILE",
        help="Carry out only commits that have an SSH signature of one of these, as ssh-keygen(1) lists them.",
        envvar="DTNCTL_ALLOWED_SIGNERS",
        autocompletion=names.files,
    ),
]
SinceOption = Annotated[
    str,
    typer.Option(
        "--signed-since",
        metavar="COMMIT",
        help="Where no good commit is known yet: all commits since this one have to be signed, not only the newest.",
        envvar="DTNCTL_SIGNED_SINCE",
    ),
]
DepthOption = Annotated[int, typer.Option("--depth", min=0, help="Commits of history to fetch; 0: all of it.", envvar="DTNCTL_DEPTH")]
SecretsOption = Annotated[
    str,
    typer.Option(
        "--secrets",
        metavar="DIR",
        help="Folder that the checked-out files see as .secrets.",
        envvar="DTNCTL_SECRETS",
        autocompletion=names.files,
    ),
]
ReviewsOption = Annotated[
    bool,
    typer.Option(
        "--reviewed-plans",
        help="Run the plan that a pull request recorded for the state, as `review:` of site.yaml says.",
        envvar="DTNCTL_REVIEWED_PLANS",
    ),
]
OwnersOption = Annotated[
    bool,
    typer.Option(
        "--owners",
        help="Refuse commits that change files of others, as `owners:` of the last good commit's site.yaml says.",
        envvar="DTNCTL_CHECK_OWNERS",
    ),
]
RunTimeoutOption = Annotated[
    float,
    typer.Option(
        "--run-timeout",
        parser=opt.seconds,
        show_default="1h",
        metavar="TIME",
        help="After which an apply that hangs is ended; it waits for no transfer.",
        envvar="DTNCTL_RUN_TIMEOUT",
    ),
]
WebhookOption = Annotated[
    str,
    typer.Option(
        "--webhook",
        metavar="ADDRESS",
        help="Listen for a forge's webhook at POST /webhook, such as 127.0.0.1:8080.",
        envvar="DTNCTL_WEBHOOK",
    ),
]
SecretFileOption = Annotated[
    str,
    typer.Option(
        "--webhook-secret",
        metavar="FILE",
        help="File with the webhook's secret (GitHub) or token (GitLab).",
        envvar="DTNCTL_WEBHOOK_SECRET",
        autocompletion=names.files,
    ),
]
MetricsOption = Annotated[
    str,
    typer.Option(
        "--metrics",
        metavar="ADDRESS",
        help="Serve /metrics, /healthz and /journal, such as 127.0.0.1:9108.",
        envvar="DTNCTL_METRICS",
    ),
]
StatusesOption = Annotated[
    StatusForge | None,
    typer.Option(
        "--statuses",
        metavar="github|gitlab",
        help="Show on each commit's page what became of it, for each endpoint.",
        show_default=False,
        envvar="DTNCTL_STATUSES",
    ),
]
StatusTokenOption = Annotated[
    str,
    typer.Option(
        "--status-token",
        metavar="FILE",
        help="File with a token of the forge that may write statuses.",
        envvar="DTNCTL_STATUS_TOKEN",
        autocompletion=names.files,
    ),
]
StatusApiOption = Annotated[
    str,
    typer.Option(
        "--status-api",
        metavar="URL",
        help="The forge's API. Default: that of the host in --repo.",
        show_default=False,
        envvar="DTNCTL_STATUS_API",
    ),
]
StatusRepositoryOption = Annotated[
    str,
    typer.Option(
        "--status-repository",
        metavar="OWNER/NAME",
        help="The repository at the forge. Default: that of --repo.",
        show_default=False,
        envvar="DTNCTL_STATUS_REPOSITORY",
    ),
]
UnitOption = Annotated[bool, typer.Option("--print-unit", help="Print a systemd unit for this command, and do nothing.")]
