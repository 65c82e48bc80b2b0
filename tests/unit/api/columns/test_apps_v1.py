"""Cells of Deployment and ReplicaSet, against what upstream 1.20 printed for such objects."""

from minikube_py.api.columns import apps_v1


def a_workload(name, selector, **fields):
    containers = [{"name": "c", "image": "busybox:1.29"}, {"name": "c2", "image": "busybox:1.28"}]
    spec = {"replicas": 0, "selector": {"matchLabels": selector}, "template": {"spec": {"containers": containers}}}
    return {
        "metadata": {"name": name, "creationTimestamp": "1970-01-01T00:00:00Z"},
        "spec": spec | fields.get("spec", {}),
        "status": fields.get("status", {}),
    }


def cells(columns, obj):
    return [column.cell(obj, 5.0) for column in columns]


def test_a_deployment():
    images = "busybox:1.29,busybox:1.28"
    status = {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}

    assert cells(apps_v1.DEPLOYMENT_COLUMNS, a_workload("dep", {"a": "b"})) == [
        "dep",
        "0/0",
        0,
        0,
        "5s",
        "c,c2",
        images,
        "a=b",
    ]
    assert cells(apps_v1.DEPLOYMENT_COLUMNS, a_workload("d", {}, spec={"replicas": 3}, status=status))[1:4] == [
        "1/3",
        2,
        1,
    ]


def test_a_replica_set():
    selector = {"a": "b", "pod-template-hash": "65fd945786"}
    obj = a_workload("rs", selector, spec={"replicas": 3}, status={"replicas": 2, "readyReplicas": 1})

    assert cells(apps_v1.REPLICA_SET_COLUMNS, obj)[:5] == ["rs", 3, 2, 1, "5s"]
    assert cells(apps_v1.REPLICA_SET_COLUMNS, obj)[-1] == "a=b,pod-template-hash=65fd945786"
