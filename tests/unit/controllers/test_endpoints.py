"""Endpoints: addresses grouped by ports, without the pods that leave."""

from minikube_py.controllers.endpoints import (
    ADDRESSES_MAX,
    OVER_CAPACITY,
    EndpointsView,
    build_subsets,
    reconcile,
    truncated,
)
from minikube_py.controllers.plan import Create, Delete, Plan, Update
from minikube_py.testing.workload_objects import LONG_AGO, NOW_S, a_pod, a_service


def test_ready_and_waiting_pods_stand_in_one_subset_sorted_by_address() -> None:
    pods = (a_pod("b", ip="10.0.0.2"), a_pod("a", ip="10.0.0.1"), a_pod("c", ip="10.0.0.3", ready=False))
    (subset,) = build_subsets(a_service(), pods)

    assert [address["ip"] for address in subset["addresses"]] == ["10.0.0.1", "10.0.0.2"]
    assert subset["notReadyAddresses"] == [
        {
            "ip": "10.0.0.3",
            "nodeName": "n1",
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "c", "uid": "uid-c"},
        }
    ]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_pods_that_leave_are_left_out_unless_not_ready_ones_are_published() -> None:
    pods = (a_pod(ip="10.0.0.1", deleting=True),)

    assert build_subsets(a_service(), pods) == []
    (subset,) = build_subsets(a_service(publishNotReadyAddresses=True), pods)
    assert len(subset["addresses"]) == 1


def test_a_headless_service_without_ports_has_addresses_only() -> None:
    (subset,) = build_subsets(a_service(clusterIP="None", ports=[]), (a_pod(ip="10.0.0.1"),))

    assert "ports" not in subset


def test_a_new_service_gets_its_object_and_no_second_write() -> None:
    seen = EndpointsView(a_service(), (a_pod(ip="10.0.0.1"),), None)
    (create,) = reconcile(seen, NOW_S).actions

    assert isinstance(create, Create)
    assert create.obj["metadata"] == {
        "name": "web",
        "namespace": "default",
        "labels": {"endpoints.kubernetes.io/managed-by": "endpoint-controller"},
        "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": LONG_AGO},
    }
    assert reconcile(EndpointsView(a_service(), seen.pods, create.obj), NOW_S) == Plan()


def test_a_change_is_an_update_with_the_version_that_was_seen() -> None:
    before = {"metadata": {"name": "web", "namespace": "default", "resourceVersion": "9"}, "subsets": []}
    (update,) = reconcile(EndpointsView(a_service(), (a_pod(ip="10.0.0.1"),), before), NOW_S).actions

    assert isinstance(update, Update)
    assert update.obj["metadata"]["resourceVersion"] == "9"


def test_what_is_left_of_a_deleted_service_goes_but_not_what_others_made() -> None:
    ours = {"metadata": {"name": "web", "namespace": "default", "uid": "u"}}
    ours["metadata"]["labels"] = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}  # type: ignore[assignment]
    theirs = {"metadata": {"name": "web", "namespace": "default", "uid": "u"}}

    (deletion,) = reconcile(EndpointsView(None, (), ours), NOW_S).actions
    assert isinstance(deletion, Delete)
    assert reconcile(EndpointsView(None, (), theirs), NOW_S) == Plan()


def test_more_addresses_than_fit_are_cut_and_said() -> None:
    pods = tuple(a_pod(f"p{n}", ip=f"10.1.{n // 250}.{n % 250}", ready=n % 2 == 0) for n in range(ADDRESSES_MAX + 10))
    (create,) = reconcile(EndpointsView(a_service(), pods, None), NOW_S).actions

    assert isinstance(create, Create)
    assert create.obj["metadata"]["annotations"][OVER_CAPACITY] == "truncated"
    (subset,) = create.obj["subsets"]
    assert (len(subset["addresses"]), len(subset["notReadyAddresses"])) == (505, 495)
    assert truncated([{"addresses": []}]) == []
