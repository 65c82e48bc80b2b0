import pytest

from minikube_py.api.errors import BadRequestError, NotAcceptableError
from minikube_py.apiserver.negotiate import PLAIN, AnswerForm, choose_form, is_read_by_people

KUBECTL_GET = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", PLAIN),
        ("*/*", PLAIN),
        ("application/json", PLAIN),
        ("application/vnd.kubernetes.protobuf, application/json", PLAIN),
        ("text/html, application/xhtml+xml, */*;q=0.8", PLAIN),
        ("application/yaml", AnswerForm("yaml")),
        (KUBECTL_GET, AnswerForm("json", "Table", "v1")),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", AnswerForm("json", "Table", "v1beta1")),
        ("application/json;as=Table;v=v9;g=meta.k8s.io,application/json", PLAIN),
        (
            "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
            AnswerForm("json", "PartialObjectMetadata", "v1"),
        ),
    ],
)
def test_the_first_form_that_both_know_is_taken(accept, form):
    assert choose_form(accept, {}) == form


@pytest.mark.parametrize("accept", ["text/html", "application/vnd.kubernetes.protobuf", "application/json;as=Frob"])
def test_without_a_common_form_the_answer_says_which_there_are(accept):
    with pytest.raises(NotAcceptableError, match="only the following media types are accepted: application/json"):
        choose_form(accept, {})


def test_rows_carry_what_the_client_asks_for():
    assert choose_form(KUBECTL_GET, {"includeObject": "Object"}).include_object == "Object"
    assert choose_form(KUBECTL_GET, {}).include_object == "Metadata"


def test_rows_cannot_carry_anything_else():
    with pytest.raises(BadRequestError, match="Unable to convert to Table as requested: includeObject"):
        choose_form(KUBECTL_GET, {"includeObject": "Most"})
    assert choose_form("application/json", {"includeObject": "Most"}).plain


def test_people_read_what_curl_wget_and_browsers_show():
    assert is_read_by_people("curl/8.5.0")
    assert not is_read_by_people("kubectl/v1.33.1 (linux/amd64) curl")


def test_stored_bytes_may_go_out_only_when_nothing_is_to_be_changed():
    assert choose_form("application/json", {}).plain
    assert not choose_form(KUBECTL_GET, {}).plain
    assert not choose_form("application/json", {"pretty": "true"}).plain
    assert not choose_form("application/yaml", {}).plain
