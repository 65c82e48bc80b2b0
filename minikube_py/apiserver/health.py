"""How /healthz, /livez and /readyz answer, given what each check says.

    [+]ping ok                       a check that passes
    [-]etcd failed: reason withheld  one that does not (why stands in the log, not in the answer)
    [+]etcd excluded: ok             one that the client leaves out

Upstream: apiserver server/healthz.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Check = Callable[[], str]
"""Returns an empty text when all is well, else what is wrong."""


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """A status code, a text, and what failed, for the log."""

    status: int
    text: str
    failures: tuple[str, ...] = ()


def answer_health(
    endpoint: str, checks: Mapping[str, Check], *, verbose: bool, exclude: Sequence[str]
) -> HealthAnswer:
    """Return the answer of an endpoint (`readyz`) with all its checks."""
    lines: list[str] = []
    failures: list[str] = []
    for name, check in checks.items():
        if name in exclude:
            lines.append(f"[+]{name} excluded: ok")
            continue
        fault = check()
        if fault:
            failures.append(f"{name}: {fault}")
            lines.append(f"[-]{name} failed: reason withheld")
        else:
            lines.append(f"[+]{name} ok")
    unknown = sorted(name for name in exclude if name not in checks)
    if unknown:
        shown = ", ".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {shown}")
    if failures:
        return HealthAnswer(500, "\n".join([*lines, f"{endpoint} check failed", ""]), tuple(failures))
    if verbose:
        return HealthAnswer(200, "\n".join([*lines, f"{endpoint} check passed", ""]))
    return HealthAnswer(200, "ok")


def answer_check(name: str, check: Check) -> HealthAnswer:
    """Return the answer of one check's own path (`/readyz/ping`)."""
    fault = check()
    if fault:
        return HealthAnswer(500, f"internal server error: {fault}\n", (f"{name}: {fault}",))
    return HealthAnswer(200, "ok")
