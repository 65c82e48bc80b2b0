import pytest

from minikube_py.api.cel.names import unescape_field


@pytest.mark.parametrize(
    ("field", "identifier"),
    [
        ("size", "size"),
        ("namespace", "__namespace__"),
        ("a-b", "a__dash__b"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("__x", "__underscores__x"),
    ],
)
def test_an_identifier_stands_for_a_field(field, identifier):
    assert unescape_field(identifier) == field
