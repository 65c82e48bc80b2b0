"""One connection to the API server: what the HTTP parser refuses is a Status too, as everything else is."""

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod

from minikube_py.api.errors import BadRequestError, InternalError, MethodNotSupportedError, StatusError
from minikube_py.apiserver.render import status_body


class StatusRequestHandler(web.RequestHandler):
    """One connection; what the HTTP parser refuses is answered with a Status, as everything else is."""

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
