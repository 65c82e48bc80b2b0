import pytest

from minikube_py.kubelet.node_admission import NodeRoom, Rejection, judge_pod
from minikube_py.kubelet.pod import parse_pod

ALLOCATABLE = {"cpu": "2", "memory": "1Gi", "ephemeral-storage": "10Gi", "pods": "3", "example.com/gpu": "1"}
LABELS = {"disk": "ssd", "size": "5"}
NO_EXECUTE = {"key": "k", "value": "v", "effect": "NoExecute"}


def a_pod(requests=None, metadata=None, ports=(), **spec):
    container = {"name": "c", "image": "i", "resources": {"requests": requests or {}}, "ports": list(ports)}
    name = {"name": "p", "namespace": "n", "uid": "u"}
    return parse_pod({"metadata": name | (metadata or {}), "spec": {"containers": [container], **spec}})


def judge(pod, others=(), pressures=(), taints=()):
    node = {"metadata": {"name": "node1", "labels": LABELS}, "spec": {"taints": list(taints)}}
    return judge_pod(pod, NodeRoom(node, ALLOCATABLE, pressures), list(others))


def required(*terms):
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def expression(key, operator, *values):
    return {"key": key, "operator": operator, "values": list(values)}


AFFINITY = Rejection(
    "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
)
PORTS = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"


def lacking(resource, requested, used, capacity):
    numbers = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return Rejection(f"OutOf{resource}", f"Node didn't have enough resource: {resource}, {numbers}")


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        (a_pod(), None),
        (a_pod({"cpu": "2"}), None),
        (a_pod({"cpu": "100"}), lacking("cpu", 100_000, 0, 2000)),
        (a_pod({"memory": "2Gi"}), lacking("memory", 2 << 30, 0, 1 << 30)),
        (a_pod({"ephemeral-storage": "11Gi"}), lacking("ephemeral-storage", 11 << 30, 0, 10 << 30)),
        (a_pod({"example.com/gpu": "2"}), lacking("example.com/gpu", 2, 0, 1)),
        (a_pod({"example.com/other": "2"}), None),
        (a_pod({"memory": "2Gi", "cpu": "3"}), lacking("cpu", 3000, 0, 2000)),
    ],
)
def test_a_pod_needs_room(pod, expected):
    assert judge(pod) == expected


def test_what_others_have_is_not_free():
    other = a_pod({"cpu": "1500m"})

    assert judge(a_pod({"cpu": "1"}), [other]) == lacking("cpu", 1000, 1500, 2000)
    assert judge(a_pod(), [other] * 3) == lacking("pods", 1, 3, 3)


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        ({"nodeSelector": {"disk": "ssd"}}, True),
        ({"nodeSelector": {"disk": "hdd"}}, False),
        ({"affinity": required({"matchExpressions": [expression("disk", "In", "hdd", "ssd")]})}, True),
        ({"affinity": required({"matchExpressions": [expression("a", "In", "b")]})}, False),
        (
            {
                "affinity": required(
                    {"matchExpressions": [expression("a", "Exists")]},
                    {"matchExpressions": [expression("size", "Gt", "4")]},
                )
            },
            True,
        ),
        ({"affinity": required({"matchFields": [expression("metadata.name", "In", "node1")]})}, True),
        ({"affinity": required({"matchFields": [expression("metadata.name", "In", "node2")]})}, False),
        ({"affinity": required({})}, False),
        ({"affinity": required()}, False),
    ],
)
def test_a_pod_goes_only_where_its_selectors_lead(spec, fits):
    assert judge(a_pod(**spec)) == (None if fits else AFFINITY)


def test_a_pod_for_another_node_is_not_taken():
    rejection = judge(a_pod(nodeName="node2"))

    assert rejection.message == "Predicate NodeName failed: node(s) didn't match the requested node name"
    assert judge(a_pod(nodeName="node1")) is None


@pytest.mark.parametrize(
    ("port", "fits"),
    [
        ({"hostPort": 80}, False),
        ({"hostPort": 81}, True),
        ({"hostPort": 80, "protocol": "UDP"}, True),
        ({"hostPort": 80, "hostIP": "127.0.0.1"}, False),
        ({"containerPort": 80}, True),
    ],
)
def test_a_host_port_has_one_owner(port, fits):
    taken = a_pod(ports=[{"hostPort": 80, "hostIP": "0.0.0.0"}])

    assert judge(a_pod(ports=[port]), [taken]) == (None if fits else Rejection("NodePorts", PORTS))


def test_addresses_of_their_own_can_have_the_same_port():
    taken = a_pod(ports=[{"hostPort": 80, "hostIP": "10.0.0.1"}])

    assert judge(a_pod(ports=[{"hostPort": 80, "hostIP": "10.0.0.2"}]), [taken]) is None


def test_a_taint_that_executes_is_for_those_who_tolerate_it():
    why = "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"
    tolerant = a_pod(tolerations=[{"key": "k", "operator": "Exists"}])
    static = a_pod(metadata={"annotations": {"kubernetes.io/config.source": "file"}})

    assert judge(a_pod(), taints=[NO_EXECUTE]) == Rejection("TaintToleration", why)
    assert judge(a_pod(), taints=[NO_EXECUTE | {"effect": "NoSchedule"}]) is None
    assert judge(tolerant, taints=[NO_EXECUTE]) is None
    assert judge(static, taints=[NO_EXECUTE]) is None


@pytest.mark.parametrize(
    ("pod", "pressures", "condition"),
    [
        (a_pod(), ("MemoryPressure",), "MemoryPressure"),
        (a_pod({"cpu": "1"}), ("MemoryPressure",), None),
        (a_pod({"cpu": "1"}), ("DiskPressure",), "DiskPressure"),
        (a_pod({"cpu": "1"}), ("DiskPressure", "MemoryPressure"), "DiskPressure MemoryPressure"),
        (a_pod(priority=2_000_000_000), ("DiskPressure",), None),
        (
            a_pod(tolerations=[{"key": "node.kubernetes.io/memory-pressure", "operator": "Exists"}]),
            ("MemoryPressure",),
            None,
        ),
    ],
)
def test_under_pressure_few_are_taken(pod, pressures, condition):
    expected = None if condition is None else Rejection("Evicted", f"The node had condition: [{condition}]. ")

    assert judge(pod, pressures=pressures) == expected


def test_pods_of_another_system_are_not_taken():
    assert judge(a_pod(os={"name": "windows"})).reason == "PodOSNotSupported"
    assert judge(a_pod(os={"name": "linux"})) is None
    labelled = a_pod(metadata={"labels": {"kubernetes.io/os": "windows"}})
    assert judge(labelled).reason == "PodOSSelectorNodeLabelDoesNotMatch"


def test_the_status_says_that_the_pod_was_rejected():
    assert Rejection("R", "why").status_message == "Pod was rejected: why"
