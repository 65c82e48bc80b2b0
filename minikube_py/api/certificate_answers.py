"""What a CertificateSigningRequest came to, for whoever made it."""

import base64
from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import ForbiddenError
from minikube_py.api.rules.certificates import DENIED, FAILED


def certificate_of(request: Mapping[str, Any]) -> str:
    """Return the certificate (PEM) that answers a request, empty while there is no answer.

    Raises:
        ForbiddenError: the answer is no.
    """
    status = request.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") in (DENIED, FAILED):
            raise ForbiddenError(str(condition.get("message") or condition.get("reason") or "denied"))
    return base64.b64decode(status.get("certificate") or "").decode()
