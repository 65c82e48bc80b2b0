"""What is written down about one request while it is answered: who did what to it, for the audit log.

Upstream: apiserver audit (AddAuditAnnotation, LogRequestObject).
"""

import re
from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object, metadata

ANNOTATIONS_MAX = 256
"""Annotations of one request; further ones are left out."""
_REFERENCE = ("namespace", "name", "uid", "resourceVersion")
_KEY = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._]*/[A-Za-z0-9][-A-Za-z0-9._]*|[A-Za-z0-9][-A-Za-z0-9._]*")


class AuditTrail:
    """The annotations of one request's audit events, the first value of a key stays; and what the client sent."""

    __slots__ = ("annotations", "keeps_request", "object_ref", "request_object")

    def __init__(self, *, keeps_request: bool = False) -> None:
        self.annotations: dict[str, str] = {}
        self.keeps_request = keeps_request
        self.request_object: Obj | None = None
        """The object in the request, whatever form its body had."""
        self.object_ref: Mapping[str, str] = {}
        """What the object in the request says of itself (upstream: the rest of an ObjectReference)."""

    def annotate(self, key: str, value: str) -> None:
        """Add an annotation; a key that is there already, or is none, is left alone."""
        if len(self.annotations) < ANNOTATIONS_MAX and _KEY.fullmatch(key):
            self.annotations.setdefault(key, value)

    def sent(self, obj: Mapping[str, Any]) -> None:
        """Keep which object the client sent, and the whole of it if that is to be written down."""
        meta = metadata(obj)
        self.object_ref = {field: str(meta[field]) for field in _REFERENCE if meta.get(field)}
        if self.keeps_request:
            self.request_object = copy_object(obj)
