"""Labels, selectors and containers as text."""

import pytest

from minikube_py.api.columns.workloads import CONTAINERS, IMAGES, SELECTOR, format_labels, format_selector


def test_labels_are_sorted():
    assert format_labels({"b": "2", "a": "1"}) == "a=1,b=2"
    assert format_labels(None) == "<none>"


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (None, "<none>"),
        ({}, "<none>"),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "k", "operator": "In", "values": ["y", "x"]}]}, "k in (x,y)"),
        ({"matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["x"]}]}, "k notin (x)"),
        ({"matchExpressions": [{"key": "k", "operator": "Exists"}], "matchLabels": {"a": "1"}}, "a=1,k"),
        ({"matchExpressions": [{"key": "k", "operator": "DoesNotExist"}]}, "!k"),
    ],
    ids=str,
)
def test_selectors_read_like_the_label_selector_of_a_request(selector, text):
    assert format_selector(selector) == text


def test_containers_and_images_are_listed_in_order():
    containers = [{"name": "c", "image": "busybox:1.29"}, {"name": "c2", "image": "busybox:1.28"}]
    obj = {"spec": {"template": {"spec": {"containers": containers}}, "selector": {"matchLabels": {"a": "b"}}}}

    assert CONTAINERS.cell(obj, 0.0) == "c,c2"
    assert IMAGES.cell(obj, 0.0) == "busybox:1.29,busybox:1.28"
    assert SELECTOR.cell(obj, 0.0) == "a=b"
