"""Says yes to the certificate requests of nodes that need no person: joining, renewing, serving.

    who asks                            for what                          condition
    a joining host (system:             a node's client certificate       the name is free, or the key is the one
      bootstrappers)                                                      that the name was given for
    an administrator (system:masters)   a node's client certificate       none
    the node itself (system:nodes)      its own client certificate        the name is its own
    the node itself (system:nodes)      its own serving certificate       the name is its own, and so is each DNS
                                                                          name and address in it (Node's status)

A host that asks for a name that is taken is denied, with the reason in the condition: otherwise whoever holds a join
token could become any node. A name is taken while its Node is there. From the approval of a request until its host
has registered, or has had its time, the name is promised: another host is told to ask again, so that of two hosts of
one name the first one wins. That a host has registered is seen by the serving certificate, which only a Node gets:
after `kubectl delete node` the name is free at once.

Upstream: pkg/controller/certificates/approver, which asks for the permissions nodeclient and selfnodeclient (here the
groups that kubeadm gives them to), knows no taken names, and leaves serving certificates to a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from minikube_py.api.certificate_requests import RequestFacts, UnreadableRequestError, expires_at_s, request_facts
from minikube_py.api.join_tokens import BOOTSTRAPPERS_GROUP
from minikube_py.api.meta import Obj, ObjectKey, copy_object, format_time, key_of, metadata, name_of
from minikube_py.api.resources import NODES, SIGNING_REQUESTS
from minikube_py.api.rules.certificates import APPROVED, DENIED, FAILED, NAME_PROMISED
from minikube_py.api.rules.signers import (
    KUBELET_CLIENT,
    KUBELET_SERVING,
    NODE_PREFIX,
    NODES_GROUP,
    kubelet_client_fault,
    kubelet_serving_fault,
)
from minikube_py.client.interface import Change
from minikube_py.controllers.conditions import find_condition
from minikube_py.controllers.plan import NOTHING, Failure, Item, Listers, Plan, Update, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch
from minikube_py.controllers.timestamps import seconds_of

MASTERS_GROUP = "system:masters"
SIGNERS = (KUBELET_CLIENT, KUBELET_SERVING)
PROMISE_S = 30.0
"""How long an approved request keeps its name for its host before the Node has to be there."""


@dataclass(frozen=True, slots=True)
class RequestView:
    """An undecided request of a node, the Node of that name, and what else was approved for that name."""

    request: Obj
    facts: RequestFacts
    node: Obj | None
    claims: tuple[Obj, ...] = ()
    """Approved requests of hosts that wanted the name."""
    served_s: float = 0.0
    """When a node of that name was last let have a serving certificate; 0: never."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes or no, and why."""

    approved: bool
    reason: str
    message: str


def observe(listers: Listers, item: Item, failure: Failure | None) -> RequestView | None:
    """Collect what decides about an undecided request for a node's certificate."""
    request = listers.get(SIGNING_REQUESTS, item.key)
    if request is None or not is_undecided(request):
        return None
    try:
        facts = request_facts(request["spec"].get("request") or "")
    except UnreadableRequestError:
        return None
    name = facts.common_name.removeprefix(NODE_PREFIX)
    node = listers.get(NODES, ObjectKey("", name)) if name != facts.common_name else None
    approved = [other for other in listers.list(SIGNING_REQUESTS) if _is_approved_for(other, facts.common_name)]
    served = (_approved_s(other) for other in approved if other["spec"]["signerName"] == KUBELET_SERVING)
    claims = tuple(other for other in approved if _is_claim(other, facts.common_name))
    return RequestView(request, facts, node, claims, max(served, default=0.0))


def is_undecided(request: Obj) -> bool:
    """Return whether a request is for a node's certificate and nobody has decided about it."""
    status = request.get("status") or {}
    conditions = status.get("conditions") or ()
    decided = any(find_condition(conditions, kind) for kind in (APPROVED, DENIED, FAILED))
    return request["spec"].get("signerName") in SIGNERS and not decided and not status.get("certificate")


def _is_approved_for(request: Obj, common_name: str) -> bool:
    """Return whether a request was approved for a certificate of this node."""
    spec, conditions = request["spec"], (request.get("status") or {}).get("conditions") or ()
    if spec.get("signerName") not in SIGNERS or find_condition(conditions, APPROVED) is None:
        return False
    try:
        return request_facts(spec.get("request") or "").common_name == common_name
    except UnreadableRequestError:
        return False


def _is_claim(request: Obj, common_name: str) -> bool:
    """Return whether a host became the node by this request; one that renews its certificate is the node."""
    spec = request["spec"]
    return bool(spec["signerName"] == KUBELET_CLIENT and spec.get("username") != common_name)


