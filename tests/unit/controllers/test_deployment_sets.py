"""Which ReplicaSet is the new one, what it is called, and what turns one picture into another."""

import pytest

from minikube_py.api.resources import REPLICA_SETS
from minikube_py.controllers.deployment_sets import (
    HISTORY_CHARS_MAX,
    REVISION,
    REVISION_HISTORY,
    Sets,
    build_set,
    diff_sets,
    follow_deployment,
    new_set_name,
    resized,
    revision_of,
    sort_sets,
    template_hash,
)
from minikube_py.controllers.plan import Create, Record, Update
from minikube_py.kit.ids import NAME_ALPHABET
from minikube_py.testing.workload_cluster import a_deployment
from minikube_py.testing.workload_objects import NOW, a_replica_set


def deployment(**spec):
    made = a_deployment(**spec)
    made["metadata"]["uid"] = "uid-web"
    return made


def test_the_hash_is_stable_and_looks_only_at_the_template() -> None:
    template = deployment()["spec"]["template"]
    hashed = template_hash(template, 0)
    labelled = {"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}, "spec": template["spec"]}

    assert hashed == template_hash(labelled, 0)
    assert set(hashed) <= set(NAME_ALPHABET)
    assert template_hash(template, 1) != hashed
    assert template_hash({**template, "spec": {"containers": []}}, 0) != hashed


def test_nulls_do_not_make_another_template() -> None:
    template = deployment()["spec"]["template"]
    with_null = {"metadata": {**template["metadata"], "creationTimestamp": None}, "spec": template["spec"]}

    assert template_hash(with_null, 0) == template_hash(template, 0)


def test_the_oldest_with_the_present_template_is_the_new_one() -> None:
    older, newer, other = (
        a_replica_set("older"),
        a_replica_set("newer", created=NOW),
        a_replica_set("other", image="i:2"),
    )

    assert sort_sets(deployment(), (newer, other, older)) == Sets(older, (other, newer))


def test_a_new_one_carries_hash_selector_annotations_and_owner() -> None:
    owner = deployment(replicas=3)
    owner["metadata"]["annotations"] = {"kubernetes.io/change-cause": "first", REVISION: "9"}
    rs = build_set(owner, 2, 4, 7)
    hashed = rs["metadata"]["labels"]["pod-template-hash"]

    assert rs["metadata"]["name"] == new_set_name(owner) == f"web-{hashed}"
    assert rs["spec"]["selector"] == {"matchLabels": {"app": "web", "pod-template-hash": hashed}}
    assert rs["spec"]["template"]["metadata"]["labels"] == {"app": "web", "pod-template-hash": hashed}
    assert rs["spec"]["replicas"] == 2
    assert rs["metadata"]["annotations"] == {
        "kubernetes.io/change-cause": "first",
        "deployment.kubernetes.io/revision": "7",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "4",
    }
    assert rs["metadata"]["ownerReferences"][0]["uid"] == "uid-web"


def test_a_set_that_becomes_new_again_remembers_its_old_revisions() -> None:
    rs = a_replica_set(annotations={REVISION: "3", REVISION_HISTORY: "1"})
    followed = follow_deployment(deployment(), rs, 5)

    assert revision_of(followed) == 5
    assert followed["metadata"]["annotations"][REVISION_HISTORY] == "1,3"
    assert follow_deployment(deployment(), followed, 5) == followed


def test_the_history_of_revisions_is_bounded() -> None:
    long = ",".join(str(number) for number in range(1000, 1500))
    rs = a_replica_set(annotations={REVISION: "1500", REVISION_HISTORY: long})
    history = follow_deployment(deployment(), rs, 1501)["metadata"]["annotations"][REVISION_HISTORY]

    assert len(history) <= HISTORY_CHARS_MAX
    assert history.endswith(",1500")


@pytest.mark.parametrize(("size", "way"), [(5, "up"), (1, "down")])
def test_a_resized_set_is_written_and_told(size: int, way: str) -> None:
    owner, rs = deployment(), a_replica_set("a", 3)
    before = Sets(rs, ())
    bigger = resized(owner, rs, size, 7)

    assert diff_sets(owner, before, before.put(bigger)) == (
        Update(REPLICA_SETS, bigger),
        Record(owner, "Normal", "ScalingReplicaSet", f"Scaled {way} replica set a from 3 to {size}"),
    )


def test_what_did_not_change_is_not_written_and_what_is_new_is_created() -> None:
    owner, old = deployment(), a_replica_set("a", 3)
    new = build_set(owner, 1, 4, 2)

    create, event = diff_sets(owner, Sets(None, (old,)), Sets(new, (old,)))
    assert create == Create(REPLICA_SETS, new)
    assert isinstance(event, Record)
