"""Images as pods get them: from registries (open, with a password, with TLS), a mirror, a folder; and how they go."""

import base64
import json
import os
import re
import shutil
import time
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

import pytest
import yaml

from minikube_py.apiserver.io.certificates import ensure_pki
from minikube_py.apiserver.pki import CertificateSpec
from minikube_py.kubelet.pause_image import PAUSE_TAG
from minikube_py.testing.holding_registry import holding_registry, log_of
from minikube_py.testing.image_registry import PASSWORD, USER, RegistryTls, image_registry, push, registry_program
from minikube_py.testing.images import busybox_archive
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = pytest.mark.node

OPEN, CLOSED = "127.0.0.1:5000", "127.0.0.1:5001"
MIRROR = "localhost:5001"
"""The closed one by another name: the node has its password, which opens nothing by the first name."""
PROVIDED = "127.0.0.2:5001"
"""And by a third one, for which a program knows the password."""
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
    ours = lab.layout.hosts[0]
    tls = tls_files(folder / "pki", ours.address)
    shown = {"ca_file": tls.ca, "cert_file": folder / "pki/admin.crt", "key_file": folder / "pki/admin.key"}
    secure = {f"{ours.address}:5002": {"tls": {key: str(path) for key, path in shown.items()}}}
    registries.write_text(yaml.safe_dump({**REGISTRIES, "configs": {**REGISTRIES["configs"], **secure}}))
    lab.agent_flags = (f"--private-registry={registries}", *credential_provider(folder / "providers"))
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        cluster.load_images(folder)
        host = cluster.host
        with (
            image_registry(host, 5000, host.dir / "open"),
            image_registry(host, 5001, host.dir / "closed", password=True),
            image_registry(host, 5002, host.dir / "secure", tls=tls) as secure_address,
        ):
            push(host, IMAGE, f"{secure_address}/tools/busybox:1")
            push(host, IMAGE, f"{OPEN}/tools/busybox:1")
            for name in ("team/busybox:1", "mirrored/busybox:1"):
                push(host, IMAGE, f"{CLOSED}/{name}", login=True)
            yield cluster
        cluster.minikube_py("down", f"--docker-host=unix://{host.docker_socket}")
        assert not Path("/etc/docker/certs.d", secure_address).exists()
    finally:
        shutil.rmtree(f"/etc/docker/certs.d/{ours.address}:5002", ignore_errors=True)
        lab.down()


def tls_files(folder, address):
    """Make a CA, a certificate of the registry and one (`admin`) of whom it lets in."""
    ensure_pki(folder, CertificateSpec("registry", sans=(address,)), CertificateSpec("admin"), time.time())
    return RegistryTls(folder / "ca.crt", folder / "serving.crt", folder / "serving.key")


def credential_provider(folder):
    """Make a program that knows the closed registry's password by a third name of it; return the agent's flags."""
    folder.mkdir()
    auth = {PROVIDED: {"username": USER, "password": PASSWORD}}
    head = {"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse"}
    answer = json.dumps({**head, "cacheKeyType": "Registry", "cacheDuration": "1h", "auth": auth})
    program = folder / "ask"
    program.write_text(f"#!/bin/sh\ncat >{folder}/asked\necho '{answer}'\n")
    program.chmod(0o755)
    provider = {
        "name": "ask",
        "matchImages": [PROVIDED],
        "defaultCacheDuration": "0s",
        "apiVersion": head["apiVersion"],
    }
    config = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [provider]}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return (
        f"--kubelet-arg=image-credential-provider-config={folder}/config.yaml",
        f"--kubelet-arg=image-credential-provider-bin-dir={folder}",
    )


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


def events(cluster, name, reason):
    return cluster.get("events", "--field-selector", f"involvedObject.name={name},reason={reason}")["items"]


def messages(cluster, name, reason):
    return [event["message"] for event in events(cluster, name, reason)]


def runs(cluster, name):
    wait_until(lambda: "running" in container(cluster, name).get("state", {}), 60, f"pod {name} running")
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
    wait_until(lambda: waiting(cluster, "absent").get("reason") == "ImagePullBackOff", 60, "the back-off")
    wait_until(lambda: waiting(cluster, "never").get("reason") == "ErrImageNeverPull", 60, "the refusal")
    wait_until(lambda: waiting(cluster, "invalid").get("reason") == "InvalidImageName", 60, "the refusal")

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
    wait_until(lambda: waiting(cluster, "stranger").get("reason") in FAILED, 60, "the refusal")
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
    wait_until(lambda: waiting(cluster, "late").get("reason") in FAILED, 60, "the refusal")


