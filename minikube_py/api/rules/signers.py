"""The cluster's own signers, and what each of them signs: who may be named in a certificate, and for what use.

A signer never signs what does not fit its rule, whoever approved it. Subjects of kubelets are bound to their node by
`system:node:NAME` in the group system:nodes.

Upstream: pkg/apis/certificates (helpers.go), pkg/controller/certificates/signer.
"""

from collections.abc import Callable, Collection, Mapping

from minikube_py.api.certificate_requests import RequestFacts

API_CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY_UNKNOWN = "kubernetes.io/legacy-unknown"
NODE_PREFIX = "system:node:"
NODES_GROUP = "system:nodes"

BACKDATE_S = 300.0
"""Certificates are valid so long before they are made, for clients whose clocks are behind."""

_CLIENT = frozenset({"digital signature", "client auth"})
_SERVER = frozenset({"digital signature", "server auth"})
_ENCIPHERMENT = frozenset({"key encipherment"})


def _usages_fault(usages: Collection[str], wanted: frozenset[str]) -> str:
    """Key encipherment is what RSA keys need in addition."""
    if frozenset(usages) in (wanted, wanted | _ENCIPHERMENT):
        return ""
    return f"usages did not match [{' '.join(sorted(wanted | _ENCIPHERMENT))}]"


def _node_fault(facts: RequestFacts) -> str:
    if facts.organizations != (NODES_GROUP,):
        return "subject organization is not system:nodes"
    if not facts.common_name.startswith(NODE_PREFIX):
        return "subject common name does not begin with system:node:"
    return ""


def kubelet_client_fault(facts: RequestFacts, usages: Collection[str]) -> str:
    """Return why this is no request for a kubelet's client certificate, empty when it is one."""
    for kind, names in (
        ("DNS", facts.dns_names),
        ("Email", facts.email_addresses),
        ("IP", facts.ip_addresses),
        ("URI", facts.uris),
    ):
        if names:
            return f"{kind} subjectAltNames are not allowed"
    return _node_fault(facts) or _usages_fault(usages, _CLIENT)


def kubelet_serving_fault(facts: RequestFacts, usages: Collection[str]) -> str:
    """Return why this is no request for a kubelet's serving certificate, empty when it is one."""
    if not facts.dns_names and not facts.ip_addresses:
        return "DNS or IP subjectAltName is required"
    for kind, names in (("Email", facts.email_addresses), ("URI", facts.uris)):
        if names:
            return f"{kind} subjectAltNames are not allowed"
    return _node_fault(facts) or _usages_fault(usages, _SERVER)


def api_client_fault(facts: RequestFacts, usages: Collection[str]) -> str:
    """Return why this is no request for a client certificate of the API server, empty when it is one."""
    for usage in usages:
        if usage not in _CLIENT | _ENCIPHERMENT:
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"


def _any_fault(facts: RequestFacts, usages: Collection[str]) -> str:
    return ""


SIGNERS: Mapping[str, Callable[[RequestFacts, Collection[str]], str]] = {
    API_CLIENT: api_client_fault,
    KUBELET_CLIENT: kubelet_client_fault,
    KUBELET_SERVING: kubelet_serving_fault,
    LEGACY_UNKNOWN: _any_fault,
}
"""Signer -> why it does not sign a request (empty: it does), once somebody has approved."""
