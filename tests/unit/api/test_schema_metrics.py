from minikube_py.api.schema import raw_definitions
from minikube_py.api.schema_metrics import METRICS_DEFINITIONS


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_every_reference_leads_to_a_definition_and_none_hides_one_of_the_table():
    assert set(references(METRICS_DEFINITIONS)) <= set(raw_definitions())
    assert set(METRICS_DEFINITIONS) <= set(raw_definitions())
