"""What all tests share: examples that are the same on every machine; every store is walked over when it is closed."""

import pytest
from hypothesis import HealthCheck, settings

from minikube_py.testing.store_check import stores_checked

# How long an example takes says only how busy the machine is.
settings.register_profile("tests", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _stores_are_consistent(request):
    if request.node.get_closest_marker("damaged_store") is not None:
        yield
        return
    with stores_checked() as faults:
        yield
    assert faults == [], "a store that the test closed is damaged"
