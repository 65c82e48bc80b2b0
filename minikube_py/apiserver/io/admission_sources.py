"""What admission consists of at this moment: webhooks and policies, kept in step with the store.

Upstream: admission/configuration (the configuration managers) and policy/generic (the policy source).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minikube_py.api.catalog import Catalog
from minikube_py.api.meta import Obj, labels_of, name_of
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.resource import Resource
from minikube_py.api.resources import NAMESPACES
from minikube_py.api.table.admissionregistration_v1 import (
    MUTATING_POLICIES,
    MUTATING_POLICY_BINDINGS,
    MUTATING_WEBHOOKS,
    VALIDATING_POLICIES,
    VALIDATING_POLICY_BINDINGS,
    VALIDATING_WEBHOOKS,
)
from minikube_py.apiserver.admission_policies import PolicyError
from minikube_py.apiserver.canonical import decode
from minikube_py.store.interface import Store, StoreEvent

_ROWS = (
    MUTATING_WEBHOOKS,
    VALIDATING_WEBHOOKS,
    MUTATING_POLICIES,
    MUTATING_POLICY_BINDINGS,
    VALIDATING_POLICIES,
    VALIDATING_POLICY_BINDINGS,
)

_NOT_CONFIGURED = "failed to configure binding"


@dataclass(frozen=True, slots=True)
class BoundPolicy:
    """A policy and one of its bindings."""

    policy: Obj
    binding: Obj


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook and the name of the configuration that it stands in."""

    configuration: str
    webhook: Obj


class AdmissionSources:
    """The webhooks and policies that are stored, in the order in which they are asked."""

    def __init__(self, store: Store, catalog: Callable[[], Catalog]) -> None:
        self._store = store
        self._catalog = catalog
        self._siblings: Mapping[str, Sequence[Resource]] = {}
        self._siblings_of: Catalog | None = None
        """The catalog for which they are found."""
        self._by_prefix: dict[str, dict[str, Obj]] = {row.storage_prefix: {} for row in _ROWS}
        self.mutating_webhooks: tuple[Hook, ...] = ()
        self.validating_webhooks: tuple[Hook, ...] = ()
        self.mutating_policies: tuple[BoundPolicy, ...] = ()
        self.validating_policies: tuple[BoundPolicy, ...] = ()
        for prefix, objs in self._by_prefix.items():
            objs.update((entry.key, decode(entry)) for entry in store.range(prefix))
        self._compile()
        store.on_commit(self._on_commit)

    @property
    def empty(self) -> bool:
        """Return whether nobody has a say about anything."""
        return not (
            self.mutating_webhooks or self.validating_webhooks or self.mutating_policies or self.validating_policies
        )

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        changed = False
        for event in events:
            objs = self._by_prefix.get(event.key[: event.key.rindex("/") + 1])
            if objs is None:
                continue
            changed = True
            if event.entry is None:
                objs.pop(event.key, None)
            else:
                objs[event.key] = decode(event.entry)
        if changed:
            self._compile()

    def _compile(self) -> None:
        self.mutating_webhooks = self._webhooks(MUTATING_WEBHOOKS)
        self.validating_webhooks = self._webhooks(VALIDATING_WEBHOOKS)
        self.mutating_policies = self._bound(MUTATING_POLICIES, MUTATING_POLICY_BINDINGS)
        self.validating_policies = self._bound(VALIDATING_POLICIES, VALIDATING_POLICY_BINDINGS)

    def _stored(self, row: Resource) -> list[Obj]:
        return sorted(self._by_prefix[row.storage_prefix].values(), key=name_of)

    def _webhooks(self, row: Resource) -> tuple[Hook, ...]:
        return tuple(
            Hook(name_of(configuration), webhook)
            for configuration in self._stored(row)
            for webhook in configuration.get("webhooks") or ()
        )

    def _bound(self, policies: Resource, bindings: Resource) -> tuple[BoundPolicy, ...]:
        by_name = {name_of(policy): policy for policy in self._stored(policies)}
        bound = ((by_name.get(binding["spec"].get("policyName", "")), binding) for binding in self._stored(bindings))
        return tuple(BoundPolicy(policy, binding) for policy, binding in bound if policy is not None)

    def namespace(self, name: str) -> Obj | None:
        """Return a Namespace, None when there is none."""
        entry = self._store.get(NAMESPACES.storage_key("", name)) if name else None
        return decode(entry) if entry is not None else None

    def siblings(self, row: Resource) -> Iterable[Resource]:
        """Return the rows that serve the same objects in other versions (admission_matching.Siblings)."""
        catalog = self._catalog()
        if catalog is not self._siblings_of:
            self._siblings, self._siblings_of = _by_objects(catalog), catalog
        return self._siblings.get(row.storage_prefix, ())

    def params(self, policy: Mapping[str, Any], binding: Mapping[str, Any], namespace: str) -> Sequence[Obj | None]:
        """Return the objects of parameters for a request in a namespace: one None for a policy or binding without.

        Raises:
            PolicyError: they cannot be looked for, or are not found and must be.
        """
        kind = policy["spec"].get("paramKind")
        reference = binding["spec"].get("paramRef")
        if kind is None or reference is None:
            return (None,)
        found = self._find_params(kind, reference, namespace)
        if not found and reference.get("parameterNotFoundAction") == "Deny":
            raise PolicyError(
                f"{_NOT_CONFIGURED}: no params found for policy binding with `Deny` parameterNotFoundAction"
            )
        return found

    def _find_params(self, kind: Mapping[str, Any], reference: Mapping[str, Any], namespace: str) -> Sequence[Obj]:
        row = self._catalog().find_kind(str(kind.get("apiVersion")), str(kind.get("kind")))
        if row is None:
            raise PolicyError(
                f"{_NOT_CONFIGURED}: paramKind kind `{kind.get('apiVersion')}, Kind={kind.get('kind')}` not known"
            )
        where = str(reference.get("namespace") or namespace) if row.namespaced else ""
        if row.namespaced and not where:
            why = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            raise PolicyError(f"{_NOT_CONFIGURED}: {why}")
        if reference.get("name"):
            entry = self._store.get(row.storage_key(where, str(reference["name"])))
            return (decode(entry),) if entry is not None else ()
        prefix = f"{row.storage_prefix}{where}/" if where else row.storage_prefix
        selector = compile_label_selector(reference.get("selector"))
        found = (decode(entry) for entry in self._store.range(prefix))
        return tuple(obj for obj in found if selects(selector, labels_of(obj)))


def _by_objects(catalog: Catalog) -> Mapping[str, Sequence[Resource]]:
    """Return the rows of a catalog by the objects that they serve, of those objects that several serve."""
    found: dict[str, list[Resource]] = {}
    for row in catalog.rows:
        found.setdefault(row.storage_prefix, []).append(row)
    return {objects: rows for objects, rows in found.items() if len(rows) > 1}
