import pytest

from minikube_py.kubelet.images import parse_image_name
from minikube_py.kubelet.registries import (
    NO_REGISTRIES,
    RegistriesError,
    engine_faults,
    parse_engine_registries,
    parse_registries,
    pull_places,
)

DIGEST = "sha256:" + "0" * 64


def asked(image, document):
    return [place.image for place in pull_places(parse_image_name(image), parse_registries(document))]


def mirrors(**by_registry):
    return {"mirrors": {name.replace("_", "."): value for name, value in by_registry.items()}}


def test_without_a_file_an_image_comes_from_its_registry():
    assert parse_registries(None) == NO_REGISTRIES
    assert asked("busybox:1", None) == ["busybox:1"]


def test_mirrors_are_asked_in_their_order_and_the_registry_last():
    document = mirrors(docker_io={"endpoint": ["https://a.example:5000", "http://b.example/v2/hub"]})

    assert asked("busybox", document) == [
        "a.example:5000/library/busybox:latest",
        "b.example/hub/library/busybox:latest",
        "busybox:latest",
    ]
    assert asked(f"busybox@{DIGEST}", document)[0] == f"a.example:5000/library/busybox@{DIGEST}"
    assert asked("quay.io/a:1", document) == ["quay.io/a:1"]


def test_a_star_is_the_mirror_of_registries_without_one_of_their_own():
    document = {
        "mirrors": {"*": {"endpoint": ["https://all.example"]}, "quay.io": {"endpoint": ["https://quay.example"]}}
    }

    assert asked("gcr.io/a:1", document) == ["all.example/a:1", "gcr.io/a:1"]
    assert asked("quay.io/a:1", document) == ["quay.example/a:1", "quay.io/a:1"]
    assert asked(DIGEST, document) == [DIGEST]


def test_the_first_rewrite_that_changes_the_name_counts_and_only_at_the_mirror():
    rewrite = {"^nothing/(.*)": "x/$1", "^team/(.*)": "mirror-${1}", "^app$": "last"}
    document = mirrors(r_example={"endpoint": ["https://m.example"], "rewrite": rewrite})

    assert asked("r.example/team/app:1", document) == ["m.example/mirror-app:1", "r.example/team/app:1"]
    assert asked("r.example/app:1", document)[0] == "m.example/last:1"


def test_the_registry_itself_may_stand_among_its_endpoints():
    document = mirrors(docker_io={"endpoint": ["https://registry-1.docker.io", "https://m.example"]})

    assert asked("busybox:1", document) == ["busybox:1", "m.example/library/busybox:1"]


@pytest.mark.parametrize("host", ["docker.io", "registry-1.docker.io"])
def test_credentials_of_a_host_are_found_also_by_the_names_of_docker_hub(host):
    registries = parse_registries({"configs": {host: {"auth": {"username": "me", "password": "pw"}}}})

    found = registries.auth("docker.io")
    assert found is not None
    assert (found.username, found.password) == ("me", "pw")
    assert registries.auth("other.example") is None


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (["a"], "the file: must hold `name: value` lines, not list"),
        ({"mirror": {}}, "the file: 'mirror' is not known; configs, mirrors are"),
        (mirrors(a={"endpoint": ["ftp://x"]}), "mirrors.a.endpoint: 'ftp://x' is no address"),
        (mirrors(a={"endpoint": ["https://x/y"]}), "Docker finds registries below /v2 only, such as https://x/v2/y"),
        (mirrors(a={"rewrite": {"(": "x"}}), "mirrors.a.rewrite: '(':"),
        (mirrors(a={"rewrite": {"x": "$1"}}), "mirrors.a.rewrite: 'x': invalid group reference"),
        ({"configs": {"h": {"auth": {"auth": "x"}}}}, "configs.h.auth: an auth field must be base64"),
        ({"configs": {"h": {"tls": {"ca": "x"}}}}, "configs.h.tls: 'ca' is not known"),
        ({"configs": {"h": {"tls": {"key_file": "x"}}}}, "configs.h.tls: cert_file and key_file go together"),
        ({"configs": {"https://h": {}}}, "configs.https://h: 'https://h' is no host"),
    ],
)
def test_what_cannot_be_used_is_named(document, fault):
    with pytest.raises(RegistriesError) as error:
        parse_registries(document)

    assert fault in str(error.value)


def test_all_faults_are_told_at_once():
    with pytest.raises(RegistriesError) as error:
        parse_registries({"x": {}, **mirrors(a={"endpoint": ["ftp://x"]})})

    assert len(str(error.value).splitlines()) == 2


INFO = {
    "RegistryConfig": {
        "InsecureRegistryCIDRs": ["127.0.0.0/8", "10.0.0.0/8"],
        "IndexConfigs": {"docker.io": {"Secure": True}, "named.example:5000": {"Secure": False}},
    }
}


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("127.0.0.1:5000", True),
        ("10.1.2.3:5000", True),
        ("10.1.2.3", True),
        ("192.0.2.1:5000", False),
        ("named.example:5000", True),
        ("other.example:5000", False),
        ("localhost:5000", True),
    ],
)
def test_plain_http_needs_the_engines_trust(host, trusted):
    registries = parse_registries(mirrors(a={"endpoint": [f"http://{host}"]}))
    faults = engine_faults(registries, parse_engine_registries(INFO))

    assert [host in fault and "insecure-registries" in fault for fault in faults] == ([] if trusted else [True])


def test_a_host_that_is_not_to_be_checked_needs_the_engines_trust_too():
    registries = parse_registries({"configs": {"m.example": {"tls": {"insecure_skip_verify": True}}}})

    assert len(engine_faults(registries, parse_engine_registries(INFO))) == 1
