"""Where a group stands in discovery: `kubectl get x` takes the first group that has an x.

Each group version has two numbers, those of its APIService: groups come with the higher group priority first, the
versions of one group with the higher version priority first, and among equals names decide. These are the numbers of
what this server has itself; for other servers' groups their APIServices say them.

Upstream: kube-apiserver app/aggregator.go and controlplane DefaultGenericAPIServicePriorities; kube-aggregator
pkg/apis/apiregistration/v1/helper (SortedByGroupAndVersion); the crdregistration controller.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from minikube_py.api.custom.rows import version_priority

GroupVersion = tuple[str, str]
"""Group (empty: the core) and version."""


class Priority(NamedTuple):
    """spec.groupPriorityMinimum and spec.versionPriority of an APIService."""

    group: int
    version: int


FIRST_GROUP = "apiregistration.k8s.io"
"""Always the first one of `/apis`, whatever its APIService says."""
FIRST_PRIORITY = 20001
CUSTOM_PRIORITY = Priority(1000, 100)
"""Of every version of a CustomResourceDefinition; their names decide among them."""
_UNKNOWN_PRIORITY = Priority(15000, 9)

_BUILT_IN: Mapping[GroupVersion, Priority] = {
    ("", "v1"): Priority(18000, 1),
    (FIRST_GROUP, "v1"): Priority(FIRST_PRIORITY, 0),
    ("apps", "v1"): Priority(17800, 15),
    ("events.k8s.io", "v1"): Priority(17750, 15),
    ("authentication.k8s.io", "v1"): Priority(17700, 15),
    ("authorization.k8s.io", "v1"): Priority(17600, 15),
    ("autoscaling", "v1"): Priority(17500, 15),
    ("autoscaling", "v2"): Priority(17500, 30),
    ("batch", "v1"): Priority(17400, 15),
    ("certificates.k8s.io", "v1"): Priority(17300, 15),
    ("networking.k8s.io", "v1"): Priority(17200, 15),
    ("policy", "v1"): Priority(17100, 15),
    ("rbac.authorization.k8s.io", "v1"): Priority(17000, 15),
    ("storage.k8s.io", "v1"): Priority(16800, 15),
    ("admissionregistration.k8s.io", "v1"): Priority(16700, 15),
    ("apiextensions.k8s.io", "v1"): Priority(16700, 15),
    ("scheduling.k8s.io", "v1"): Priority(16600, 15),
    ("coordination.k8s.io", "v1"): Priority(16500, 15),
    ("node.k8s.io", "v1"): Priority(16300, 15),
    ("discovery.k8s.io", "v1"): Priority(16200, 15),
    ("flowcontrol.apiserver.k8s.io", "v1"): Priority(16100, 21),
    ("resource.k8s.io", "v1"): Priority(15900, 15),
    ("metrics.k8s.io", "v1beta1"): Priority(100, 100),
}


def built_in_priority(group: str, version: str) -> Priority:
    """Return the priority of a group version of the resource table."""
    return _BUILT_IN.get((group, version), _UNKNOWN_PRIORITY)


def order_groups(priorities: Mapping[GroupVersion, Priority]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the groups in the order of preference, each with its versions in the order of preference.

    A group stands where the highest of its versions' group priorities puts it; the core comes first of all.
    """
    by_group: dict[str, list[str]] = {}
    for group, version in priorities:
        by_group.setdefault(group, []).append(version)

    def place(group: str) -> tuple[int, str]:
        highest = max(priorities[group, version].group for version in by_group[group])
        return -{"": FIRST_PRIORITY + 1, FIRST_GROUP: FIRST_PRIORITY}.get(group, highest), group

    return tuple((group, order_versions(group, by_group[group], priorities)) for group in sorted(by_group, key=place))


def order_versions(
    group: str, versions: Iterable[str], priorities: Mapping[GroupVersion, Priority]
) -> tuple[str, ...]:
    """Return versions of a group, the preferred one first."""
    return tuple(
        sorted(
            versions,
            key=lambda version: (priorities[group, version].version, version_priority(version)),
            reverse=True,
        )
    )
