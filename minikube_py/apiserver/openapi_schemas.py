"""The definitions of the OpenAPI documents: which ones a document needs, and how each is written down.

The facts come from api/schema.py's table; descriptions are added where they are installed (`kubectl explain` shows
them). Only what the served resources reach by reference is published.

Upstream: kube-openapi pkg/builder and pkg/builder3.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.api.schema import descriptions, raw_definitions

Reference = Callable[[str, Mapping[str, Any]], Obj]
"""How a document writes a reference: (definition name, what stands beside it) -> schema."""


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the names that the table has; custom resources bring theirs."""
    table = raw_definitions()
    return tuple(sorted(name for name in names if name in table))


def reachable(roots: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all definitions that `roots` reach, themselves included, sorted."""
    table = raw_definitions()
    found: set[str] = set()
    todo = [root for root in roots if root]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(_references(table[name]))
    return tuple(sorted(found))


def _references(node: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in node:
        yield node["$ref"]
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from _references(node[key])
    for inner in node.get("properties", {}).values():
        yield from _references(inner)


def render_definition(name: str, reference: Reference) -> Obj:
    """Return one definition as a JSON schema, with its description when there is one."""
    texts = descriptions().get(name, {})
    rendered = _render(raw_definitions()[name], reference, texts)
    if texts.get(""):
        rendered["description"] = texts[""]
    return rendered


def _render(node: Mapping[str, Any], reference: Reference, texts: Mapping[str, str]) -> Obj:
    rendered: Obj = {}
    for key, value in node.items():
        if key in ("items", "additionalProperties") and isinstance(value, dict):
            rendered[key] = _render(value, reference, {})
        elif key == "properties":
            rendered[key] = {name: _property(inner, reference, texts.get(name, "")) for name, inner in value.items()}
        elif key != "$ref":
            rendered[key] = value
    return reference(node["$ref"], rendered) if "$ref" in node else rendered


def _property(node: Mapping[str, Any], reference: Reference, text: str) -> Obj:
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return reference(node["$ref"], {**beside, "description": text} if text else beside)
    rendered = _render(node, reference, {})
    if text:
        rendered["description"] = text
    return rendered
