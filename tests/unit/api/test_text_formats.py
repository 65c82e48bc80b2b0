import pytest

from minikube_py.api.text_formats import FORMATS, has_format

GOOD_AND_BAD = {
    "bsonobjectid": ("507f1f77bcf86cd799439011", "xyz"),
    "byte": ("aGVsbG8=", "a"),
    "cidr": ("10.0.0.0/8", "10.0.0.0"),
    "creditcard": ("4111 1111 1111 1111", "41"),
    "date": ("2026-01-31", "2026-02-31"),
    "date-time": ("2026-01-31T10:00:00Z", "2026-01-31"),
    "datetime": ("2026-01-31T10:00:00.5+02:00", "noon"),
    "duration": ("1h30m", "soon"),
    "email": ("a@example.com", "a"),
    "hexcolor": ("#ff00aa", "#f"),
    "hostname": ("a.example.com", "-a"),
    "ipv4": ("10.0.0.1", "::1"),
    "ipv6": ("::1", "10.0.0.1"),
    "isbn": ("978-3-16-148410-0", "978"),
    "isbn10": ("316148410X", "1"),
    "isbn13": ("9783161484100", "1"),
    "k8s-long-name": ("a.b-c.d", "A"),
    "k8s-short-name": ("a-b", "a.b"),
    "mac": ("00:1a:2B:3c:4d:5e", "00:1a"),
    "password": ("anything", None),
    "rgbcolor": ("rgb(1, 2, 3)", "rgb(1)"),
    "ssn": ("123-45-6789", "1"),
    "uri": ("https://example.com/x", "no scheme"),
    "uuid": ("123e4567-e89b-12d3-a456-426614174000", "123"),
    "uuid3": ("123e4567-e89b-32d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"),
    "uuid4": ("123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-32d3-a456-426614174000"),
    "uuid5": ("123e4567-e89b-52d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"),
}


def test_every_format_is_tried():
    assert set(GOOD_AND_BAD) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_tells_texts_that_have_it(name):
    good, bad = GOOD_AND_BAD[name]
    assert has_format(name, good)
    assert bad is None or not has_format(name, bad)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("date", text) for text in ("20260131", "2026-W05-6", "２０２６-01-31")),
        *(("date-time", text) for text in ("20260131T100000Z", "2026-01-31T10Z", "2026-01-31T10:00:00")),
        *(("email", text) for text in ("a@", "@b.c", "a@b", "a@.b", "a@b.", "a b@c.d", "a@b@c.d")),
        *(("cidr", text) for text in ("10.0.0.0/255.0.0.0", "10.0.0.0/", "fe80::1%eth0/64", "10.0.0.0/33")),
        ("ipv6", "fe80::1%eth0"),
    ],
)
def test_what_only_python_takes_is_not_of_the_format(name, text):
    assert not has_format(name, text)


def test_forms_that_are_not_so_common():
    assert has_format("email", "a@localhost")
    assert has_format("date-time", "2026-01-31t10:00:00.123456789z")
    assert has_format("cidr", "fd00::/8")


def test_a_long_text_is_looked_through_once():
    assert not has_format("email", "a@" + "." * 300_000 + " ")


def test_an_unknown_format_asks_nothing():
    assert has_format("int-or-whatever", "x")
