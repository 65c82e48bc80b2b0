import pytest

from minikube_py.api.rules.core_cluster import NAMESPACE_RULES, NODE_RULES


def namespace(**fields):
    obj = {"metadata": {"name": "n"}, **fields}
    NAMESPACE_RULES.set_defaults(obj)
    return obj


def node(**spec):
    obj = {"metadata": {"name": "n"}, "spec": spec}
    NODE_RULES.set_defaults(obj)
    return obj


def test_a_namespace_is_labelled_with_its_name_whatever_was_sent():
    obj = namespace(metadata={"name": "n", "labels": {"kubernetes.io/metadata.name": "x", "a": "b"}})

    assert obj["metadata"]["labels"] == {"kubernetes.io/metadata.name": "n", "a": "b"}


def test_a_namespace_starts_with_its_finalizer_and_may_have_more():
    obj = namespace(spec={"finalizers": ["example.com/f"]}, status={"phase": "Terminating"})
    NAMESPACE_RULES.prepare_create(obj)

    assert obj["spec"]["finalizers"] == ["example.com/f", "kubernetes"]
    assert obj["status"] == {"phase": "Active"}


def test_an_update_does_not_touch_a_namespaces_finalizers():
    old = namespace(spec={"finalizers": ["kubernetes"]})
    new = namespace(spec={"finalizers": []})
    NAMESPACE_RULES.prepare_update(new, old)
    emptied = namespace(spec={"finalizers": ["kubernetes"]})
    NAMESPACE_RULES.prepare_update(emptied, namespace())

    assert new["spec"]["finalizers"] == ["kubernetes"]
    assert "finalizers" not in emptied["spec"]


def test_a_namespaces_finalizers_are_checked():
    assert [f.field for f in NAMESPACE_RULES.validate(namespace(spec={"finalizers": ["x"]}))] == [
        "spec.finalizers[0]"
    ]


def test_a_new_node_keeps_its_status():
    obj = node()
    obj["status"] = {"capacity": {"cpu": "1"}}
    NODE_RULES.prepare_create(obj)

    assert obj["status"] == {"capacity": {"cpu": "1"}}


def test_a_node_lets_pods_use_all_that_it_has_unless_it_says_otherwise():
    obj = {"status": {"capacity": {"cpu": "1"}}}
    NODE_RULES.set_defaults(obj)

    assert obj["status"]["allocatable"] == {"cpu": "1"}


@pytest.mark.parametrize(
    ("taints", "fields"),
    [
        ([{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}], []),
        (
            [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule", "value": "x"}],
            ["metadata.taints[1]"],
        ),
        (
            [{"key": "a b", "effect": "NoSchedule", "value": "x y"}],
            ["metadata.taints[0].key", "metadata.taints[0].value"],
        ),
        ([{"key": "a"}], ["metadata.taints[0].effect"]),
    ],
    ids=str,
)
def test_each_fault_of_a_taint_names_its_field(taints, fields):
    assert [f.field for f in NODE_RULES.validate(node(taints=taints))] == fields


def test_a_nodes_pod_network_is_set_once():
    old = node(podCIDR="10.0.0.0/24", podCIDRs=["10.0.0.0/24"])

    assert NODE_RULES.validate_update(node(podCIDR="10.0.0.0/24", podCIDRs=["10.0.0.0/24"]), old) == ()
    assert NODE_RULES.validate_update(old, node()) == ()
    assert [f.field for f in NODE_RULES.validate_update(node(), old)] == ["spec.podCIDR", "spec.podCIDRs"]
