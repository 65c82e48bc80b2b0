"""EndpointSlices: conditions, ports, stable packing."""

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import ENDPOINT_SLICES
from minikube_py.controllers.endpointslice import (
    ENDPOINTS_MAX,
    EndpointSliceView,
    build_endpoint,
    build_labels,
    build_ports,
    reconcile,
)
from minikube_py.controllers.plan import Create, Delete, Plan, Update
from minikube_py.testing.workload_objects import LONG_AGO, NOW, NOW_S, a_pod, a_service


def pods(count: int, start: int = 0):
    return tuple(a_pod(f"p{n:03}", ip=f"10.244.{n // 250}.{n % 250 + 1}") for n in range(start, start + count))


def stored(action: Create | Update, name: str):
    """Return the slice as the API server would have it."""
    meta = {"name": name, "uid": f"uid-{name}", **action.obj["metadata"]}
    return {**action.obj, "metadata": meta}


def plan(service, its_pods, slices=(), zones=None) -> Plan:
    return reconcile(EndpointSliceView(service, tuple(its_pods), tuple(slices), zones or {}), NOW_S)


def apply(result: Plan, slices):
    """Return the slices after the plan."""
    after = {s["metadata"]["name"]: s for s in slices}
    for number, action in enumerate(result.actions):
        if isinstance(action, Create):
            name = f"new{len(after)}-{number}"
            after[name] = stored(action, name)
        elif isinstance(action, Update):
            after[action.obj["metadata"]["name"]] = action.obj
        elif isinstance(action, Delete):
            del after[action.target.key.name]
    return list(after.values())


def test_a_ready_pod_is_an_endpoint_with_its_node_and_zone() -> None:
    endpoint = build_endpoint(a_service(), a_pod(), ["10.244.0.1"], {"n1": "z1"})

    assert endpoint == {
        "addresses": ["10.244.0.1"],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "nodeName": "n1",
        "zone": "z1",
        "targetRef": {"kind": "Pod", "namespace": "default", "name": "p", "uid": "uid-p"},
    }


def test_conditions_tell_ready_serving_and_terminating_apart() -> None:
    def conditions(pod, **spec):
        return build_endpoint(a_service(**spec), pod, ["1.1.1.1"], {})["conditions"]

    assert conditions(a_pod(deleting=True)) == {"ready": False, "serving": True, "terminating": True}
    assert conditions(a_pod(ready=False)) == {"ready": False, "serving": False, "terminating": False}
    assert conditions(a_pod(ready=False), publishNotReadyAddresses=True)["ready"] is True


def test_a_service_without_pods_has_one_empty_slice() -> None:
    (create,) = plan(a_service(), ()).actions

    assert create == Create(
        ENDPOINT_SLICES,
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "generateName": "web-",
                "namespace": "default",
                "labels": {
                    "kubernetes.io/service-name": "web",
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                },
                "ownerReferences": [
                    {
                        "apiVersion": "v1",
                        "kind": "Service",
                        "name": "web",
                        "uid": "uid-web",
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
                "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": LONG_AGO},
            },
            "addressType": "IPv4",
            "endpoints": [],
            "ports": [],
        },
    )


