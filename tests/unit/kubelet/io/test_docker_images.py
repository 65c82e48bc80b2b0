import asyncio
import base64
import json
from contextlib import asynccontextmanager

import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError, RegistryAuth, RuntimeErrorKind
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_images import DockerImages
from minikube_py.testing.fake_runtime import unwatched

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
    yield DockerImages(api, stall_s=60.0)
    await api.close()


async def test_a_pull_without_tag_asks_for_the_latest(engine, images):
    engine.pull_lines = [{"status": "Pulling"}, {"status": "Downloaded"}]
    engine.images["sha256:b0"] = WEB
    record = await images.pull_image("web", None, unwatched)

    assert engine.requests[1:] == ["pull web:latest"]
    assert (record.id, record.repo_digests, record.user) == ("sha256:b0", ("web@sha256:dd",), "5")


async def test_credentials_go_along_with_the_pull(engine, images):
    engine.images["sha256:b0"] = WEB
    await images.pull_image("web", RegistryAuth("me", "secret", "registry.example"), unwatched)

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
        await images.pull_image("web:9", None, unwatched)

    assert (error.value.kind, error.value.message) == (kind, words)


class SlowEngine:
    """An engine that takes its time before each line of a pull."""

    def __init__(self, *lines):
        self.lines = lines

    @asynccontextmanager
    async def stream(self, path, *, method, params, headers):
        yield self._lines()

    async def _lines(self):
        for wait_s, status in self.lines:
            await asyncio.sleep(wait_s)
            yield json.dumps({"status": status, "id": "a"}).encode() + b"\r\n"

    async def inspect_image(self, name):
        return WEB


@pytest.mark.looptime
async def test_a_pull_that_does_not_get_on_is_cancelled():
    images = DockerImages(
        SlowEngine((50, "Pulling fs layer"), (59, "Downloading"), (61, "Downloading")), stall_s=60.0
    )
    with pytest.raises(ContainerRuntimeError, match=r"pulling web:9 was cancelled: no progress for 60 s") as error:
        await images.pull_image("web:9", None, unwatched)

    assert error.value.kind is RuntimeErrorKind.TIMEOUT
    assert asyncio.get_running_loop().time() == 169


@pytest.mark.looptime
async def test_what_is_loaded_may_take_any_time_to_be_unpacked():
    images = DockerImages(SlowEngine((50, "Extracting"), (600, "Pull complete")), stall_s=60.0)

    assert (await images.pull_image("web", None, unwatched)).id == "sha256:b0"


async def test_a_pull_tells_how_far_it_is_after_each_line(engine, images):
    engine.images["sha256:b0"] = WEB
    engine.pull_lines = [{"status": status, "id": "a"} for status in ("Waiting", "Pull complete")]
    told = []
    await images.pull_image("web", None, told.append)

    assert [(progress.layers_done, progress.layers) for progress in told] == [(0, 1), (1, 1)]


async def test_a_login_by_token_goes_along_as_one(engine, images):
    engine.images["sha256:b0"] = WEB
    await images.pull_image("web", RegistryAuth("", "", "r.example", "tok"), unwatched)

    assert json.loads(base64.urlsafe_b64decode(engine.requests[1].split()[2]))["identitytoken"] == "tok"


async def test_an_image_that_is_not_there_is_none(images):
    assert await images.image_status("web:1") is None
