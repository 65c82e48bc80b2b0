"""What the dispatcher gives back: a whole answer, a watch, or a stream of bytes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import orjson

from minikube_py.api.errors import StatusError
from minikube_py.apiserver.io.listing import ExpiredTokenError
from minikube_py.apiserver.io.watch_session import WatchSession
from minikube_py.apiserver.io.yaml_values import dump_yaml, dump_yaml_list
from minikube_py.apiserver.negotiate import PLAIN, AnswerForm
from minikube_py.apiserver.render import PART_BYTES, Body, ListBody, status_body
from minikube_py.client.wire import ApiResponse

JSON_HEADERS: Mapping[str, str] = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class WatchResponse:
    """A watch that has been accepted."""

    session: WatchSession
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamResponse:
    """Bytes as they come (a log)."""

    chunks: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartsResponse:
    """A whole answer in parts: one that is too long to be written at once."""

    body: Body
    headers: Mapping[str, str]


Answer: TypeAlias = ApiResponse | WatchResponse | StreamResponse | PartsResponse


def parts_answer(body: Body, headers: Mapping[str, str]) -> ApiResponse | PartsResponse:
    """Return an answer that may be long; a short one is a usual answer."""
    if body.size_bytes <= PART_BYTES:
        return ApiResponse(200, body.whole(), headers)
    return PartsResponse(body, headers)


def list_answer(body: ListBody, form: AnswerForm = PLAIN) -> ApiResponse | PartsResponse:
    """Return an answer with a list."""
    return parts_answer(body, _headers(form, ()))


def encode_answer(obj: Mapping[str, Any], form: AnswerForm = PLAIN) -> bytes:
    """Return an object as JSON or YAML."""
    if form.media == "yaml":
        return dump_yaml(orjson.loads(orjson.dumps(obj)))
    if form.pretty:
        return orjson.dumps(obj, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return orjson.dumps(obj)


def indented(answer: ApiResponse) -> bytes:
    """Return an answer's body for people to read: short JSON is indented, and begins with what it is."""
    if answer.headers.get("content-type") != JSON_HEADERS["content-type"] or len(answer.body) > PART_BYTES:
        return answer.body
    value = orjson.loads(answer.body)
    if isinstance(value, dict):
        value = {key: value[key] for key in ("kind", "apiVersion") if key in value} | value
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def object_answer(
    obj: Mapping[str, Any], form: AnswerForm = PLAIN, *, status: int = 200, warnings: tuple[str, ...] = ()
) -> ApiResponse:
    """Return an answer with one object."""
    return ApiResponse(status, encode_answer(obj, form), _headers(form, warnings))


def yaml_list_answer(head: Mapping[str, Any], items: Iterable[Mapping[str, Any]], form: AnswerForm) -> ApiResponse:
    """Return an answer with a list in YAML; `head` is the list, its items left out."""
    return ApiResponse(
        200, dump_yaml_list({k: v for k, v in head.items() if k != "items"}, items), _headers(form, ())
    )


def bytes_answer(
    body: bytes, form: AnswerForm = PLAIN, *, status: int = 200, warnings: tuple[str, ...] = ()
) -> ApiResponse:
    """Return an answer whose bytes are there already."""
    return ApiResponse(status, body, _headers(form, warnings))


def text_answer(text: str, status: int = 200) -> ApiResponse:
    """Return a plain text answer."""
    return ApiResponse(status, text.encode(), {"content-type": "text/plain; charset=utf-8"})


def error_answer(error: StatusError) -> ApiResponse:
    """Return an error as its Status."""
    headers = dict(JSON_HEADERS)
    if error.warnings:
        headers["warning"] = ", ".join(_warning(text) for text in error.warnings)
    if error.retry_after_s:
        headers["retry-after"] = str(error.retry_after_s)
    body = status_body(error)
    if isinstance(error, ExpiredTokenError):
        status = orjson.loads(body)
        status["metadata"] = {"continue": error.go_on}
        body = orjson.dumps(status)
    return ApiResponse(error.code, body, headers)


def warned(answer: Answer, text: str) -> Answer:
    """Return an answer whose client is first warned of this."""
    headers = {**answer.headers, "warning": ", ".join(filter(None, (_warning(text), answer.headers.get("warning"))))}
    return replace(answer, headers=headers)


def _headers(form: AnswerForm, warnings: tuple[str, ...]) -> Mapping[str, str]:
    if form is PLAIN and not warnings:
        return JSON_HEADERS
    headers = {"content-type": form.content_type}
    if warnings:
        headers["warning"] = ", ".join(_warning(text) for text in warnings)
    return headers


def _warning(text: str) -> str:
    """Return one value of the Warning header (RFC 7234: 299 is a persistent warning, `-` no agent)."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return '299 - "' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
