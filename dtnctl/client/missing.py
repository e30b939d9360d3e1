"""What this machine lacks to carry a plan out: secrets, and logins at registries, by the lines that refer to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtnctl.client.workplace import Workplace
from dtnctl.errors import Problem

if TYPE_CHECKING:
    from dtnctl.model.plan import Plan
    from dtnctl.planning.planner import Scope
    from dtnctl.planning.secret_uses import SecretUse

ADVICE = {"env": "to set it", "file": "the path of a text file that this user may read", "sops": "to look at the file and its keys"}


def missing_secrets(workplace: Workplace, scope: Scope) -> list[Problem]:
    """Secrets of the scope's services that cannot be looked up, each at the line that names it."""
    from dtnctl.planning.secret_uses import secret_uses
    from dtnctl.runtime.clock import SystemClock

    uses = secret_uses(workplace.site, SystemClock().now(), scope)
    return sorted({problem for use in uses if (problem := _problem_of(workplace, use)) is not None})


def missing_logins(workplace: Workplace, plan: Plan) -> list[Problem]:
    """Logins that images which will be pulled need and this machine does not have."""
    from dtnctl.model.actions import PullImage
    from dtnctl.providers.local.files import find_login_problems

    images = frozenset(step.action.image for step in plan.steps if isinstance(step.action, PullImage))
    return find_login_problems(workplace.site, images, workplace.root, workplace.secrets)


def _problem_of(workplace: Workplace, use: SecretUse) -> Problem | None:
    from dtnctl.model.nvme_keys import key_mistake
    from dtnctl.providers.secrets.errors import SecretError

    try:
        workplace.secrets.fingerprint(use.reference)
        if use.is_key and (mistake := key_mistake(workplace.secrets.line(use.reference))):
            raise SecretError(mistake)
    except SecretError as error:
        text = f"the secret of {use.variable} ({use.reference}) cannot be used: {error}"
        return Problem(use.file, use.line, use.column, "E0378", text, ADVICE[use.reference.partition(":")[0]])
    return None
