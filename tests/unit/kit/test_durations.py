import pytest

from minikube_py.kit.durations import DurationError, parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25)])
def test_durations_are_spelled_as_go_spells_them(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "s", "1m x"])
def test_other_texts_are_no_durations(text):
    with pytest.raises(DurationError):
        parse_duration(text)
