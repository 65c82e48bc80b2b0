"""Jobs: what they get, which labels tie their pods to them, and when they are right.

Upstream: pkg/apis/batch/v1 defaults.go, registry/batch/job strategy.go (generateSelector), pkg/apis/batch/validation.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object, labels_of, metadata, name_of, uid_of
from minikube_py.api.object_selectors import compile_label_selector, selects
from minikube_py.api.rules.faults import (
    INT32_MAX,
    Faults,
    check_immutable,
    check_not_negative,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.label_selectors import validate_label_selector
from minikube_py.api.rules.pod_defaults import set_template_defaults
from minikube_py.api.rules.pod_spec import validate_pod_template
from minikube_py.api.rules.rule_sets import default, default_text, make_rules

CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
JOB_NAME = "batch.kubernetes.io/job-name"
LEGACY_CONTROLLER_UID = "controller-uid"
LEGACY_JOB_NAME = "job-name"
COMPLETION_MODES = ("Indexed", "NonIndexed")
_REPLACEMENT = ("Failed", "TerminatingOrFailed")
_FAILURE_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_FROZEN = ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy")
_RESTART_POLICIES = ("OnFailure", "Never")
_SCHEDULING = ("nodeSelector", "affinity", "tolerations", "schedulingGates", "nodeName")
PARALLELISM_MAX_FOR_INDEXED = 100_000


def set_job_defaults(job: Obj) -> None:
    """Fill in a Job."""
    spec = job.setdefault("spec", {})
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    default(spec, "parallelism", 1)
    default(spec, "backoffLimit", INT32_MAX if spec.get("backoffLimitPerIndex") is not None else 6)
    default_text(spec, "completionMode", "NonIndexed")
    default(spec, "suspend", False)
    default_text(spec, "podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    default(spec, "manualSelector", False)
    template = spec.setdefault("template", {})
    set_template_defaults(template)
    for rule in items(part(spec, "podFailurePolicy"), "rules"):
        for condition in rule.get("onPodConditions") or ():
            default_text(condition, "status", "True")
    meta = job.setdefault("metadata", {})
    if labels_of(template) and not meta.get("labels"):
        meta["labels"] = dict(labels_of(template))


def prepare_create_job(job: Obj) -> None:
    """Tie the pods to the Job by labels that nobody else has, unless the author chose a selector himself."""
    job["status"] = {}
    spec = job["spec"]
    if spec.get("manualSelector"):
        return
    template = spec["template"]
    labels = labels_of(template)
    name, uid = name_of(job), uid_of(job)
    own = {LEGACY_JOB_NAME: name, JOB_NAME: name, LEGACY_CONTROLLER_UID: uid, CONTROLLER_UID: uid}
    follows = not labels_of(job) or labels_of(job) == labels
    template.setdefault("metadata", {})["labels"] = {**labels, **own}
    if follows:
        metadata(job)["labels"] = {**labels, **own}
    selector = spec.setdefault("selector", {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), CONTROLLER_UID: uid}


def check_job(job: Mapping[str, Any]) -> Faults:
    """Yield the faults of a Job."""
    spec = part(job, "spec")
    yield from _check_generated_selector(job, spec)
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    else:
        yield from validate_label_selector(selector, "spec.selector")
    yield from validate_job_spec(spec, "spec")
    labels = labels_of(part(spec, "template"))
    if selector is not None and not selects(compile_label_selector(selector), labels):
        yield invalid("spec.template.metadata.labels", dict(labels), "`selector` does not match template `labels`")


def _check_generated_selector(job: Mapping[str, Any], spec: Mapping[str, Any]) -> Faults:
    if spec.get("manualSelector"):
        return
    labels = labels_of(part(spec, "template"))
    for key, wanted in (
        (CONTROLLER_UID, uid_of(job)),
        (LEGACY_CONTROLLER_UID, uid_of(job)),
        (JOB_NAME, name_of(job)),
        (LEGACY_JOB_NAME, name_of(job)),
    ):
        if labels.get(key) != wanted:
            yield invalid("spec.template.metadata.labels", dict(labels), f"must be '{wanted}'")
    selector = spec.get("selector")
    if selector is None:
        return
    matched = part(selector, "matchLabels")
    if matched.keys() - {CONTROLLER_UID, LEGACY_CONTROLLER_UID} or selector.get("matchExpressions"):
        yield invalid("spec.selector", dict(selector), "`selector` not auto-generated")


def validate_job_spec(spec: Mapping[str, Any], path: str) -> Faults:
    """Yield the faults of a Job's spec apart from its selector (CronJobs have one too)."""
    for field in ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"):
        yield from check_not_negative(f"{path}.{field}", spec.get(field))
    yield from check_not_negative(f"{path}.backoffLimitPerIndex", spec.get("backoffLimitPerIndex"))
    mode = spec.get("completionMode")
    if mode and mode not in COMPLETION_MODES:
        yield unsupported(f"{path}.completionMode", mode, COMPLETION_MODES)
    if mode == "Indexed":
        if spec.get("completions") is None:
            yield required(f"{path}.completions", "when completion mode is Indexed")
        if (spec.get("parallelism") or 0) > PARALLELISM_MAX_FOR_INDEXED:
            limit = f"must be less than or equal to {PARALLELISM_MAX_FOR_INDEXED} when completion mode is Indexed"
            yield invalid(f"{path}.parallelism", spec["parallelism"], limit)
    elif spec.get("backoffLimitPerIndex") is not None:
        yield invalid(
            f"{path}.backoffLimitPerIndex", spec["backoffLimitPerIndex"], "requires indexed completion mode"
        )
    policy = spec.get("podReplacementPolicy")
    if policy and policy not in _REPLACEMENT:
        yield unsupported(f"{path}.podReplacementPolicy", policy, _REPLACEMENT)
    yield from _check_failure_policy(spec, path)
    template = part(spec, "template")
    yield from validate_pod_template(template, f"{path}.template")
    yield from _check_restart_policy(
        part(template, "spec").get("restartPolicy"), f"{path}.template.spec.restartPolicy"
    )


