import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.meta import ObjectKey
from minikube_py.client.indexer import Indexer
from minikube_py.client.interface import Change


def an_object(namespace: str, name: str, node: str = "") -> dict:
    return {"metadata": {"namespace": namespace, "name": name}, "spec": {"nodeName": node}}


def by_node(obj: dict) -> tuple[str, ...]:
    return (obj["spec"]["nodeName"],) if obj["spec"]["nodeName"] else ()


STEPS = st.lists(
    st.tuples(st.sampled_from("xy"), st.sampled_from("abc"), st.sampled_from(["", "n1", "n2", None])), max_size=30
)


@given(STEPS)
def test_lists_and_indexes_hold_what_a_plain_dict_holds(steps):
    indexer, model = Indexer(), {}
    indexer.add_index("node", by_node)
    for namespace, name, node in steps:
        key = (namespace, name)
        if node is None:
            if key in model:
                indexer.apply(Change(model.pop(key), None))
        else:
            new = an_object(namespace, name, node)
            indexer.apply(Change(model.get(key), new))
            model[key] = new

    assert list(indexer.list()) == [model[key] for key in sorted(model)]
    assert list(indexer.list("x")) == [model[key] for key in sorted(model) if key[0] == "x"]
    for node in ("n1", "n2"):
        expected = [model[key] for key in sorted(model) if model[key]["spec"]["nodeName"] == node]
        assert list(indexer.by_index("node", node)) == expected


def test_an_index_that_is_added_late_covers_what_is_there():
    indexer = Indexer()
    indexer.apply(Change(None, an_object("x", "a", "n1")))
    indexer.add_index("node", by_node)

    assert indexer.by_index("node", "n1") == (indexer.get(ObjectKey("x", "a")),)
    with pytest.raises(ValueError, match="node"):
        indexer.add_index("node", by_node)


def test_a_missing_namespace_and_a_missing_value_are_empty():
    indexer = Indexer()
    indexer.add_index("node", by_node)

    assert indexer.list("nowhere") == ()
    assert indexer.by_index("node", "n9") == ()
