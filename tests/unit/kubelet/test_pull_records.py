import pytest

from minikube_py.kubelet.cri import RegistryAuth
from minikube_py.kubelet.pull_records import SECRETS_MAX, PullRecords, parse_pull_records
from minikube_py.kubelet.registry_credentials import Credential

ID, REPO = "sha256:1", "r.example/app"


def a_credential(secret, password="pw"):
    return Credential("r.example", RegistryAuth("me", password, "r.example"), secret)


MINE = a_credential("u1/n/mine")


def test_an_image_that_was_not_pulled_here_is_open_to_all():
    assert not PullRecords().must_pull(ID, REPO, ())


@pytest.mark.parametrize("used", [None, Credential("r.example", RegistryAuth("node", "x", ""))])
def test_what_anybody_or_the_node_could_pull_is_open_to_all(used):
    assert PullRecords().with_pull(ID, REPO, used).is_open(ID, REPO)


def test_what_a_secret_opened_is_for_those_who_show_it_or_one_of_the_same_content():
    records = PullRecords().with_pull(ID, REPO, MINE)

    assert records.must_pull(ID, REPO, ())
    assert records.must_pull(ID, REPO, (a_credential("u2/n/other", "no"),))
    assert not records.must_pull(ID, REPO, (a_credential("u1/n/mine", "renewed"),))
    assert not records.must_pull(ID, REPO, (a_credential("u2/n/other"),))


def test_the_same_image_under_another_name_has_to_be_pulled():
    assert PullRecords().with_pull(ID, REPO, None).must_pull(ID, "other.example/app", (MINE,))


def test_an_image_that_was_open_once_stays_open():
    records = PullRecords().with_pull(ID, REPO, None).with_pull(ID, REPO, MINE)

    assert records.is_open(ID, REPO)


def test_records_outlast_the_kubelet_and_hold_no_password():
    records = PullRecords().with_pull(ID, REPO, MINE).with_pull("sha256:2", REPO, None)
    text = records.render()

    assert parse_pull_records(text) == records
    assert '"pw"' not in text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": {"a": {"b": {}}}}'])
def test_what_is_no_record_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_pull_records(text)


def test_an_image_that_is_gone_is_forgotten():
    records = PullRecords().with_pull(ID, REPO, MINE)

    assert not records.without(ID).must_pull(ID, REPO, ())
    assert records.without("sha256:9") is records


def test_what_is_remembered_of_one_image_is_bounded():
    records = PullRecords()
    for number in range(SECRETS_MAX + 1):
        records = records.with_pull(ID, REPO, a_credential(f"u{number}/n/s", str(number)))

    assert records.must_pull(ID, REPO, (a_credential("u0/n/s", "0"),))
    assert not records.must_pull(ID, REPO, (a_credential(f"u{SECRETS_MAX}/n/s", "x"),))
