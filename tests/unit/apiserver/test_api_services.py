"""APIServices as values, and which of them this server keeps by itself."""

import pytest

from minikube_py.api.catalog import STATIC, catalog_of
from minikube_py.api.custom.rows import rows_of
from minikube_py.api.meta import copy_object, name_of
from minikube_py.apiserver.api_services import (
    AUTOMANAGED,
    ServiceReference,
    StartUp,
    Step,
    complete_local,
    compute_step,
    parse_api_service,
    registry_of,
    set_available,
    wanted_services,
)
from minikube_py.testing.custom_objects import a_served_definition


def an_api_service(label="", **spec):
    labels = {AUTOMANAGED: label} if label else {}
    meta = {"name": "v1.x.io", "labels": labels}
    priorities = {"groupPriorityMinimum": 10, "versionPriority": 5}
    return {"metadata": meta, "spec": {"group": "x.io", "version": "v1", **priorities, **spec}}


REMOTE = an_api_service(service={"namespace": "ns", "name": "s", "port": 8443}, caBundle="QQ==")


def test_an_object_is_read_into_a_value():
    service = parse_api_service(REMOTE)

    assert service.service == ServiceReference("ns", "s", 8443)
    assert service.service.server_name == "s.ns.svc"
    assert (service.path, service.priority, service.available) == ("/apis/x.io/v1", (10, 5), False)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/apis/x.io/v1", True),
        ("/apis/x.io/v1/namespaces/a/things/b", True),
        ("/apis/x.io/v1beta1/things", False),
        ("/apis/x.io", False),
        ("/apis/apps/v1", False),
        ("/api/v1/pods", False),
        ("/x/x.io/v1", False),
    ],
)
def test_a_path_leads_to_another_server_by_group_and_version(path, found):
    registry = registry_of((parse_api_service(REMOTE), parse_api_service(an_api_service())))

    assert (registry.remote_of(path) is not None) is found


def test_a_local_service_is_nobody_elses():
    assert registry_of((parse_api_service(an_api_service()),)).remote_of("/apis/x.io/v1") is None


def test_the_condition_keeps_its_time_while_its_status_stays():
    service = copy_object(REMOTE)
    set_available(service, "False", "MissingEndpoints", "m", 0.0)
    set_available(service, "False", "FailedDiscoveryCheck", "f", 60.0)
    (second,) = service["status"]["conditions"]
    set_available(service, "True", "Passed", "p", 120.0)
    (third,) = service["status"]["conditions"]

    assert (second["reason"], second["lastTransitionTime"]) == ("FailedDiscoveryCheck", "1970-01-01T00:00:00Z")
    assert (third["status"], third["lastTransitionTime"]) == ("True", "1970-01-01T00:02:00Z")


def test_local_ones_are_available_from_the_first_moment_and_others_are_not():
    local, remote = an_api_service(), copy_object(REMOTE)
    complete_local(0.0, local, None)
    complete_local(0.0, remote, None)

    assert local["status"]["conditions"][0]["reason"] == "Local"
    assert "status" not in remote


def test_each_group_version_is_wanted_once_and_says_how_it_is_kept():
    custom = rows_of(a_served_definition())
    wanted = {name_of(obj): obj for obj in wanted_services(catalog_of((*STATIC.rows, *custom)))}

    assert set(wanted) == {f"{row.version}.{row.group}" for row in (*STATIC.rows, *custom)} - {
        "v1.apiregistration.k8s.io"
    }
    assert wanted["v1.apps"]["metadata"]["labels"] == {AUTOMANAGED: "onstart"}
    assert wanted["v1.ex.io"]["metadata"]["labels"] == {AUTOMANAGED: "true"}
    assert "labels" not in wanted["v1beta1.metrics.k8s.io"]["metadata"]
    assert wanted["v1.ex.io"]["spec"]["groupPriorityMinimum"] == 1000
    assert wanted["v1."]["spec"] == {"version": "v1", "groupPriorityMinimum": 18000, "versionPriority": 1}


ON_START, ALWAYS, OWN = (an_api_service(label) for label in ("onstart", "true", ""))
MOVED_ON_START, MOVED_ALWAYS = (an_api_service(label, versionPriority=7) for label in ("onstart", "true"))
BEFORE = StartUp(frozenset({"v1.x.io"}), frozenset())
LATER = StartUp(frozenset({"v1.x.io"}), frozenset({"v1.x.io"}))
NEW = StartUp(frozenset(), frozenset())


@pytest.mark.parametrize(
    ("found", "wanted", "past", "step"),
    [
        (None, None, NEW, Step.NOTHING),
        (None, ON_START, NEW, Step.CREATE),
        (None, ON_START, LATER, Step.NOTHING),
        (None, ALWAYS, LATER, Step.CREATE),
        (None, OWN, BEFORE, Step.CREATE),
        (None, OWN, LATER, Step.NOTHING),
        (REMOTE, OWN, BEFORE, Step.NOTHING),
        (OWN, None, BEFORE, Step.NOTHING),
        (OWN, ALWAYS, BEFORE, Step.NOTHING),
        (MOVED_ON_START, ON_START, NEW, Step.NOTHING),
        (MOVED_ON_START, ON_START, BEFORE, Step.UPDATE),
        (MOVED_ON_START, ON_START, LATER, Step.NOTHING),
        (ON_START, None, BEFORE, Step.DELETE),
        (ON_START, ON_START, BEFORE, Step.NOTHING),
        (ALWAYS, None, LATER, Step.DELETE),
        (MOVED_ALWAYS, ALWAYS, LATER, Step.UPDATE),
        (ALWAYS, ALWAYS, LATER, Step.NOTHING),
        (ALWAYS, ON_START, BEFORE, Step.UPDATE),
    ],
)
def test_what_is_done_about_one_follows_its_label_and_its_past(found, wanted, past, step):
    assert compute_step("v1.x.io", wanted, found, past) is step
