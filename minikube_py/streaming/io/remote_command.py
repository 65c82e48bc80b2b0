"""exec and attach: which transport the client asks for."""

from aiohttp import web

from minikube_py.api.errors import BadRequestError
from minikube_py.api.streams import ContainerRef, ExecOptions, PodStreams
from minikube_py.streaming.io.spdy_command import serve_spdy
from minikube_py.streaming.io.websocket_command import serve_websocket


async def serve_remote_command(
    request: web.BaseRequest, ref: ContainerRef, options: ExecOptions, streams: PodStreams
) -> web.StreamResponse:
    """Run a command in a container over the transport that the request asks to upgrade to.

    Raises:
        BadRequestError: it asks for none that is served.
    """
    upgrade = request.headers.get("Upgrade", "").lower()
    if upgrade == "websocket":
        return await serve_websocket(request, ref, options, streams)
    if upgrade.startswith("spdy/3.1"):
        return await serve_spdy(request, ref, options, streams)
    raise BadRequestError("Upgrade request required")
