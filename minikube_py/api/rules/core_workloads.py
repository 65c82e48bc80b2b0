"""ReplicationControllers and PodTemplates: the workloads of core/v1.

Upstream: pkg/apis/core/v1 SetDefaults_ReplicationController, pkg/apis/core/validation
ValidateReplicationControllerSpec, ValidatePodTemplate.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, labels_of
from minikube_py.api.rules.faults import (
    Faults,
    check_not_negative,
    forbidden,
    invalid,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.pod_defaults import set_template_defaults
from minikube_py.api.rules.pod_spec import validate_pod_template
from minikube_py.api.rules.rule_sets import default, make_rules, start_with


def set_replication_controller_defaults(controller: Obj) -> None:
    """Fill in a ReplicationController: labels and selector are those of the template when they are left out."""
    spec = controller.setdefault("spec", {})
    template = spec.get("template")
    labels = labels_of(template or {})
    if labels:
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        meta = controller.setdefault("metadata", {})
        if not meta.get("labels"):
            meta["labels"] = dict(labels)
    default(spec, "replicas", 1)
    if template is not None:
        set_template_defaults(template)


def check_replication_controller(controller: Mapping[str, Any]) -> Faults:
    """Yield the faults of a ReplicationController."""
    spec = part(controller, "spec")
    yield from check_not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    selector = part(spec, "selector")
    if not selector:
        yield required("spec.selector")
    yield from check_not_negative("spec.replicas", spec.get("replicas"))
    template = spec.get("template")
    if template is None:
        yield required("spec.template")
        return
    labels = labels_of(template)
    if selector and not selector.items() <= labels.items():
        yield invalid("spec.template.metadata.labels", dict(labels), "`selector` does not match template `labels`")
    yield from validate_pod_template(template, "spec.template")
    pod = part(template, "spec")
    if pod.get("restartPolicy") != "Always":
        yield unsupported("spec.template.spec.restartPolicy", pod.get("restartPolicy") or "", ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        detail = "activeDeadlineSeconds in ReplicationController is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", detail)


def set_pod_template_defaults(template: Obj) -> None:
    """Fill in a PodTemplate."""
    set_template_defaults(template.setdefault("template", {}))


def check_pod_template(template: Mapping[str, Any]) -> Faults:
    """Yield the faults of a PodTemplate."""
    yield from validate_pod_template(part(template, "template"), "template")


REPLICATION_CONTROLLER_RULES = make_rules(
    check_replication_controller,
    set_defaults=set_replication_controller_defaults,
    prepare_create=start_with({"replicas": 0}),
)
POD_TEMPLATE_RULES = make_rules(check_pod_template, set_defaults=set_pod_template_defaults)
