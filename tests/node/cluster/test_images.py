"""Images as pods get them: from a real registry with and without a password, a mirror, a folder; and how they go."""

import base64
import json
import os
from pathlib import Path

import pytest
import yaml

from minikube_py.kubelet.pause_image import PAUSE_TAG
from minikube_py.testing.image_registry import PASSWORD, USER, image_registry, push, registry_program
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node

OPEN, CLOSED = "127.0.0.1:5000", "127.0.0.1:5001"
MIRROR = "localhost:5001"
"""The closed one by another name: the node has its password, which opens nothing by the first name."""
FAILED = ("ErrImagePull", "ImagePullBackOff")
REGISTRIES = {
    "mirrors": {
        "closed.example": {"endpoint": [f"http://{MIRROR}"], "rewrite": {"^team/(.*)": "mirrored/$1"}},
        "nothing.example": {"endpoint": ["http://127.0.0.1:9"]},
    },
    "configs": {MIRROR: {"auth": {"username": USER, "password": PASSWORD}}},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    assert registry_program(), "docker-registry is missing: scripts/test installs it"
    folder = tmp_path_factory.mktemp("images")
    lab = Lab(Path(f"/run/mkpy-images-{os.getpid()}"), 1, fast_timers=True)
    registries = folder / "registries.yaml"
    registries.write_text(yaml.safe_dump(REGISTRIES))
    lab.agent_flags = (f"--private-registry={registries}",)
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        host = cluster.host
        with (
            image_registry(host, 5000, host.dir / "open"),
            image_registry(host, 5001, host.dir / "closed", password=True),
        ):
            push(host, IMAGE, f"{OPEN}/tools/busybox:1")
            for name in ("team/busybox:1", "mirrored/busybox:1"):
                push(host, IMAGE, f"{CLOSED}/{name}", login=True)
            yield cluster
    finally:
        lab.down()


@pytest.fixture
def pod(cluster, request):
    """Applies pods with one container `c`, and removes them afterwards."""
    made = []

    def apply(name, image, policy="IfNotPresent", secrets=(), account="default"):
        manifest = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name},
            "spec": {
                "nodeName": "lab1",
                "terminationGracePeriodSeconds": 1,
                "serviceAccountName": account,
                "tolerations": [{"operator": "Exists"}],
                "imagePullSecrets": [{"name": secret} for secret in secrets],
                "containers": [
                    {"name": "c", "image": image, "imagePullPolicy": policy, "command": ["sleep", "3600"]}
                ],
            },
        }
        made.append(name)
        cluster.apply("default", json.dumps(manifest))

    yield apply
    if made:
        cluster.kubectl("delete", "pod", *made, "--grace-period=0", "--force")


def container(cluster, name):
    statuses = cluster.get("pod", name)["status"].get("containerStatuses") or [{}]
    return statuses[0]


def waiting(cluster, name):
    return (container(cluster, name).get("state") or {}).get("waiting") or {}


def messages(cluster, name, reason):
    events = cluster.get("events", "--field-selector", f"involvedObject.name={name},reason={reason}")["items"]
    return [event["message"] for event in events]


def runs(cluster, name):
    wait_until(lambda: "running" in container(cluster, name).get("state", {}), 20, f"pod {name} running")
    return container(cluster, name)


def a_secret(cluster, name, auths):
    data = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
    kind = "kubernetes.io/dockerconfigjson"
    cluster.apply(
        "default",
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "type": kind,
                "data": {".dockerconfigjson": data},
            }
        ),
    )


def test_an_image_comes_from_a_registry_and_the_status_names_its_digest(cluster, pod):
    image = f"{OPEN}/tools/busybox:1"
    pod("pulls", image)
    status = runs(cluster, "pulls")

    assert status["imageID"].startswith(f"docker-pullable://{OPEN}/tools/busybox@sha256:")
    assert messages(cluster, "pulls", "Pulling") == [f'Pulling image "{image}"']
    (pulled,) = messages(cluster, "pulls", "Pulled")
    assert pulled.startswith(f'Successfully pulled image "{image}" in ')
    assert " including waiting). Image size: " in pulled
    digest = status["imageID"].removeprefix("docker-pullable://")
    pod("by-digest", digest)
    assert runs(cluster, "by-digest")["imageID"] == status["imageID"]


