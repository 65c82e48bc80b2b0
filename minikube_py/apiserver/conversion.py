"""Between the version in which a custom object is stored and the one in which it is asked for.

An object is stored in one version, whatever the version of the request that wrote it. Who asks for another version,
or for an object that was written under an older definition, gets a view: converted, pruned and with the defaults that
the definition gives today, as upstream decodes what it reads. Conversion `None` changes nothing but apiVersion;
conversion by webhook is a question that `io` asks (ConversionReview).

Upstream: apiextensions-apiserver apiserver/conversion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from minikube_py.api.errors import InternalError
from minikube_py.api.meta import Obj, copy_object, metadata, name_of, namespace_of, uid_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.canonical import canonical, stamp
from minikube_py.apiserver.versions import shown_entry
from minikube_py.store.interface import Entry

REVIEW_VERSION = "apiextensions.k8s.io/v1"


def is_as_stored(resource: Resource, entry: Entry) -> bool:
    """Return whether the stored bytes are what this row serves, as far as that is known without a look at them."""
    custom = resource.custom
    if custom is None:
        return resource.stored_as is None
    return resource.api_version == custom.storage_version and entry.mod_revision > custom.since


def view_of(resource: Resource, entry: Entry, obj: Obj) -> Entry | None:
    """Return an entry, whose object is `obj`, as this row serves it; None when a webhook has to convert it."""
    custom = resource.custom
    if custom is None:
        return shown_entry(resource, entry, obj)
    if needs_webhook(resource, obj, resource.api_version):
        return None
    if not custom.has_defaults and obj.get("apiVersion") == resource.api_version:
        return entry
    return render_view(resource, entry, obj)


def needs_webhook(resource: Resource, obj: Mapping[str, Any], api_version: str) -> bool:
    """Return whether a webhook has to convert the object."""
    custom = resource.custom
    return (
        custom is not None and custom.conversion.get("strategy") == "Webhook" and obj.get("apiVersion") != api_version
    )


def render_view(resource: Resource, entry: Entry, converted: Mapping[str, Any]) -> Entry:
    """Return the entry as this row serves it; `converted` is its object, or what a webhook made of it."""
    assert resource.custom is not None
    obj = copy_object(converted)
    obj["apiVersion"] = resource.api_version
    resource.custom.prune(obj)
    resource.rules.set_defaults(obj)
    value = stamp(canonical(obj), entry.mod_revision)
    if value == entry.value:
        return entry
    return Entry(entry.key, value, entry.create_revision, entry.mod_revision)


def stored_form(resource: Resource, obj: Mapping[str, Any], converted: Mapping[str, Any] | None = None) -> Obj:
    """Return an object of this row as it is stored."""
    assert resource.custom is not None
    return {**(converted if converted is not None else obj), "apiVersion": resource.custom.storage_version}


def conversion_review(objs: Sequence[Mapping[str, Any]], api_version: str, uid: str) -> Obj:
    """Return the question to a webhook: these objects in that version."""
    return {
        "kind": "ConversionReview",
        "apiVersion": REVIEW_VERSION,
        "request": {"uid": uid, "desiredAPIVersion": api_version, "objects": list(objs)},
    }


def parse_conversion_review(
    answer: Mapping[str, Any], asked: Sequence[Mapping[str, Any]], api_version: str, uid: str
) -> list[Obj]:
    """Return the converted objects of a webhook's answer, with the metadata that only the server may change.

    Raises:
        InternalError: the webhook refused, or its answer is not what was asked for.
    """
    kind = asked[0].get("kind", "")
    before = f"conversion webhook for {asked[0].get('apiVersion')}, Kind={kind} failed"
    response = answer.get("response")
    if not isinstance(response, Mapping):
        raise InternalError(f"{before}: webhook response is missing")
    if response.get("uid") != uid:
        raise InternalError(f'{before}: expected response.uid="{uid}", got "{response.get("uid")}"')
    result = response.get("result") or {}
    if result.get("status") != "Success":
        why = result.get("message") or "webhook returned no success"
        raise InternalError(f"{before}: {why}")
    converted = response.get("convertedObjects") or []
    if len(converted) != len(asked):
        raise InternalError(f"{before}: webhook returned {len(converted)} objects, expected {len(asked)}")
    return [_checked(new, old, api_version, before) for new, old in zip(converted, asked, strict=True)]


def _checked(new: Obj, old: Mapping[str, Any], api_version: str, before: str) -> Obj:
    if new.get("apiVersion") != api_version or new.get("kind") != old.get("kind"):
        shown = f"{new.get('apiVersion')}, Kind={new.get('kind')}"
        raise InternalError(f"{before}: webhook returned {shown}, expected {api_version}, Kind={old.get('kind')}")
    same = (name_of(new), namespace_of(new), uid_of(new)) == (name_of(old), namespace_of(old), uid_of(old))
    if not same:
        raise InternalError(f"{before}: name, namespace and uid may not change")
    meta = {**metadata(old)}
    for field in ("labels", "annotations"):
        meta.pop(field, None)
        if metadata(new).get(field):
            meta[field] = metadata(new)[field]
    return {**new, "metadata": meta}
