"""Times that anybody may have written."""

import pytest

from minikube_py.controllers.timestamps import seconds_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-01T00:00:00Z", 1767225600.0),
        ("2026-01-01T01:00:00+01:00", 1767225600.0),
        ("yesterday", -1.0),
        ("", -1.0),
        (None, -1.0),
    ],
)
def test_what_cannot_be_read_is_the_default(text, expected) -> None:
    assert seconds_of(text, -1.0) == expected
