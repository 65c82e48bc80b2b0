import asyncio
import base64
import json
from dataclasses import replace

import pytest

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import PODS, SECRETS
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.pull_progress import PullProgress
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime
IMAGE = "r.example/app:1"


def an_image_in_the_registry(lab, name=IMAGE):
    image = lab.runtime.add_image(name)
    del lab.runtime.images[name]
    lab.runtime.registry[name] = image
    return image


async def a_secret(lab, name="pull", user="me", password="pw"):
    auths = {"r.example": {"username": user, "password": password}}
    data = {".dockerconfigjson": base64.b64encode(json.dumps({"auths": auths}).encode()).decode()}
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    await lab.client.create(SECRETS, {"metadata": metadata, "type": "kubernetes.io/dockerconfigjson", "data": data})


async def create(lab, name, policy="IfNotPresent", secrets=(), image=IMAGE):
    container = {"name": "c", "image": image, "imagePullPolicy": policy}
    pod = a_pod(name, container, imagePullSecrets=[{"name": secret} for secret in secrets])
    await lab.client.create(PODS, pod)


def waiting(lab, name):
    return (lab.container(name).get("state") or {}).get("waiting") or {}


async def test_a_pull_says_how_long_it_took_and_how_large_the_image_is():
    lab = a_kubelet_lab()
    an_image_in_the_registry(lab)
    async with lab.started():
        await create(lab, "web")
        await lab.eventually(lambda: lab.phase("web") == "Running", 5.0)

    took = "0s (0s including waiting). Image size: 1234567 bytes."
    assert ("Normal", "Pulling", f'Pulling image "{IMAGE}"') in lab.events.said
    assert ("Normal", "Pulled", f'Successfully pulled image "{IMAGE}" in {took}') in lab.events.said


async def test_always_asks_the_registry_each_time_and_if_not_present_does_not():
    lab = a_kubelet_lab()
    an_image_in_the_registry(lab)
    async with lab.started():
        for name, policy in (("a", "Always"), ("b", "IfNotPresent"), ("c", "Always"), ("d", "Never")):
            await create(lab, name, policy)
            await lab.eventually(lambda name=name: lab.phase(name) == "Running", 5.0)

    assert lab.runtime.pulls == [(IMAGE, "")] * 2


async def test_never_means_never():
    lab = a_kubelet_lab()
    an_image_in_the_registry(lab)
    message = f'Container image "{IMAGE}" is not present with pull policy of Never'
    async with lab.started():
        await create(lab, "web", "Never")
        await lab.eventually(lambda: waiting(lab, "web").get("reason") == "ErrImageNeverPull", 5.0)

    assert waiting(lab, "web")["message"] == message
    assert ("Warning", "ErrImageNeverPull", message) in lab.events.said
    assert lab.runtime.pulls == []


async def test_the_wait_between_pulls_doubles_from_ten_seconds_and_its_message_has_the_last_error():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, sync_frequency_s=3600.0)
    async with lab.started():
        await create(lab, "web")
        await asyncio.sleep(75)
        back_off = waiting(lab, "web")

    assert len(lab.runtime.pulls) == 4  # at 0, 10, 30 and 70 s
    error = f"manifest for {IMAGE} not found: manifest unknown: manifest unknown"
    assert back_off == {
        "reason": "ImagePullBackOff",
        "message": f'Back-off pulling image "{IMAGE}": ErrImagePull: {error}',
    }
    assert ("Normal", "BackOff", f'Back-off pulling image "{IMAGE}"') in lab.events.said
    assert ("Warning", "Failed", "Error: ImagePullBackOff") in lab.events.said


async def test_a_registry_that_is_down_has_a_reason_of_its_own():
    lab = a_kubelet_lab()
    lab.runtime.fail_next("pull_image", ContainerRuntimeError(RuntimeErrorKind.REFUSED, "RegistryUnavailable: 502"))
    reasons = set()
    lab.client.on_commit(lambda _: reasons.add(waiting(lab, "web").get("reason")))
    async with lab.started():
        await create(lab, "web")
        await asyncio.sleep(5)

    assert "RegistryUnavailable" in reasons
    assert waiting(lab, "web")["message"] == (
        f'Back-off pulling image "{IMAGE}": RegistryUnavailable: '
        f"image pull failed for {IMAGE} because the registry is unavailable: 502"
    )


async def test_what_a_secret_opened_is_not_for_a_pod_without_it_also_after_a_restart():
    before, lab = a_kubelet_lab(), a_kubelet_lab()
    for host in (before, lab):
        an_image_in_the_registry(host)
        host.runtime.registry_logins[IMAGE] = ("me", "pw")
        await a_secret(host)
    async with before.started():
        await create(before, "friend", secrets=("pull",))
        await before.eventually(lambda: before.phase("friend") == "Running", 5.0)
    lab.files = before.files
    lab.runtime.images[IMAGE] = before.runtime.images[IMAGE]
    async with lab.started():
        await create(lab, "stranger")
        await create(lab, "refused", "Never")
        await create(lab, "second", secrets=("pull",))
        await lab.eventually(lambda: lab.phase("second") == "Running", 5.0)
        await lab.eventually(lambda: waiting(lab, "stranger").get("reason") == "ImagePullBackOff", 5.0)

    assert "unauthorized" in waiting(lab, "stranger")["message"]
    assert waiting(lab, "refused")["reason"] == "ErrImageNeverPull"
    assert (before.runtime.pulls, lab.runtime.pulls) == ([(IMAGE, "me")], [(IMAGE, "")])


