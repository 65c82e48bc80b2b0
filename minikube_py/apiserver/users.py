"""Who asks: the user that authentication found (upstream: user.Info)."""

from dataclasses import dataclass

SYSTEM_MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user's name and groups, and what else its credentials say of it."""

    name: str
    groups: tuple[str, ...]
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Keys with their values."""


ANONYMOUS = UserInfo("system:anonymous", (UNAUTHENTICATED,))
LOOPBACK = UserInfo("system:apiserver", (SYSTEM_MASTERS, AUTHENTICATED))
"""The API server's own requests (upstream's loopback client)."""
