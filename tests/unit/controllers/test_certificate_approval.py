"""Which nodes get their certificates without a person."""

from base64 import b64encode

import pytest

from minikube_py.api.certificate_requests import load_request
from minikube_py.api.meta import ObjectKey, key_of
from minikube_py.api.resources import NODES, SIGNING_REQUESTS
from minikube_py.api.rules.signers import KUBELET_SERVING
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.certificate_approval import decide, observe, reconcile, spec
from minikube_py.controllers.plan import NOTHING, Item, Listers
from minikube_py.testing.fake_informers import FakeInformer
from minikube_py.testing.signing_requests import (
    CLIENT_USAGES,
    SERVING_USAGES,
    an_authority,
    decided,
    new_key,
    pkcs10,
    signing_request,
)

NOW_S = 1_767_225_600.0 + 10
"""Ten seconds after the requests of the builders."""
KEY = new_key()
N1 = "system:node:n1"
JOINING = {"username": "system:bootstrap:abc", "groups": ["system:bootstrappers", "system:authenticated"]}
ITSELF = {"username": N1, "groups": ["system:nodes", "system:authenticated"]}
ADMIN = {"username": "admin", "groups": ["system:masters"]}
NODE = {
    "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "n1"}]},
}


def listers(requests, nodes=()):
    rows = ((SIGNING_REQUESTS, requests), (NODES, nodes))
    return Listers({row.qualified: FakeInformer(row, EVERYTHING, objects, 1) for row, objects in rows})


def decision(request, *others, nodes=()):
    """Return (condition type, reason), None when it is left alone."""
    view = observe(listers((request, *others), nodes), Item(SIGNING_REQUESTS.qualified, key_of(request)), None)
    plan = reconcile(view, NOW_S) if view is not None else NOTHING
    if plan is NOTHING:
        return None
    (update,) = plan.actions
    assert update.subresource == "approval"
    (condition,) = update.obj["status"]["conditions"]
    assert condition["status"] == "True"
    return condition["type"], condition["reason"]


def client(who, common_name=N1, name="csr", key=KEY, **more):
    return signing_request(pkcs10(common_name, key=key), name=name, **{**who, **more})


def serving(who, *sans, common_name=N1):
    request = pkcs10(common_name, sans=sans)
    return signing_request(request, signer=KUBELET_SERVING, usages=SERVING_USAGES, **who)


YES, TAKEN, PROMISED = ("Approved", "AutoApproved"), ("Denied", "NodeNameTaken"), ("Denied", "NodeNamePromised")


def test_a_joining_host_gets_a_name_that_is_free():
    assert decision(client(JOINING)) == YES


def test_a_name_that_is_taken_is_refused_with_a_way_out():
    assert decision(client(JOINING), nodes=[NODE]) == TAKEN
    view = observe(listers([client(JOINING)], [NODE]), Item(SIGNING_REQUESTS.qualified, ObjectKey("", "csr")), None)
    assert "kubectl delete node n1" in reconcile(view, NOW_S).actions[0].obj["status"]["conditions"][0]["message"]


def test_the_same_key_is_the_same_host_asking_again():
    before = decided(client(JOINING, name="before"))

    assert decision(client(JOINING), before, nodes=[NODE]) == YES


@pytest.mark.parametrize(("lifetime_s", "expected"), [(3600.0, YES), (5.0, TAKEN)])
def test_the_same_key_is_the_same_host_while_its_certificate_is_good(lifetime_s, expected):
    made_s = NOW_S - 10
    asked = client(JOINING, name="before")
    request = load_request(asked["spec"]["request"])
    pem = an_authority(made_s).sign(request, CLIENT_USAGES, lifetime_s, made_s, 1)
    before = decided(asked, certificate=b64encode(pem).decode())

    assert decision(client(JOINING), before, nodes=[NODE]) == expected


def test_of_two_hosts_with_one_name_the_first_one_wins_and_the_other_may_ask_again_later():
    first = decided(client(JOINING, name="first", key=new_key()))
    view = observe(listers([client(JOINING), first]), Item(SIGNING_REQUESTS.qualified, ObjectKey("", "csr")), None)
    message = reconcile(view, NOW_S).actions[0].obj["status"]["conditions"][0]["message"]

    assert decision(client(JOINING), first) == PROMISED
    assert "free again at 2026-01-01T00:00:30Z" in message
    assert decide(view, NOW_S + 19).reason == "NodeNamePromised"
    assert decide(view, NOW_S + 20).approved


def test_a_node_that_was_deleted_may_join_again_with_a_new_key_at_once():
    joined = decided(client(JOINING, name="before", key=new_key()))
    served = decided({**serving(ITSELF, "n1"), "metadata": {"name": "serving"}})
    of_one_before = decided(served, at="2025-12-31T23:59:59Z")
    renewed = decided(client(ITSELF, name="renewed", key=new_key()))

    assert decision(client(JOINING), joined, served) == YES
    assert decision(client(JOINING), joined, of_one_before) == PROMISED
    assert decision(client(JOINING), renewed) == YES


def test_other_names_and_other_signers_claim_nothing():
    other = decided(client(JOINING, "system:node:n2", name="other", key=new_key()))
    certificate = decided(serving(ITSELF, "n1"))
    certificate["metadata"] = {"name": "serving"}

    assert decision(client(JOINING), other, certificate) == YES


def test_a_node_renews_its_own_certificate_and_no_other():
    assert decision(client(ITSELF, key=new_key()), nodes=[NODE]) == YES
    assert decision(client(ITSELF, "system:node:n2")) is None
    assert decision(client({**ITSELF, "groups": ["system:authenticated"]})) is None


def test_an_administrator_may_have_any():
    assert decision(client(ADMIN), nodes=[NODE]) == YES


def test_who_is_nobody_waits_for_a_person():
    assert decision(client({"username": "alice", "groups": ["system:authenticated"]})) is None


def test_a_joining_host_gets_nothing_but_a_nodes_client_certificate():
    assert decision(client(JOINING, "alice")) is None
    assert decision(client(JOINING, usages=["any"])) is None
    assert decision(signing_request(pkcs10(N1, ("system:masters",)), **JOINING)) is None
    assert decision(signing_request(pkcs10("alice"), signer="kubernetes.io/kube-apiserver-client", **JOINING)) is None
    assert decision(serving(JOINING, "n1"), nodes=[NODE]) is None


@pytest.mark.parametrize(
    ("sans", "fine"),
    [
        (("n1", "10.0.0.1"), True),
        (("N1",), True),
        (("10.0.0.2",), False),
        (("n1", "kubernetes.default"), False),
        (("127.0.0.1",), False),
    ],
)
def test_a_node_serves_its_own_names_and_addresses_only(sans, fine):
    assert decision(serving(ITSELF, *sans), nodes=[NODE]) == (YES if fine else None)


def test_a_serving_certificate_waits_until_the_addresses_are_known():
    request = serving(ITSELF, "n1", "10.0.0.1")
    watch = spec().watches[1]
    there = listers([request])
    bare = {"metadata": {"name": "n1"}}

    assert decision(request) is None
    assert watch.items(Change(None, bare), there) == [Item(SIGNING_REQUESTS.qualified, key_of(request))]
    assert watch.items(Change(bare, NODE), there) == [Item(SIGNING_REQUESTS.qualified, key_of(request))]
    assert watch.items(Change(NODE, NODE), there) == ()
    assert watch.items(Change(NODE, None), there) == ()


@pytest.mark.parametrize("kind", ["Approved", "Denied", "Failed"])
def test_what_is_decided_stays(kind):
    assert decision(decided(client(JOINING), kind)) is None
