from minikube_py.api.catalog import STATIC, catalog_of
from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resources import PODS, RESOURCES
from minikube_py.testing.custom_objects import a_served_definition


def test_the_static_catalog_is_the_table():
    assert STATIC.rows == RESOURCES
    assert STATIC.custom == ()


def test_rows_are_found_by_path_and_by_kind():
    (widgets,) = rows_of(a_served_definition())
    catalog = catalog_of((*RESOURCES, widgets))
    assert catalog.find("ex.io", "v1", "widgets") is widgets
    assert catalog.find_kind("ex.io/v1", "Widget") is widgets
    assert catalog.find("", "v1", "pods") is PODS
    assert catalog.find("ex.io", "v2", "widgets") is None
    assert catalog.custom == (widgets,)


def test_of_two_rows_for_one_path_the_first_counts():
    first, second = (rows_of(a_served_definition())[0] for _ in range(2))
    assert catalog_of((first, second)).find("ex.io", "v1", "widgets") is first
