"""What a resource is: the type of the rows of the resource table (`api/resources.py`).

Routes, discovery, storage keys, printing, client methods and the test matrix derive from these rows: adding a kind
is one row, its rules and one golden file. Nothing anywhere asks `if kind == ...`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.schema import Schema, schema_of

Fields = tuple[FieldError, ...]

STANDARD_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Subresource:
    """One subresource: `kind` (with group and version) is what its requests and answers carry."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a Table (upstream: printers/internalversion).

    `cell` takes the object and the wall clock in seconds and returns a JSON value; Age is computed when it is served.
    """

    name: str
    cell: Callable[[Any, float], object]
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    """1: only with `-o wide`."""
    of: Callable[[Mapping[str, Any]], Any] | None = None
    """What `cell` is given in place of the object; made once for neighbours that have the same."""


def cells_of(columns: Iterable[Column], obj: Mapping[str, Any], wall_s: float) -> list[object]:
    """Return what the columns show of an object."""
    cells: list[object] = []
    made_by: object = None
    made: Any = None
    for column in columns:
        if column.of is None:
            cells.append(column.cell(obj, wall_s))
            continue
        if column.of is not made_by:
            made_by, made = column.of, column.of(obj)
        cells.append(column.cell(made, wall_s))
    return cells


@dataclass(frozen=True, slots=True)
class Rules:
    """The pure rules of one resource; every one of them has a neutral default in api/resources.py.

    `set_defaults` changes the (private) object in place; the others only look.
    """

    set_defaults: Callable[[Obj], None]
    """Upstream's SetDefaults_* for the kind: fills fields that were left out; runs on create, update and apply."""
    prepare_create: Callable[[Obj], None]
    """Upstream's strategy PrepareForCreate: clears status, sets what creation implies (phase Pending, ...)."""
    prepare_update: Callable[[Obj, Mapping[str, Any]], None]
    """Upstream's strategy PrepareForUpdate(new, old): carries over what an update may not set (clusterIP, ...)."""
    validate: Callable[[Mapping[str, Any]], Fields]
    """All faults of the object, in upstream's order."""
    validate_update: Callable[[Mapping[str, Any], Mapping[str, Any]], Fields]
    """All faults of going from old to new: (new, old), immutable fields among them."""


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a custom resource keeps what its /scale shows (upstream: CustomResourceSubresourceScale)."""

    spec_replicas: tuple[str, ...]
    status_replicas: tuple[str, ...]
    label_selector: tuple[str, ...] = ()
    """A text, unlike in built-in kinds; empty: it has none."""


@dataclass(frozen=True, slots=True)
class CustomTraits:
    """What only a custom resource has, in one of its versions (upstream: crdInfo)."""

    definition: str
    """The name of its CustomResourceDefinition."""
    schema: Schema
    node: Mapping[str, Any]
    """The version's openAPIV3Schema."""
    prune: Callable[[Obj], tuple[str, ...]]
    """Takes out, in place, what the schema does not name; returns the paths of what went."""
    list_kind: str
    storage_version: str
    """The version in which objects are stored, as `group/version`."""
    conversion: Mapping[str, Any]
    """The definition's spec.conversion."""
    served: tuple[str, ...] = ()
    """Every version in which the objects are served, as `group/version`."""
    since: int = 0
    """Objects with a greater revision were written under this very definition: they have its defaults already."""
    has_defaults: bool = False
    terminating: bool = False
    """The definition is being deleted: nothing new is created."""


@dataclass(frozen=True, slots=True)
class StoredAs:
    """How a row's objects are kept when another version or group of theirs is what is stored.

    Both conversions take an object and return another, which may share parts with it (neither is changed); together
    they lose nothing (upstream: the storage version, and the conversion through the internal version).
    """

    resource: "Resource"
    """The row that stores the objects."""
    to_stored: Callable[[Mapping[str, Any]], Obj]
    from_stored: Callable[[Mapping[str, Any]], Obj]


