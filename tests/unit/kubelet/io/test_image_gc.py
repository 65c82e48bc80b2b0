import asyncio
from dataclasses import replace

import pytest

from minikube_py.api.resources import PODS
from minikube_py.testing.kubelet_lab import IMAGE, a_kubelet_lab, a_pod

pytestmark = pytest.mark.looptime
GIB = 1 << 30
INIT = {"name": "i", "image": "absent:1"}
MODEL = {"name": "v", "image": {"reference": "model:1"}}


def a_lab(available, **changes):
    lab = a_kubelet_lab()
    lab.statistics.image_fs = replace(lab.statistics.image_fs, capacity_bytes=100 * GIB, available_bytes=available)
    # Here the disk is looked at by the collector alone.
    lab.config = replace(lab.config, eviction_hard=(), image_gc_s=60.0, **changes)
    return lab


def here(lab):
    return sorted(lab.runtime.images)


async def test_below_the_threshold_unused_images_stay():
    lab = a_lab(16 * GIB)
    lab.runtime.add_image("unused:1")
    async with lab.started():
        await asyncio.sleep(300)

    assert here(lab) == [IMAGE, "unused:1"]


def fill(lab, available):
    lab.statistics.image_fs = replace(lab.statistics.image_fs, available_bytes=available)


async def test_above_it_unused_images_go_but_not_those_of_pods_nor_of_dead_containers():
    lab = a_lab(50 * GIB)
    for name in ("unused:1", "done:1"):
        lab.runtime.add_image(name)
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.client.create(PODS, a_pod("job", {"name": "done", "image": "done:1"}, restartPolicy="Never"))
        await lab.eventually(lambda: bool(lab.runtime.records("done")), 5.0)
        await asyncio.sleep(1)
        lab.runtime.exit_container(lab.runtime.records("done")[0].id, 0)
        fill(lab, 10 * GIB)
        await asyncio.sleep(300)

    assert here(lab) == [IMAGE, "done:1"]
    assert "FreeDiskSpaceFailed" in lab.events.reasons()
    assert "ImageGCFailed" in lab.events.reasons()


async def test_images_that_a_pod_has_yet_to_use_for_a_container_or_a_volume_stay():
    lab = a_lab(50 * GIB)
    for name in ("unused:1", "model:1", "second:1"):
        lab.runtime.add_image(name)
    mount = {"name": "c", "image": "absent:1", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    waiting = a_pod("web", mount, {"name": "d", "image": "second:1"}, volumes=[MODEL])
    async with lab.started():
        await lab.client.create(PODS, {**waiting, "spec": {**waiting["spec"], "initContainers": [INIT]}})
        await asyncio.sleep(1)
        fill(lab, 10 * GIB)
        await asyncio.sleep(300)

    assert here(lab) == ["model:1", "second:1"]


async def test_no_more_goes_than_is_asked_for():
    lab = a_lab(14 * GIB, image_gc_low_percent=84)
    lab.runtime.images.clear()
    for number in range(4):
        image = lab.runtime.add_image(f"unused:{number}")
        lab.runtime.images[f"unused:{number}"] = replace(image, size_bytes=GIB)
    async with lab.started():
        await asyncio.sleep(5)

    assert len(here(lab)) == 2
    assert "FreeDiskSpaceFailed" not in lab.events.reasons()


async def test_what_came_just_now_is_spared():
    lab = a_lab(50 * GIB)
    async with lab.started():
        await asyncio.sleep(70)
        lab.runtime.add_image("new:1")
        fill(lab, 10 * GIB)
        await asyncio.sleep(60)
        assert "new:1" in lab.runtime.images
        await asyncio.sleep(180)

    assert "new:1" not in lab.runtime.images


async def test_a_disk_under_pressure_loses_unused_images_before_pods():
    lab = a_kubelet_lab()
    lab.config = replace(lab.config, eviction_hard=(("nodefs.available", "10%"),))
    lab.config = replace(lab.config, image_gc_s=3600.0)
    lab.runtime.add_image("unused:1")
    begun = asyncio.Event()
    lab.statistics.is_full = lambda: begun.is_set() and "unused:1" in lab.runtime.images
    async with lab.started():
        await lab.client.create(PODS, a_pod("web"))
        await lab.eventually(lambda: lab.phase("web") == "Running", 5.0)
        begun.set()
        await asyncio.sleep(300)

    assert lab.phase("web") == "Running"
    assert here(lab) == [IMAGE]


async def test_old_images_go_however_empty_the_disk_is():
    lab = a_lab(90 * GIB, image_maximum_gc_age_s=600.0)
    lab.runtime.add_image("unused:1")
    async with lab.started():
        await asyncio.sleep(500)
        assert "unused:1" in lab.runtime.images
        await asyncio.sleep(300)

    assert "unused:1" not in lab.runtime.images
