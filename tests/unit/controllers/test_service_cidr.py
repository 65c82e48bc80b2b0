"""Ranges that say whether they are used, and stay while they are."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import IP_ADDRESSES, SERVICE_CIDRS
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.plan import Item, Listers, Patch, Update
from minikube_py.controllers.service_cidr import FINALIZER, observe, reconcile, spec
from minikube_py.testing.fake_informers import FakeInformer


def cidr(name="kubernetes", network="10.96.0.0/16", finalizers=(FINALIZER,), going=False, **status):
    meta = {"name": name, "uid": name, "resourceVersion": "7", "finalizers": list(finalizers)}
    if going:
        meta["deletionTimestamp"] = "t"
    return {"metadata": meta, "spec": {"cidrs": [network]}, "status": status}


def listers(cidrs, addresses=()):
    named = [{"metadata": {"name": ip}} for ip in addresses]
    return Listers(
        {
            row.qualified: FakeInformer(row, EVERYTHING, objects, 1)
            for row, objects in ((SERVICE_CIDRS, cidrs), (IP_ADDRESSES, named))
        }
    )


def planned(cidrs, addresses=()):
    item = Item(SERVICE_CIDRS.qualified, ObjectKey("", cidrs[0]["metadata"]["name"]))
    return reconcile(observe(listers(cidrs, addresses), item, None), 0.0).actions


def condition(action):
    assert isinstance(action, Update)
    (found,) = action.obj["status"]["conditions"]
    return found["status"], found["reason"]


def test_a_range_is_kept_by_a_finalizer_first_and_then_says_that_it_is_ready():
    (patch,) = planned([cidr(finalizers=())])
    assert isinstance(patch, Patch)
    assert patch.patch["metadata"] == {"resourceVersion": "7", "finalizers": [FINALIZER]}
    (update,) = planned([cidr()])
    assert condition(update) == ("True", "NetworkingControllerReady")
    assert planned([cidr(**update.obj["status"])]) == ()


def test_another_range_says_that_nothing_is_given_from_it():
    (update,) = planned([cidr("more", "10.97.0.0/16")])

    assert condition(update) == ("False", "NotUsed")


def test_a_range_stays_while_an_address_in_it_is_held():
    (update,) = planned([cidr(going=True)], ["10.96.0.1"])
    assert condition(update) == ("False", "Terminating")
    (patch,) = planned([cidr(going=True)], ["10.98.0.1", "fd00::1"])
    assert patch.patch["metadata"]["finalizers"] is None


def test_another_range_over_the_same_addresses_lets_it_go():
    (patch,) = planned([cidr(going=True), cidr("wider", "10.0.0.0/8")], ["10.96.0.1"])

    assert isinstance(patch, Patch)


def test_a_range_that_waits_for_others_is_left_alone():
    assert planned([cidr(going=True, finalizers=("example.com/x",))]) == ()
    assert observe(listers([]), Item(SERVICE_CIDRS.qualified, ObjectKey("", "x")), None) is None


@pytest.mark.parametrize("going", [True, False])
def test_what_may_free_a_range_concerns_those_that_are_going(going):
    cidrs, addresses = spec().watches
    there = listers([cidr(going=going), cidr("other", "10.97.0.0/16")])
    mine = [Item(SERVICE_CIDRS.qualified, ObjectKey("", "kubernetes"))] if going else []
    other = Item(SERVICE_CIDRS.qualified, ObjectKey("", "other"))

    assert addresses.items(Change({"metadata": {"name": "10.96.0.1"}}, None), there) == mine
    assert addresses.items(Change(None, {"metadata": {"name": "10.96.0.1"}}), there) == ()
    assert cidrs.items(Change(None, cidr("other")), there) == [other, *mine]
