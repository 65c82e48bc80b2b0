import pytest

from minikube_py.client.interface import Change


def test_the_latest_of_a_change_is_the_new_object_or_the_last_state_of_a_deleted_one():
    old, new = {"metadata": {"name": "old"}}, {"metadata": {"name": "new"}}

    assert Change(None, new).latest is new
    assert Change(old, new).latest is new
    assert Change(old, None).latest is old
    with pytest.raises(AssertionError):
        _ = Change(None, None).latest