def test_what_no_registry_has_waits_in_its_back_off_and_never_means_never(cluster, pod):
    pod("absent", f"{OPEN}/tools/none:1")
    pod("never", f"{OPEN}/tools/none:1", "Never")
    pod("invalid", "Bad_Name:1")
    wait_until(lambda: waiting(cluster, "absent").get("reason") == "ImagePullBackOff", 20, "the back-off")
    wait_until(lambda: waiting(cluster, "never").get("reason") == "ErrImageNeverPull", 20, "the refusal")
    wait_until(lambda: waiting(cluster, "invalid").get("reason") == "InvalidImageName", 20, "the refusal")

    image = f"{OPEN}/tools/none:1"
    back_off = waiting(cluster, "absent")["message"]
    assert back_off.startswith(f'Back-off pulling image "{image}": ErrImagePull: ')
    assert "not found" in back_off
    assert (
        waiting(cluster, "never")["message"] == f'Container image "{image}" is not present with pull policy of Never'
    )
    why = cluster.kubectl("logs", "absent", check=False).stderr
    assert 'container "c" in pod "absent" is waiting to start: trying and failing to pull image' in why


def test_a_password_is_shown_to_its_registry_alone_and_opens_the_image_to_nobody_else(cluster, pod):
    image = f"{CLOSED}/team/busybox:1"
    good = {"username": USER, "password": PASSWORD}
    # Of three secrets one is for another host, one for another part of this registry, one is right.
    a_secret(cluster, "elsewhere", {"other.example": good})
    a_secret(cluster, "other-part", {f"{CLOSED}/others": {"username": USER, "password": "wrong"}})
    a_secret(cluster, "right", {f"{CLOSED}/team": good})
    pod("stranger", image, secrets=("elsewhere", "other-part", "gone"))
    wait_until(lambda: waiting(cluster, "stranger").get("reason") in FAILED, 20, "the refusal")
    assert "no basic auth credentials" in waiting(cluster, "stranger")["message"]
    missing = "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed."
    assert missing in messages(cluster, "stranger", "FailedToRetrieveImagePullSecret")

    pod("friend", image, secrets=("elsewhere", "other-part", "right"))
    runs(cluster, "friend")
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "puller"}}
    cluster.apply("default", json.dumps({**account, "imagePullSecrets": [{"name": "right"}]}))
    pod("by-account", image, "Always", account="puller")
    runs(cluster, "by-account")
    pod("late", image)
    wait_until(lambda: waiting(cluster, "late").get("reason") in FAILED, 20, "the refusal")


def test_a_mirror_of_the_file_gives_the_image_under_the_name_that_was_asked_for(cluster, pod):
    pod("mirrored", "closed.example/team/busybox:1")
    runs(cluster, "mirrored")

    assert container(cluster, "mirrored")["image"] == "closed.example/team/busybox:1"
    names = cluster.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert {"closed.example/team/busybox:1", f"{MIRROR}/mirrored/busybox:1"} <= set(names)


def test_an_archive_in_the_folder_is_loaded_when_it_appears(cluster, pod):
    archive = cluster.host.dir / "saved.tar"
    cluster.docker("tag", IMAGE, "preloaded.example/app:1")
    cluster.docker("save", "-o", str(archive), "preloaded.example/app:1")
    cluster.docker("rmi", "preloaded.example/app:1")
    pod("preloaded", "preloaded.example/app:1", "Never")
    folder = cluster.host.data_dir / "agent" / "images"
    folder.mkdir(exist_ok=True)
    archive.rename(folder / "app.tar")

    runs(cluster, "preloaded")


def test_a_full_disk_loses_the_images_that_nobody_uses(cluster, pod):
    cluster.docker("tag", IMAGE, "unused.example/app:1")
    # An image of its own: a further name of one that is used would protect it.
    cluster.docker("run", "--name", "changed", IMAGE, "touch", "/changed")
    cluster.docker("commit", "changed", "unused.example/app:2")
    cluster.docker("rm", "changed")
    pod("uses", f"{OPEN}/tools/busybox:1")
    runs(cluster, "uses")
    host = cluster.host
    cluster.lab.stop(host)
    before = cluster.lab.agent_flags
    cluster.lab.agent_flags = (
        *before,
        "--kubelet-arg=image-gc-high-threshold=1",
        "--kubelet-arg=image-gc-low-threshold=0",
    )
    cluster.lab.start(host)

    def names():
        return cluster.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()

    wait_until(lambda: "unused.example/app:2" not in names(), 30, "the collection")
    assert f"{OPEN}/tools/busybox:1" in names()
    assert PAUSE_TAG in names()
    assert "FreeDiskSpaceFailed" in cluster.kubectl("get", "events", "-A").stdout
