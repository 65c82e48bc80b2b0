"""APIServices as values: which server answers for a group version, and what this server registers by itself.

Every group version that this server has gets an APIService without a `service`: Local, and always available. Those
of the resource table are put right once, at the start, so that what people change afterwards holds until then; those
of CustomResourceDefinitions follow their definitions all the time. Objects without the label are the users' own.

    label, wanted:               | not wanted  | of the table      | of a definition
    not there                    | -           | create at start   | create
    no label                     | -           | -                 | -
    onstart, made since          | -           | -                 | -
    onstart, there at start      | delete once | update at start   | update
    true                         | delete      | update at start   | update

Upstream: kube-aggregator pkg/controllers/autoregister, pkg/apis/apiregistration/v1/helper.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from minikube_py.api.catalog import Catalog
from minikube_py.api.meta import Obj, format_time, labels_of, name_of
from minikube_py.apiserver.api_priorities import (
    CUSTOM_PRIORITY,
    FIRST_GROUP,
    GroupVersion,
    Priority,
    built_in_priority,
)

AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
ON_START = "onstart"
ALWAYS = "true"
AVAILABLE = "Available"
LOCAL = ("Local", "Local APIServices are always available")
"""Reason and message of the condition of an APIService of this very server."""
DEFAULT_PORT = 443
REPLACEABLE_GROUPS = ("metrics.k8s.io",)
"""Their APIServices are made when they are missing at a start, without a label: who installs another server of such a
group (metrics-server) keeps it."""


@dataclass(frozen=True, slots=True)
class ServiceReference:
    """The Service behind which another API server listens."""

    namespace: str
    name: str
    port: int

    @property
    def server_name(self) -> str:
        """Return the name that its certificate must have."""
        return f"{self.name}.{self.namespace}.svc"


@dataclass(frozen=True, slots=True)
class ApiService:
    """One APIService, as routing and discovery need it."""

    name: str
    group: str
    version: str
    priority: Priority
    service: ServiceReference | None = None
    """None: this server answers by itself."""
    ca_bundle: str = ""
    """Base64 of PEM; empty: the host's certificates are trusted."""
    insecure: bool = False
    available: bool = False

    @property
    def group_version(self) -> GroupVersion:
        """Return what it is about."""
        return self.group, self.version

    @property
    def path(self) -> str:
        """Return the path of its discovery document."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


@dataclass(frozen=True, slots=True, eq=False)
class Registry:
    """All APIServices at one moment; make one with `registry_of`."""

    services: Mapping[str, ApiService]
    remote: Mapping[GroupVersion, ApiService]
    """Those of other servers."""

    def remote_of(self, path: str) -> ApiService | None:
        """Return the APIService of another server that answers for a path, or None when this server does."""
        if not self.remote:
            return None
        parts = path.split("/", 4)
        if len(parts) > 3 and parts[1] == "apis":
            return self.remote.get((parts[2], parts[3]))
        if len(parts) > 2 and parts[1] == "api":
            return self.remote.get(("", parts[2]))
        return None


def registry_of(services: Sequence[ApiService]) -> Registry:
    """Return the registry of these APIServices."""
    ordered = sorted(services, key=lambda service: service.name)
    return Registry(
        {service.name: service for service in ordered},
        {service.group_version: service for service in ordered if service.service is not None},
    )


NO_SERVICES = registry_of(())


def parse_api_service(obj: Mapping[str, Any]) -> ApiService:
    """Return an APIService object, which has been validated, as a value."""
    spec = obj.get("spec") or {}
    target = spec.get("service")
    return ApiService(
        name=name_of(obj),
        group=str(spec.get("group") or ""),
        version=str(spec.get("version") or ""),
        priority=Priority(int(spec.get("groupPriorityMinimum") or 0), int(spec.get("versionPriority") or 0)),
        service=target
        and ServiceReference(
            str(target.get("namespace") or ""), str(target.get("name") or ""), int(target.get("port") or DEFAULT_PORT)
        ),
        ca_bundle=str(spec.get("caBundle") or ""),
        insecure=bool(spec.get("insecureSkipTLSVerify")),
        available=(available_condition(obj) or {}).get("status") == "True",
    )


def available_condition(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the condition Available of an APIService, or None."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == AVAILABLE), None)


def set_available(obj: Obj, status: str, reason: str, message: str, wall_s: float) -> None:
    """Set the condition Available in place; its time moves when its status does."""
    old = available_condition(obj) or {}
    since = old.get("lastTransitionTime") if old.get("status") == status else None
    condition = {
        "type": AVAILABLE,
        "status": status,
        "lastTransitionTime": since or format_time(wall_s),
        "reason": reason,
        "message": message,
    }
    conditions = list((obj.get("status") or {}).get("conditions") or ())
    if old:
        conditions[conditions.index(old)] = condition
    else:
        conditions.append(condition)
    obj["status"] = {**(obj.get("status") or {}), "conditions": conditions}


def complete_local(wall_s: float, new: Obj, old: Mapping[str, Any] | None) -> tuple[()]:
    """Let an APIService of this very server be available from the first moment (a decisions.Complete)."""
    del old
    if not (new.get("spec") or {}).get("service"):
        condition = available_condition(new) or {}
        if (condition.get("status"), condition.get("reason")) != ("True", LOCAL[0]):
            set_available(new, "True", *LOCAL, wall_s)
    return ()


def wanted_services(catalog: Catalog) -> tuple[Obj, ...]:
    """Return the APIServices of all that this server serves, with the label that says how they are kept.

    The group of APIServices has none itself: it is never anybody else's.
    """
    wanted: dict[GroupVersion, Obj] = {}
    for row in catalog.rows:
        if row.group != FIRST_GROUP and (row.group, row.version) not in wanted:
            custom = row.custom is not None
            priority = CUSTOM_PRIORITY if custom else built_in_priority(row.group, row.version)
            wanted[row.group, row.version] = _local_service(row.group, row.version, priority, custom=custom)
    return tuple(wanted.values())


def service_name(group: str, version: str) -> str:
    """Return the name that the APIService of a group version must have."""
    return f"{version}.{group}"


def _local_service(group: str, version: str, priority: Priority, *, custom: bool) -> Obj:
    labels = {} if group in REPLACEABLE_GROUPS else {AUTOMANAGED: ALWAYS if custom else ON_START}
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": service_name(group, version), **({"labels": labels} if labels else {})},
        "spec": {
            **({"group": group} if group else {}),
            "version": version,
            "groupPriorityMinimum": priority.group,
            "versionPriority": priority.version,
        },
    }


class Step(Enum):
    """What to do about one APIService."""

    NOTHING = "nothing"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class StartUp:
    """What the table above needs of the past: which objects were there at the start, which have had their turn."""

    there_at_start: frozenset[str]
    settled: frozenset[str]
    """Names that were put right since the start."""


def compute_step(name: str, wanted: Mapping[str, Any] | None, found: Mapping[str, Any] | None, past: StartUp) -> Step:
    """Decide about the APIService `name`; see the table above."""
    once_is_done = name in past.settled
    if found is None:
        if wanted is None or (once_is_done and labels_of(wanted).get(AUTOMANAGED) != ALWAYS):
            return Step.NOTHING
        return Step.CREATE
    label = labels_of(found).get(AUTOMANAGED)
    if label not in (ON_START, ALWAYS) or (label == ON_START and (name not in past.there_at_start or once_is_done)):
        return Step.NOTHING
    if wanted is None:
        return Step.DELETE
    if labels_of(wanted).get(AUTOMANAGED) == ON_START and once_is_done:
        return Step.NOTHING
    same = found.get("spec") == wanted["spec"] and label == labels_of(wanted).get(AUTOMANAGED)
    return Step.NOTHING if same else Step.UPDATE
