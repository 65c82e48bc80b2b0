"""schemathesis against the server's own documents (`scripts/soak schemathesis` is the long form)."""

import pytest

from minikube_py.testing.api_fuzz import fuzz

pytestmark = pytest.mark.slow
STRIDE = 7
"""Of so many operations one is tried: a count and no clock, so that a busy machine tries the same."""


def test_every_operation_keeps_to_its_own_description():
    said = fuzz(seconds=300, seed=1, examples=1, stride=STRIDE)

    assert "200:" in said
    assert "404:" in said
