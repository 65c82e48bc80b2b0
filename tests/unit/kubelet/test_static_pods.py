import pytest

from minikube_py.kubelet.static_pods import StaticPodError, make_mirror_pod, make_static_pod, static_uid

SEEN = "2026-01-01T00:00:00Z"


def a_document(**spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "st", "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "busybox:1.29"}], **spec},
    }


def made(document=None, node="n1", file="st.yaml"):
    return make_static_pod(document or a_document(), node_name=node, file_name=file, seen=SEEN)


def test_a_static_pod_carries_the_node_s_name_and_where_it_comes_from():
    pod = made()
    meta = pod["metadata"]

    assert (meta["name"], meta["namespace"], pod["spec"]["nodeName"]) == ("st-n1", "default", "n1")
    assert meta["annotations"] == {
        "kubernetes.io/config.source": "file",
        "kubernetes.io/config.hash": meta["uid"],
        "kubernetes.io/config.seen": SEEN,
    }
    assert pod["spec"]["containers"][0]["terminationMessagePath"] == "/dev/termination-log"
    assert {"operator": "Exists", "effect": "NoExecute"} in pod["spec"]["tolerations"]


def test_the_uid_follows_from_content_node_and_file_alone():
    uid = made()["metadata"]["uid"]
    later = make_static_pod(a_document(), node_name="n1", file_name="st.yaml", seen="2027-01-01T00:00:00Z")

    assert later["metadata"]["uid"] == uid
    assert len({uid, *(made(**other)["metadata"]["uid"] for other in ({"node": "n2"}, {"file": "x"}))}) == 3
    assert made(a_document(terminationGracePeriodSeconds=1))["metadata"]["uid"] != uid


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"kind": "Deployment", "apiVersion": "apps/v1"}, "is not a Pod"),
        ({"kind": "Pod", "apiVersion": "v1", "metadata": {}}, "has no metadata.name"),
        (a_document(serviceAccountName="x"), "refers to a service account"),
        (a_document(volumes=[{"name": "v", "secret": {"secretName": "s"}}]), "refers to a secret volume"),
        (
            a_document(volumes=[{"name": "v", "projected": {"sources": [{"configMap": {"name": "m"}}]}}]),
            "refers to a configMap volume",
        ),
        (
            a_document(containers=[{"name": "c", "image": "i", "envFrom": [{"secretRef": {"name": "s"}}]}]),
            "ConfigMap or Secret in envFrom",
        ),
        (a_document(containers=[{"name": "C!", "image": "i"}]), r"spec.containers\[0\].name"),
    ],
    ids=["kind", "name", "account", "secret", "projected", "env-from", "invalid"],
)
def test_what_cannot_be_a_static_pod_is_refused_with_its_reason(document, words):
    with pytest.raises(StaticPodError, match=words):
        made(document)


def test_a_mirror_pod_is_owned_by_the_node_and_names_the_static_pod():
    pod = made()
    mirror = make_mirror_pod(pod, {"metadata": {"name": "n1", "uid": "nu"}})

    assert "uid" not in mirror["metadata"]
    assert static_uid(mirror) == pod["metadata"]["uid"]
    assert mirror["metadata"]["ownerReferences"] == [
        {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "nu", "controller": True}
    ]
    assert static_uid(pod) == ""
