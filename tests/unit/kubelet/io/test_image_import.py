import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.image_import import build_pause, import_archive
from minikube_py.kubelet.pause_image import build_pause_image
from minikube_py.testing.fake_docker import FakeDocker

WEB = {"Id": "sha256:b0", "RepoTags": ["web:1"], "RepoDigests": [], "Size": 9, "Config": {}}


@pytest.fixture
async def engine(tmp_path):
    fake = FakeDocker()
    async with fake.serving(tmp_path) as host:
        fake.api = DockerApi(host)
        yield fake
        await fake.api.close()


async def test_an_archive_is_loaded_and_its_images_named(engine, tmp_path):
    engine.loadable = (WEB,)
    (tmp_path / "web.tar").write_bytes(b"x" * (3 << 20))

    assert await import_archive(engine.api, str(tmp_path / "web.tar")) == ("web:1",)
    assert engine.loaded_bytes == 3 << 20


async def test_an_archive_without_images_is_refused(engine, tmp_path):
    (tmp_path / "noise.tar").write_bytes(b"noise")
    with pytest.raises(ContainerRuntimeError, match="holds no image"):
        await import_archive(engine.api, str(tmp_path / "noise.tar"))


async def test_a_file_that_is_not_there_is_an_os_error(engine, tmp_path):
    with pytest.raises(FileNotFoundError):
        await import_archive(engine.api, str(tmp_path / "none.tar"))


async def test_the_pause_image_is_made_for_the_engines_processor(engine):
    engine.version["Arch"] = "arm64"
    pause = build_pause_image("arm64")
    engine.loadable = ({"Id": pause.id, "RepoTags": [pause.tag], "RepoDigests": [], "Size": 1, "Config": {}},)

    assert (await build_pause(engine.api)).id == pause.id
    assert engine.loaded_bytes == len(pause.archive)
