"""The status of ValidatingAdmissionPolicies: which generation was looked at, and what its expressions get wrong.

Upstream: pkg/controller/validatingadmissionpolicystatus.
"""

from dataclasses import dataclass

from minikube_py.api.admission_type_check import type_warnings
from minikube_py.api.meta import Obj, key_of, metadata, uid_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import find_resource
from minikube_py.api.table.admissionregistration_v1 import VALIDATING_POLICIES
from minikube_py.controllers.plan import NOTHING, Failure, Item, Listers, Patch, Plan, latest_item
from minikube_py.controllers.spec import ControllerSpec, Watch


@dataclass(frozen=True, slots=True)
class PolicyView:
    """One policy, and the custom resources that it may be about."""

    policy: Obj
    custom: tuple[Resource, ...]

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the row that serves a path."""
        for row in self.custom:
            if (row.group, row.version, row.plural) == (group, version, plural):
                return row
        return find_resource(group, version, plural)


def observe(listers: Listers, item: Item, failure: Failure | None) -> PolicyView | None:
    """Look a policy up."""
    policy = listers.get(VALIDATING_POLICIES, item.key)
    return PolicyView(policy, listers.custom()) if policy is not None else None


def reconcile(seen: PolicyView, now_s: float) -> Plan:
    """Decide what to say about a generation that has not been looked at."""
    policy, generation = seen.policy, metadata(seen.policy).get("generation")
    if (policy.get("status") or {}).get("observedGeneration") == generation:
        return NOTHING
    warnings = list(type_warnings(policy.get("spec") or {}, seen.find))
    checked: Obj = {"expressionWarnings": warnings or None}
    patch: Obj = {"status": {"observedGeneration": generation, "typeChecking": checked}}
    target = key_of(policy)
    return Plan((Patch(VALIDATING_POLICIES, target, patch, uid=uid_of(policy), subresource="status"),))


def spec() -> ControllerSpec[PolicyView]:
    """Return the row of the table of controllers."""
    return ControllerSpec(
        name="validatingadmissionpolicy-status",
        component="validatingadmissionpolicy-status-controller",
        watches=(Watch(VALIDATING_POLICIES, lambda change, listers: (latest_item(VALIDATING_POLICIES, change),)),),
        observe=observe,
        reconcile=reconcile,
    )
