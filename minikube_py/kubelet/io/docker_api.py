"""The Docker engine's HTTP API through aiodocker: bounded in time, two pools, one error type.

This is the one module that touches aiodocker, its private `_query` included (pinned to 0.27 for that reason). What
it adds are answers to things that went wrong for others:

- One pool of connections stalls everything when streams fill it. Here control calls have a pool of their own
  (`CONTROL_CONNECTIONS_MAX`), streams (logs, events, exec) another one without a limit.
- aiodocker's `_query` does not close its response: a stream left half-way keeps its connection for ever.
  `stream` closes it explicitly, however its user leaves.
- aiodocker sets no deadlines and takes the daemon's newest API version. Here every call has a deadline, and the
  version is the newest that this program is written for (`API_VERSION_MAX`), if the daemon still speaks it.
- Errors arrive as DockerError with a status, as DockerStreamError inside a progress stream with status 0, as 900 when
  there is no engine, or with JSON in the text. All of them leave as ContainerRuntimeError with the engine's words.
"""

import asyncio
import errno
import io
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiodocker
import aiohttp
from aiodocker.exceptions import DockerError

from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.docker_records import choose_api_version, pull_error_kind, unpack_message
from minikube_py.kubelet.io.hijacked_stream import HijackedStream

API_VERSION_MIN = (1, 40)
"""Docker 19.03: the first with everything that container_spec renders."""
API_VERSION_MAX = (1, 44)
"""Docker 25: the oldest that Docker 29 still accepts."""
CONTROL_CONNECTIONS_MAX = 32
"""At the limit a control call waits for a connection, inside its own deadline."""

CALL_TIMEOUT_S = 120.0
"""Create, start, kill, remove: an engine under heavy load takes its time."""
READ_TIMEOUT_S = 10.0
"""List, inspect, ping: when these take longer the engine is ill, and the node should say so."""
LOAD_TIMEOUT_S = 600.0

_ENGINE_UNREACHABLE = 900
"""aiodocker's own status."""
_KINDS: Mapping[int, RuntimeErrorKind] = {
    404: RuntimeErrorKind.NOT_FOUND,
    409: RuntimeErrorKind.CONFLICT,
    503: RuntimeErrorKind.UNAVAILABLE,
    _ENGINE_UNREACHABLE: RuntimeErrorKind.UNAVAILABLE,
}

# Nobody types this by chance; Docker's own default would hold back each Ctrl-P of a shell's history.
_DETACH_KEYS = "ctrl-^,ctrl-@,ctrl-^,ctrl-@"


T = TypeVar("T")
Json = dict[str, Any]
Call = Callable[[aiodocker.Docker], Awaitable[T]]


@dataclass(frozen=True, slots=True)
class _Pool:
    docker: aiodocker.Docker
    connector: aiohttp.BaseConnector

    async def close(self) -> None:
        await self.docker.close()
        await self.connector.close()


