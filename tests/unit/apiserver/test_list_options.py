import pytest

from minikube_py.api.errors import BadRequestError, InvalidError
from minikube_py.api.resources import CONFIGMAPS, PODS
from minikube_py.apiserver.list_options import (
    ContinueFrom,
    Filter,
    decode_continue,
    encode_continue,
    parse_list_options,
)
from minikube_py.apiserver.routes import Route

LIST = Route(PODS, "list", "n", "")
WATCH = Route(PODS, "watch", "n", "")


def test_options_read_as_they_are_meant():
    options = parse_list_options(
        WATCH,
        {
            "labelSelector": "a=b",
            "fieldSelector": "spec.nodeName=n1",
            "resourceVersion": "7",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": "9",
        },
    )
    assert (options.resource_version, options.timeout_s, options.bookmarks) == ("7", 9, True)
    assert options.filter.namespace == "n"
    assert options.filter.matches(PODS, {"metadata": {"labels": {"a": "b"}}, "spec": {"nodeName": "n1"}})
    assert not options.filter.matches(PODS, {"metadata": {"labels": {"a": "b"}}, "spec": {}})
    assert not options.filter.matches(PODS, {"metadata": {}, "spec": {"nodeName": "n1"}})


def test_a_name_in_the_path_filters():
    assert parse_list_options(Route(PODS, "watch", "n", "p"), {}).filter.name() == "p"


def test_the_same_filter_is_equal_and_hashable():
    query = {"labelSelector": "a in (x,y)", "fieldSelector": "metadata.name=p"}
    first, second = (parse_list_options(LIST, query).filter for _ in range(2))
    assert first == second
    assert len({first, second}) == 1
    assert Filter("n").everything
    assert not first.everything


def test_any_state_ignores_the_limit():
    assert parse_list_options(LIST, {"resourceVersion": "0", "limit": "5"}).limit == 0


def test_a_token_leads_back_to_where_it_was_made():
    position = ContinueFrom(42, "n/pod-1")
    options = parse_list_options(LIST, {"continue": encode_continue(position), "limit": "1"})
    assert options.go_on == position


@pytest.mark.parametrize("token", ["abc", "e30", "bm90IGpzb24", encode_continue(ContinueFrom(1, "a/../b"))])
def test_a_token_that_is_none_of_ours_is_refused(token):
    with pytest.raises(BadRequestError, match="invalid continue token: continue key is not valid"):
        decode_continue(token)


@pytest.mark.parametrize(
    ("route", "query", "error", "message"),
    [
        (LIST, {"limit": "abc"}, BadRequestError, 'strconv.ParseInt: parsing "abc": invalid syntax'),
        (LIST, {"resourceVersion": "abc"}, BadRequestError, 'parsing "abc": invalid syntax'),
        (LIST, {"fieldSelector": "spec.foo=1"}, BadRequestError, "field label not supported: spec.foo"),
        *(
            (
                Route(PODS, "watch", "n", "p"),
                {"fieldSelector": selector},
                BadRequestError,
                "fieldSelector metadata.name doesn't match requested name",
            )
            for selector in ("metadata.name=q", "metadata.name!=p", "spec.nodeName=n1")
        ),
        (
            Route(CONFIGMAPS, "list", "n", ""),
            {"fieldSelector": "data.a=1"},
            BadRequestError,
            '"data.a" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (
            LIST,
            {"resourceVersion": "3", "continue": encode_continue(ContinueFrom(1, "a"))},
            BadRequestError,
            "specifying resource version is not allowed when using continue",
        ),
        (LIST, {"resourceVersionMatch": "Exact"}, InvalidError, "forbidden unless resourceVersion is provided"),
        (
            LIST,
            {"resourceVersionMatch": "Exact", "resourceVersion": "0"},
            InvalidError,
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
        ),
        (LIST, {"resourceVersionMatch": "Sort", "resourceVersion": "1"}, InvalidError, "supported values"),
        (LIST, {"sendInitialEvents": "true"}, InvalidError, "sendInitialEvents is forbidden for list"),
        (WATCH, {"sendInitialEvents": "true"}, InvalidError, "requires setting resourceVersionMatch to NotOlderThan"),
        (WATCH, {"resourceVersionMatch": "Exact", "resourceVersion": "1"}, InvalidError, "forbidden for watch"),
    ],
)
def test_options_that_make_no_sense_are_refused(route, query, error, message):
    with pytest.raises(error, match=message):
        parse_list_options(route, query)
