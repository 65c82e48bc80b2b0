"""A small API server of another group, on HTTPS: what an APIService leads to, for tests over real connections.

It does what library servers do (k8s.io/apiserver, sample-apiserver): it reads whom to believe from what the ConfigMap
extension-apiserver-authentication says, lets in only connections whose certificate the request header CA signed for
an allowed name, and takes the user from the X-Remote headers. It serves `notes` of `notes.example.com/v1`, with
watch, patches, both kinds of discovery and OpenAPI v2 and v3, and an upgrade at `notes/NAME/echo`.
"""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from aiohttp import WSMsgType, web
from cryptography import x509

from minikube_py.api.meta import Obj
from minikube_py.api.patch import apply_merge_patch

GROUP, VERSION = "notes.example.com", "v1"
API_VERSION = f"{GROUP}/{VERSION}"
ROOT = f"/apis/{API_VERSION}"
_KIND = {"group": GROUP, "version": VERSION, "kind": "Note"}
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_RESOURCE = {
    "name": "notes",
    "singularName": "note",
    "namespaced": True,
    "kind": "Note",
    "verbs": _VERBS,
    "shortNames": ["nt"],
}
SCHEMA: Obj = {
    "description": "Note is a few words of text.",
    "type": "object",
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "text": {"description": "What the note says.", "type": "string"},
    },
    "x-kubernetes-group-version-kind": [_KIND],
}
_NAME = "com.example.notes.v1.Note"


@dataclass(slots=True)
class ExtensionServer:
    """A running server; look at what it was asked, and change how it behaves."""

    port: int = 0
    notes: dict[tuple[str, str], Obj] = field(default_factory=dict)
    users: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """Path, user and groups of each request that was let in, in order."""
    headers: list[Mapping[str, str]] = field(default_factory=list)
    """Their headers, by name in lower case."""
    refused: int = 0
    """Requests without a believed certificate."""
    aggregated: bool = True
    """Whether it has aggregated discovery."""
    openapi_v3: bool = True
    broken: bool = False
    """Everything is answered with 500."""
    revision: int = 1
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    events: list[tuple[int, str, Obj]] = field(default_factory=list)

    async def record(self, kind: str, note: Obj) -> Obj:
        """Note a change, and tell those who watch."""
        self.revision += 1
        note["metadata"]["resourceVersion"] = str(self.revision)
        self.events.append((self.revision, kind, orjson.loads(orjson.dumps(note))))
        async with self.changed:
            self.changed.notify_all()
        return note


