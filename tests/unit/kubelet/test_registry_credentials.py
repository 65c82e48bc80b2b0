import base64
import json

import pytest

from minikube_py.kubelet.registry_credentials import (
    HUB,
    HUB_ENTRY,
    BadCredentialsError,
    decode_auth,
    matching_credentials,
    parse_docker_config,
    secret_credentials,
)


def entry(user, password="pw"):
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def found(places, repository):
    credentials = parse_docker_config(
        json.dumps({"auths": {place: entry(place.replace(":", "~")) for place in places}})
    )
    return [c.auth.username.replace("~", ":") for c in matching_credentials(credentials, repository)]


@pytest.mark.parametrize(
    ("place", "repository", "fits"),
    [
        ("r.example", "r.example/app", True),
        ("https://r.example/v1/", "r.example/app", True),
        ("http://r.example/v2/team", "r.example/team/app", True),
        ("r.example/team", "r.example/team/app", True),
        ("r.example/team", "r.example/others/app", False),
        ("r.example:5000", "r.example/app", False),
        ("r.example:5000", "r.example:5000/app", True),
        ("*.example", "r.example/app", True),
        ("*.example", "a.r.example/app", False),
        ("*.example:5000", "r.example:5000/app", True),
        ("r?.example", "r1.example/app", True),
        ("r[0-9].example", "rx.example/app", False),
        ("r[0-9].example", "r5.example/app", True),
        ("[.example", "r.example/app", False),
        ("example", "r.example/app", False),
        ("https://ENTRY/v1/", "HUB/library/busybox", True),
        ("https://ENTRY/v1/", "r.example/library/busybox", False),
        ("HUB", "HUB/user/app", True),
    ],
)
def test_an_entry_serves_the_registry_and_path_that_it_names_only(place, repository, fits):
    # A parameter is part of the test's id, and pytest keeps ids in its cache: no registry's name there.
    place = place.replace("ENTRY", HUB_ENTRY).replace("HUB", HUB)
    assert found([place], repository.replace("HUB", HUB)) == ([place] if fits else [])


def test_the_most_specific_entry_is_tried_first_and_each_login_once():
    places = ["r.example", "r.example/team/app", "other.example", "r.example/team"]

    assert found(places, "r.example/team/app") == ["r.example/team/app", "r.example/team", "r.example"]
    same = parse_docker_config(json.dumps({"auths": {p: entry("me") for p in places}}))
    assert len(matching_credentials(same, "r.example/team/app")) == 1


def test_hubs_own_entry_is_only_for_images_that_no_other_entry_fits():
    hub = f"https://{HUB_ENTRY}/v1/"

    assert found([hub, f"{HUB}/library"], f"{HUB}/library/busybox") == [f"{HUB}/library"]


def a_secret(type_, key, document):
    data = {key: base64.b64encode(json.dumps(document).encode()).decode()}
    return {"metadata": {"uid": "u", "namespace": "n", "name": "s"}, "type": type_, "data": data}


def test_both_kinds_of_secrets_give_credentials_and_others_none():
    new = a_secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", {"auths": {"a.example": entry("new")}})
    old = a_secret("kubernetes.io/dockercfg", ".dockercfg", {"b.example": {"username": "old", "password": "pw"}})
    other = a_secret("Opaque", ".dockerconfigjson", {"auths": {"c.example": entry("other")}})

    credentials = secret_credentials([new, old, other])
    assert [(c.place, c.auth.username, c.secret) for c in credentials] == [
        ("a.example", "new", "u/n/s"),
        ("b.example", "old", "u/n/s"),
    ]


@pytest.mark.parametrize("document", [{"auths": {"a.example": {"auth": "bm8tY29sb24="}}}, {"auths": ["x"]}, "x"])
def test_a_secret_that_cannot_be_read_is_named_and_nothing_of_it_shown(document):
    secret = a_secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", document)
    with pytest.raises(BadCredentialsError, match='secret "s": ') as error:
        secret_credentials([secret])

    assert "no-colon" not in str(error.value)


def test_a_password_may_hold_colons_and_padding_may_be_missing():
    text = base64.b64encode(b"me:a:b").decode().rstrip("=")

    assert decode_auth(text) == ("me", "a:b")


def test_a_password_is_not_shown_by_accident():
    (credential,) = parse_docker_config(json.dumps({"auths": {"r.example": entry("me", "hush")}}))

    assert "hush" not in repr(credential)
