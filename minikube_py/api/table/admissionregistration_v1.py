"""The rows of admissionregistration.k8s.io/v1: webhooks and policies that look at writes."""

from minikube_py.api.columns import admissionregistration_v1
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, status, status_rules_in

VALIDATING_WEBHOOKS = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    singular="validatingwebhookconfiguration",
    namespaced=False,
    rules=rules_in("admission_webhooks", "VALIDATING_WEBHOOK_RULES"),
    columns=admissionregistration_v1.WEBHOOK_COLUMNS,
    categories=("api-extensions",),
    has_generation=True,
)
MUTATING_WEBHOOKS = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    singular="mutatingwebhookconfiguration",
    namespaced=False,
    rules=rules_in("admission_webhooks", "MUTATING_WEBHOOK_RULES"),
    columns=admissionregistration_v1.WEBHOOK_COLUMNS,
    categories=("api-extensions",),
    has_generation=True,
)
VALIDATING_POLICIES = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    rules=rules_in("admission_policies", "VALIDATING_POLICY_RULES"),
    columns=admissionregistration_v1.VALIDATING_POLICY_COLUMNS,
    categories=("api-extensions",),
    subresources=(status("ValidatingAdmissionPolicy"),),
    status_alone=True,
    has_generation=True,
    validate_status=status_rules_in("status_core", "validate_conditions"),
)
VALIDATING_POLICY_BINDINGS = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    plural="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    rules=rules_in("admission_policies", "VALIDATING_BINDING_RULES"),
    columns=admissionregistration_v1.POLICY_BINDING_COLUMNS,
    categories=("api-extensions",),
    has_generation=True,
)
MUTATING_POLICIES = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    rules=rules_in("admission_policies", "MUTATING_POLICY_RULES"),
    columns=admissionregistration_v1.MUTATING_POLICY_COLUMNS,
    categories=("api-extensions",),
    has_generation=True,
)
MUTATING_POLICY_BINDINGS = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    rules=rules_in("admission_policies", "MUTATING_BINDING_RULES"),
    columns=admissionregistration_v1.POLICY_BINDING_COLUMNS,
    categories=("api-extensions",),
    has_generation=True,
)

ROWS = (
    VALIDATING_WEBHOOKS,
    MUTATING_WEBHOOKS,
    VALIDATING_POLICIES,
    VALIDATING_POLICY_BINDINGS,
    MUTATING_POLICIES,
    MUTATING_POLICY_BINDINGS,
)