@asynccontextmanager
async def extension_server(
    authentication: Mapping[str, str], certificate: Path, key: Path, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[ExtensionServer]:
    """Serve while the context lasts, believing whom the ConfigMap's data name."""
    server = ExtensionServer()
    trust = x509.load_pem_x509_certificate(authentication["requestheader-client-ca-file"].encode())
    allowed = orjson.loads(authentication["requestheader-allowed-names"])
    (user_header,) = orjson.loads(authentication["requestheader-username-headers"])
    (group_header,) = orjson.loads(authentication["requestheader-group-headers"])

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        connection = request.transport.get_extra_info("ssl_object")
        certificate_der = connection.getpeercert(binary_form=True)
        if certificate_der is None or not _is_believed(certificate_der, trust, allowed):
            server.refused += 1
            return web.json_response(
                {"kind": "Status", "apiVersion": "v1", "code": 401, "status": "Failure"}, status=401
            )
        groups = tuple(request.headers.getall(group_header, []))
        server.users.append((request.path, request.headers.get(user_header, ""), groups))
        server.headers.append({name.lower(): value for name, value in request.headers.items()})
        if server.broken:
            return web.Response(status=500, text="out of order")
        return await _answer(server, request)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cadata=authentication["requestheader-client-ca-file"])
    context.verify_mode = ssl.CERT_OPTIONAL
    runner = web.ServerRunner(web.Server(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=context).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


def _is_believed(certificate_der: bytes, trust: x509.Certificate, allowed: list[str]) -> bool:
    certificate = x509.load_der_x509_certificate(certificate_der)
    certificate.verify_directly_issued_by(trust)
    names = [a.value for a in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    return any(name in allowed for name in names)


async def _answer(server: ExtensionServer, request: web.BaseRequest) -> web.StreamResponse:
    parts = [part for part in request.path.split("/") if part]
    if parts[:1] == ["openapi"]:
        found = _openapi(server, parts)
    elif len(parts) < 4:
        found = _discovered(server, request, parts)
    else:
        return await _objects(server, request, parts[3:])
    return found or _status(404, "NotFound", "the server could not find the requested resource")


def _discovered(server: ExtensionServer, request: web.BaseRequest, parts: list[str]) -> web.Response | None:
    if parts == ["apis"] and "APIGroupDiscoveryList" in request.headers.get("Accept", ""):
        if not server.aggregated:
            return web.Response(status=406)
        headers = {"Content-Type": _AGGREGATED, "ETag": '"1"'}
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304, headers=headers)
        return web.Response(body=orjson.dumps(_discovery()), headers=headers)
    if len(parts) != 3:
        return None
    document = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": API_VERSION}
    return web.json_response({**document, "resources": [_RESOURCE]})


def _openapi(server: ExtensionServer, parts: list[str]) -> web.Response | None:
    if parts[1:] == ["v2"]:
        return web.json_response(_swagger())
    if not server.openapi_v3:
        return None
    if parts[1:] == ["v3"]:
        url = f"/openapi/v3{ROOT}?hash=AB12"
        return web.json_response({"paths": {ROOT[1:]: {"serverRelativeURL": url}}})
    return web.json_response(_openapi_v3())


async def _objects(server: ExtensionServer, request: web.BaseRequest, parts: list[str]) -> web.StreamResponse:
    match parts:
        case ["notes"]:
            return await _collection(server, request, "")
        case ["namespaces", namespace, "notes"]:
            return await _collection(server, request, namespace)
        case ["namespaces", namespace, "notes", name]:
            return await _one(server, request, (namespace, name))
        case ["namespaces", _, "notes", _, "echo"]:
            return await _echo(request)
        case _:
            return web.Response(status=302, headers={"Location": "https://example.com/"})


def _status(code: int, reason: str, message: str) -> web.Response:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return web.json_response({**status, "message": message, "reason": reason, "code": code}, status=code)


async def _collection(server: ExtensionServer, request: web.BaseRequest, namespace: str) -> web.StreamResponse:
    def here(note: Obj) -> bool:
        return not namespace or note["metadata"]["namespace"] == namespace

    if request.method == "POST":
        note = orjson.loads(await request.read())
        meta = note.setdefault("metadata", {})
        meta |= {"namespace": namespace, "uid": f"uid-{server.revision}", "creationTimestamp": "2026-01-01T00:00:00Z"}
        if (namespace, meta["name"]) in server.notes:
            return _status(409, "AlreadyExists", f'notes.{GROUP} "{meta["name"]}" already exists')
        server.notes[namespace, meta["name"]] = await server.record("ADDED", note)
        return web.json_response(note, status=201)
    if request.method == "DELETE":
        for key, note in list(server.notes.items()):
            if here(note):
                await server.record("DELETED", server.notes.pop(key))
    if request.query.get("watch") in ("1", "true"):
        return await _watch(server, request, here)
    items = [note for _, note in sorted(server.notes.items()) if here(note)]
    meta = {"resourceVersion": str(server.revision)}
    return web.json_response({"kind": "NoteList", "apiVersion": API_VERSION, "metadata": meta, "items": items})


async def _watch(server: ExtensionServer, request: web.BaseRequest, here: object) -> web.StreamResponse:
    assert callable(here)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    seen = int(request.query.get("resourceVersion") or 0)
    with suppress(ConnectionError):
        while True:
            for revision, kind, note in server.events:
                if revision > seen and here(note):
                    await response.write(orjson.dumps({"type": kind, "object": note}) + b"\n")
            seen = max(seen, server.revision)
            async with server.changed:
                if server.revision == seen:
                    await server.changed.wait()
    return response


async def _one(server: ExtensionServer, request: web.BaseRequest, key: tuple[str, str]) -> web.StreamResponse:
    note = server.notes.get(key)
    if note is None:
        return _status(404, "NotFound", f'notes.{GROUP} "{key[1]}" not found')
    match request.method:
        case "DELETE":
            await server.record("DELETED", server.notes.pop(key))
            return web.json_response({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
        case "PUT":
            server.notes[key] = await server.record("MODIFIED", orjson.loads(await request.read()))
        case "PATCH":
            if "merge-patch" not in request.headers.get("Content-Type", ""):
                return _status(415, "UnsupportedMediaType", "only merge patches are taken")
            patched = apply_merge_patch(note, orjson.loads(await request.read()))
            assert isinstance(patched, dict)
            server.notes[key] = await server.record("MODIFIED", patched)
        case _:
            pass
    return web.json_response(server.notes[key])


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(f"echo {message.data}")
    return socket


def _discovery() -> Obj:
    resource = {
        "resource": "notes",
        "responseKind": _KIND,
        "scope": "Namespaced",
        "singularResource": "note",
        "verbs": _VERBS,
        "shortNames": ["nt"],
    }
    versions = [{"version": VERSION, "resources": [resource], "freshness": "Current"}]
    items = [{"metadata": {"name": GROUP}, "versions": versions}]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _operation(reference: str) -> Obj:
    return {
        "operationId": "readNote",
        "x-kubernetes-action": "get",
        "x-kubernetes-group-version-kind": _KIND,
        "responses": {"200": {"description": "OK", "schema": {"$ref": reference}}},
    }


def _swagger() -> Obj:
    path = f"{ROOT}/namespaces/{{namespace}}/notes/{{name}}"
    return {
        "swagger": "2.0",
        "info": {"title": "notes", "version": "1"},
        "paths": {path: {"get": _operation(f"#/definitions/{_NAME}")}, "/apis/other.io/v1/x": {}},
        "definitions": {_NAME: SCHEMA, "unused": {"type": "string"}},
    }


def _openapi_v3() -> Obj:
    path = f"{ROOT}/namespaces/{{namespace}}/notes/{{name}}"
    schema = {"$ref": f"#/components/schemas/{_NAME}"}
    answer = {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}}
    operation = {**_operation(""), "responses": answer}
    return {
        "openapi": "3.0.0",
        "info": {"title": "notes", "version": "1"},
        "paths": {path: {"get": operation, "patch": {**operation, "x-kubernetes-action": "patch"}}},
        "components": {"schemas": {_NAME: SCHEMA}},
    }


def api_service(
    ca_bundle: str, port: int = 443, *, service: str = "notes", namespace: str = "default", **spec: object
) -> Obj:
    """Return the APIService that leads to the server behind a Service."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{VERSION}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "version": VERSION,
            "groupPriorityMinimum": 2000,
            "versionPriority": 10,
            "service": {"namespace": namespace, "name": service, "port": port},
            "caBundle": ca_bundle,
            **spec,
        },
    }


def external_service(*, name: str = "notes", namespace: str = "default") -> Obj:
    """Return a Service that leads to this host's loopback, which endpoints may not name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }


async def _serve_forever(authentication: Path, certificate: Path, key: Path, host: str, port: int) -> None:
    async with extension_server(orjson.loads(authentication.read_bytes()), certificate, key, host, port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    config, crt, private_key, address, number = sys.argv[1:]
    asyncio.run(_serve_forever(Path(config), Path(crt), Path(private_key), address, int(number)))
