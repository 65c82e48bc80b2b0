import asyncio
import os
from dataclasses import replace

import pytest

from minikube_py.api.resources import PODS
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.image_folder import ImageFolder
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime


class Host:
    """A folder, and a fresh look at it by each kubelet that is `begun`."""

    def __init__(self, root):
        self.folder = root / "images"
        self.folder.mkdir()
        self.lab = a_kubelet_lab()
        self.lab.config = replace(self.lab.config, root_dir=str(root))

    def put(self, name, text):
        (self.folder / name).write_text(text)

    async def begun(self):
        ports = self.lab.ports()
        folder = ImageFolder(
            self.lab.config, ports, lambda name: ports.images.pull_image(name.text, None, lambda progress: None)
        )
        await folder.begin()
        return folder

    def loads(self):
        return [line for line in self.lab.runtime.journal if line.startswith("load ")]


@pytest.fixture
async def host(tmp_path):
    return Host(tmp_path)


async def test_archives_are_loaded_before_pods_are_started(host):
    host.put("b.tar", "app:2")
    host.put("a.tar.gz", "app:1\n")
    host.put("notes.md", "app:3")
    host.put(".part.tar", "app:4")
    container = {"name": "c", "image": "app:1", "imagePullPolicy": "Never"}
    async with host.lab.started():
        await host.lab.client.create(PODS, a_pod("web", container))
        await asyncio.sleep(10)

    assert host.lab.phase("web") == "Running"
    assert host.loads() == ["load a.tar.gz", "load b.tar"]
    assert "ErrImageNeverPull" not in host.lab.events.reasons()


async def test_a_file_that_still_grows_waits(host):
    folder = await host.begun()
    for part in ("a", "app", "app:1"):
        host.put("a.tar", part)
        await folder.look()
    assert host.loads() == []
    await folder.look()

    assert host.loads() == ["load a.tar"]
    assert folder.names() == {"app:1"}


async def test_a_file_that_changed_is_loaded_again_and_one_that_went_pins_nothing(host):
    host.put("a.tar", "app:1")
    folder = await host.begun()
    host.put("a.tar", "app:1 app:2")
    os.utime(host.folder / "a.tar", ns=(1, 1))
    await folder.look()
    await folder.look()
    assert host.loads() == ["load a.tar"] * 2
    assert folder.names() == {"app:1", "app:2"}
    (host.folder / "a.tar").unlink()
    await folder.look()

    assert folder.names() == frozenset()


async def test_what_was_loaded_is_not_loaded_again_unless_an_image_is_gone(host):
    host.put("a.tar", "app:1")
    host.put("b.tar", "app:2")
    await host.begun()
    await host.begun()
    assert len(host.loads()) == 2
    del host.lab.runtime.images["app:2"]
    await host.begun()

    assert host.loads()[2:] == ["load b.tar"]


async def test_a_file_that_is_no_archive_is_told_once_and_an_engine_that_is_away_is_asked_again(host, caplog):
    host.put("empty.tar", "")
    folder = await host.begun()
    await folder.look()
    await folder.look()
    assert caplog.text.count("holds no image") == 1
    host.put("a.tar", "app:1")
    await folder.look()
    host.lab.runtime.fail_next("load_archive", ContainerRuntimeError(RuntimeErrorKind.UNAVAILABLE, "away"))
    await folder.look()
    assert host.loads() == []
    await folder.look()

    assert host.loads() == ["load a.tar"]


async def test_a_list_names_images_to_pull_and_waits_for_the_first_look(host):
    host.lab.runtime.registry["r.example/app:1"] = host.lab.runtime.add_image("other")
    text = "# ours\nr.example/app:1\n\nBad_Name\nr.example/none:1\n"
    host.lab.files.texts[str(host.folder / "list.txt")] = text
    host.put("list.txt", text)
    folder = await host.begun()
    assert host.lab.runtime.pulls == []
    await folder.look()
    await folder.look()

    assert [image for image, _ in host.lab.runtime.pulls] == ["r.example/app:1", "r.example/none:1"]
    assert "r.example/app:1" in folder.names()
