"""Every kubectl from 1.27 on takes our discovery, OpenAPI and patches: real binaries against a loopback server.

The server here is the smallest that can hold objects: it serves the real documents and patches with the real rules,
so that what is tested is what kubectl reads and sends.
"""

import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from minikube_py.api.meta import format_time
from minikube_py.api.patch import apply_merge_patch
from minikube_py.api.resources import find_resource
from minikube_py.api.schema import schema_of
from minikube_py.api.served import GIT_VERSION, SERVED_MAJOR, SERVED_MINOR
from minikube_py.api.strategic_merge import apply_strategic_merge
from minikube_py.apiserver import discovery, merged_discovery, openapi, openapi_v2
from minikube_py.testing.kubectl import KUBECTLS

pytestmark = pytest.mark.slow


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "busybox:1"}, {"name": "b", "image": "busybox:1"}]},
        },
    },
}
ITEM = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v1)(?:/namespaces/[^/]+)?/(?P<plural>[a-z]+)(?:/(?P<name>.+))?"
)


class TinyServer(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects = {}
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, code=200, content_type="application/json"):
        if not isinstance(body, bytes):
            body = orjson.dumps(body)
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def document(self, path, accept):
        aggregated = discovery.choose_discovery(accept) == "aggregated"
        match path.strip("/").split("/"):
            case ["api" | "apis" as root] if aggregated:
                return merged_discovery.merged_discovery(core=root == "api"), discovery.AGGREGATED_CONTENT_TYPE
            case ["openapi", "v2"] if "protobuf" in accept:
                return openapi_v2.openapi_v2_protobuf(), "application/octet-stream"
            case other:
                return self.plain_document(other), "application/json"

    def plain_document(self, path):
        found = None
        match path:
            case ["api"]:
                found = discovery.api_versions("h:1")
            case ["apis"]:
                found = merged_discovery.merged_group_list()
            case ["version"]:
                found = {"major": SERVED_MAJOR, "minor": SERVED_MINOR, "gitVersion": GIT_VERSION}
            case ["openapi", "v2"]:
                found = openapi_v2.openapi_v2_json()
            case ["openapi", "v3"]:
                found = openapi.openapi_v3_index()
            case ["openapi", "v3", *root]:
                found = openapi.openapi_v3("" if root[0] == "api" else root[1], root[-1]).body
            case ["api", version]:
                found = discovery.api_resource_list("", version)
            case ["apis", group, version]:
                found = discovery.api_resource_list(group, version)
        return found

    def handle_any(self):
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, url.path, parse_qs(url.query)))
        found, content_type = self.document(url.path, self.headers.get("Accept", ""))
        if found is not None:
            return self.answer(found, content_type=content_type)
        match = ITEM.fullmatch(url.path)
        row = find_resource(match["group"] or "", match["version"], match["plural"]) if match else None
        if row is None:
            return self.answer({"kind": "Status", "status": "Failure", "code": 404, "reason": "NotFound"}, 404)
        return self.on_object(row, match, body)

    def on_object(self, row, match, body):
        key = (row.plural, match["name"])
        if self.command == "POST":
            obj = json.loads(body)
            obj["metadata"] |= {"uid": "1", "creationTimestamp": format_time(0), "resourceVersion": "1"}
            self.server.objects[row.plural, obj["metadata"]["name"]] = obj
            return self.answer(obj, 201)
        if key not in self.server.objects:
            details = {"name": match["name"], "kind": row.plural}
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            return self.answer(status | {"message": "not found", "details": details}, 404)
        if self.command == "PATCH":
            patch, old = json.loads(body), self.server.objects[key]
            if self.headers["Content-Type"] == "application/strategic-merge-patch+json":
                new = apply_strategic_merge(old, patch, schema_of(row.api_version, row.kind))
            else:
                new = apply_merge_patch(old, patch)
            if "dryRun" in self.path:
                return self.answer(new)
            self.server.objects[key] = new
        return self.answer(self.server.objects[key])

    do_GET = do_POST = do_PATCH = handle_any  # noqa: N815


@pytest.fixture
def server():
    tiny = TinyServer()
    thread = threading.Thread(target=tiny.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield tiny
    tiny.shutdown()
    tiny.server_close()
    thread.join()


@pytest.fixture(params=list(KUBECTLS) or [pytest.param("", marks=pytest.mark.skip("no kubectl on this machine"))])
def kubectl(request, server, tmp_path):
    def run(*args, manifest=None, code=0):
        command = [KUBECTLS[request.param], f"--server={server.url}", f"--cache-dir={tmp_path}", *args]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        text = json.dumps(manifest) if manifest else None
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=60, env=environment, check=False
        )
        assert done.returncode == code, f"{command}\n{done.stdout}{done.stderr}\n{server.requests}"
        return done.stdout

    return run


def test_kubectl_lists_versions_and_resources(kubectl):
    assert {"v1", "apps/v1", "discovery.k8s.io/v1"} <= set(kubectl("api-versions").split())

    resources = {line.split()[0]: line.split() for line in kubectl("api-resources").splitlines()[1:]}
    assert resources["deployments"][1:] == ["deploy", "apps/v1", "true", "Deployment"]
    assert {"pods", "nodes", "endpointslices", "leases"} <= set(resources)


def test_kubectl_explains_fields(kubectl):
    text = kubectl("explain", "pod.spec.containers")

    assert "imagePullPolicy" in text
    assert "Container" in text


def test_kubectl_applies_and_keeps_what_others_set(kubectl, server):
    assert "created (dry run)" in kubectl("apply", "--dry-run=client", "-f", "-", manifest=DEPLOYMENT)
    assert "created" in kubectl("apply", "-f", "-", manifest=DEPLOYMENT)
    live = server.objects["deployments", "web"]
    live["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    changed = json.loads(json.dumps(DEPLOYMENT))
    changed["spec"]["template"]["spec"]["containers"] = [
        {"name": "b", "image": "busybox:2"},
        {"name": "c", "image": "busybox:1"},
        {"name": "a", "image": "busybox:1"},
    ]

    assert "configured" in kubectl("apply", "-f", "-", manifest=changed)

    containers = server.objects["deployments", "web"]["spec"]["template"]["spec"]["containers"]
    assert [(c["name"], c["image"], c.get("imagePullPolicy")) for c in containers] == [
        ("b", "busybox:2", None),
        ("c", "busybox:1", None),
        ("a", "busybox:1", "Never"),
    ]
    writes = [query for method, _, query in server.requests if method in ("POST", "PATCH")]
    assert all(query.get("fieldValidation") == ["Strict"] for query in writes)


def test_kubectl_diffs_by_a_dry_run_of_the_server(kubectl, server):
    kubectl("apply", "-f", "-", manifest=DEPLOYMENT)
    changed = json.loads(json.dumps(DEPLOYMENT))
    changed["spec"]["replicas"] = 2

    assert kubectl("diff", "-f", "-", manifest=DEPLOYMENT) == ""
    assert "+  replicas: 2" in kubectl("diff", "-f", "-", manifest=changed, code=1)

    assert any(method == "PATCH" and query.get("dryRun") == ["All"] for method, _, query in server.requests)
