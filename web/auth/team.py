"""What only a team has."""

from __future__ import annotations

from web.auth.identity import TeamUser
from web.auth.rules import of_auth
from web.errors import NotFoundError


def team() -> TeamUser:
    """Return who tells users apart.

    Raises
    ------
    NotFoundError
        Where nobody signs in.
    """
    identifier = of_auth().identifier
    if not isinstance(identifier, TeamUser):
        raise NotFoundError(
            "team-only",
            "本机单人使用，无需登录和用户管理。",
            "One person works here, on this machine: there is nobody to sign in or to manage.",
        )
    return identifier
