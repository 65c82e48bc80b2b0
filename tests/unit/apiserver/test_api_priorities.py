"""Where groups stand in discovery."""

from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver.api_priorities import Priority, built_in_priority, order_groups


def test_a_group_stands_where_its_highest_version_puts_it_and_equals_go_by_name():
    ordered = order_groups(
        {
            ("b.io", "v1"): Priority(100, 1),
            ("b.io", "v2"): Priority(2000, 1),
            ("c.io", "v1"): Priority(1000, 1),
            ("a.io", "v1"): Priority(1000, 1),
        }
    )

    assert [group for group, _ in ordered] == ["b.io", "a.io", "c.io"]


def test_the_core_and_the_group_of_api_services_are_before_all_others():
    ordered = order_groups(
        {
            ("x.io", "v1"): Priority(20000, 1),
            ("apiregistration.k8s.io", "v1"): Priority(5, 1),
            ("", "v1"): Priority(18000, 1),
        }
    )

    assert [group for group, _ in ordered] == ["", "apiregistration.k8s.io", "x.io"]


def test_versions_go_by_priority_and_equals_by_stability():
    versions = {"v1alpha1": 10, "v1": 10, "v2beta1": 10, "v9": 1}
    ordered = order_groups({("x.io", version): Priority(1, number) for version, number in versions.items()})

    assert ordered == (("x.io", ("v1", "v2beta1", "v1alpha1", "v9")),)


def test_every_group_of_the_table_has_a_place_of_its_own():
    places = {resource.group: built_in_priority(resource.group, resource.version).group for resource in RESOURCES}

    assert {group for group, place in places.items() if place == built_in_priority("?", "v1").group} == set()
    assert built_in_priority("autoscaling", "v2") > built_in_priority("autoscaling", "v1")
