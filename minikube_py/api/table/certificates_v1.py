"""The row of certificates.k8s.io/v1."""

from minikube_py.api.columns.cluster_kinds import SIGNING_REQUEST_COLUMNS
from minikube_py.api.resource import Resource, Subresource
from minikube_py.api.rules.certificates import REQUEST_RULES, set_requestor, validate_status
from minikube_py.api.table.parts import CHANGE_VERBS, select, status

SIGNING_REQUESTS = Resource(
    group="certificates.k8s.io",
    version="v1",
    kind="CertificateSigningRequest",
    plural="certificatesigningrequests",
    singular="certificatesigningrequest",
    namespaced=False,
    rules=REQUEST_RULES,
    columns=SIGNING_REQUEST_COLUMNS,
    short_names=("csr",),
    subresources=(
        status("CertificateSigningRequest"),
        Subresource("approval", "CertificateSigningRequest", CHANGE_VERBS),
    ),
    field_selectors=select("spec.signerName"),
    validate_status=validate_status,
    set_requestor=set_requestor,
)

ROWS = (SIGNING_REQUESTS,)
