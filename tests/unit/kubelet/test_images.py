import pytest

from minikube_py.kubelet.images import (
    InvalidImageNameError,
    back_off_pull_message,
    go_duration,
    joined_errors,
    missing_secrets_message,
    parse_image_name,
    pull_failure,
    pull_policy,
    pulled_message,
)

HUB = "docker.io"
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "asked", "tag"),
    [
        ("busybox", "busybox:latest", "latest"),
        ("busybox:1.29", "busybox:1.29", "1.29"),
        ("localhost:5000/a/b", "localhost:5000/a/b:latest", "latest"),
        ("r.example/a/b_c-d:v1", "r.example/a/b_c-d:v1", "v1"),
        (f"busybox@{DIGEST}", f"busybox@{DIGEST}", ""),
        (DIGEST, DIGEST, ""),
    ],
)
def test_a_name_gets_its_default_tag(text, asked, tag):
    name = parse_image_name(text)

    assert (name.text, name.tag) == (asked, tag)


@pytest.mark.parametrize("text", ["", "a b", "x:", "-x", "BUSYBOX:1"])
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(InvalidImageNameError, match="Failed to apply default image tag"):
        parse_image_name(text)


def test_upper_case_is_named_as_the_fault():
    with pytest.raises(
        InvalidImageNameError, match=r"format: repository name \(library/BUSYBOX\) must be lowercase$"
    ):
        parse_image_name("BUSYBOX:1.29")


@pytest.mark.parametrize(
    ("declared", "text", "policy"),
    [
        ("", "a", "Always"),
        ("", "a:latest", "Always"),
        ("", "a:1", "IfNotPresent"),
        ("", f"a@{DIGEST}", "IfNotPresent"),
        ("Never", "a", "Never"),
        ("Always", "a:1", "Always"),
    ],
)
def test_the_pull_policy_has_upstreams_defaults(declared, text, policy):
    assert pull_policy(declared, parse_image_name(text)) == policy


def test_messages_read_as_upstreams():
    assert back_off_pull_message("x:1", "ErrImagePull: no") == 'Back-off pulling image "x:1": ErrImagePull: no'
    assert back_off_pull_message("x:1", "") == 'Back-off pulling image "x:1"'
    assert pulled_message("x:1", 0.25, 61.2, 10) == (
        'Successfully pulled image "x:1" in 250ms (1m1.2s including waiting). Image size: 10 bytes.'
    )
    assert missing_secrets_message(["a", "b"]) == (
        "Unable to retrieve some image pull secrets (a, b); attempting to pull the image may not succeed."
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0s"),
        (0.0859, "85ms"),
        (0.9999, "999ms"),
        (1.0, "1s"),
        (1.25, "1.25s"),
        (120.5, "2m0.5s"),
        (3725.0, "1h2m5s"),
    ],
)
def test_durations_are_shown_as_go_shows_them(seconds, shown):
    assert go_duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("busybox:1", "HUB/library/busybox"),
        ("index.HUB/busybox", "HUB/library/busybox"),
        ("user/app", "HUB/user/app"),
        ("localhost/app:1", "localhost/app"),
        ("r.example:5000/a/b:1", "r.example:5000/a/b"),
        (f"quay.io/a@{DIGEST}", "quay.io/a"),
        (DIGEST, ""),
    ],
)
def test_a_repository_has_dockers_defaults(text, repository):
    # A parameter is part of the test's id, and pytest keeps ids in its cache: no registry's name there.
    assert parse_image_name(text.replace("HUB", HUB)).repository == repository.replace("HUB", HUB)


def test_a_registry_behind_a_dead_gateway_has_a_reason_of_its_own():
    assert pull_failure("x:1", "RegistryUnavailable: 502") == (
        "RegistryUnavailable",
        "image pull failed for x:1 because the registry is unavailable: 502",
    )
    assert pull_failure("x:1", "denied") == ("ErrImagePull", "denied")


def test_errors_of_several_tries_are_joined_without_repeats():
    assert joined_errors(["a"]) == "a"
    assert joined_errors(["a", "b", "a"]) == "[a, b]"
