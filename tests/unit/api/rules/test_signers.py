"""What each of the cluster's signers signs."""

from dataclasses import replace

import pytest

from minikube_py.api.certificate_requests import RequestFacts
from minikube_py.api.rules.signers import API_CLIENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY_UNKNOWN, SIGNERS

CLIENT = ("digital signature", "client auth")
SERVING = ("digital signature", "key encipherment", "server auth")
NODE = RequestFacts("system:node:n1", ("system:nodes",))
SERVER = replace(NODE, dns_names=("n1",), ip_addresses=("10.0.0.1",))


@pytest.mark.parametrize(
    ("signer", "facts", "usages", "why"),
    [
        (KUBELET_CLIENT, NODE, CLIENT, ""),
        (KUBELET_CLIENT, NODE, (*CLIENT, "key encipherment"), ""),
        (KUBELET_CLIENT, NODE, ("client auth",), "usages did not match"),
        (KUBELET_CLIENT, NODE, (*CLIENT, "server auth"), "usages did not match"),
        (KUBELET_CLIENT, replace(NODE, organizations=()), CLIENT, "organization is not system:nodes"),
        (KUBELET_CLIENT, replace(NODE, organizations=("system:nodes", "x")), CLIENT, "organization is not"),
        (KUBELET_CLIENT, replace(NODE, common_name="n1"), CLIENT, "does not begin with system:node:"),
        (KUBELET_CLIENT, SERVER, CLIENT, "DNS subjectAltNames are not allowed"),
        (KUBELET_CLIENT, replace(NODE, ip_addresses=("::1",)), CLIENT, "IP subjectAltNames are not allowed"),
        (KUBELET_CLIENT, replace(NODE, uris=("a://b",)), CLIENT, "URI subjectAltNames are not allowed"),
        (KUBELET_CLIENT, replace(NODE, email_addresses=("a@b",)), CLIENT, "Email subjectAltNames are not allowed"),
        (KUBELET_SERVING, SERVER, SERVING, ""),
        (KUBELET_SERVING, replace(SERVER, dns_names=()), ("digital signature", "server auth"), ""),
        (KUBELET_SERVING, NODE, SERVING, "DNS or IP subjectAltName is required"),
        (KUBELET_SERVING, SERVER, CLIENT, "usages did not match"),
        (KUBELET_SERVING, replace(SERVER, uris=("a://b",)), SERVING, "URI subjectAltNames are not allowed"),
        (KUBELET_SERVING, replace(SERVER, common_name="n1"), SERVING, "does not begin with system:node:"),
        (API_CLIENT, RequestFacts("alice"), ("client auth",), ""),
        (API_CLIENT, RequestFacts("alice"), ("digital signature",), "missing required usage"),
        (API_CLIENT, RequestFacts("alice"), ("client auth", "server auth"), "invalid usage"),
        (LEGACY_UNKNOWN, RequestFacts("anything"), ("any",), ""),
    ],
)
def test_a_signer_signs_what_fits_its_rule(signer, facts, usages, why):
    found = SIGNERS[signer](facts, usages)

    assert (why in found) if why else (found == "")
