"""Columns of the small groups: scheduling, node, certificates, apiregistration, flowcontrol, resource.

Upstream: printers/internalversion; kube-aggregator's table convertor for APIServices.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, NONE, human_duration
from minikube_py.api.columns.cells import at, condition_of, flag, number, text
from minikube_py.api.columns.workloads import spec_of, status_of
from minikube_py.api.meta import is_deleting
from minikube_py.api.resource import Column

PRIORITY_CLASS_COLUMNS = (
    NAME,
    number("Value", "value", "How urgent pods of the class are."),
    flag("Global-Default", "globalDefault", "Whether pods without a class get this one."),
    AGE,
    text("PreemptionPolicy", "preemptionPolicy", "Whether such pods may drive others out."),
)
RUNTIME_CLASS_COLUMNS = (NAME, text("Handler", "handler", "The runtime's own name for it."), AGE)


def _lasting(request: Mapping[str, Any], _: float) -> str:
    seconds = spec_of(request).get("expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


def _decided(request: Mapping[str, Any], _: float) -> str:
    kinds = [condition.get("type") for condition in status_of(request).get("conditions") or ()]
    words = [word for word in ("Approved", "Denied") if word in kinds] or ["Pending"]
    if "Denied" in words:
        words = ["Denied"]
    if "Failed" in kinds:
        words.append("Failed")
    if status_of(request).get("certificate"):
        words.append("Issued")
    return ",".join(str(word) for word in words)


SIGNING_REQUEST_COLUMNS = (
    NAME,
    AGE,
    text("SignerName", "spec.signerName", "Who shall sign."),
    text("Requestor", "spec.username", "Who asked."),
    Column("RequestedDuration", _lasting, description="How long the certificate shall be valid."),
    Column("Condition", _decided, description="What has been decided."),
)


def _service(service: Mapping[str, Any], _: float) -> str:
    target = spec_of(service).get("service")
    return f"{target.get('namespace')}/{target.get('name')}" if target else "Local"


def _available(service: Mapping[str, Any], _: float) -> str:
    condition = condition_of(service, "Available")
    status = str(condition.get("status") or "Unknown")
    return f"{status} ({condition['reason']})" if status != "True" and condition.get("reason") else status


API_SERVICE_COLUMNS = (
    NAME,
    Column("Service", _service, description="Where requests go; Local: they stay here."),
    Column("Available", _available, description="Whether the server answers."),
    AGE,
)
FLOW_SCHEMA_COLUMNS = (
    NAME,
    text("PriorityLevel", "spec.priorityLevelConfiguration.name", "Where the requests wait."),
    Column(
        "MatchingPrecedence",
        lambda obj, _: spec_of(obj).get("matchingPrecedence", 0),
        description="Schemas with smaller numbers are asked first.",
    ),
    text("DistinguisherMethod", "spec.distinguisherMethod.type", "How its requests are told apart.", missing=NONE),
    AGE,
    Column(
        "MissingPL",
        lambda obj, _: str(condition_of(obj, "Dangling").get("status") or "?"),
        description="Whether the priority level is missing.",
    ),
)


def _limited(level: Mapping[str, Any], *path: str) -> object:
    value = at(level, "spec", "limited", *path)
    return NONE if value is None else value


def _shares(level: Mapping[str, Any], _: float) -> object:
    for field in ("limited", "exempt"):
        value = at(level, "spec", field, "nominalConcurrencyShares")
        if value is not None:
            return value
    return NONE


def _queuing(field: str, name: str, description: str) -> Column:
    return Column(name, lambda o, _: _limited(o, "limitResponse", "queuing", field), description=description)


PRIORITY_LEVEL_COLUMNS = (
    NAME,
    text("Type", "spec.type", "Limited or Exempt."),
    Column("NominalConcurrencyShares", _shares, description="Its share of the requests that are served at once."),
    _queuing("queues", "Queues", "How many queues it has."),
    _queuing("handSize", "HandSize", "Of how many queues a flow may choose."),
    _queuing("queueLengthLimit", "QueueLengthLimit", "How many requests may wait in a queue."),
    AGE,
)


def _claim_state(claim: Mapping[str, Any], _: float) -> str:
    allocated = status_of(claim).get("allocation") is not None
    states = ["deleted"] if is_deleting(claim) else [] if allocated else ["pending"]
    if allocated:
        states.append("allocated")
        if status_of(claim).get("reservedFor"):
            states.append("reserved")
    return ",".join(states)


NAME_AND_AGE = (NAME, AGE)
RESOURCE_CLAIM_COLUMNS = (
    NAME,
    Column("State", _claim_state, description="Whether devices are given and in use."),
    AGE,
)
RESOURCE_SLICE_COLUMNS = (
    NAME,
    text("Node", "spec.nodeName", "The node that has the devices.", missing="<unset>"),
    text("Driver", "spec.driver", "The driver of the devices."),
    text("Pool", "spec.pool.name", "The pool that they belong to."),
    AGE,
)
