"""Programs that know passwords: real ones, in a time that only the test moves."""

import json
from dataclasses import replace

import pytest

from minikube_py.api.resources import SERVICE_ACCOUNTS
from minikube_py.kubelet.credential_provider import CredentialProviderError
from minikube_py.kubelet.images import parse_image_name
from minikube_py.kubelet.io.credential_providers import CredentialProviders, read_providers
from minikube_py.kubelet.io.image_sources import ImageSources
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.pod import parse_pod
from minikube_py.testing.fake_client import FakeClient
from minikube_py.testing.fake_runtime import unwatched
from minikube_py.testing.kubelet_lab import a_kubelet_lab, a_pod
from minikube_py.testing.manual_clock import ManualClock

V1 = "credentialprovider.kubelet.k8s.io/v1"
SAYS = {
    "kind": "CredentialProviderResponse",
    "apiVersion": V1,
    "cacheKeyType": "Registry",
    "cacheDuration": "10m",
    "auth": {"r.example": {"username": "me", "password": "pw"}},
}


@pytest.fixture
def folder(tmp_path):
    """A program that counts how often it runs, and the file that sets it up."""
    program = tmp_path / "ask"
    program.write_text(f'#!/bin/sh\ncd {tmp_path}\ncat >>asked\necho "$1 $WHO" >>runs\ncat says\nexit $(cat code)\n')
    program.chmod(0o755)
    (tmp_path / "code").write_text("0")
    (tmp_path / "says").write_text(json.dumps(SAYS))
    provider = {
        "name": "ask",
        "apiVersion": V1,
        "matchImages": ["r.example", "*.r.example"],
        "defaultCacheDuration": "1m",
        "args": ["get"],
        "env": [{"name": "WHO", "value": "node"}],
    }
    head = {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig"}
    (tmp_path / "config.yaml").write_text(json.dumps({**head, "providers": [provider]}))
    return tmp_path


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def client(clock):
    return FakeClient(clock)


@pytest.fixture
def providers(folder, client, clock):
    objects = ObjectReader(client, clock, 5.0)
    return CredentialProviders(read_providers(folder / "config.yaml", folder), str(folder), objects, clock)


def runs(folder):
    return (folder / "runs").read_text().splitlines()


async def test_a_program_is_asked_with_its_arguments_and_its_answer_holds_for_its_time(providers, folder, clock):
    (credential,) = await providers.credentials("r.example/app", None)
    assert (credential.place, credential.auth.password) == ("r.example", "pw")
    assert json.loads((folder / "asked").read_text())["image"] == "r.example/app"
    assert runs(folder) == ["get node"]

    await providers.credentials("r.example/other", None)
    assert len(runs(folder)) == 1
    await clock.advance(600)
    await providers.credentials("r.example/app", None)
    assert len(runs(folder)) == 2


async def test_another_registry_is_asked_about_anew_and_one_that_is_not_its_own_never(providers, folder):
    for repository in ("a.r.example/app", "b.r.example/app", "a.r.example/app", "x.example/app"):
        await providers.credentials(repository, None)

    assert len(runs(folder)) == 2


@pytest.mark.parametrize(("code", "says"), [("3", ""), ("0", "nonsense"), ("0", "{}")])
async def test_a_program_that_fails_takes_nothing_away_and_is_asked_again(providers, folder, code, says):
    (folder / "code").write_text(code)
    (folder / "says").write_text(says)
    assert await providers.credentials("r.example/app", None) == ()
    (folder / "code").write_text("0")
    (folder / "says").write_text(json.dumps(SAYS))

    assert len(await providers.credentials("r.example/app", None)) == 1


def test_a_file_or_a_program_that_cannot_be_used_is_named(folder):
    with pytest.raises(CredentialProviderError, match="the credential provider ask is not in"):
        read_providers(folder / "config.yaml", folder.parent)
    with pytest.raises(CredentialProviderError, match="No such file"):
        read_providers(folder / "none.yaml", folder)
    (folder / "config.yaml").write_text("{}")
    with pytest.raises(CredentialProviderError, match="config.yaml: it must be of kind"):
        read_providers(folder / "config.yaml", folder)


async def test_a_pull_tries_what_a_program_knows_after_what_the_node_has(folder):
    lab = a_kubelet_lab()
    name = parse_image_name("r.example/app:1")
    lab.runtime.registry[name.text] = lab.runtime.add_image(name.text)
    lab.runtime.registry_logins[name.text] = ("me", "pw")
    lab.files.texts["/node/config.json"] = json.dumps({"auths": {"r.example": {"auth": "bm9kZTpwdw=="}}})
    config = replace(
        lab.config,
        docker_config_paths=("/node/config.json",),
        credential_providers=read_providers(folder / "config.yaml", folder),
        image_credential_provider_bin_dir=str(folder),
    )
    sources = ImageSources(config, lab.ports(), ObjectReader(lab.client, lab.clock, 5.0))

    await sources.pull(None, name, unwatched)
    assert lab.runtime.pulls == [(name.text, "node"), (name.text, "me")]


def wants_accounts(folder, **more):
    """Set the program up anew: it wants to know whose pod pulls."""
    config = json.loads((folder / "config.yaml").read_text())
    attributes = {"serviceAccountTokenAudience": "registry", "cacheType": "ServiceAccount", **more}
    config["providers"][0]["tokenAttributes"] = attributes
    (folder / "config.yaml").write_text(json.dumps(config))


def a_puller(account):
    return parse_pod(a_pod("web", serviceAccountName=account))


async def test_each_service_account_gets_answers_of_its_own(folder, client, clock):
    wants_accounts(folder, requireServiceAccount=True, requiredServiceAccountAnnotationKeys=["team"])
    for name, annotations in (("one", {"team": "a"}), ("two", {"team": "b"}), ("none", {})):
        metadata = {"name": name, "namespace": "default", "annotations": annotations}
        await client.create(SERVICE_ACCOUNTS, {"metadata": metadata})
    objects = ObjectReader(client, clock, 5.0)
    providers = CredentialProviders(read_providers(folder / "config.yaml", folder), str(folder), objects, clock)
    asked = [
        len(await providers.credentials("r.example/app", a_puller(account)))
        for account in ("one", "two", "one", "none", "absent", "")
    ]

    assert asked == [1, 1, 1, 0, 0, 0]
    assert len(runs(folder)) == 2
    assert "one@" in (folder / "asked").read_text()
    assert await providers.credentials("r.example/app", None) == ()


async def test_a_program_that_can_do_without_an_account_is_asked_without(folder, client, clock):
    wants_accounts(folder, requireServiceAccount=False)
    objects = ObjectReader(client, clock, 5.0)
    providers = CredentialProviders(read_providers(folder / "config.yaml", folder), str(folder), objects, clock)

    assert len(await providers.credentials("r.example/app", None)) == 1
    assert "serviceAccountToken" not in (folder / "asked").read_text()


async def test_what_a_service_account_opened_is_for_its_pods_without_another_pull(folder):
    wants_accounts(folder, requireServiceAccount=True)
    lab = a_kubelet_lab()
    for name in ("one", "two"):
        await lab.client.create(SERVICE_ACCOUNTS, {"metadata": {"name": name, "namespace": "default"}})
    name = parse_image_name("r.example/app:1")
    lab.runtime.registry[name.text] = lab.runtime.add_image(name.text, "me")
    lab.runtime.registry_logins[name.text] = ("me", "pw")
    providers = read_providers(folder / "config.yaml", folder)
    config = replace(lab.config, credential_providers=providers, image_credential_provider_bin_dir=str(folder))
    sources = ImageSources(config, lab.ports(), ObjectReader(lab.client, lab.clock, 5.0))
    image = await sources.pull(a_puller("one"), name, unwatched)

    usable = [await sources.may_use(a_puller(account), name, image) for account in ("one", "two", "")]
    assert usable == [True, False, False]
