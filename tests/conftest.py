"""What all tests share: every store is walked over when it is closed."""

import pytest

from minikube_py.testing.store_check import stores_checked


@pytest.fixture(autouse=True)
def _stores_are_consistent(request):
    if request.node.get_closest_marker("damaged_store") is not None:
        yield
        return
    with stores_checked() as faults:
        yield
    assert faults == [], "a store that the test closed is damaged"