def test_a_registry_with_tls_lets_in_who_shows_the_certificate_of_the_file(cluster, pod):
    address = f"{cluster.host.address}:5002"
    folder = Path("/etc/docker/certs.d", address)
    assert sorted(path.name for path in folder.iterdir()) == [".minikube-py", "ca.crt", "client.cert", "client.key"]
    pod("secure", f"{address}/tools/busybox:1", "Always")
    runs(cluster, "secure")

    (folder / "client.cert").rename(folder / "client.away")
    pod("unknown", f"{address}/tools/busybox:1", "Always")
    wait_until(lambda: waiting(cluster, "unknown").get("reason") in FAILED, 60, "the refusal")


def test_a_program_of_the_node_knows_a_registrys_password(cluster, pod):
    pod("provided", f"{PROVIDED}/team/busybox:1")
    runs(cluster, "provided")


def test_a_volume_holds_what_an_image_does_and_may_only_be_read(cluster):
    volumes = [
        {"name": "image", "image": {"reference": f"{OPEN}/tools/busybox:1", "pullPolicy": "Always"}},
        {"name": "none", "image": {"reference": f"{OPEN}/tools/none:1"}},
    ]
    script = "ls /image /bin-only; touch /image/no 2>/dev/null || echo ro; sleep 3600"
    mounts = [
        {"name": "image", "mountPath": "/image"},
        {"name": "image", "mountPath": "/bin-only", "subPath": "bin"},
    ]
    main = {"name": "c", "image": IMAGE, "command": ["sh", "-c", script], "volumeMounts": mounts}
    waits = {"name": "w", "image": IMAGE, "volumeMounts": [{"name": "none", "mountPath": "/none"}]}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [main, waits], "volumes": volumes}
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "with-image"}, "spec": spec}
    cluster.apply("default", json.dumps(made))
    wait_until(lambda: "ro" in cluster.kubectl("logs", "with-image", "-c", "c", check=False).stdout, 60, "its words")

    def state(name):
        statuses = cluster.get("pod", "with-image")["status"]["containerStatuses"]
        return next(s["state"] for s in statuses if s["name"] == name)

    said = cluster.kubectl("logs", "with-image", "-c", "c").stdout
    shown = said.partition("/image:\n")[2].splitlines()
    assert "bin" in shown
    assert not {"dev", "proc", "sys", ".dockerenv"} & set(shown[: shown.index("ro")])
    assert "sh" in said.partition("/bin-only:\n")[2].split("\n\n")[0].splitlines()
    wait_until(lambda: state("w").get("waiting", {}).get("reason") in FAILED, 60, "the refusal")
    assert "image-volume" not in cluster.docker("ps", "-a", "--format", "{{.Names}}")
    cluster.kubectl("delete", "pod", "with-image", "--wait", timeout_s=60)


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
    folder = cluster.host.data_dir / "agent" / "images"
    folder.mkdir(exist_ok=True)
    archive.rename(folder / "app.tar")
    wait_until(lambda: "preloaded.example/app" in cluster.docker("images"), 60, "the load")
    pod("preloaded", "preloaded.example/app:1", "Never")

    runs(cluster, "preloaded")


@contextmanager
def two_images(cluster, folder):
    """Push two images that share nothing; yields their names at a registry that holds layers back."""
    busybox = Path(shutil.which("busybox")).read_bytes()
    with holding_registry(cluster.host, 5003, 5000, folder) as address:
        names = [f"{folder.name}/{name}" for name in ("one", "two")]
        for name in names:
            (folder / "image.tar").write_bytes(busybox_archive(busybox + name.encode(), (f"{name}:1",)))
            cluster.docker("load", "-i", str(folder / "image.tar"))
            push(cluster.host, f"{name}:1", f"{OPEN}/{name}:1")
            cluster.docker("rmi", f"{name}:1")
        yield [f"{address}/{name}:1" for name in names]


@contextmanager
def two_layers(cluster, folder):
    """Push an image, one of whose two layers (4 MiB) the host lacks; yields its name where layers are held back."""
    name = f"{folder.name}:1"
    with holding_registry(cluster.host, 5003, 5000, folder) as address:
        cluster.docker("run", "--name", folder.name, IMAGE, "dd", "if=/dev/urandom", "of=/data", "bs=1M", "count=4")
        cluster.docker("commit", folder.name, name)
        cluster.docker("rm", folder.name)
        push(cluster.host, name, f"{OPEN}/{name}")
        cluster.docker("rmi", name)
        yield f"{address}/{name}"


