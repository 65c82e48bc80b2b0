"""Whom to ask how many pods there should be."""

from dataclasses import replace

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.resource import ScalePaths
from minikube_py.api.resources import DEPLOYMENTS, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS
from minikube_py.client.interface import EVERYTHING
from minikube_py.controllers.disruption_scale import Expectation, expectation, shape_of
from minikube_py.controllers.plan import Listers
from minikube_py.testing.custom_objects import a_served_definition
from minikube_py.testing.fake_informers import FakeInformer


def owned(name, api_version, kind, owner, uid=""):
    reference = {"apiVersion": api_version, "kind": kind, "name": owner, "uid": uid or owner, "controller": True}
    return {"metadata": {"name": name, "namespace": "default", "ownerReferences": [reference]}}


def thing(name, replicas, *references):
    meta = {"name": name, "namespace": "default", "uid": name, "ownerReferences": list(references)}
    return {"metadata": meta, "spec": {"replicas": replicas}}


def listers(**present):
    rows = {
        "deployments": DEPLOYMENTS,
        "sets": REPLICA_SETS,
        "controllers": REPLICATION_CONTROLLERS,
        "stateful": STATEFUL_SETS,
        "pods": PODS,
    }
    informers = {row.qualified: FakeInformer(row, EVERYTHING, present.get(key, ()), 1) for key, row in rows.items()}
    for row, objects in present.get("custom", ()):
        informers[row.qualified] = FakeInformer(row, EVERYTHING, objects, 1)
    return Listers(informers)


BY_SET = owned("p", "apps/v1", "ReplicaSet", "rs")
REF = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": "d", "controller": True}


def test_a_replica_set_of_its_own_answers_for_itself():
    assert expectation(listers(sets=[thing("rs", 3)]), [BY_SET, BY_SET]) == Expectation(3)


def test_a_replica_set_of_a_deployment_lets_the_deployment_answer_once_for_all_its_sets():
    there = listers(sets=[thing("rs", 3, REF), thing("rs2", 1, REF)], deployments=[thing("d", 4)])

    assert expectation(there, [BY_SET, owned("p2", "apps/v1", "ReplicaSet", "rs2")]) == Expectation(4)


def test_stateful_sets_and_replication_controllers_are_asked_too():
    there = listers(stateful=[thing("s", 2)], controllers=[thing("rc", 5)])
    pods = [owned("p", "apps/v1", "StatefulSet", "s"), owned("q", "v1", "ReplicationController", "rc")]

    assert expectation(there, pods) == Expectation(7)


def test_another_controller_of_the_same_name_is_none():
    found = expectation(listers(sets=[thing("rs", 3)]), [owned("p", "apps/v1", "ReplicaSet", "rs", uid="old")])

    assert found.fault == 'found no controllers for pod "p"'


def test_what_has_no_scale_cannot_be_asked():
    assert expectation(listers(), [owned("p", "batch/v1", "Job", "j")]).fault == (
        "jobs.batch does not implement the scale subresource"
    )


def test_a_custom_resource_is_asked_through_its_scale():
    (row,) = rows_of(a_served_definition())
    scaled = replace(row, scale=ScalePaths(("spec", "size"), ("status", "size")))
    custom = thing("w", 0)
    custom["spec"] = {"size": 6}
    there = listers(custom=[(scaled, [custom])])
    pod = owned("p", row.api_version, row.kind, "w")

    assert expectation(there, [pod]) == Expectation(6)
    without = expectation(listers(custom=[(replace(row, scale=None), [custom])]), [pod])
    assert without.fault == f"{row.qualified} does not implement the scale subresource"


def test_a_pod_of_nobody_is_counted_apart():
    alone = {"metadata": {"name": "p", "namespace": "default"}}

    assert expectation(listers(), [alone]) == Expectation(unmanaged=1)


def test_only_numbers_of_replicas_make_a_difference():
    assert shape_of(thing("a", 1)) == shape_of(thing("a", 1))
    assert shape_of(thing("a", 1)) != shape_of(thing("a", 2))
