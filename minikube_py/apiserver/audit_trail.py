"""What is written down about one request while it is answered: who did what to it, for the audit log.

Upstream: apiserver audit (AddAuditAnnotation).
"""

import re

ANNOTATIONS_MAX = 256
"""Annotations of one request; further ones are left out."""
_KEY = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._]*/[A-Za-z0-9][-A-Za-z0-9._]*|[A-Za-z0-9][-A-Za-z0-9._]*")


class AuditTrail:
    """The annotations of one request's audit events; the first value of a key stays."""

    __slots__ = ("annotations",)

    def __init__(self) -> None:
        self.annotations: dict[str, str] = {}

    def annotate(self, key: str, value: str) -> None:
        """Add an annotation; a key that is there already, or is none, is left alone."""
        if len(self.annotations) < ANNOTATIONS_MAX and _KEY.fullmatch(key):
            self.annotations.setdefault(key, value)
