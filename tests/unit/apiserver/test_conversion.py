import orjson
import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import InternalError
from minikube_py.api.resources import PODS, find_resource
from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.apiserver.conversion import (
    conversion_review,
    is_as_stored,
    needs_webhook,
    parse_conversion_review,
    render_view,
    stored_form,
    view_of,
)
from minikube_py.store.interface import Entry
from minikube_py.testing.custom_objects import a_served_definition, a_version, a_widget

OTHER = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
CRD = a_served_definition(versions=(a_version("v1"), a_version("v2", storage=False, schema=OTHER)))
V2, V1 = rows_of(CRD, since=10)


def an_entry(revision, obj):
    return Entry("/k", stamp(canonical(obj), revision), revision, revision)


def test_what_was_written_under_this_definition_needs_no_look():
    assert is_as_stored(V1, an_entry(11, a_widget(size=1)))
    assert not is_as_stored(V1, an_entry(9, a_widget(size=1)))
    assert not is_as_stored(V2, an_entry(11, a_widget(size=1)))
    assert is_as_stored(PODS, an_entry(1, {"metadata": {}}))
    assert not is_as_stored(find_resource("events.k8s.io", "v1", "events"), an_entry(1, {"metadata": {}}))


def test_an_object_in_the_version_that_is_asked_for_is_the_entry_itself():
    obj = a_widget(version="v2", size=1)
    entry = an_entry(9, obj)
    assert view_of(V2, entry, obj) is entry


def test_an_object_that_a_webhook_converts_is_not_shown_without_it():
    assert view_of(a_webhook_row(), an_entry(9, a_widget(size=1)), a_widget(size=1)) is None


def test_a_view_has_the_versions_schema_and_todays_defaults():
    old = an_entry(9, a_widget(size=1, color="red"))
    seen = decode(view_of(V1, old, decode(old)))
    assert seen["spec"] == {"size": 1, "color": "red", "replicas": 1}
    assert seen["metadata"]["resourceVersion"] == "9"
    other = decode(view_of(V2, old, decode(old)))
    assert (other["apiVersion"], other["spec"]) == ("ex.io/v2", {"size": 1})


def test_a_view_that_shows_nothing_else_is_the_entry_itself():
    entry = an_entry(9, a_widget(version="v2", size=1))
    assert render_view(V2, entry, decode(entry)) is entry


def test_objects_are_stored_in_the_storage_version():
    assert stored_form(V2, a_widget(version="v2", size=1))["apiVersion"] == "ex.io/v1"


def a_webhook_row():
    conversion = {
        "strategy": "Webhook",
        "webhook": {"clientConfig": {"url": "https://x/"}, "conversionReviewVersions": ["v1"]},
    }
    versions = (a_version("v1"), a_version("v2", storage=False))
    return rows_of(a_served_definition(versions=versions, conversion=conversion))[0]


def test_only_another_version_is_a_question_for_the_webhook():
    row = a_webhook_row()
    assert needs_webhook(row, a_widget(), "ex.io/v2")
    assert not needs_webhook(row, a_widget(version="v2"), "ex.io/v2")
    assert not needs_webhook(V2, a_widget(), "ex.io/v2")


def an_answer(objs, **changes):
    return {"response": {"uid": "u", "result": {"status": "Success"}, "convertedObjects": objs, **changes}}


def test_an_answer_gives_the_objects_with_the_servers_metadata():
    asked = [{**a_widget(size=1), "metadata": {"name": "w", "namespace": "default", "uid": "1", "generation": 3}}]
    assert conversion_review(asked, "ex.io/v2", "u")["request"]["desiredAPIVersion"] == "ex.io/v2"
    given = orjson.loads(orjson.dumps(asked[0])) | {"apiVersion": "ex.io/v2", "spec": {"size": 2}}
    given["metadata"] |= {"generation": 99, "labels": {"a": "b"}}
    (converted,) = parse_conversion_review(an_answer([given]), asked, "ex.io/v2", "u")
    assert converted["spec"] == {"size": 2}
    assert converted["metadata"] == {
        "name": "w",
        "namespace": "default",
        "uid": "1",
        "generation": 3,
        "labels": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({}, "webhook response is missing"),
        (an_answer([], uid="x"), 'expected response.uid="u", got "x"'),
        (an_answer([], result={"status": "Failure", "message": "no"}), "no"),
        (an_answer([]), "webhook returned 0 objects, expected 1"),
        (an_answer([a_widget()]), "webhook returned ex.io/v1, Kind=Widget, expected ex.io/v2"),
        (an_answer([a_widget("other", version="v2")]), "name, namespace and uid may not change"),
    ],
)
def test_an_answer_that_is_none_fails_the_conversion(answer, why):
    with pytest.raises(InternalError) as failed:
        parse_conversion_review(answer, [a_widget()], "ex.io/v2", "u")
    assert failed.value.message.startswith("conversion webhook for ex.io/v1, Kind=Widget failed: ")
    assert why in failed.value.message
