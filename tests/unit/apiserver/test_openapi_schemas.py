"""Which definitions a document needs, and how they are written."""

from minikube_py.api.schema import descriptions
from minikube_py.apiserver.openapi_schemas import reachable, render_definition

CORE = "io.k8s.api.core.v1."


def plain_reference(name, beside):
    return {"ref": name, **beside}


def test_everything_that_a_root_refers_to_is_reached():
    names = reachable([CORE + "PodList", ""])

    assert {CORE + "Pod", CORE + "Container", CORE + "TCPSocketAction"} <= set(names)
    assert CORE + "Node" not in names
    assert list(names) == sorted(names)


def test_references_are_written_by_the_document_also_in_lists_and_maps():
    spec = render_definition(CORE + "PodSpec", plain_reference)["properties"]

    assert spec["containers"]["items"]["ref"] == CORE + "Container"
    assert spec["overhead"]["additionalProperties"]["ref"].endswith("Quantity")
    assert spec["affinity"]["ref"] == CORE + "Affinity"


def test_descriptions_stand_where_they_are_installed():
    texts = descriptions().get(CORE + "Pod", {})
    rendered = render_definition(CORE + "Pod", plain_reference)

    assert rendered.get("description", "") == texts.get("", "")
    assert rendered["properties"]["spec"].get("description", "") == texts.get("spec", "")
