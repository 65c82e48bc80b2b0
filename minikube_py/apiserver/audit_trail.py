"""What is written down about one request while it is answered: who did what to it, for the audit log.

Upstream: apiserver audit (AddAuditAnnotation, LogRequestObject).
"""

import re
from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object

ANNOTATIONS_MAX = 256
"""Annotations of one request; further ones are left out."""
_KEY = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._]*/[A-Za-z0-9][-A-Za-z0-9._]*|[A-Za-z0-9][-A-Za-z0-9._]*")


class AuditTrail:
    """The annotations of one request's audit events, the first value of a key stays; and what the client sent."""

    __slots__ = ("annotations", "keeps_request", "request_object")

    def __init__(self, *, keeps_request: bool = False) -> None:
        self.annotations: dict[str, str] = {}
        self.keeps_request = keeps_request
        self.request_object: Obj | None = None
        """The object in the request, whatever form its body had."""

    def annotate(self, key: str, value: str) -> None:
        """Add an annotation; a key that is there already, or is none, is left alone."""
        if len(self.annotations) < ANNOTATIONS_MAX and _KEY.fullmatch(key):
            self.annotations.setdefault(key, value)

    def sent(self, obj: Mapping[str, Any]) -> None:
        """Keep the object that the client sent, if it is to be written down."""
        if self.keeps_request:
            self.request_object = copy_object(obj)
