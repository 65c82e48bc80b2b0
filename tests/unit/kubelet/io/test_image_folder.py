import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from minikube_py.api.resources import PODS
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.image_folder import ImageFolder
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


@pytest.fixture
def host(tmp_path):
    class Host:
        def __init__(self):
            self.folder = tmp_path / "images"
            self.folder.mkdir()
            self.lab = None

        def put(self, name, text):
            (self.folder / name).write_text(text)

        @asynccontextmanager
        async def started(self):
            self.lab = self.lab or a_kubelet_lab()
            self.lab.config = replace(self.lab.config, root_dir=str(tmp_path))
            async with self.lab.started() as kubelet:
                yield kubelet

        def loads(self):
            return [line for line in self.lab.runtime.journal if line.startswith("load ")]

    return Host()


async def settled():
    # Looks at the folder run in a thread: time that passes in no time must leave it some.
    for _ in range(3):
        await asyncio.sleep(2.0)
        await asyncio.to_thread(lambda: None)


async def test_archives_are_loaded_before_pods_are_started(host):
    host.put("b.tar", "app:2")
    host.put("a.tar.gz", "app:1\n")
    host.put("notes.md", "app:3")
    host.put(".part.tar", "app:4")
    async with host.started():
        container = {"name": "c", "image": "app:1", "imagePullPolicy": "Never"}
        await host.lab.client.create(PODS, a_pod("web", container))
        await host.lab.eventually(lambda: host.lab.phase("web") == "Running", 5.0)

    assert host.loads() == ["load a.tar.gz", "load b.tar"]


async def test_a_file_that_appears_is_loaded_once_it_rests(host):
    async with host.started():
        host.put("a.tar", "app:1")
        await settled()
        first = host.loads()
        host.put("a.tar", "app:1 app:2")
        os.utime(host.folder / "a.tar", ns=(1, 1))
        await settled()

    assert first == ["load a.tar"]
    assert host.loads() == ["load a.tar"] * 2
    assert "app:2" in host.lab.runtime.images


async def test_a_file_that_still_grows_waits(host):
    host.lab = a_kubelet_lab()
    config = replace(host.lab.config, root_dir=str(host.folder.parent))
    folder = ImageFolder(config, host.lab.ports(), lambda name: asyncio.sleep(0))
    await folder.begin()
    for part in ("a", "app", "app:1"):
        host.put("a.tar", part)
        await folder.look()
    assert host.loads() == []
    await folder.look()

    assert host.loads() == ["load a.tar"]
    assert folder.names() == {"app:1"}


async def test_what_was_loaded_is_not_loaded_again_unless_an_image_is_gone(host):
    host.put("a.tar", "app:1")
    host.put("b.tar", "app:2")
    async with host.started():
        pass
    async with host.started():
        assert len(host.loads()) == 2
    del host.lab.runtime.images["app:2"]
    async with host.started():
        assert host.loads()[2:] == ["load b.tar"]


async def test_a_file_that_is_no_archive_is_told_once_and_an_engine_that_is_away_is_asked_again(host, caplog):
    host.put("empty.tar", "")
    async with host.started():
        await settled()
        assert caplog.text.count("holds no image") == 1
        host.lab.runtime.fail_next("load_archive", ContainerRuntimeError(RuntimeErrorKind.UNAVAILABLE, "away"))
        host.put("a.tar", "app:1")
        await settled()
        await settled()

    assert host.loads() == ["load a.tar"]


async def test_a_list_names_images_to_pull(host):
    host.lab = a_kubelet_lab()
    host.lab.runtime.registry["r.example/app:1"] = host.lab.runtime.add_image("other")
    host.lab.files.texts[str(host.folder / "list.txt")] = "# ours\nr.example/app:1\n\nBad_Name\nr.example/none:1\n"
    host.put("list.txt", "as FakePodFiles has it")
    async with host.started():
        await settled()

    assert [image for image, _ in host.lab.runtime.pulls] == ["r.example/app:1", "r.example/none:1"]