def reconcile(seen: RequestView, now_s: float) -> Plan:
    """Decide, or leave it to a person."""
    verdict = decide(seen, now_s)
    if verdict is None:
        return NOTHING
    now = format_time(now_s)
    decided = copy_object(seen.request)
    status = decided.setdefault("status", {})
    status["conditions"] = [
        *(status.get("conditions") or ()),
        {
            "type": APPROVED if verdict.approved else DENIED,
            "status": "True",
            "reason": verdict.reason,
            "message": verdict.message,
            "lastUpdateTime": now,
            "lastTransitionTime": now,
        },
    ]
    return Plan((Update(SIGNING_REQUESTS, decided, subresource="approval"),))


def decide(seen: RequestView, now_s: float) -> Verdict | None:
    """Return what is decided about a request; None: a person has to."""
    spec = seen.request["spec"]
    usages, groups = spec.get("usages") or (), spec.get("groups") or ()
    own = NODES_GROUP in groups and spec.get("username") == seen.facts.common_name
    if spec.get("signerName") == KUBELET_SERVING:
        fits = own and not kubelet_serving_fault(seen.facts, usages) and _serves_itself(seen.facts, seen.node)
        return _yes("of the node's own names and addresses") if fits else None
    if kubelet_client_fault(seen.facts, usages):
        return None
    if own:
        return _yes("renewed by the node itself")
    if MASTERS_GROUP in groups:
        return _yes("asked for by an administrator")
    if BOOTSTRAPPERS_GROUP not in groups:
        return None
    return _taken(seen, now_s) or _yes("of a joining node")


def _yes(what: str) -> Verdict:
    return Verdict(approved=True, reason="AutoApproved", message=f"Approved without a person: certificate {what}.")


def _serves_itself(facts: RequestFacts, node: Obj | None) -> bool:
    """Return whether every name and address in a serving certificate belongs to its node."""
    if node is None:
        return False
    addresses = (node.get("status") or {}).get("addresses") or ()
    known = {str(address.get("address", "")).lower() for address in addresses} | {name_of(node).lower()}
    return {name.lower() for name in (*facts.dns_names, *facts.ip_addresses)} <= known


def _taken(seen: RequestView, now_s: float) -> Verdict | None:
    """Return why a joining host cannot have its name, None when it can."""
    others = [other for other in seen.claims if key_of(other) != key_of(seen.request)]
    if any(_key(other) == seen.facts.public_key and not _ran_out(other, now_s) for other in others):
        return None
    name = seen.facts.common_name.removeprefix(NODE_PREFIX)
    if seen.node is not None:
        return Verdict(
            approved=False,
            reason="NodeNameTaken",
            message=f'there is a node "{name}" already: give this host another name, or remove the other one with '
            f"`kubectl delete node {name}`",
        )
    promised_s = max((_approved_s(other) for other in others), default=0.0)
    until_s = promised_s + PROMISE_S
    if promised_s <= seen.served_s or until_s <= now_s:
        return None
    return Verdict(
        approved=False,
        reason=NAME_PROMISED,
        message=f'another host is joining as "{name}": the name is free again at {format_time(until_s)} unless that '
        "host is a node by then",
    )


def _approved_s(request: Obj) -> float:
    approval = find_condition((request.get("status") or {}).get("conditions") or (), APPROVED) or {}
    return seconds_of(approval.get("lastUpdateTime"))


def _ran_out(request: Obj, now_s: float) -> bool:
    expiry_s = expires_at_s((request.get("status") or {}).get("certificate") or "")
    return expiry_s is not None and expiry_s <= now_s


def _key(request: Obj) -> bytes:
    return request_facts(request["spec"]["request"]).public_key


def _items_of_node(change: Change, listers: Listers) -> Sequence[Item]:
    """Return the undecided requests of a node whose addresses are known only now."""
    if change.new is None:
        return ()
    if change.old is not None and _addresses(change.old) == _addresses(change.new):
        return ()
    user = f"{NODE_PREFIX}{name_of(change.new)}"
    waiting = (r for r in listers.list(SIGNING_REQUESTS) if is_undecided(r) and r["spec"].get("username") == user)
    return [Item(SIGNING_REQUESTS.qualified, key_of(request)) for request in waiting]


def _addresses(node: Obj) -> object:
    return metadata(node).get("uid"), (node.get("status") or {}).get("addresses")


def spec() -> ControllerSpec[RequestView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="csrapproving",
        component="certificate-controller",
        watches=(
            Watch(SIGNING_REQUESTS, lambda change, listers: (latest_item(SIGNING_REQUESTS, change),)),
            Watch(NODES, _items_of_node),
        ),
        observe=observe,
        reconcile=reconcile,
        workers_max=1,
    )
