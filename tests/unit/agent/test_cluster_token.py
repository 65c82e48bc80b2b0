"""The cluster's own token: made once, kept where INTERFACE says, tied to the cluster's CA."""

import pytest

from minikube_py.agent.cluster_token import cluster_token
from minikube_py.agent.errors import AgentError
from minikube_py.api.join_tokens import hash_of_ca, parse_token, server_token
from minikube_py.config import collect_settings, parse_config
from minikube_py.kit.own_address import OwnAddress

CA, OTHER_CA = b"one", b"other"


@pytest.fixture
def token(tmp_path):
    (tmp_path / "server").mkdir()

    def token(ca_pem=CA, **flags):
        given = {"data-dir": str(tmp_path), **{name.replace("_", "-"): value for name, value in flags.items()}}
        config = parse_config(collect_settings(given, {}, {}), host_name="n1", default_ip=OwnAddress("192.0.2.7", ""))
        return cluster_token(config, ca_pem)

    return token


def kept(tmp_path) -> str:
    return (tmp_path / "server/token").read_text()


def test_a_token_is_made_once_and_kept_for_root_alone(token, tmp_path):
    first = token()

    assert kept(tmp_path) == first.render() + "\n"
    assert (tmp_path / "server/token").stat().st_mode & 0o777 == 0o600
    assert token() == first
    assert (first.id, first.ca_hash) == ("server", hash_of_ca(CA))


def test_a_password_becomes_the_token_of_this_cluster(token, tmp_path):
    assert token(token="secret") == server_token("secret", CA)
    assert parse_token(kept(tmp_path)) == server_token("secret", CA)


def test_a_password_may_come_from_a_file(token, tmp_path):
    (tmp_path / "password").write_text("from-file\n")

    assert token(token_file=str(tmp_path / "password")) == server_token("from-file", CA)


def test_a_password_of_an_earlier_version_stays_good(token, tmp_path):
    (tmp_path / "server/token").write_text("0123abcd\n")

    assert token() == server_token("0123abcd", CA)
    assert kept(tmp_path).startswith("K10")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (server_token("secret", OTHER_CA).render(), "token of another cluster"),
        (f"K10{hash_of_ca(CA)}::abcdef.0123456789abcdef", "a password, or K10…::server:PASSWORD"),
        ("two words", "no spaces"),
    ],
)
def test_what_cannot_be_the_clusters_token_is_refused_and_not_kept(token, tmp_path, given, words):
    with pytest.raises(AgentError, match=words):
        token(token=given)
    assert not (tmp_path / "server/token").exists()


def test_a_file_that_is_missing_or_empty_is_said(token, tmp_path):
    (tmp_path / "empty").touch()

    for name, words in (("missing", "cannot be read"), ("empty", "is empty")):
        with pytest.raises(AgentError, match=words):
            token(token_file=str(tmp_path / name))
