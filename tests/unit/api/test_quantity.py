import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikube_py.api.quantity import (
    WRONG_FORMAT,
    WRONG_NUMBER,
    WRONG_SUFFIX,
    Quantity,
    QuantityError,
    canonical_quantity,
    parse_quantity,
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("0", "0"),
        ("1", "1"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("1.", "1"),
        ("2000", "2k"),
        ("128974848", "128974848"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1025Ki", "1025Ki"),
        ("1.5Ki", "1536"),
        ("1e3", "1e3"),
        ("12E6", "12e6"),
        ("1e0", "1"),
        ("100E", "9223372036854775807"),
        ("-1500m", "-1500m"),
        ("+3", "3"),
        ("0.0000000001", "1n"),
        ("5E", "5E"),
    ],
)
def test_every_quantity_has_one_canonical_text(text, kept):
    assert canonical_quantity(text) == kept


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", WRONG_FORMAT),
        ("abc", WRONG_FORMAT),
        ("1 Gi", WRONG_FORMAT),
        ("1..5", WRONG_FORMAT),
        ("-", WRONG_FORMAT),
        ("Mi", WRONG_NUMBER),
        ("1Kii", WRONG_SUFFIX),
        ("1mi", WRONG_SUFFIX),
        ("1e", WRONG_SUFFIX),
        ("1e99999999", WRONG_SUFFIX),
        ("1" * 300, WRONG_FORMAT),
    ],
)
def test_what_is_no_quantity_is_refused_in_upstreams_words(text, message):
    with pytest.raises(QuantityError) as caught:
        parse_quantity(text)

    assert str(caught.value) == message


def test_amounts_add_and_round_up():
    total = parse_quantity("100m") + parse_quantity("1")

    assert (str(total), total.milli, total.value) == ("1100m", 1100, 2)
    assert str(parse_quantity("1Gi") - parse_quantity("512Mi")) == "512Mi"
    assert parse_quantity("1Gi").nano > parse_quantity("1G").nano


@given(st.integers(-(2**70), 2**70), st.sampled_from(["DecimalSI", "BinarySI", "DecimalExponent"]))
def test_canonical_text_keeps_the_amount_and_becomes_stable(nano, form):
    quantity = Quantity(nano, form)
    text = canonical_quantity(str(quantity))

    assert canonical_quantity(text) == text
    assert parse_quantity(text).value == quantity.value
    if form != "BinarySI":  # which rounds up to whole units
        assert (text, parse_quantity(text).nano) == (str(quantity), nano)
