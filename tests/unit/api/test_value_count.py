import pytest

from minikube_py.api.errors import TooLargeError
from minikube_py.api.value_count import VALUES_MAX, check_values, count_marks


def test_commas_and_opening_brackets_are_counted():
    assert count_marks(b'{"a":[1,2,{}],"b":","}') == 7


@pytest.mark.parametrize("piece", [b"[]", b'{"a":[]}'])
def test_as_many_values_as_may_be_pass_and_one_more_does_not(piece):
    marks = count_marks(piece) + 1
    pieces = [piece] * (VALUES_MAX // marks)
    check_values(b"[" + b",".join(pieces) + b"]")
    with pytest.raises(TooLargeError):
        check_values(b"[" + b",".join([*pieces, piece, piece]) + b"]")


@pytest.mark.parametrize("text", [b"," * (VALUES_MAX * 2), rb"\",[{" * VALUES_MAX, b"\\n," * VALUES_MAX])
def test_a_long_text_is_one_value_whatever_stands_in_it(text):
    check_values(b'{"data":{"table.csv":"' + text + b'"}}')


def test_what_is_no_json_is_told_too():
    with pytest.raises(TooLargeError, match="the object has more"):
        check_values(b'"' + b"[" * VALUES_MAX + b'"' + b"[" * (VALUES_MAX + 1), "the object")
