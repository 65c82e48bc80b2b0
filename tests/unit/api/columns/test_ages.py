"""Ages are rounded as upstream rounds them."""

import pytest

from minikube_py.api.columns.ages import AGE, human_duration, since

M, H, D, Y = 60, 3600, 86400, 86400 * 365


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (-0.5, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (121, "2m1s"),
        (10 * M + 59, "10m"),
        (3 * H - 1, "179m"),
        (3 * H, "3h"),
        (3 * H + 5 * M, "3h5m"),
        (8 * H + 5 * M, "8h"),
        (2 * D - 1, "47h"),
        (2 * D, "2d"),
        (2 * D + 3 * H, "2d3h"),
        (8 * D + 3 * H, "8d"),
        (2 * Y - 1, "729d"),
        (2 * Y + 5 * D, "2y5d"),
        (6 * Y + 328 * D, "6y328d"),
        (8 * Y + D, "8y"),
    ],
)
def test_a_duration_has_one_or_two_units(seconds, text):
    assert human_duration(seconds) == text


def test_what_has_no_time_is_unknown():
    assert since(None, 5.0) == "<unknown>"
    assert AGE.cell({"metadata": {}}, 5.0) == "<unknown>"
    assert AGE.cell({"metadata": {"creationTimestamp": "1970-01-01T00:00:01Z"}}, 5.0) == "4s"