def test_the_empty_slice_is_filled_and_not_replaced() -> None:
    empty = stored(plan(a_service(), ()).actions[0], "web-x")  # type: ignore[arg-type]
    (update,) = plan(a_service(), pods(1), [empty]).actions

    assert isinstance(update, Update)
    assert update.obj["metadata"]["name"] == "web-x"
    assert update.obj["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]


def test_the_same_pods_again_change_nothing() -> None:
    slices = apply(plan(a_service(), pods(230)), [])

    assert sorted(len(s["endpoints"]) for s in slices) == [30, 100, 100]
    assert plan(a_service(), pods(230), slices) == Plan()


def test_one_pods_change_writes_one_slice() -> None:
    before = pods(230)
    slices = apply(plan(a_service(), before), [])
    changed = tuple(a_pod("p005", ip="10.244.0.6", ready=False) if n == 5 else pod for n, pod in enumerate(before))
    (update,) = plan(a_service(), changed, slices).actions

    assert isinstance(update, Update)
    assert len(update.obj["endpoints"]) == ENDPOINTS_MAX
    assert sum(not endpoint["conditions"]["ready"] for endpoint in update.obj["endpoints"]) == 1


def test_a_replaced_pod_takes_the_place_of_the_old_one() -> None:
    slices = apply(plan(a_service(), pods(200)), [])
    later = (*pods(199), a_pod("fresh", ip="10.244.9.9"))
    result = plan(a_service(), later, slices)

    assert [type(action) for action in result.actions] == [Update]
    assert sorted(len(s["endpoints"]) for s in apply(result, slices)) == [100, 100]


def test_new_pods_go_where_there_is_room_before_a_new_slice_is_made() -> None:
    slices = apply(plan(a_service(), pods(130)), [])
    result = plan(a_service(), pods(180), slices)

    assert [type(action) for action in result.actions] == [Update]
    assert sorted(len(s["endpoints"]) for s in apply(result, slices)) == [80, 100]


def test_slices_that_are_no_longer_needed_are_deleted() -> None:
    slices = apply(plan(a_service(), pods(150)), [])
    result = plan(a_service(), pods(100), slices)

    assert sorted(type(action).__name__ for action in result.actions) == ["Delete"]
    left = apply(plan(a_service(), (), slices), slices)
    assert [s["endpoints"] for s in left] == [[]]


def test_pods_with_other_numbers_for_a_named_port_have_slices_of_their_own() -> None:
    service = a_service(ports=[{"name": "web", "port": 80, "targetPort": "http"}])

    def pod(name: str, number: int):
        container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": number}]}
        return a_pod(name, ip=f"10.244.0.{number}", spec={"containers": [container]})

    slices = apply(plan(service, [pod("a", 81), pod("b", 82)]), [])
    assert sorted(s["ports"][0]["port"] for s in slices) == [81, 82]
    assert build_ports(service, pod("a", 81)) == ((("name", "web"), ("port", 81), ("protocol", "TCP")),)


def test_ended_pods_and_pods_without_address_are_no_endpoints() -> None:
    (create,) = plan(a_service(), [a_pod("done", phase="Succeeded", ip="10.0.0.1"), a_pod("early")]).actions

    assert isinstance(create, Create)
    assert create.obj["endpoints"] == []


def test_labels_of_the_service_are_taken_over_but_not_the_reserved_ones() -> None:
    service = a_service(clusterIP="None")
    service["metadata"]["labels"] = {"team": "x", "kubernetes.io/service-name": "liar"}

    assert build_labels(service) == {
        "team": "x",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        "service.kubernetes.io/headless": "",
    }


def test_a_later_trigger_is_written_and_an_old_one_dropped() -> None:
    slices = apply(plan(a_service(), pods(1)), [])
    key = "endpoints.kubernetes.io/last-change-trigger-time"
    later = plan(a_service(), [a_pod("p000", ip="10.244.0.1", ready=False, since=NOW)], slices)
    gone = plan(a_service(), (), slices)

    assert later.actions[0].obj["metadata"]["annotations"] == {key: NOW}  # type: ignore[union-attr]
    assert "annotations" not in gone.actions[0].obj["metadata"]  # type: ignore[union-attr]


def test_slices_of_a_family_that_the_service_no_longer_has_are_deleted() -> None:
    slices = apply(plan(a_service(ipFamilies=["IPv4", "IPv6"]), pods(1)), [])
    result = plan(a_service(ipFamilies=["IPv4"]), pods(1), slices)
    (six,) = [s for s in slices if s["addressType"] == "IPv6"]

    (deletion,) = result.actions
    assert isinstance(deletion, Delete)
    assert deletion.target.key == ObjectKey("default", six["metadata"]["name"])


def test_a_service_that_prefers_near_endpoints_gets_hints_and_loses_them_with_its_wish() -> None:
    near = a_service(trafficDistribution="PreferSameZone")
    slices = apply(plan(near, pods(2), zones={"n1": "z1"}), [])
    assert [e["hints"] for e in slices[0]["endpoints"]] == [{"forZones": [{"name": "z1"}]}] * 2
    assert plan(near, pods(2), slices, {"n1": "z1"}).actions == ()

    slices = apply(plan(a_service(), pods(2), slices, {"n1": "z1"}), slices)

    assert not any("hints" in e for s in slices for e in s["endpoints"])
