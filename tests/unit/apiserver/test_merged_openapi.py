"""OpenAPI v2 of other servers beside our own."""

from minikube_py.apiserver.merged_openapi import NOTHING_ELSE, merge_parts, own_part, together

KIND = [{"group": "x.io", "version": "v1", "kind": "Thing"}]


def pointer(name):
    return {"$ref": f"#/definitions/{name}"}


def a_document(**definitions):
    get = {"responses": {"200": {"description": "", "schema": pointer("Thing")}}}
    return {"paths": {"/apis/x.io/v1/things": {"get": get}, "/apis/x.io/v10/things": {}}, "definitions": definitions}


THING = {"type": "object", "properties": {"meta": pointer("Meta")}}


def test_of_a_document_its_group_version_counts_and_what_it_needs():
    other = {"type": "object", "x-kubernetes-group-version-kind": KIND}
    paths, definitions = own_part(
        a_document(Thing=THING, Meta={"type": "object"}, Unused={"type": "string"}, Options=other), "/apis/x.io/v1"
    )

    assert list(paths) == ["/apis/x.io/v1/things"]
    assert list(definitions) == ["Meta", "Options", "Thing"]


def test_what_is_no_document_has_no_part():
    assert own_part({}, "/apis/x.io/v1") is None
    assert own_part({"paths": [], "definitions": {}}, "/apis/x.io/v1") is None
    assert own_part(a_document(), "/apis/other.io/v1") is None


def test_the_same_definition_stands_once_and_another_gets_a_new_name():
    part = own_part(a_document(Thing=THING, Meta={"type": "object", "description": "theirs"}), "/apis/x.io/v1")
    same = merge_parts(together((part,)), {"Meta": {"type": "object", "description": "theirs"}})
    other = merge_parts(together((part,)), {"Meta": {"type": "object", "description": "ours"}})

    assert list(same[1]) == ["Thing"]
    assert other[1]["Meta_v2"]["description"] == "theirs"
    assert other[1]["Thing"]["properties"]["meta"] == pointer("Meta_v2")


def test_two_servers_do_not_share_names_by_accident():
    first = ({"/apis/a/v1/x": {}}, {"Meta": {"type": "object"}})
    second = ({"/apis/b/v1/x": {"get": pointer("Meta")}}, {"Meta": {"type": "string"}})
    paths, definitions = merge_parts(together((first, second)), {})

    assert definitions == {"Meta": {"type": "object"}, "Meta_v2": {"type": "string"}}
    assert paths["/apis/b/v1/x"]["get"] == pointer("Meta_v2")


def test_nothing_is_one_value():
    assert together(()) is NOTHING_ELSE
