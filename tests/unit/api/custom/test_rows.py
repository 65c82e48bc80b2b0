import pytest

from minikube_py.api.custom.rows import rows_of, storage_version, version_priority
from minikube_py.testing.custom_objects import a_definition, a_served_definition, a_version, a_widget

SUBRESOURCES = {
    "status": {},
    "scale": {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    },
}


def test_there_are_no_rows_before_it_is_established():
    assert rows_of(a_definition()) == ()


def test_a_row_says_what_the_definition_says():
    crd = a_served_definition(
        versions=(a_version(subresources=SUBRESOURCES, selectableFields=[{"jsonPath": ".spec.color"}]),)
    )
    (row,) = rows_of(crd, since=7)
    assert (row.group, row.version, row.kind, row.plural, row.singular) == (
        "ex.io",
        "v1",
        "Widget",
        "widgets",
        "widget",
    )
    assert (row.short_names, row.namespaced, row.has_generation) == (("wd",), True, True)
    assert [subresource.name for subresource in row.subresources] == ["status", "scale"]
    assert row.scale is not None
    assert row.scale.label_selector == ("status", "selector")
    assert row.field_selectors is not None
    assert row.field_selectors["spec.color"](a_widget(color="red")) == "red"
    assert row.custom is not None
    assert (row.custom.storage_version, row.custom.since, row.list_kind) == ("ex.io/v1", 7, "WidgetList")


def test_only_served_versions_have_rows_and_the_best_comes_first():
    versions = (
        a_version("v1beta1", storage=False),
        a_version("v1"),
        a_version("v2alpha1", storage=False),
        a_version("v3", storage=False) | {"served": False},
    )
    crd = a_served_definition(versions=versions)
    assert [row.version for row in rows_of(crd)] == ["v1", "v1beta1", "v2alpha1"]
    assert storage_version(crd) == "v1"


def test_versions_are_ordered_as_kubernetes_orders_them():
    versions = ["foo1", "v10", "v1alpha2", "v2", "v1beta1", "foo10", "v1", "v11alpha2"]
    best_first = sorted(versions, key=version_priority, reverse=True)
    assert best_first == ["v10", "v2", "v1", "v1beta1", "v11alpha2", "v1alpha2", "foo1", "foo10"]


def test_a_row_has_rules():
    (row,) = rows_of(a_served_definition(versions=(a_version(subresources=SUBRESOURCES),)))
    widget = a_widget(size=0)
    widget["status"] = {"replicas": 1}
    row.rules.set_defaults(widget)
    row.rules.prepare_create(widget)
    assert widget["spec"] == {"size": 0, "replicas": 1}
    assert "status" not in widget
    assert [fault.field for fault in row.rules.validate(widget)] == ["spec.size"]
    assert row.rules.validate_update(widget, widget) == ()
    assert row.validate_status is not None
    assert [fault.field for fault in row.validate_status({**widget, "status": {"replicas": "x"}}, widget)] == [
        "status.replicas",
        "<nil>",
    ]


@pytest.mark.parametrize(
    ("extra", "warning"),
    [
        ({}, ""),
        ({"deprecated": True}, "ex.io/v1 Widget is deprecated"),
        ({"deprecated": True, "deprecationWarning": "use v2"}, "use v2"),
    ],
)
def test_a_deprecated_version_warns(extra, warning):
    (row,) = rows_of(a_served_definition(versions=(a_version(**extra),)))
    assert row.custom is not None
    assert row.deprecation == warning
