"""The FlowSchemas and PriorityLevelConfigurations that every cluster starts with.

Clients and dashboards read them; this server shares its one loop by other means and takes nothing from them yet. They
are made when they are missing and then belong to whoever changes them, except for the four mandatory ones, which the
server writes back at each start (upstream's annotation apf.kubernetes.io/autoupdate-spec says so).

Upstream: apiserver pkg/apis/flowcontrol/bootstrap.
"""

from collections.abc import Sequence

from minikube_py.api.meta import Obj

_VERSION = "flowcontrol.apiserver.k8s.io/v1"
AUTO_UPDATE = "apf.kubernetes.io/autoupdate-spec"
MANDATORY = ("exempt", "catch-all")
_EVERY = ["*"]
_LEASES = (["get", "create", "update"], ["coordination.k8s.io"], ["leases"])


def _meta(name: str) -> Obj:
    return {"name": name, "annotations": {AUTO_UPDATE: "true"}}


def _level(name: str, spec: Obj) -> Obj:
    return {"apiVersion": _VERSION, "kind": "PriorityLevelConfiguration", "metadata": _meta(name), "spec": spec}


def _limited(name: str, shares: int, lendable: int, queues: int, hand: int) -> Obj:
    queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": 50}
    limited = {
        "nominalConcurrencyShares": shares,
        "lendablePercent": lendable,
        "limitResponse": {"type": "Queue", "queuing": queuing},
    }
    return _level(name, {"type": "Limited", "limited": limited})


def _rejecting(name: str, shares: int) -> Obj:
    limited = {"nominalConcurrencyShares": shares, "lendablePercent": 0, "limitResponse": {"type": "Reject"}}
    return _level(name, {"type": "Limited", "limited": limited})


def _groups(*names: str) -> list[Obj]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _users(*names: str) -> list[Obj]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _accounts(namespace: str) -> list[Obj]:
    return [{"kind": "ServiceAccount", "serviceAccount": {"name": "*", "namespace": namespace}}]


def _rule(
    verbs: Sequence[str],
    groups: Sequence[str],
    resources: Sequence[str],
    namespaces: Sequence[str] = ("*",),
    *,
    cluster: bool = False,
) -> Obj:
    rule: Obj = {"verbs": list(verbs), "apiGroups": list(groups), "resources": list(resources)}
    if namespaces:
        rule["namespaces"] = list(namespaces)
    return {**rule, "clusterScope": True} if cluster else rule


_ALL: Obj = {
    "resourceRules": [_rule(_EVERY, _EVERY, _EVERY, cluster=True)],
    "nonResourceRules": [{"verbs": _EVERY, "nonResourceURLs": _EVERY}],
}


def _schema(name: str, level: str, precedence: int, by: str, rules: Obj, subjects: list[Obj]) -> Obj:
    spec: Obj = {
        "priorityLevelConfiguration": {"name": level},
        "matchingPrecedence": precedence,
        "rules": [{"subjects": subjects, **rules}],
    }
    if by:
        spec["distinguisherMethod"] = {"type": by}
    return {"apiVersion": _VERSION, "kind": "FlowSchema", "metadata": _meta(name), "spec": spec}


def priority_levels() -> tuple[Obj, ...]:
    """Return the PriorityLevelConfigurations."""
    exempt = {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}}
    return (
        _level("exempt", exempt),
        _rejecting("catch-all", 5),
        _limited("system", 30, 33, 64, 6),
        _limited("node-high", 40, 25, 64, 6),
        _limited("leader-election", 10, 0, 16, 4),
        _limited("workload-high", 40, 50, 128, 6),
        _limited("workload-low", 100, 90, 128, 6),
        _limited("global-default", 20, 50, 128, 6),
    )


def flow_schemas() -> tuple[Obj, ...]:
    """Return the FlowSchemas."""
    everybody = _groups("system:unauthenticated", "system:authenticated")
    probes = {"nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}]}
    leases = {"resourceRules": [_rule(*_LEASES)]}
    nodes = {
        "resourceRules": [
            _rule(_EVERY, [""], ["nodes", "nodes/status"], (), cluster=True),
            _rule(_EVERY, ["coordination.k8s.io"], ["leases"], ("kube-node-lease",)),
        ]
    }
    endpoints = {
        "resourceRules": [
            _rule(["get", "create", "update"], [""], ["endpoints"]),
            _rule(["get", "create", "update"], ["discovery.k8s.io"], ["endpointslices"]),
        ]
    }
    manager, scheduler = "system:kube-controller-manager", "system:kube-scheduler"
    return (
        _schema("exempt", "exempt", 1, "", _ALL, _groups("system:masters")),
        _schema("probes", "exempt", 2, "", probes, everybody),
        _schema("system-leader-election", "leader-election", 100, "ByUser", leases, _users(manager, scheduler)),
        _schema("endpoint-controller", "workload-high", 150, "ByUser", endpoints, _users(manager)),
        _schema("workload-leader-election", "leader-election", 200, "ByUser", leases, _accounts("kube-system")),
        _schema("system-node-high", "node-high", 400, "ByUser", nodes, _groups("system:nodes")),
        _schema("system-nodes", "system", 500, "ByUser", _ALL, _groups("system:nodes")),
        _schema("kube-controller-manager", "workload-high", 800, "ByNamespace", _ALL, _users(manager)),
        _schema("kube-scheduler", "workload-high", 800, "ByNamespace", _ALL, _users(scheduler)),
        _schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", _ALL, _accounts("kube-system")),
        _schema("service-accounts", "workload-low", 9000, "ByUser", _ALL, _groups("system:serviceaccounts")),
        _schema("global-default", "global-default", 9900, "ByUser", _ALL, everybody),
        _schema("catch-all", "catch-all", 10000, "ByUser", _ALL, everybody),
    )