async def test_pulls_beyond_the_bound_wait_for_their_turn():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, max_parallel_image_pulls=2)
    images = [f"r.example/app:{number}" for number in range(3)]
    for image in images:
        an_image_in_the_registry(lab, image)
    pull, running = lab.runtime.pull_image, []

    async def slowly(image, auth, told):
        running.append(image)
        most.append(len(running))
        await asyncio.sleep(1)
        running.remove(image)
        return await pull(image, auth, told)

    most = []
    lab.runtime.pull_image = slowly
    async with lab.started():
        for number, image in enumerate(images):
            await create(lab, f"p{number}", image=image)
        await lab.eventually(lambda: all(lab.phase(f"p{n}") == "Running" for n in range(3)), 5.0)

    assert (len(most), max(most)) == (3, 2)
    waited = next(m for _, reason, m in lab.events.said if reason == "Pulled" and "in 1s (2s including" in m)
    assert waited


async def test_without_a_bound_all_pulls_run_at_the_same_time():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, serialize_image_pulls=False)
    images = [f"r.example/app:{number}" for number in range(6)]
    for image in images:
        an_image_in_the_registry(lab, image)
    pull, begun = lab.runtime.pull_image, []

    async def slowly(image, auth, told):
        begun.append(image)
        await asyncio.sleep(1)
        assert sorted(begun) == images
        return await pull(image, auth, told)

    lab.runtime.pull_image = slowly
    async with lab.started():
        for number, image in enumerate(images):
            await create(lab, f"p{number}", image=image)
        await lab.eventually(lambda: all(lab.phase(f"p{n}") == "Running" for n in range(6)), 5.0)


async def test_a_pod_that_is_deleted_gives_its_pull_up():
    lab = a_kubelet_lab()
    given_up = asyncio.Event()

    async def for_ever(image, auth, told):
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    lab.runtime.pull_image = for_ever
    async with lab.started():
        await create(lab, "web")
        await asyncio.sleep(2)
        await lab.client.delete(PODS, ObjectKey("default", "web"))
        await lab.eventually(lambda: lab.pod("web") is None, 10.0)

    assert given_up.is_set()


WITH_VOLUME = {"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/model", "subPath": "weights"}]}


def of_image(policy):
    return [{"name": "v", "image": {"reference": IMAGE, "pullPolicy": policy}}]


async def test_an_image_volume_is_pulled_like_an_image_and_mounted_read_only():
    lab = a_kubelet_lab()
    image = an_image_in_the_registry(lab)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", WITH_VOLUME, volumes=of_image("IfNotPresent")))
        await lab.eventually(lambda: lab.phase("web") == "Running", 5.0)
        (path,) = lab.image_volumes.shown
        mounts = next(iter(lab.runtime._containers.values())).config.mounts

    assert lab.image_volumes.shown[path] == image.id
    assert path.endswith("/volumes/kubernetes.io~image/v")
    (mount,) = [mount for mount in mounts if mount.container_path == "/model"]
    assert mount.read_only
    assert lab.files.sub_paths[mount.host_path] == f"{path}/weights"
    assert ("Normal", "Pulling", f'Pulling image "{IMAGE}"') in lab.events.said


async def test_a_container_waits_for_the_image_of_its_volume_and_says_so():
    lab = a_kubelet_lab()
    async with lab.started():
        await lab.client.create(PODS, a_pod("web", WITH_VOLUME, volumes=of_image("Never")))
        await lab.eventually(lambda: waiting(lab, "web").get("reason") == "ErrImageNeverPull", 5.0)

    assert waiting(lab, "web")["message"] == f'Container image "{IMAGE}" is not present with pull policy of Never'
    assert lab.image_volumes.shown == {}


async def test_a_long_pull_says_how_far_it_is_when_that_has_changed_and_a_short_one_does_not():
    lab = a_kubelet_lab()
    an_image_in_the_registry(lab)
    pull, takes_s = lab.runtime.pull_image, {"short": 9.0, "long": 45.0}

    async def slowly(image, auth, told):
        told(PullProgress(5, 2, 34 << 20, 120 << 20, are_sizes_known=True))
        await asyncio.sleep(takes_s[running])
        return await pull(image, auth, told)

    lab.runtime.pull_image = slowly
    async with lab.started():
        for running in ("short", "long"):
            await create(lab, running, "Always")
            await lab.eventually(lambda: lab.phase(running) == "Running", 60.0)  # noqa: B023

    told = [message for _, reason, message in lab.events.said if reason == "PullProgress"]
    assert told == [f'Pulling image "{IMAGE}": 2 of 5 layers, 34 MiB of 120 MiB']


async def test_a_pull_that_waits_for_others_says_so():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, max_parallel_image_pulls=1)
    for name in ("r.example/app:0", "r.example/app:1"):
        an_image_in_the_registry(lab, name)

    async def for_ever(image, auth, told):
        await asyncio.Event().wait()

    lab.runtime.pull_image = for_ever
    async with lab.started():
        for number in range(2):
            await create(lab, f"p{number}", image=f"r.example/app:{number}")
        await asyncio.sleep(100)

    told = [message for _, reason, message in lab.events.said if reason == "PullProgress"]
    assert sorted(told) == [
        'Pulling image "r.example/app:0": the registry has not yet told its layers',
        'Pulling image "r.example/app:1": waiting for other pulls of this node',
    ]
