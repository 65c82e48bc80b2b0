"""In which form an answer goes out: the Accept header against what can be written.

Objects can be written as JSON and YAML, and as JSON be transformed into a Table or PartialObjectMetadata. Protobuf
is read but not written: clients that prefer it list JSON behind it, and take that.

Upstream: apiserver endpoints/handlers/negotiation and handlers/response.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from minikube_py.api.errors import BadRequestError, NotAcceptableError

Media = Literal["json", "yaml"]
Transform = Literal["", "Table", "PartialObjectMetadata"]
IncludeObject = Literal["None", "Metadata", "Object"]

_TRANSFORMS: Mapping[str, Transform] = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadata",
}
_TRANSFORM_VERSIONS = ("v1", "v1beta1")
_MEDIA: Mapping[str, Media] = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "application/yaml": "yaml",
}
ACCEPTED = "application/json, application/yaml"
FORMS_CACHED_MAX = 256
"""Accept headers whose meaning is kept: each client sends a few, always the same."""
_BARE_CLIENTS = ("curl", "Wget", "Mozilla/5.0")
_RANGES_MAX = 64
"""Media ranges after this many are not looked at."""


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How to write an answer; `version` is that of the transform's API group meta.k8s.io."""

    media: Media = "json"
    transform: Transform = ""
    version: str = "v1"
    include_object: IncludeObject = "Metadata"
    pretty: bool = False

    @property
    def plain(self) -> bool:
        """Return whether stored bytes can go out as they are."""
        return self.media == "json" and not self.transform and not self.pretty

    @property
    def plain_table(self) -> bool:
        """Return whether it is the Table that `kubectl get` asks for."""
        return self.transform == "Table" and self.include_object == "Metadata" and not self.pretty

    @property
    def content_type(self) -> str:
        """Return the Content-Type header of the answer."""
        return f"application/{self.media}"


PLAIN = AnswerForm()


def choose_form(accept: str, query: Mapping[str, str]) -> AnswerForm:
    """Return the first form that the client accepts and this server writes.

    Raises:
        NotAcceptableError: there is none.
    """
    if not query:
        return _chosen(accept)
    return _chosen(accept, query.get("includeObject", "Metadata"), query.get("pretty", "") in ("1", "true"))


@lru_cache(maxsize=FORMS_CACHED_MAX)
def _chosen(accept: str, include: str = "Metadata", pretty: bool = False) -> AnswerForm:
    for media_range in accept.split(",")[:_RANGES_MAX] if accept.strip() else ("*/*",):
        media_type, *rest = (part.strip() for part in media_range.split(";"))
        media = _MEDIA.get(media_type.lower())
        if media is None:
            continue
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        wanted = parameters.get("as", "")
        if not wanted:
            return AnswerForm(media, pretty=pretty)
        transform = _TRANSFORMS.get(wanted)
        version = parameters.get("v", "")
        if transform and parameters.get("g") == "meta.k8s.io" and version in _TRANSFORM_VERSIONS:
            return AnswerForm(media, transform, version, _included(include, transform), pretty)
    raise NotAcceptableError(f"only the following media types are accepted: {ACCEPTED}")


def _included(include: str, transform: Transform) -> IncludeObject:
    if include in ("None", "Object"):
        return "None" if include == "None" else "Object"
    if include not in ("", "Metadata") and transform == "Table":
        why = f"includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise BadRequestError(f"Unable to convert to Table as requested: {why}")
    return "Metadata"


def is_read_by_people(user_agent: str) -> bool:
    """Return whether a client shows answers as they come (upstream: isPrettyPrint): JSON is indented for it."""
    return user_agent.startswith(_BARE_CLIENTS)
