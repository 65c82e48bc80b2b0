import json
from dataclasses import replace

import pytest

from minikube_py.kubelet.credential_provider import (
    CredentialProvider,
    CredentialProviderError,
    TokenAttributes,
    cache_keys,
    caller_of,
    missing_annotations,
    missing_programs,
    parse_answer,
    parse_providers,
    render_request,
)

V1 = "credentialprovider.kubelet.k8s.io/v1"
PROVIDER = {
    "name": "ask",
    "apiVersion": V1,
    "matchImages": ["*.r.example", "q.example:5000/team"],
    "defaultCacheDuration": "12h",
    "args": ["get", 1],
    "env": [{"name": "A", "value": "b"}],
}
HEAD = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig"}
ASK = CredentialProvider("ask", V1, ("*.r.example", "q.example:5000/team"), 43200.0, ("get", "1"), (("A", "b"),))


def answer(**fields):
    document = {"kind": "CredentialProviderResponse", "apiVersion": V1, "cacheKeyType": "Registry", **fields}
    return parse_answer(ASK, "a.r.example/app", json.dumps(document))


def test_a_configuration_names_programs_and_what_they_are_asked_about():
    assert parse_providers({**HEAD, "providers": [PROVIDER]}) == (ASK,)


@pytest.mark.parametrize(
    ("repository", "asked"),
    [
        ("a.r.example/app", True),
        ("r.example/app", False),
        ("q.example:5000/team/app", True),
        ("q.example:5000/other", False),
        ("q.example/team/app", False),
    ],
)
def test_only_about_its_registries_a_program_is_asked(repository, asked):
    assert ASK.matches(repository) is asked


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "it must be a CredentialProviderConfig"),
        ({"providers": [PROVIDER]}, "it must be of kind CredentialProviderConfig"),
        (HEAD, "providers: at least one is needed"),
        ({**HEAD, "providers": [PROVIDER, PROVIDER]}, "providers: 'ask' is there twice"),
        ({**HEAD, "providers": [{**PROVIDER, "name": "../sh"}]}, "providers[0].name: '../sh' is no name"),
        ({**HEAD, "providers": [{**PROVIDER, "apiVersion": "v9"}]}, "providers[0].apiVersion: 'v9' is not one of"),
        ({**HEAD, "providers": [{**PROVIDER, "matchImages": []}]}, "providers[0].matchImages: at least one"),
        ({**HEAD, "providers": [{**PROVIDER, "defaultCacheDuration": "1d"}]}, "'1d' is not a duration"),
        ({**HEAD, "providers": [{**PROVIDER, "tokens": {}}]}, "'tokens' is not known to this"),
        ({**HEAD, "providers": [{**PROVIDER, "tokenAttributes": {}}]}, "serviceAccountTokenAudience: it is needed"),
        ({**HEAD, "providers": [{**PROVIDER, "tokenAttributes": {"cacheType": "No"}}]}, "'No' is neither"),
        ({**HEAD, "providers": [{**PROVIDER, "tokenAttributes": {"other": 1}}]}, "tokenAttributes: 'other' is not"),
        (
            {**HEAD, "providers": [{**PROVIDER, "apiVersion": f"{V1}beta1", "tokenAttributes": {}}]},
            f"tokenAttributes: only with apiVersion {V1}",
        ),
    ],
)
def test_what_cannot_be_used_is_named(document, fault):
    with pytest.raises(CredentialProviderError) as error:
        parse_providers(document)

    assert fault in str(error.value)


def test_a_program_reads_which_image_it_is_about():
    assert json.loads(render_request(ASK, "a.r.example/app")) == {
        "apiVersion": V1,
        "kind": "CredentialProviderRequest",
        "image": "a.r.example/app",
    }


def test_an_answer_has_credentials_and_says_how_long_and_for_what_it_holds():
    said = answer(cacheDuration="90s", auth={"https://a.r.example": {"username": "u", "password": "p"}})

    (credential,) = said.credentials
    assert (credential.place, credential.auth.username, credential.auth.password) == ("a.r.example", "u", "p")
    assert credential.secret == ""
    assert (said.cache_key, said.cache_s) == ("a.r.example", 90.0)
    assert answer().cache_s == 43200.0
    assert answer(cacheKeyType="Image", cacheDuration="0s").cache_key == "a.r.example/app"
    assert answer(cacheKeyType="Global").cache_key == ""
    assert cache_keys("a.r.example/app") == ("a.r.example/app", "a.r.example", "")


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"kind": "Other"}, "must be a CredentialProviderResponse"),
        ({"apiVersion": "v9"}, "must be a CredentialProviderResponse"),
        ({"cacheKeyType": "World"}, "cacheKeyType must be one of Image, Registry, Global"),
        ({"auth": {"h": {"username": "hush"}}}, "not of the right form"),
        ({"cacheDuration": "soon"}, "not of the right form"),
    ],
)
def test_an_answer_that_is_none_is_refused_and_none_of_it_told(fields, fault):
    with pytest.raises(CredentialProviderError, match=fault) as error:
        answer(**fields)

    assert "hush" not in str(error.value)


def test_a_program_that_is_missing_is_named():
    assert missing_programs((ASK,), "/bin", ["other"]) == ("the credential provider ask is not in /bin",)
    assert missing_programs((ASK,), "/bin", ["ask"]) == ()


TOKEN = TokenAttributes("registry", False, True, ("team",), ("mail",))
ACCOUNT = {
    "metadata": {
        "name": "puller",
        "namespace": "n",
        "uid": "u1",
        "annotations": {"team": "a", "mail": "m", "other": "o"},
    }
}


def test_a_program_may_want_to_know_the_service_account():
    attributes = {
        "serviceAccountTokenAudience": "registry",
        "cacheType": "ServiceAccount",
        "requireServiceAccount": True,
        "requiredServiceAccountAnnotationKeys": ["team"],
        "optionalServiceAccountAnnotationKeys": ["mail"],
    }
    (provider,) = parse_providers({**HEAD, "providers": [{**PROVIDER, "tokenAttributes": attributes}]})

    assert provider.token == TOKEN
    assert missing_annotations(TOKEN, ACCOUNT) == ()
    assert missing_annotations(TOKEN, {"metadata": {}}) == ("team",)


def test_a_program_is_told_of_the_account_and_its_answer_is_for_that_account_alone():
    caller = caller_of(TOKEN, ACCOUNT, "t1")
    request = json.loads(render_request(ASK, "a.r.example/app", caller))
    said = {"kind": "CredentialProviderResponse", "apiVersion": V1, "cacheKeyType": "Global"}
    auth = {"a.r.example": {"username": "u", "password": "p"}}
    (credential,) = parse_answer(ASK, "a.r.example/app", json.dumps({**said, "auth": auth}), caller).credentials

    assert request["serviceAccountToken"] == "t1"
    assert request["serviceAccountAnnotations"] == {"team": "a", "mail": "m"}
    assert credential.secret == "serviceaccount/u1/n/puller"


def test_an_answer_holds_for_an_account_while_its_annotations_stay_or_for_one_token():
    other = {"metadata": {**ACCOUNT["metadata"], "annotations": {"team": "b"}}}
    by_token = replace(TOKEN, cache_by_token=True)

    assert caller_of(TOKEN, ACCOUNT, "t1").cache_part == caller_of(TOKEN, ACCOUNT, "t2").cache_part
    assert caller_of(TOKEN, ACCOUNT, "t1").cache_part != caller_of(TOKEN, other, "t1").cache_part
    assert caller_of(by_token, ACCOUNT, "t1").cache_part != caller_of(by_token, ACCOUNT, "t2").cache_part
