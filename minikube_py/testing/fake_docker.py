"""A Docker engine in memory behind a real socket: for what a real engine does rarely, or only when it is ill.

It keeps names, containers and images, runs nothing, and speaks as much of the API as kubelet/io uses. A test makes it
ill: names of containers that are gone (`phantom_names`), a host that refuses negative OOM scores, an image that was
pruned, an event stream that is cut, an engine that hangs (`hang`), errors as Docker words them.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

SCORE_REFUSAL = (
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
    "can't get final child's PID from pipe: EOF: unknown"
)
Json = dict[str, Any]


class FakeDocker:
    """One engine; its state is open to the test."""

    def __init__(self) -> None:
        self.version: Json = {
            "Version": "20.10.24",
            "ApiVersion": "1.41",
            "MinAPIVersion": "1.12",
            "Arch": "amd64",
            "KernelVersion": "6.1",
        }
        self.containers: dict[str, Json] = {}
        self.images: dict[str, Json] = {}
        """By id."""
        self.phantom_names: set[str] = set()
        self.refuses_scores = False
        self.unkillable = False
        self.hang = asyncio.Event()
        self.hang.set()
        """Cleared: inspects of containers are not answered until it is set."""
        self.requests: list[str] = []
        self.loads = 0
        self.loaded_bytes = 0
        self.loadable: tuple[Json, ...] = ()
        """The images that any load brings."""
        self.pull_lines: list[Json] = []
        self.pull_hangs = False
        """After its lines a pull sends nothing more and does not end."""
        self.events: list[bytes] = []
        """What an event stream sends; each stream gets all that is there, then what comes, until `cut`."""
        self.event_queries: list[dict[str, str]] = []
        self._changed = asyncio.Event()
        self._cut = 0
        self._made = 0

    def send_event(self, action: str, container: str, pod_uid: str, nanoseconds: int) -> None:
        """Send an event to all streams."""
        actor = {"ID": container, "Attributes": {"io.kubernetes.pod.uid": pod_uid}}
        self.send_line(json.dumps({"Action": action, "Actor": actor, "timeNano": nanoseconds}).encode())

    def send_line(self, line: bytes) -> None:
        """Send any line to all event streams."""
        self.events.append(line + b"\n")
        self._wake()

    def cut_events(self) -> None:
        """End all event streams; what was sent so far is forgotten."""
        self._cut += 1
        self.events.clear()
        self._wake()

    def exit_container(self, container: str, exit_code: int) -> None:
        """End a container's process."""
        state = self.containers[container]["State"]
        state.update(Status="exited", Running=False, Pid=0, ExitCode=exit_code, FinishedAt="2026-01-01T00:00:09Z")

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def serving(self, folder: Path) -> AsyncGenerator[str, None]:
        """Serve on a socket in `folder` and give the docker host's name."""
        app = web.Application()
        prefix = "/{version:v[0-9.]+}"
        app.router.add_get("/version", self._version)
        app.router.add_get(prefix + "/version", self._version)
        app.router.add_get(prefix + "/info", self._info)
        app.router.add_get(prefix + "/events", self._events)
        app.router.add_get(prefix + "/containers/json", self._list)
        app.router.add_post(prefix + "/containers/create", self._create)
        app.router.add_get(prefix + "/containers/{id}/json", self._inspect)
        app.router.add_post(prefix + "/containers/{id}/start", self._start)
        app.router.add_post(prefix + "/containers/{id}/kill", self._kill)
        app.router.add_delete(prefix + "/containers/{id}", self._remove)
        app.router.add_post(prefix + "/images/load", self._load)
        app.router.add_post(prefix + "/images/create", self._pull)
        app.router.add_get(prefix + "/images/{id:.*}/json", self._image)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        socket = folder / "docker.sock"
        await web.UnixSite(runner, str(socket)).start()
        try:
            yield f"unix://{socket}"
        finally:
            self.cut_events()
            self.hang.set()
            await runner.cleanup()

    async def _version(self, request: web.Request) -> web.Response:
        self.requests.append(request.path)
        return web.json_response(self.version, content_type="application/json")

    async def _info(self, request: web.Request) -> web.Response:
        return web.json_response({"CgroupDriver": "cgroupfs", "OperatingSystem": "Debian", "DockerRootDir": "/d"})

    async def _create(self, request: web.Request) -> web.Response:
        body, name = await request.json(), request.query["name"]
        self.requests.append(f"create {name}")
        if body["Image"] not in self.images:
            return _error(404, f"No such image: {body['Image']}")
        holders = [c["Id"] for c in self.containers.values() if c["Name"] == f"/{name}"]
        holder = holders[0] if holders else ("0" * 64 if name in self.phantom_names else "")
        if holder:
            return _error(
                409,
                f'Conflict. The container name "/{name}" is already in use by container "{holder}". '
                "You have to remove (or rename) that container to be able to reuse that name.",
            )
        self._made += 1
        identity = f"{self._made:064x}"
        self.containers[identity] = {
            "Id": identity,
            "Name": f"/{name}",
            "Created": f"2026-01-01T00:00:0{self._made % 10}Z",
            "Image": body["Image"],
            "Config": {key: value for key, value in body.items() if key != "HostConfig"},
            "HostConfig": body["HostConfig"],
            "State": {"Status": "created", "Running": False, "Pid": 0, "ExitCode": 0, "Error": ""},
        }
        return web.json_response({"Id": identity}, status=201)

    async def _inspect(self, request: web.Request) -> web.Response:
        await self.hang.wait()
        found = self.containers.get(request.match_info["id"])
        return web.json_response(found) if found else _error(404, f"No such container: {request.match_info['id']}")

    async def _list(self, request: web.Request) -> web.Response:
        wanted = [label.partition("=") for label in json.loads(request.query["filters"])["label"]]
        entries = []
        for container in self.containers.values():
            labels = container["Config"]["Labels"]
            if all(key in labels and value in ("", labels[key]) for key, _, value in wanted):
                entries.append(
                    {
                        "Id": container["Id"],
                        "Names": [container["Name"]],
                        "ImageID": container["Image"],
                        "Created": 1767225600,
                        "State": container["State"]["Status"],
                        "Labels": labels,
                        "HostConfig": {"NetworkMode": container["HostConfig"]["NetworkMode"]},
                    }
                )
        return web.json_response(entries)

    async def _start(self, request: web.Request) -> web.Response:
        container = self.containers.get(request.match_info["id"])
        if container is None:
            return _error(404, f"No such container: {request.match_info['id']}")
        self.requests.append(f"start {container['Name'].removeprefix('/')}")
        if self.refuses_scores and container["HostConfig"]["OomScoreAdj"] < 0:
            container["State"].update(ExitCode=128, Error=SCORE_REFUSAL)
            return _error(400, SCORE_REFUSAL)
        if not container["State"]["Running"]:
            container["State"].update(
                Status="running", Running=True, Pid=4000 + self._made, StartedAt="2026-01-01T00:00:05Z"
            )
        return web.Response(status=204)

    async def _kill(self, request: web.Request) -> web.Response:
        container = self.containers[request.match_info["id"]]
        self.requests.append(f"kill {request.query['signal']}")
        if not container["State"]["Running"]:
            return _error(409, f"Container {container['Id']} is not running")
        if request.query["signal"] == "SIGKILL" and not self.unkillable:
            self.exit_container(container["Id"], 137)
        return web.Response(status=204)

    async def _remove(self, request: web.Request) -> web.Response:
        container = self.containers.pop(request.match_info["id"], None)
        return web.Response(status=204) if container else _error(404, "No such container")

    async def _load(self, request: web.Request) -> web.Response:
        self.loaded_bytes = 0
        async for block in request.content.iter_any():
            self.loaded_bytes += len(block)
        self.loads += 1
        for image in self.loadable:
            self.images[image["Id"]] = image
        names = [tag for image in self.loadable for tag in image["RepoTags"]]
        return web.json_response({"stream": f"Loaded image: {names[0]}\n" if names else ""})

    async def _image(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        for image in self.images.values():
            if wanted == image["Id"] or wanted in image["RepoTags"]:
                return web.json_response(image)
        return _error(404, f"No such image: {wanted}")

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            f"pull {request.query['fromImage']} {request.headers.get('X-Registry-Auth', '')}".strip()
        )
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for line in self.pull_lines:
            await response.write(json.dumps(line).encode() + b"\r\n")
        if self.pull_hangs:
            await self._changed.wait()
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self.event_queries.append(dict(request.query))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        sent, cut = 0, self._cut
        while cut == self._cut:
            for line in self.events[sent:]:
                await response.write(line)
            sent = len(self.events)
            await self._changed.wait()
        return response


def _error(status: int, message: str) -> web.Response:
    """Return an error as Docker sends it: with a character set behind the content type."""
    return web.Response(
        status=status,
        body=json.dumps({"message": message}).encode() + b"\n",
        content_type="application/json",
        charset="utf-8",
    )
