"""Ranges that say whether they are used, and stay while they are."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import IP_ADDRESSES, SERVICE_CIDRS
from minikube_py.api.rules.network_addresses import MANAGED_LABEL, SERVICE_MANAGER
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.plan import Item, Listers, Patch, Update
from minikube_py.controllers.service_cidr import FINALIZER, observe, reconcile, spec
from minikube_py.testing.fake_informers import FakeInformer


def cidr(name="kubernetes", network="10.96.0.0/16", finalizers=(FINALIZER,), going=False, **status):
    meta = {"name": name, "uid": name, "resourceVersion": "7", "finalizers": list(finalizers)}
    if going:
        meta["deletionTimestamp"] = "1970-01-01T00:01:40Z"
    return {"metadata": meta, "spec": {"cidrs": [network]}, "status": status}


def listers(cidrs, addresses=()):
    named = [{"metadata": {"name": ip, "labels": {MANAGED_LABEL: SERVICE_MANAGER}}} for ip in addresses]
    named.append({"metadata": {"name": "10.96.0.77"}})  # somebody else's
    return Listers(
        {
            row.qualified: FakeInformer(row, EVERYTHING, objects, 1)
            for row, objects in ((SERVICE_CIDRS, cidrs), (IP_ADDRESSES, named))
        }
    )


def planned(cidrs, addresses=(), now_s=110.0):
    item = Item(SERVICE_CIDRS.qualified, ObjectKey("", cidrs[0]["metadata"]["name"]))
    return reconcile(observe(listers(cidrs, addresses), item, None), now_s).actions


def condition(action):
    assert isinstance(action, Update)
    (found,) = action.obj["status"]["conditions"]
    return found["status"], found["reason"]


def test_a_range_is_kept_by_a_finalizer_first_and_then_says_that_it_is_ready():
    (patch,) = planned([cidr(finalizers=())])
    assert isinstance(patch, Patch)
    assert patch.patch["metadata"] == {"resourceVersion": "7", "finalizers": [FINALIZER]}
    (update,) = planned([cidr()])
    assert condition(update) == ("True", "")
    assert planned([cidr(**update.obj["status"])]) == ()


def test_a_range_that_is_deleted_stays_until_every_api_server_has_heard_of_it():
    item = Item(SERVICE_CIDRS.qualified, ObjectKey("", "kubernetes"))
    plan = reconcile(observe(listers([cidr(going=True)]), item, None), 103.0)

    assert (plan.actions, plan.requeue_after_s) == ((), 7.0)


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
