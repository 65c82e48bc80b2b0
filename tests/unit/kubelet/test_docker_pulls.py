"""Docker's lines of a pull, folded."""

import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.docker_pulls import LAYERS_MAX, DockerPull, pull_error
from minikube_py.kubelet.pull_progress import PullProgress


def a_pull(*lines):
    pull = DockerPull()
    for name, status, *counts in lines:
        detail = dict(zip(("current", "total", "units"), counts, strict=False))
        pull.take({"id": name, "status": status, "progressDetail": detail})
    return pull


def test_a_pull_begins_with_the_layers_that_there_are():
    pull = a_pull(
        ("1.36", "Pulling from busybox"), ("a", "Already exists"), ("b", "Pulling fs layer"), ("b", "Waiting")
    )

    assert pull.progress() == PullProgress(layers=2, layers_done=1)
    assert not pull.is_loaded()


def test_bytes_are_counted_of_the_layers_whose_size_is_told():
    pull = a_pull(
        ("a", "Waiting"), ("b", "Downloading", 3, 10), ("c", "Downloading", 1, 5), ("c", "Downloading", 2, 5)
    )

    assert pull.progress() == PullProgress(3, 0, 5, 15)


def test_sizes_are_known_when_every_layers_is():
    pull = a_pull(("a", "Already exists"), ("b", "Downloading", 3, 10))

    assert pull.progress() == PullProgress(2, 1, 3, 10, are_sizes_known=True)


@pytest.mark.parametrize("status", ["Verifying Checksum", "Download complete", "Extracting", "Pull complete"])
def test_a_layer_that_is_loaded_has_all_its_bytes(status):
    pull = a_pull(("a", "Downloading", 9, 10), ("a", status))

    assert pull.progress() == PullProgress(1, int(status == "Pull complete"), 10, 10, are_sizes_known=True)
    assert pull.is_loaded()


def test_what_is_counted_while_a_layer_is_unpacked_is_not_what_was_loaded():
    pull = a_pull(("a", "Downloading", 9, 10), ("a", "Extracting", 70, 90), ("b", "Extracting", 2, 0, "s"))

    assert pull.progress() == PullProgress(2, 0, 10, 10, are_sizes_known=True)


def test_a_layer_that_begins_anew_is_not_loaded_any_more():
    pull = a_pull(("a", "Downloading", 9, 10), ("a", "Verifying Checksum"), ("a", "Retrying in 5 seconds"))
    assert pull.progress().bytes_done == 10
    pull.take({"id": "a", "status": "Downloading", "progressDetail": {"current": 1, "total": 10}})

    assert pull.progress().bytes_done == 1
    assert not pull.is_loaded()


def test_a_pull_of_which_nothing_is_told_is_not_loaded():
    pull = a_pull(("1.36", "Pulling from busybox"), ("", "Digest: sha256:dd"))

    assert pull.progress() == PullProgress(are_sizes_known=True)
    assert not pull.is_loaded()


def test_layers_beyond_the_bound_are_not_followed():
    pull = a_pull(*((f"{number}", "Waiting") for number in range(LAYERS_MAX + 1)), ("0", "Pull complete"))

    assert pull.progress() == PullProgress(LAYERS_MAX, 1)


def test_a_failure_is_raised_with_the_engines_words():
    with pytest.raises(ContainerRuntimeError, match="unauthorized"):
        DockerPull().take({"errorDetail": {"message": "unauthorized"}, "error": "unauthorized"})


@pytest.mark.parametrize(
    ("code", "message"), [(503, "RegistryUnavailable: <html>"), (404, "<html>"), (None, "<html>")]
)
def test_a_gateway_that_is_down_is_told_before_its_page(code, message):
    detail = {} if code is None else {"errorDetail": {"code": code}}

    assert pull_error({"error": "<html>", **detail}).message == message
