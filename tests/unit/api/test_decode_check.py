import pytest

from minikube_py.api.decode_check import checker, is_base64, is_micro_time, is_quantity, is_time
from minikube_py.api.schema import schema_of

POD = checker(schema_of("v1", "Pod"))


@pytest.mark.parametrize(
    ("spec", "sound"),
    [
        ({"containers": [{"name": "c"}]}, True),
        ({"containers": None}, False),
        ({"containers": [None]}, False),
        ({"bogus": 1}, False),
        ({"priority": True}, False),
        ({"priority": 2**31 - 1}, True),
        ({"priority": 2**31}, False),
        ({"hostNetwork": 1}, False),
        ({"containers": [{"livenessProbe": {"httpGet": {"port": "http"}}}]}, True),
        ({"containers": [{"livenessProbe": {"httpGet": {"port": 1.5}}}]}, False),
    ],
    ids=str,
)
def test_only_objects_that_need_no_mending_pass(spec, sound):
    assert POD({"spec": spec}) is sound


def test_unknown_names_are_not_remembered():
    assert not POD({"spec": {"later": 1}})
    assert not POD({"spec": {"later": 1}})


def test_canonical_scalars_are_recognised():
    assert is_time("2026-01-31T00:00:00Z")
    assert not is_time("2026-02-31T00:00:00Z")
    assert not is_time("2026-01-31T00:00:00.0Z")
    assert is_micro_time("2026-01-31T00:00:00.000001Z")
    assert is_base64("YQ==")
    assert not is_base64("YQ")
    assert is_quantity("1Gi")
    assert not is_quantity("1024Mi")
