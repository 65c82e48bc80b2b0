"""What a CertificateSigningRequest came to, for whoever made it."""

import base64
from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import ConflictError, ForbiddenError
from minikube_py.api.rules.certificates import DENIED, FAILED, NAME_PROMISED


def certificate_of(request: Mapping[str, Any]) -> str:
    """Return the certificate (PEM) that answers a request, empty while there is no answer.

    Raises:
        ForbiddenError: the answer is no.
        ConflictError: the answer is no for now; the same request made anew may get another one.
    """
    status = request.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") in (DENIED, FAILED):
            reason = condition.get("reason")
            kind = ConflictError if reason == NAME_PROMISED else ForbiddenError
            raise kind(str(condition.get("message") or reason or "denied"))
    return base64.b64decode(status.get("certificate") or "").decode()
