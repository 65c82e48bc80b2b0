"""Why a host cannot join: one line for each thing that goes wrong on the way to the server, with the way out.

Pure words; `client.io.join_client` finds out what happened. What the server itself answers is passed on as it is.
"""

from dataclasses import dataclass

from minikube_py.api.meta import format_time

NOT_YET_VALID, EXPIRED = 9, 10
HOSTNAME_MISMATCH, ADDRESS_MISMATCH = 62, 64
"""OpenSSL's verification codes."""
CLOCK_SKEW_S_MAX = 60.0
"""Clocks further apart than this are said to be off."""


class JoinRefusedError(Exception):
    """The host cannot join, and trying again will not help; the message is for a person."""


def wrong_ca(server_url: str, wanted_hash: str, found_hash: str) -> str:
    """Return the words for a server whose CA is not the token's."""
    return (
        f"the server {server_url} has another CA (sha256 {found_hash[:12]}…) than the token names "
        f"({wanted_hash[:12]}…): the token is that of another cluster, or this is not the server that you mean"
    )


@dataclass(frozen=True, slots=True)
class ServerClock:
    """What the server's clock said; seconds."""

    wall_s: float
    skew_s: float
    """How far this host's clock is ahead of it."""

    def fault(self) -> str:
        """Return the words for clocks that are apart, empty when they agree."""
        if abs(self.skew_s) <= CLOCK_SKEW_S_MAX:
            return ""
        apart = f"{_span(abs(self.skew_s))} {'ahead of' if self.skew_s > 0 else 'behind'}"
        return f"this host's clock is {apart} the server's, which says {format_time(self.wall_s)}"


def tls_fault(server_url: str, code: int, text: str, clock: ServerClock | None) -> str:
    """Return the words for a certificate that is not believed; `code` and `text` are OpenSSL's."""
    if code in (HOSTNAME_MISMATCH, ADDRESS_MISMATCH):
        return (
            f"the certificate of {server_url} is not for that name: use one that it is for, or start the master with "
            "--tls-san and this name"
        )
    if code in (NOT_YET_VALID, EXPIRED):
        apart = clock.fault() if clock is not None else ""
        if apart:
            return f"{apart}: set it ({server_url} shows a certificate that seems not to be valid now: {text})"
        return f"{server_url} shows a certificate that is not valid now ({text}): restart the master to renew it"
    return f"the certificate of {server_url} does not come from the cluster's CA ({text})"


def _span(seconds: float) -> str:
    for length, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def version_fault(server_version: str, own_version: str) -> str:
    """Return why two programs do not fit together, empty when they do: major and minor have to be the same."""
    if server_version.split(".")[:2] == own_version.split(".")[:2]:
        return ""
    return (
        f"the server runs minikube-py {server_version}, this host {own_version}: give both the same version "
        "(the first two numbers count)"
    )