def _check_restart_policy(policy: str | None, path: str) -> Faults:
    # "Always" is what a template gets by default, so it is told apart from a wrong choice
    if policy in (None, "", "Always"):
        yield required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in _RESTART_POLICIES:
        yield unsupported(path, policy, _RESTART_POLICIES)


def _check_failure_policy(spec: Mapping[str, Any], path: str) -> Faults:
    policy = spec.get("podFailurePolicy")
    if policy is None:
        return
    here = f"{path}.podFailurePolicy"
    if part(part(spec, "template"), "spec").get("restartPolicy") != "Never":
        yield invalid(here, dict(policy), 'only "Never" is supported when podFailurePolicy is specified')
    for rule_path, rule in indexed(policy, "rules", here):
        action = rule.get("action") or ""
        if not action:
            yield required(f"{rule_path}.action", "valid values: " + ", ".join(f'"{a}"' for a in _FAILURE_ACTIONS))
        elif action not in _FAILURE_ACTIONS:
            yield unsupported(f"{rule_path}.action", action, _FAILURE_ACTIONS)
        if rule.get("onExitCodes") is not None and rule.get("onPodConditions"):
            detail = "specifying both OnExitCodes and OnPodConditions is not supported"
            yield invalid(rule_path, dict(rule), detail)
        elif rule.get("onExitCodes") is None and not rule.get("onPodConditions"):
            detail = "specifying one of OnExitCodes and OnPodConditions is required"
            yield invalid(rule_path, dict(rule), detail)


def check_job_update(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    """Yield the faults of changing what a Job that has begun is made of."""
    spec, before = part(new, "spec"), part(old, "spec")
    elastic = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get("parallelism")
    if not elastic:
        yield from check_immutable("spec.completions", spec.get("completions"), before.get("completions"))
    yield from check_immutable("spec.selector", spec.get("selector"), before.get("selector"))
    if _frozen_template(spec, before) != part(before, "template"):
        yield invalid("spec.template", dict(part(spec, "template")), "field is immutable")
    for field in _FROZEN:
        yield from check_immutable(f"spec.{field}", spec.get(field), before.get(field))


def _frozen_template(spec: Mapping[str, Any], before: Mapping[str, Any]) -> Obj:
    """Return the new template with the old scheduling, while the Job is suspended and has not started."""
    template = copy_object(part(spec, "template"))
    if not before.get("suspend"):
        return template
    inner, old = template.get("spec") or {}, part(part(before, "template"), "spec")
    for field in _SCHEDULING:
        inner.pop(field, None)
        if field in old:
            inner[field] = old[field]
    if part(before, "template").get("metadata") is not None:
        template["metadata"] = copy_object(part(before, "template")["metadata"])
    return template


JOB_RULES = make_rules(check_job, check_job_update, set_defaults=set_job_defaults, prepare_create=prepare_create_job)