class DockerApi:
    """One engine. Methods raise ContainerRuntimeError; `docker_host` is `unix:///path` (or tcp://host:port)."""

    def __init__(self, docker_host: str) -> None:
        self.docker_host = docker_host
        self._control: _Pool | None = None
        self._streams: _Pool | None = None
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        pools = (self._control, self._streams)
        self._control = self._streams = None
        for pool in pools:
            if pool is not None:
                await pool.close()

    @property
    def api_version(self) -> str:
        """The version in use, such as `1.41`; empty before the first call."""
        return self._control.docker.api_version.removeprefix("v") if self._control is not None else ""

    async def version(self) -> Json:
        """Return GET /version: engine, kernel, architecture. The cheapest call that shows a working engine."""
        return await self._read(lambda docker: docker.version())

    async def info(self) -> Json:
        """Return GET /info: cgroup driver, root folder, counts."""
        return dict(await self._read(lambda docker: docker.system.info()))

    async def list_containers(self, labels: tuple[str, ...]) -> list[Json]:
        """Return the short records of the containers, dead ones too, with all `labels` (`key` or `key=value`)."""
        filters = json.dumps({"label": list(labels)})
        # Raw, since `containers.list` wraps each record in an object that hides what it carries.
        found = await self._read(
            lambda docker: docker._query_json("containers/json", params={"all": True, "filters": filters})  # noqa: SLF001
        )
        return list(found)

    async def inspect_container(self, container: str) -> Json:
        """Return a container's full record, by id or name."""
        return await self._read(lambda docker: docker.containers.container(container).show())

    async def find_container(self, container: str) -> Json | None:
        """Return a container's full record, or None when there is no such container."""
        try:
            return await self.inspect_container(container)
        except ContainerRuntimeError as error:
            if error.kind is RuntimeErrorKind.NOT_FOUND:
                return None
            raise

    async def create_container(self, name: str, body: Json) -> str:
        """Create a container and return its id."""
        made = await self._call(lambda docker: docker.containers.create(body, name=name))
        return str(made.id)

    async def start_container(self, container: str) -> None:
        """Start a container; fine when it runs."""
        await self._call(lambda docker: docker.containers.container(container).start())

    async def kill_container(self, container: str, signal: str) -> None:
        """Send a signal; CONFLICT when the container does not run."""
        await self._call(lambda docker: docker.containers.container(container).kill(signal=signal))

    async def update_container(self, container: str, body: Json) -> None:
        """Change a container's resources."""
        await self._call(
            lambda docker: docker._query_json(f"containers/{container}/update", "POST", data=body)  # noqa: SLF001
        )

    async def remove_container(self, container: str) -> None:
        """Remove a container with its anonymous volumes, killing it if needed."""
        await self._call(lambda docker: docker.containers.container(container).delete(force=True, v=True))

    async def resize_container(self, container: str, width: int, height: int) -> None:
        """Tell a container's terminal its size."""
        await self._call(lambda docker: docker.containers.container(container).resize(h=height, w=width))

    async def create_exec(self, container: str, command: list[str], *, tty: bool, stdin: bool) -> str:
        """Prepare a command in a running container and return the exec's id."""
        made = await self._call(
            lambda docker: docker.containers.container(container).exec(
                command, stdin=stdin, tty=tty, detach_keys=_DETACH_KEYS
            )
        )
        return str(made.id)

    async def inspect_exec(self, exec_id: str) -> Json:
        """Return an exec's record: Running, ExitCode, Pid (on the host)."""
        return await self._read(lambda docker: docker.containers.exec(exec_id).inspect())

    async def resize_exec(self, exec_id: str, width: int, height: int) -> None:
        """Tell an exec's terminal its size."""
        await self._call(lambda docker: docker.containers.exec(exec_id).resize(h=height, w=width))

    async def start_exec(self, exec_id: str) -> HijackedStream:
        """Start a prepared command; the caller closes the stream."""
        docker = await self._client(streams=True)
        return await self._bounded(
            HijackedStream.open(docker.containers.exec(exec_id).start(detach=False)), CALL_TIMEOUT_S
        )

    async def attach_container(self, container: str, *, stdin: bool) -> HijackedStream:
        """Join a container's own streams from now on; the caller closes the stream."""
        docker = await self._client(streams=True)
        joined = docker.containers.container(container).attach(
            stdout=True, stderr=True, stdin=stdin, detach_keys=_DETACH_KEYS
        )
        return await self._bounded(HijackedStream.open(joined), CALL_TIMEOUT_S)

    async def list_images(self) -> list[Json]:
        """Return the short records of all images with a name or a container."""
        return list(await self._read(lambda docker: docker.images.list()))

    async def inspect_image(self, image: str) -> Json:
        """Return an image's full record, by name or id."""
        return await self._read(lambda docker: docker.images.inspect(image))

    async def tag_image(self, image: str, repository: str, tag: str) -> None:
        """Give an image one more name."""
        await self._call(lambda docker: docker.images.tag(image, repository, tag=tag))

    async def containers_of_image(self, image_id: str) -> list[str]:
        """Return the ids of all containers, of whomever, that were made from an image or from one built on it."""
        filters = json.dumps({"ancestor": [image_id]})
        found = await self._read(
            lambda docker: docker._query_json("containers/json", params={"all": True, "filters": filters})  # noqa: SLF001
        )
        return [str(entry["Id"]) for entry in found]

    async def remove_image(self, image: str) -> None:
        """Remove one name of an image, and the image with its last name; CONFLICT while a container needs it."""
        await self._call(lambda docker: docker.images.delete(image))

    async def load_images(self, archive: bytes | AsyncIterator[bytes]) -> list[str]:
        """Load a `docker save` archive and return what the engine says it loaded (names or ids)."""
        docker = await self._client(streams=True)
        body = io.BytesIO(archive) if isinstance(archive, bytes) else archive
        lines = await self._bounded(docker.images.import_image(body), LOAD_TIMEOUT_S)
        said = [str(line["stream"]) for line in lines if "stream" in line]
        return [line.partition(": ")[2].strip() for line in said if line.startswith("Loaded image")]

    @asynccontextmanager
    async def stream(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        stall_s: float | None = None,
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """Open a long answer and give its bytes as they come; whatever happens, the connection is closed at the end.

        Args:
            path: below the version, without a leading slash.
            method: the HTTP method.
            params: the query.
            headers: further request headers.
            stall_s: TIMEOUT when nothing came for so long; None waits for ever.
        """
        docker = await self._client(streams=True)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=READ_TIMEOUT_S, sock_read=stall_s)
        opening = docker._do_query(  # noqa: SLF001
            path, method, params=dict(params), headers=dict(headers or {}), timeout=timeout
        )
        response = await self._bounded(opening, CALL_TIMEOUT_S)
        try:
            yield self._chunks(response)
        finally:
            response.close()

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        while chunk := await self._bounded(response.content.readany(), None):
            yield chunk

    async def _read(self, call: Call[T]) -> T:
        return await self._bounded(call(await self._client()), READ_TIMEOUT_S)

    async def _call(self, call: Call[T]) -> T:
        return await self._bounded(call(await self._client()), CALL_TIMEOUT_S)

    async def _client(self, *, streams: bool = False) -> aiodocker.Docker:
        async with self._connecting:
            if self._control is None or self._streams is None:
                version = await self._negotiate()
                self._control = self._open(CONTROL_CONNECTIONS_MAX, version)
                self._streams = self._open(0, version)
            return (self._streams if streams else self._control).docker

    async def _negotiate(self) -> str:
        # On its own and unversioned: what the daemon says here decides how all further calls are addressed.
        pool = self._open(1, "auto")
        try:
            asked = pool.docker._query_json("version", versioned_api=False)  # noqa: SLF001
            said = await self._bounded(asked, READ_TIMEOUT_S)
        finally:
            await pool.close()
        newest, oldest = str(said["ApiVersion"]), str(said.get("MinAPIVersion") or "1.12")
        engine = f"Docker {said['Version']} at {self.docker_host}"
        return "v" + choose_api_version(engine, newest, oldest, API_VERSION_MIN, API_VERSION_MAX)

    def _open(self, connections_max: int, version: str) -> _Pool:
        scheme, _, address = self.docker_host.partition("://")
        connector: aiohttp.BaseConnector
        if scheme == "unix":
            # With a connector of ours the host in the URL is only a name.
            connector, url = aiohttp.UnixConnector(address, limit=connections_max), "unix://localhost"
        else:
            connector, url = aiohttp.TCPConnector(limit=connections_max), f"http://{address}"
        return _Pool(aiodocker.Docker(url, connector, api_version=version), connector)

    async def _bounded(self, work: Awaitable[T], timeout_s: float | None) -> T:
        try:
            async with asyncio.timeout(timeout_s):
                return await work
        except DockerError as error:
            raise await self._translate(error) from error
        except TimeoutError as error:
            waited = f" within {timeout_s:g} s" if timeout_s is not None else " for too long"
            raise ContainerRuntimeError(RuntimeErrorKind.TIMEOUT, f"Docker did not answer{waited}") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise ContainerRuntimeError(
                RuntimeErrorKind.UNAVAILABLE, f"lost the connection to Docker at {self.docker_host}: {error}"
            ) from error

    async def _translate(self, error: DockerError) -> ContainerRuntimeError:
        message = unpack_message(str(error.message))
        if error.status == _ENGINE_UNREACHABLE:
            # What aiodocker caught is there only as the context of what it raised.
            forbidden = getattr(error.__context__, "errno", None) == errno.EACCES
            what_to_do = "this user may not use it, run this as root" if forbidden else "is it running?"
            message = f"cannot reach Docker at {self.docker_host}: {what_to_do}"
        if error.status == 400 and "client version" in message:
            # The engine was replaced under us by one that speaks other versions: the next call asks again.
            await self.close()
        if error.status == 0:
            return ContainerRuntimeError(pull_error_kind(message), message)
        return ContainerRuntimeError(_KINDS.get(error.status, RuntimeErrorKind.REFUSED), message)
