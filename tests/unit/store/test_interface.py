import pytest

from minikube_py.store.interface import CompactedError, Entry


def test_an_entry_takes_no_other_attribute_and_equals_only_itself():
    entry = Entry("/a", b"{}", 3, 4)

    assert (entry.key, entry.value, entry.create_revision, entry.mod_revision) == ("/a", b"{}", 3, 4)
    assert entry != Entry("/a", b"{}", 3, 4)
    with pytest.raises(AttributeError):
        entry.revision = 5


def test_a_compaction_error_says_what_can_still_be_had():
    error = CompactedError(17)

    assert error.oldest == 17
    assert "17" in str(error)
