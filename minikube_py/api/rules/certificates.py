"""CertificateSigningRequests: what is asked for, and who may say yes.

The request and the person who asked never change after creation. Approval and refusal are conditions that are set
through /approval, the certificate comes through /status; neither may touch what the other sets.

Upstream: pkg/apis/certificates/validation, registry/certificates/certificates/strategy.go.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from minikube_py.api.errors import FieldError
from minikube_py.api.meta import Obj
from minikube_py.api.names import Messages, dns_subdomain_faults
from minikube_py.api.rules.faults import (
    Faults,
    duplicate,
    forbidden,
    indexed,
    invalid,
    items,
    part,
    required,
    unsupported,
)
from minikube_py.api.rules.rule_sets import make_rules

APPROVED, DENIED, FAILED = "Approved", "Denied", "Failed"
NAME_PROMISED = "NodeNamePromised"
"""Reason of a denial that time mends: another host is becoming the node of that name."""
_DECIDED = (APPROVED, DENIED)
EXPIRATION_S_MIN = 600
USAGES = (
    "any",
    "cert sign",
    "client auth",
    "code signing",
    "content commitment",
    "crl sign",
    "data encipherment",
    "decipher only",
    "digital signature",
    "email protection",
    "encipher only",
    "ipsec end system",
    "ipsec tunnel",
    "ipsec user",
    "key agreement",
    "key encipherment",
    "microsoft sgc",
    "netscape sgc",
    "ocsp signing",
    "s/mime",
    "server auth",
    "signing",
    "timestamping",
)
_SIGNER_RULE = "must be a fully qualified domain and path of the form 'example.com/signer-name'"


def set_requestor(request: Obj, user: Mapping[str, Any]) -> None:
    """Write down who asks, in place of what the request says."""
    spec = request.setdefault("spec", {})
    for field in ("username", "uid", "groups", "extra"):
        spec.pop(field, None)
    spec |= user


def prepare_create(request: Obj) -> None:
    """Start undecided."""
    request["status"] = {}


def prepare_update(new: Obj, old: Mapping[str, Any]) -> None:
    """Keep the request and who made it, whatever the update says."""
    new["spec"] = dict(part(old, "spec"))


def check(request: Mapping[str, Any]) -> Faults:
    """Yield the faults of a request."""
    spec = part(request, "spec")
    encoded = spec.get("request") or ""
    if why := _x509().request_fault(encoded):
        yield invalid("spec.request", encoded, why)
    if not items(spec, "usages"):
        yield required("spec.usages", "")
    seen: set[str] = set()
    for path, usage in indexed(spec, "usages", "spec"):
        if usage not in USAGES:
            yield unsupported(path, usage, USAGES)
        if usage in seen:
            yield duplicate(path, usage)
        seen.add(usage)
    signer = spec.get("signerName") or ""
    if signer == "kubernetes.io/legacy-unknown":
        yield invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version")
    elif not signer:
        yield required("spec.signerName", "")
    elif signer_faults(signer):
        yield invalid("spec.signerName", signer, _SIGNER_RULE)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < EXPIRATION_S_MIN:
        yield invalid(
            "spec.expirationSeconds",
            seconds,
            f"may not specify a duration less than {EXPIRATION_S_MIN} seconds (10 minutes)",
        )
    yield from _check_conditions(request)


def _x509() -> Any:
    """Return the module that knows X.509; most processes never need it, and it takes long to load."""
    return import_module("minikube_py.api.certificate_requests")


def signer_faults(name: str) -> Messages:
    """Return what keeps a text from being a signer's name."""
    domain, slash, path = name.partition("/")
    if not slash or "/" in path or "." not in domain or not path:
        return (_SIGNER_RULE,)
    return (*dns_subdomain_faults(domain), *dns_subdomain_faults(path.replace(":", "-")))


def _check_conditions(request: Mapping[str, Any]) -> Faults:
    seen: set[str] = set()
    for path, condition in indexed(part(request, "status"), "conditions", "status"):
        kind, status = condition.get("type") or "", condition.get("status") or ""
        if not kind:
            yield required(f"{path}.type")
        if not status:
            yield required(f"{path}.status")
        elif status not in ("True", "False", "Unknown"):
            yield unsupported(f"{path}.status", status, ("False", "True", "Unknown"))
        elif kind in (APPROVED, DENIED, FAILED) and status != "True":
            yield unsupported(f"{path}.status", status, ("True",))
        if kind in seen:
            yield duplicate(f"{path}.type", kind)
        if kind in _DECIDED and set(_DECIDED) <= {*seen, kind}:
            detail = "Approved and Denied conditions are mutually exclusive"
            yield invalid(f"{path}.type", kind, detail)
        seen.add(kind)


def validate_approval(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return the faults of a decision: what has been decided stays, and nothing else changes."""
    return (*_check_conditions(new), *_check_kept(new, old, _DECIDED))


def validate_status(new: Mapping[str, Any], old: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """Return the faults of a signer's answer: it decides nothing, and a certificate that is there stays."""
    return (*_check_conditions(new), *_check_decided_elsewhere(new, old), *_check_certificate(new, old))


def _check_kept(new: Mapping[str, Any], old: Mapping[str, Any], kinds: tuple[str, ...]) -> Faults:
    left = [condition.get("type") for condition in items(part(new, "status"), "conditions")]
    for condition in items(part(old, "status"), "conditions"):
        kind = condition.get("type")
        if kind in kinds and kind not in left:
            yield forbidden("status.conditions", f'updates may not remove a condition of type "{kind}"')


def _check_decided_elsewhere(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    yield from _check_kept(new, old, (APPROVED, DENIED, FAILED))
    before = [condition.get("type") for condition in items(part(old, "status"), "conditions")]
    for condition in items(part(new, "status"), "conditions"):
        kind = condition.get("type")
        if kind in _DECIDED and kind not in before:
            yield forbidden("status.conditions", f'updates may not add a condition of type "{kind}"')


def _check_certificate(new: Mapping[str, Any], old: Mapping[str, Any]) -> Faults:
    after, before = part(new, "status").get("certificate"), part(old, "status").get("certificate")
    if before and after != before:
        yield forbidden("status.certificate", "updates may not change the certificate")
    elif after and after != before and (why := _x509().certificate_fault(after)):
        yield invalid("status.certificate", "<certificate data>", why)


REQUEST_RULES = make_rules(check, prepare_create=prepare_create, prepare_update=prepare_update)
