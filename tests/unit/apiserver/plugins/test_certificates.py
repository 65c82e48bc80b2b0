import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from minikube_py.api.errors import ForbiddenError
from minikube_py.api.table.certificates_v1 import SIGNING_REQUESTS
from minikube_py.apiserver.plugins.certificates import organizations
from minikube_py.apiserver.users import UserInfo
from minikube_py.testing.built_in_admission import DictLookups, Request, admit

ALICE = UserInfo("alice", ())


def encoded(*groups):
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    pem = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)
    return base64.b64encode(pem).decode()


def a_request(signer="example.com/s", request="", **status):
    return {"metadata": {"name": "r"}, "spec": {"signerName": signer, "request": request}, "status": status}


def test_who_approves_must_be_allowed_for_the_signer_or_its_domain():
    asked = Request(SIGNING_REQUESTS, "UPDATE", "approval", ALICE)
    with pytest.raises(ForbiddenError, match='not permitted to approve requests with signerName "example.com/s"'):
        admit(asked, a_request(), old=a_request())
    for name in ("example.com/s", "example.com/*"):
        admit(asked, a_request(), DictLookups(allowed={("alice", "approve", name)}), a_request())


def test_who_signs_must_be_allowed_to_when_something_is_signed():
    asked = Request(SIGNING_REQUESTS, "UPDATE", "status", ALICE)
    admit(asked, a_request(), old=a_request())
    with pytest.raises(ForbiddenError, match="user not permitted to sign requests"):
        admit(asked, a_request(certificate="x"), old=a_request())
    admit(asked, a_request(certificate="x"), DictLookups(allowed={("alice", "sign", "example.com/*")}), a_request())


def test_nobody_becomes_a_master_by_certificate():
    client = "kubernetes.io/kube-apiserver-client"
    assert organizations(encoded("a", "b")) == ("a", "b")
    admit(Request(SIGNING_REQUESTS), a_request(client, encoded("devs")))
    admit(Request(SIGNING_REQUESTS), a_request("example.com/s", encoded("system:masters")))
    with pytest.raises(ForbiddenError, match=f"use of {client} signer with system:masters group is not allowed"):
        admit(Request(SIGNING_REQUESTS), a_request(client, encoded("devs", "system:masters")))
    with pytest.raises(ForbiddenError, match="failed to parse CSR"):
        admit(Request(SIGNING_REQUESTS), a_request(client, "!"))
