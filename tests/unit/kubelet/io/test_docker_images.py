import base64
import json

import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError, RegistryAuth, RuntimeErrorKind
from minikube_py.kubelet.io import docker_images
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_images import DockerImages

WEB = {
    "Id": "sha256:b0",
    "RepoTags": ["web:latest"],
    "RepoDigests": ["web@sha256:dd"],
    "Size": 9,
    "Config": {"User": "5"},
}


@pytest.fixture
async def images(engine):
    api = DockerApi(engine.host)
    yield DockerImages(api)
    await api.close()


async def test_a_pull_without_tag_asks_for_the_latest(engine, images):
    engine.pull_lines = [{"status": "Pulling"}, {"status": "Downloaded"}]
    engine.images["sha256:b0"] = WEB
    record = await images.pull_image("web", None)

    assert engine.requests[1:] == ["pull web:latest"]
    assert (record.id, record.repo_digests, record.user) == ("sha256:b0", ("web@sha256:dd",), "5")


async def test_credentials_go_along_with_the_pull(engine, images):
    engine.images["sha256:b0"] = WEB
    await images.pull_image("web", RegistryAuth("me", "secret", "registry.example"))

    request = engine.requests[1]
    assert json.loads(base64.urlsafe_b64decode(request.split()[2])) == {
        "username": "me",
        "password": "secret",
        "serveraddress": "registry.example",
    }


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("manifest for web:9 not found: manifest unknown: manifest unknown", RuntimeErrorKind.NOT_FOUND),
        ("unauthorized: authentication required", RuntimeErrorKind.REFUSED),
    ],
)
async def test_a_failure_inside_the_progress_carries_the_registrys_words(engine, images, words, kind):
    engine.pull_lines = [{"status": "Pulling"}, {"errorDetail": {"message": words}, "error": words}]
    with pytest.raises(ContainerRuntimeError) as error:
        await images.pull_image("web:9", None)

    assert (error.value.kind, error.value.message) == (kind, words)


async def test_a_pull_without_progress_is_cancelled(engine, images, monkeypatch):
    monkeypatch.setattr(docker_images, "PULL_STALL_S", 0.05)
    engine.pull_lines = [{"status": "Pulling"}]
    engine.pull_hangs = True
    with pytest.raises(ContainerRuntimeError, match=r"pulling web:9 was cancelled: no progress for 0.05 s") as error:
        await images.pull_image("web:9", None)

    assert error.value.kind is RuntimeErrorKind.TIMEOUT


async def test_a_login_by_token_goes_along_as_one(engine, images):
    engine.images["sha256:b0"] = WEB
    await images.pull_image("web", RegistryAuth("", "", "r.example", "tok"))

    assert json.loads(base64.urlsafe_b64decode(engine.requests[1].split()[2]))["identitytoken"] == "tok"


async def test_an_image_that_is_not_there_is_none(images):
    assert await images.image_status("web:1") is None
