import pytest

from minikube_py.api.cel.names import escape_field, unescape_field


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
def test_fields_and_identifiers_stand_for_one_another(field, identifier):
    assert escape_field(field) == identifier
    assert unescape_field(identifier) == field
