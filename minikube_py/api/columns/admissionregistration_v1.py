"""Columns of the admissionregistration.k8s.io group's kinds (upstream: printers printValidatingWebhook, ...)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME
from minikube_py.api.columns.cells import count, text
from minikube_py.api.columns.workloads import spec_of
from minikube_py.api.resource import Column

UNSET = "<unset>"


def _param_kind(policy: Mapping[str, Any], _: float) -> str:
    kind = spec_of(policy).get("paramKind")
    return f"{kind.get('apiVersion')}/{kind.get('kind')}" if kind else UNSET


def _param_ref(binding: Mapping[str, Any], _: float) -> str:
    reference = spec_of(binding).get("paramRef")
    if not reference:
        return UNSET
    return f"{reference.get('namespace') or '*'}/{reference.get('name') or '*'}"


_PARAM_KIND = Column("ParamKind", _param_kind, description="The kind of the objects that have its parameters.")

WEBHOOK_COLUMNS = (NAME, count("Webhooks", "webhooks", "How many webhooks it has."), AGE)
VALIDATING_POLICY_COLUMNS = (
    NAME,
    count("Validations", "spec.validations", "How many checks it makes."),
    _PARAM_KIND,
    AGE,
)
MUTATING_POLICY_COLUMNS = (NAME, count("Mutations", "spec.mutations", "How many changes it makes."), _PARAM_KIND, AGE)
POLICY_BINDING_COLUMNS = (
    NAME,
    text("PolicyName", "spec.policyName", "The policy that is put to work."),
    Column("ParamRef", _param_ref, description="The object that has the parameters."),
    AGE,
)
