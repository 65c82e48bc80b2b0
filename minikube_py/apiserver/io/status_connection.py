"""One connection to the API server: who is at its other end, and a Status for what the HTTP parser refuses."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from minikube_py.api.errors import BadRequestError, InternalError, MethodNotSupportedError, StatusError
from minikube_py.apiserver.render import status_body
from minikube_py.apiserver.users import UserInfo
from minikube_py.kit.peer_subject import PeerSubject, subject_of


@dataclass(frozen=True, slots=True)
class Peer:
    """The client certificate of a connection, as TLS has verified it; None and nothing when there is none."""

    certificate: Mapping[str, object] | None
    der: bytes
    subject: PeerSubject | None


class StatusRequestHandler(web.RequestHandler):
    """One connection; what the HTTP parser refuses is answered with a Status, as everything else is."""

    _peer: Peer | None = None
    user: UserInfo | None = None
    """Who the client is by its certificate, once that is known."""

    @property
    def peer(self) -> Peer:
        """Return who the client is, which is looked at once in the life of a connection."""
        if self._peer is None:
            transport = self.transport
            certificate = transport.get_extra_info("peercert") if transport is not None else None
            der = b""
            if transport is not None and certificate:
                der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            self._peer = Peer(certificate, der, subject_of(certificate, der))
        return self._peer

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that cannot be read, or in which the server failed."""
        if status >= 500:
            super().handle_error(request, status, exc, message)  # logs it
            error: StatusError = InternalError("Internal error occurred: the request could not be served")
        elif isinstance(exc, BadHttpMethod):
            error = MethodNotSupportedError("the server does not allow this method on the requested resource")
        else:
            error = BadRequestError(f"the request cannot be understood: {message or exc}")
        response = web.Response(status=error.code, body=status_body(error), content_type="application/json")
        response.headers["Cache-Control"] = "no-cache, private"
        response.force_close()
        return response
