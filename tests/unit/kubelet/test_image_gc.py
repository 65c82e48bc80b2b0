from dataclasses import replace

import pytest

from minikube_py.kubelet.cri import ImageRecord
from minikube_py.kubelet.image_gc import (
    ImageUses,
    bytes_to_free,
    expired_images,
    images_of,
    removable_images,
    used_images,
)
from minikube_py.kubelet.pod import parse_pod
from minikube_py.testing.kubelet_records import a_run


def an_image(name, *digests):
    return ImageRecord(f"sha256:{name}", (f"{name}:1",), digests, 10)


A, B, C = an_image("a"), an_image("b"), an_image("c")


def names(images):
    return [image.repo_tags[0][0] for image in images]


def removable(uses, *images, pinned=(), now_s=1000.0, age_s=120.0):
    return names(removable_images(uses, images, pinned, now_s, age_s))


def test_the_longest_unused_goes_first_and_what_is_used_stays():
    uses = ImageUses().look([A, B, C], {B.id}, 0.0).look([A, B, C], {A.id}, 500.0).look([A, B, C], {C.id}, 1000.0)

    assert removable(uses, A, B, C) == ["b", "a"]


def test_an_image_that_came_just_now_is_spared_and_one_from_before_the_start_is_not():
    uses = ImageUses().look([A], set(), 900.0).look([A, B], set(), 950.0)

    assert removable(uses, A, B) == ["a"]
    assert removable(uses, A, B, now_s=1071.0) == ["a", "b"]


def test_an_image_that_went_and_came_back_is_new():
    uses = ImageUses().look([A], set(), 0.0).look([], set(), 500.0).look([A], set(), 990.0)

    assert removable(uses, A) == []


def test_pinned_images_stay_whoever_pins_them():
    uses = ImageUses().look([A, B, C], set(), 0.0)

    assert removable(uses, replace(A, pinned=True), B, C, pinned={"b:1"}) == ["c"]
    assert removable(uses, A, pinned={A.id}) == []


def test_containers_use_images_by_id_and_by_digest_and_pods_by_name():
    pulled = an_image("d", "d@sha256:9")
    runs = [
        a_run("x", image_id="docker://sha256:a"),
        a_run("y", exit_code=0, image_id="docker-pullable://d@sha256:9"),
    ]

    assert used_images([A, B, C, pulled], runs, {"c:1"}) == {A.id, C.id, pulled.id}
    assert used_images([B], [], {B.id}) == {B.id}


def test_images_expire_by_their_last_use_and_not_before_the_kubelet_has_watched_so_long():
    uses = ImageUses().look([A, B], {A.id}, 100.0)

    assert names(expired_images(uses, [A, B], 0.0, 150.0, 120.0)) == ["b"]
    assert names(expired_images(uses, [A, B], 50.0, 150.0, 120.0)) == []
    assert expired_images(uses, [A, B], 0.0, 9999.0, 0.0) == ()


@pytest.mark.parametrize(
    ("available", "high", "low", "wanted"),
    [
        (150, 85, 80, 50),
        (151, 85, 80, 49),
        (160, 85, 80, 0),
        (0, 85, 80, 200),
        (0, 100, 80, 0),
        (2000, 85, 80, 0),
        (990, 1, 0, 10),
    ],
)
def test_the_disk_is_brought_below_the_low_threshold_once_it_is_above_the_high_one(available, high, low, wanted):
    assert bytes_to_free(1000, available, high, low) == wanted


def test_a_disk_of_which_nothing_is_known_asks_for_nothing():
    assert bytes_to_free(0, 0, 85, 80) == 0


def test_a_pod_needs_the_images_of_its_containers_and_of_its_volumes():
    spec = {
        "initContainers": [{"name": "i", "image": "init:1"}],
        "containers": [{"name": "c", "image": "app:1"}],
        "volumes": [{"name": "v", "image": {"reference": "model:1"}}, {"name": "e", "emptyDir": {}}],
    }

    assert set(images_of(parse_pod({"metadata": {"name": "p"}, "spec": spec}))) == {"init:1", "app:1", "model:1"}
