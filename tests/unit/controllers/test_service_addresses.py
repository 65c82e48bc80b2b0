"""An IPAddress for each cluster IP."""

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import IP_ADDRESSES, SERVICES
from minikube_py.client.interface import EVERYTHING, Change
from minikube_py.controllers.plan import NOTHING, Create, Delete, Item, Listers, Record
from minikube_py.controllers.service_addresses import build_address, cluster_ips, observe, reconcile, spec
from minikube_py.testing.fake_informers import FakeInformer

ROW = spec()
IP = "10.96.0.5"
ITEM = Item(IP_ADDRESSES.qualified, ObjectKey("", IP))


def service(name="web", ip=IP, made="2026-01-01T00:00:00Z", **meta):
    meta = {"name": name, "namespace": "default", "uid": name, "creationTimestamp": made, **meta}
    return {"metadata": meta, "spec": {"clusterIP": ip, "clusterIPs": [ip] if ip else []}}


def planned(services=(), addresses=()):
    informers = {
        row.qualified: FakeInformer(row, EVERYTHING, objects, 1)
        for row, objects in ((SERVICES, services), (IP_ADDRESSES, addresses))
    }
    for index in ROW.indexes:
        informers[index.resource.qualified].add_index(index.name, index.values)
    view = observe(Listers(informers), ITEM, None)
    return None if view is None else reconcile(view, 0.0).actions


def test_a_service_gets_an_object_for_its_address():
    (create,) = planned([service()])

    assert isinstance(create, Create)
    assert create.obj["metadata"]["name"] == IP
    assert create.obj["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    assert create.obj["spec"]["parentRef"] == {"resource": "services", "namespace": "default", "name": "web"}


def stored(service_):
    address = build_address(IP, service_)
    address["metadata"]["uid"] = "a"
    return address


def test_an_object_that_is_right_stays_and_one_of_a_service_that_is_gone_goes():
    assert planned([service()], [stored(service())]) == ()
    with_group = stored(service())
    with_group["spec"]["parentRef"]["group"] = ""
    assert planned([service()], [with_group]) == ()
    (delete,) = planned([], [stored(service())])

    assert isinstance(delete, Delete)
    assert delete.target.uid == "a"
    assert planned([service(deletionTimestamp="t")], [stored(service())]) == (delete,)
    assert planned() is None


def test_an_object_that_names_another_service_is_made_anew():
    told, delete = planned([service()], [stored(service("other"))])

    assert isinstance(told, Record)
    assert told.reason == "IPAddressWrongReference"
    assert isinstance(delete, Delete)


def test_what_somebody_else_made_stays_and_is_told():
    foreign = stored(service("other"))
    foreign["metadata"]["labels"] = {}

    (told,) = planned([service()], [foreign])
    assert isinstance(told, Record)
    assert planned([], [foreign]) == ()


def test_the_oldest_of_two_holders_has_it():
    (create,) = planned([service("a", made="2026-01-02T00:00:00Z"), service("b")])

    assert create.obj["spec"]["parentRef"]["name"] == "b"


def test_an_object_that_is_going_is_waited_for():
    going = stored(service())
    going["metadata"]["deletionTimestamp"] = "t"

    assert planned([], [going]) == NOTHING.actions


@pytest.mark.parametrize(
    ("spec_", "ips"),
    [
        ({"clusterIP": "1.1.1.1", "clusterIPs": ["1.1.1.1", "fd00::1"]}, ("1.1.1.1", "fd00::1")),
        ({"clusterIP": "None", "clusterIPs": ["None"]}, ()),
        ({}, ()),
    ],
)
def test_the_addresses_of_a_service(spec_, ips):
    assert cluster_ips({"spec": spec_}) == ips


def test_only_a_change_of_addresses_concerns_them():
    services, addresses = ROW.watches
    there = Listers({})

    assert services.items(Change(None, service()), there) == [ITEM]
    assert services.items(Change(service(), service()), there) == ()
    assert services.items(Change(service(), service(ip="10.96.0.6")), there)[1].key.name == "10.96.0.6"
    assert services.items(Change(service(), None), there) == [ITEM]
    assert addresses.items(Change(stored(service()), None), there) == (ITEM,)
