import base64
import json
from dataclasses import replace

import pytest

from minikube_py.api.resources import SECRETS
from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.images import parse_image_name
from minikube_py.kubelet.io.image_sources import ImageSources
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.pod import parse_pod
from minikube_py.kubelet.registries import parse_registries
from minikube_py.kubelet.registry_credentials import BadCredentialsError
from minikube_py.testing.fake_runtime import unwatched
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime
IMAGE = parse_image_name("r.example/app:1")
DIGESTED = parse_image_name("r.example/app@sha256:" + "0" * 64)
MIRRORS = {
    "mirrors": {"r.example": {"endpoint": ["https://m.example", "https://n.example"]}},
    "configs": {"m.example": {"auth": {"username": "mirror", "password": "pw"}}},
}


class Host:
    def __init__(self, document=None):
        self.lab = a_kubelet_lab()
        self.lab.config = replace(
            self.lab.config,
            registries=parse_registries(document),
            docker_config_paths=("/node/config.json",),
        )
        reader = ObjectReader(self.lab.client, self.lab.clock, 5.0)
        self.sources = ImageSources(self.lab.config, self.lab.ports(), reader)
        self.runtime = self.lab.runtime

    def has(self, *names):
        for name in names:
            self.runtime.registry[name] = self.runtime.add_image(name)
            del self.runtime.images[name]

    async def secret(self, name, **auths):
        document = {
            "auths": {host.replace("_", "."): {"username": user, "password": "pw"} for host, user in auths.items()}
        }
        data = {".dockerconfigjson": base64.b64encode(json.dumps(document).encode()).decode()}
        obj = {
            "metadata": {"name": name, "namespace": "default"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": data,
        }
        await self.lab.client.create(SECRETS, obj)

    async def pull(self, name=IMAGE, secrets=()):
        pod = parse_pod(a_pod("web", imagePullSecrets=[{"name": secret} for secret in secrets]))
        return await self.sources.pull(pod, name, unwatched)


async def test_without_credentials_the_registry_is_asked_without():
    host = Host()
    host.has(IMAGE.text)
    await host.pull()

    assert host.runtime.pulls == [(IMAGE.text, "")]


async def test_every_login_that_fits_is_tried_and_no_other():
    host = Host()
    host.has(IMAGE.text)
    host.runtime.registry_logins[IMAGE.text] = ("right", "pw")
    host.lab.files.texts["/node/config.json"] = json.dumps(
        {"auths": {"r.example": {"username": "right", "password": "pw"}}}
    )
    await host.secret("a", r_example="wrong", other_example="never")
    await host.secret("b", other_example="never")
    await host.pull(secrets=("a", "b"))

    assert host.runtime.pulls == [(IMAGE.text, "wrong"), (IMAGE.text, "right")]


async def test_a_secret_that_is_not_there_is_told_and_the_pull_tried():
    host = Host()
    host.has(IMAGE.text)
    await host.pull(secrets=("gone", ""))

    message = "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed."
    assert host.lab.events.said == [("Warning", "FailedToRetrieveImagePullSecret", message)]
    assert len(host.runtime.pulls) == 1


async def test_a_secret_that_cannot_be_read_fails_the_pull():
    host = Host()
    host.has(IMAGE.text)
    bad = {"metadata": {"name": "bad", "namespace": "default"}, "type": "kubernetes.io/dockercfg"}
    await host.lab.client.create(SECRETS, {**bad, "data": {".dockercfg": "eA=="}})
    with pytest.raises(BadCredentialsError, match='secret "bad"'):
        await host.pull(secrets=("bad",))

    assert host.runtime.pulls == []


async def test_a_mirror_is_asked_first_with_its_own_password_and_the_image_gets_the_name_that_was_asked_for():
    host = Host(MIRRORS)
    host.has("n.example/app:1")
    await host.secret("a", r_example="mine")
    image = await host.pull(secrets=("a",))

    assert host.runtime.pulls == [("m.example/app:1", "mirror"), ("n.example/app:1", "")]
    found = await host.sources.find(IMAGE)
    assert found is not None
    assert found.id == image.id


async def test_the_registry_itself_comes_last_and_a_failure_has_the_words_of_all():
    host = Host(MIRRORS)
    with pytest.raises(ContainerRuntimeError) as error:
        await host.pull()

    assert [image for image, _ in host.runtime.pulls] == ["m.example/app:1", "n.example/app:1", IMAGE.text]
    assert error.value.message.startswith("[m.example: manifest for m.example/app:1 not found")
    assert f", manifest for {IMAGE.text} not found" in error.value.message


async def test_what_came_from_a_mirror_by_its_digest_is_found_again():
    host = Host(MIRRORS)
    mirrored = DIGESTED.text.replace("r.example", "n.example")
    host.has(mirrored)
    image = await host.pull(DIGESTED)

    assert await host.sources.find(DIGESTED) == image
    assert await host.sources.find(IMAGE) is None


async def test_an_image_without_a_pod_is_pulled_with_the_nodes_credentials():
    host = Host()
    host.has(IMAGE.text)
    host.lab.files.texts["/node/config.json"] = json.dumps(
        {"auths": {"r.example": {"username": "node", "password": "pw"}}}
    )
    await host.sources.pull(None, IMAGE, unwatched)

    assert host.runtime.pulls == [(IMAGE.text, "node")]


async def test_a_damaged_file_of_the_nodes_credentials_is_left_out():
    host = Host()
    host.has(IMAGE.text)
    host.lab.files.texts["/node/config.json"] = "{"
    await host.pull()

    assert host.runtime.pulls == [(IMAGE.text, "")]


async def test_an_image_that_was_removed_may_come_back_for_all():
    host = Host()
    host.has(IMAGE.text)
    host.runtime.registry_logins[IMAGE.text] = ("me", "pw")
    await host.secret("a", r_example="me")
    image = await host.pull(secrets=("a",))
    stranger = parse_pod(a_pod("stranger"))
    assert not await host.sources.may_use(stranger, IMAGE, image)
    await host.sources.note_removed(image.id)

    assert await host.sources.may_use(stranger, IMAGE, image)


async def test_a_further_name_that_an_image_was_given_here_is_open_to_all():
    host = Host()
    host.has(IMAGE.text)
    host.runtime.registry_logins[IMAGE.text] = ("me", "pw")
    await host.secret("a", r_example="me")
    image = replace(await host.pull(secrets=("a",)), repo_digests=("r.example/app@sha256:" + "1" * 64,))
    stranger = parse_pod(a_pod("stranger"))

    assert await host.sources.may_use(stranger, parse_image_name("local/app:1"), image)
    assert not await host.sources.may_use(stranger, IMAGE, image)
    pulled_by_hand = replace(image, repo_digests=(*image.repo_digests, "q.example/app@sha256:" + "1" * 64))
    assert not await host.sources.may_use(stranger, parse_image_name("q.example/app:1"), pulled_by_hand)


async def test_registries_are_asked_in_bursts_and_then_at_a_pace():
    host = Host()
    host.has(IMAGE.text)
    for _ in range(host.lab.config.registry_burst):
        await host.pull()
    with pytest.raises(ContainerRuntimeError, match="pull QPS exceeded"):
        await host.pull()
    await host.lab.clock.sleep(0.2)

    await host.pull()
    assert len(host.runtime.pulls) == host.lab.config.registry_burst + 1
