"""schemathesis against the server's own documents (`scripts/soak schemathesis` is the long form)."""

import pytest

from minikube_py.testing.api_fuzz import fuzz

pytestmark = pytest.mark.slow


def test_every_operation_keeps_to_its_own_description():
    said = fuzz(seconds=10, seed=1, examples=1)

    assert "200:" in said
    assert "404:" in said