@dataclass(frozen=True, slots=True)
class Resource:
    """One row of the resource table."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    rules: Rules
    columns: tuple[Column, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = STANDARD_VERBS
    subresources: tuple[Subresource, ...] = ()
    has_generation: bool = False
    """metadata.generation starts at 1 and grows with every change outside metadata and status."""
    durable: bool = True
    """False: kept in memory only (Events, node Leases), so that an idle cluster writes nothing to disk."""
    create_on_update: bool = False
    """PUT to a name that does not exist creates it (upstream: AllowCreateOnUpdate)."""
    graceful_deletion: bool = False
    """Deletion waits for a grace period and an agent that confirms it (pods)."""
    field_selectors: Mapping[str, Callable[[Mapping[str, Any]], str]] | None = None
    """Field selectors beyond metadata.name and, of namespaced kinds, metadata.namespace: path -> how to read it.

    None: the kind has no list of its own, and upstream's general one holds (both of them for every kind).
    """
    field_refusal: str = "field label not supported: {}"
    """What a selector by another field is told, with the field in place of {} (kinds with a list of their own)."""
    row_conditions: Callable[[Mapping[str, Any]], tuple[Obj, ...]] | None = None
    """Conditions of an object's row in a Table (pods: Completed), for kubectl to hide or colour finished ones."""
    unconditional_update: bool = True
    """False: a PUT must say which resourceVersion it replaces (upstream: AllowUnconditionalUpdate)."""
    finalizers_on_delete: tuple[str, ...] = ()
    """Finalizers that an object gets when it is deleted: the server's own work has to be done first."""
    prepare_status: Callable[[Obj, Mapping[str, Any], float], None] | None = None
    """What an update through /status implies, (new, old, wall clock in seconds); `new` is changed in place."""
    status_alone: bool = False
    """An update through /status changes nothing of the metadata (upstream: ResetObjectMetaForStatus)."""
    validate_status: Callable[[Mapping[str, Any], Mapping[str, Any]], Fields] | None = None
    """Faults of an update through /status, (new, old); None: there are none to look for."""
    scale: ScalePaths | None = None
    """None: spec.replicas, status.replicas and spec.selector."""
    custom: CustomTraits | None = None
    """Set for custom resources only."""
    warn: Callable[[Mapping[str, Any], Mapping[str, Any] | None], Iterable[str]] | None = None
    """What the writer of an object is warned of, (new, old or None when it is made): valid, and hardly meant."""
    deprecation: str = ""
    """What every client of this version is warned of, readers too; empty: it is not deprecated."""
    stored_as: StoredAs | None = None
    """The objects are those of another row, shown in this row's version."""
    computed: bool = False
    """Nothing is stored: each answer is made for its request (access reviews, component statuses)."""
    set_requestor: Callable[[Obj, Mapping[str, Any]], None] | None = None
    """Writes down, in a new object, who makes it (authentication.k8s.io's UserInfo); None: nobody is written down."""
    api_version: str = field(init=False, compare=False, repr=False, default="")
    """`v1` or `apps/v1`."""
    qualified: str = field(init=False, compare=False, repr=False, default="")
    """Upstream's GroupResource text: `pods`, `deployments.apps`."""
    storage_prefix: str = field(init=False, compare=False, repr=False, default="")
    """The store prefix of all objects of this resource, with the final slash."""

    def __post_init__(self) -> None:
        """Derive what every request needs several times."""
        row = storage_of(self)
        derived = {
            "api_version": f"{self.group}/{self.version}" if self.group else self.version,
            "qualified": f"{self.plural}.{self.group}" if self.group else self.plural,
            "storage_prefix": f"/registry/{row.group or 'core'}/{row.plural}/",
        }
        for name, text in derived.items():
            object.__setattr__(self, name, text)

    @property
    def schema(self) -> Schema | None:
        """Return the schema of its objects; None for kinds that have none."""
        return self.custom.schema if self.custom else schema_of(self.api_version, self.kind)

    @property
    def list_kind(self) -> str:
        """Return the kind of its lists."""
        return self.custom.list_kind if self.custom else f"{self.kind}List"

    def storage_key(self, namespace: str, name: str) -> str:
        """Return the store key of one object."""
        return f"{self.storage_prefix}{namespace}/{name}" if self.namespaced else f"{self.storage_prefix}{name}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """Return the URL path of the collection, the object or its subresource."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        tail = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{scope}/{self.plural}{tail}"

    def subresource(self, name: str) -> Subresource | None:
        """Return the subresource of that name, or None."""
        return next((sub for sub in self.subresources if sub.name == name), None)


def storage_of(resource: Resource) -> Resource:
    """Return the row whose objects are stored for this one: itself, but for other versions of the same objects."""
    return resource.stored_as.resource if resource.stored_as else resource


def is_stored(resource: Resource) -> bool:
    """Return whether a row stores objects of its own: those are what is counted, collected and deleted."""
    return resource.stored_as is None and not resource.computed
