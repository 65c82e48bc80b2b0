import pytest

from minikube_py.kubelet.images import (
    InvalidImageNameError,
    back_off_pull_message,
    parse_image_name,
    pull_policy,
    pulled_message,
)

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
    with pytest.raises(InvalidImageNameError, match="repository name must be lowercase"):
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
    assert back_off_pull_message("x:1", "no") == 'Back-off pulling image "x:1": ErrImagePull: no'
    assert pulled_message("x:1", 0.25, 10) == (
        'Successfully pulled image "x:1" in 250ms (250ms including waiting). Image size: 10 bytes.'
    )
