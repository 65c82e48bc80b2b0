"""How long a pod stays on a node that is not ready, and how two lists of tolerations become one.

Upstream: plugin/pkg/admission/defaulttolerationseconds, pkg/util/tolerations.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.taints import NO_EXECUTE, NOT_READY, UNREACHABLE
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.plugins.plugin import Asked, Plugin

Toleration = Mapping[str, Any]


def add_default_tolerations(spec: Obj, config: ApiServerConfig) -> None:
    """Let a pod that says nothing about it stay for as long as the settings say; in place."""
    tolerations = list(spec.get("tolerations") or ())
    tolerations += [
        {"key": taint, "operator": "Exists", "effect": NO_EXECUTE, "tolerationSeconds": seconds}
        for taint, seconds in (
            (NOT_READY, config.default_not_ready_toleration_s),
            (UNREACHABLE, config.default_unreachable_toleration_s),
        )
        if not _speaks_of(tolerations, taint)
    ]
    if tolerations:
        spec["tolerations"] = tolerations


def _speaks_of(tolerations: Sequence[Toleration], taint: str) -> bool:
    return any(
        (t.get("key") or "") in ("", taint) and (t.get("effect") or "") in ("", NO_EXECUTE) for t in tolerations
    )


def merge_tolerations(first: Sequence[Toleration], second: Sequence[Toleration]) -> list[Toleration]:
    """Return all of both, without those that another one covers; of equal ones the first stays."""
    together = [*first, *second]
    merged: list[Toleration] = []
    for index, one in enumerate(together):
        covered = any(covers(other, one) for other in merged)
        if not covered and not any(other != one and covers(other, one) for other in together[index + 1 :]):
            merged.append(one)
    return merged


def covers(wide: Toleration, narrow: Toleration) -> bool:
    """Return whether all that `narrow` tolerates, `wide` tolerates too."""
    if wide == narrow:
        return True
    key, operator, effect = (wide.get(field) or "" for field in ("key", "operator", "effect"))
    if key != (narrow.get("key") or "") and (key or operator != "Exists"):
        return False
    if effect not in ("", narrow.get("effect") or ""):
        return False
    limit_s, asked_s = wide.get("tolerationSeconds"), narrow.get("tolerationSeconds")
    if effect == NO_EXECUTE and limit_s is not None and (asked_s is None or asked_s > limit_s):
        return False
    if operator == "Exists":
        return True
    same_value = (wide.get("value") or "") == (narrow.get("value") or "")
    return operator in ("", "Equal") and (narrow.get("operator") or "Equal") == "Equal" and same_value


def _admit(asked: Asked) -> None:
    add_default_tolerations(asked.new.setdefault("spec", {}), asked.config)


PLUGINS = (Plugin("DefaultTolerationSeconds", ("pods",), ("CREATE", "UPDATE"), mutate=_admit),)
