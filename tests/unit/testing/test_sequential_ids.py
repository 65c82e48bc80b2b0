from minikube_py.testing.sequential_ids import sequential_ids


def test_ids_count_and_never_repeat():
    ids = sequential_ids()
    suffixes = [ids.new_suffix(5) for _ in range(100)]

    assert ids.new_uid() == "00000000-0000-4000-8000-000000000001"
    assert ids.new_uid() == "00000000-0000-4000-8000-000000000002"
    assert len(set(suffixes)) == 100
    assert {len(suffix) for suffix in suffixes} == {5}
