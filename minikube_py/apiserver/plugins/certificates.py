"""Who may approve and sign requests for certificates, and which ones nobody may make.

Permissions are for the resource `signers` of certificates.k8s.io, by the signer's name or for its whole domain
(`example.com/*`). Upstream: plugin/pkg/admission/certificates, pkg/certauthorization.
"""

import base64
import binascii

from cryptography import x509
from cryptography.x509.oid import NameOID

from minikube_py.apiserver.plugins.plugin import Asked, Permission, Plugin
from minikube_py.apiserver.users import SYSTEM_MASTERS

_REQUESTS = "certificatesigningrequests.certificates.k8s.io"
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"


def may_for_signer(asked: Asked, verb: str, signer: str) -> bool:
    """Return whether the user may `approve` or `sign` for a signer."""
    names = (signer, f"{signer.partition('/')[0]}/*")
    user, may = asked.attributes.user, asked.lookups.may
    return any(may(user, Permission(verb, "certificates.k8s.io", "signers", name)) for name in names)


def _signer(asked: Asked) -> str:
    """Return who is to sign: of the stored request, whatever the update says."""
    return str(((asked.old or {}).get("spec") or {}).get("signerName") or "")


def _check_approval(asked: Asked) -> None:
    signer = _signer(asked)
    if not may_for_signer(asked, "approve", signer):
        raise asked.refusal(f'user not permitted to approve requests with signerName "{signer}"')


def _check_signing(asked: Asked) -> None:
    before, after = ((side or {}).get("status") or {} for side in (asked.old, asked.new))
    if all(before.get(field) == after.get(field) for field in ("certificate", "conditions")):
        return
    signer = _signer(asked)
    if not may_for_signer(asked, "sign", signer):
        raise asked.refusal(f'user not permitted to sign requests with signerName "{signer}"')


def organizations(encoded: str) -> tuple[str, ...]:
    """Return the organizations in the subject of a request, given as base64 of its PEM text.

    Raises:
        ValueError: it is no request.
    """
    try:
        request = x509.load_pem_x509_csr(base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise ValueError(str(error)) from error
    named = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return tuple(str(attribute.value) for attribute in named)


def _check_subject(asked: Asked) -> None:
    spec = asked.new.get("spec") or {}
    if spec.get("signerName") != _CLIENT_SIGNER:
        return
    try:
        groups = organizations(str(spec.get("request") or ""))
    except ValueError as error:
        raise asked.refusal(f"failed to parse CSR: {error}") from error
    if SYSTEM_MASTERS in groups:
        raise asked.refusal(f"use of {_CLIENT_SIGNER} signer with {SYSTEM_MASTERS} group is not allowed")


PLUGINS = (
    Plugin("CertificateApproval", (f"{_REQUESTS}/approval",), ("UPDATE",), validate=_check_approval),
    Plugin("CertificateSigning", (f"{_REQUESTS}/status",), ("UPDATE",), validate=_check_signing),
    Plugin("CertificateSubjectRestriction", (_REQUESTS,), ("CREATE",), validate=_check_subject),
)