def restart_with(cluster, *flags):
    """Start the agent anew with further flags; return those that it had."""
    before = cluster.lab.agent_flags
    cluster.lab.stop(cluster.host)
    cluster.lab.agent_flags = (*before, *flags)
    cluster.lab.start(cluster.host)
    return before


def test_a_long_pull_is_followed_by_an_event_that_moves_on(cluster, pod, tmp_path):
    with two_layers(cluster, tmp_path / "slow") as image:
        pod("slow", image)
        wait_until(lambda: messages(cluster, "slow", "PullProgress"), 60, "the progress")
        shown = cluster.kubectl("describe", "pod", "slow").stdout
        progress = rf'Normal +PullProgress .* Pulling image "{re.escape(image)}": 1 of 2 layers, [012] MiB of 4 MiB'
        assert re.search(progress, shown), shown
        (tmp_path / "slow/open").touch()
        runs(cluster, "slow")
    (told,) = events(cluster, "slow", "PullProgress")
    assert told["involvedObject"]["fieldPath"] == "spec.containers{c}"


def test_a_pull_that_does_not_get_on_is_given_up_and_tried_again(cluster, pod, tmp_path):
    before = restart_with(cluster, "--kubelet-arg=image-pull-progress-deadline=2s")
    try:
        with two_layers(cluster, tmp_path / "stuck") as image:
            pod("stuck", image)
            reason = f'Failed to pull image "{image}": pulling {image} was cancelled: no progress for 2 s'
            wait_until(lambda: reason in messages(cluster, "stuck", "Failed"), 60, "the end of the pull")
            waiting = container(cluster, "stuck")["state"]["waiting"]
            assert (waiting["reason"] in FAILED, "no progress for 2 s" in waiting["message"]) == (True, True)
            (tmp_path / "stuck/open").touch()
            runs(cluster, "stuck")
    finally:
        cluster.lab.agent_flags = before


def test_two_images_are_pulled_at_the_same_time(cluster, pod, tmp_path):
    with two_images(cluster, tmp_path / "parallel") as images:
        for number, image in enumerate(images):
            pod(f"parallel-{number}", image)
        both = {"begin parallel/one", "begin parallel/two"}
        wait_until(lambda: both <= set(log_of(tmp_path / "parallel")), 60, "both pulls under way")
        assert [messages(cluster, f"parallel-{number}", "Pulled") for number in (0, 1)] == [[], []]
        (tmp_path / "parallel/open").touch()
        for number in (0, 1):
            runs(cluster, f"parallel-{number}")


def test_images_are_pulled_one_after_the_other_when_the_node_is_told_so(cluster, pod, tmp_path):
    before = restart_with(cluster, "--kubelet-arg=serialize-image-pulls=true")
    try:
        with two_images(cluster, tmp_path / "serial") as images:
            for number, image in enumerate(images):
                pod(f"serial-{number}", image)
            wait_until(lambda: log_of(tmp_path / "serial"), 60, "the first pull")
            for number in (0, 1):
                wait_until(lambda: messages(cluster, f"serial-{number}", "Pulling"), 60, "the event")  # noqa: B023
            (tmp_path / "serial/open").touch()
            for number in (0, 1):
                runs(cluster, f"serial-{number}")
        asked = [line.split()[1] for line in log_of(tmp_path / "serial")]
        assert [name for name, _ in groupby(asked)] in (["serial/one", "serial/two"], ["serial/two", "serial/one"])
    finally:
        cluster.lab.agent_flags = before


def test_a_full_disk_loses_the_images_that_nobody_uses(cluster, pod):
    cluster.docker("tag", IMAGE, "unused.example/app:1")
    # An image of its own: a further name of one that is used would protect it.
    cluster.docker("run", "--name", "changed", IMAGE, "touch", "/changed")
    cluster.docker("commit", "changed", "unused.example/app:2")
    cluster.docker("rm", "changed")
    pod("uses", f"{OPEN}/tools/busybox:1")
    runs(cluster, "uses")
    arguments = ("image-gc-high-threshold=1", "image-gc-low-threshold=0", "minimum-image-ttl-duration=1s")
    restart_with(cluster, *(f"--kubelet-arg={argument}" for argument in arguments))

    def names():
        return cluster.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()

    wait_until(lambda: "unused.example/app:2" not in names(), 60, "the collection")
    assert f"{OPEN}/tools/busybox:1" in names()
    assert PAUSE_TAG in names()
    assert "FreeDiskSpaceFailed" in cluster.kubectl("get", "events", "-A").stdout
