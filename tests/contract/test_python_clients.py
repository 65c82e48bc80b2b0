"""The Python clients that people use, unmodified, against the real API server: every verb and every patch type.

Each client does each operation of CHECKS, or LACKS says why it cannot; what became of it is read by another way.
Their streams (exec, attach, port-forward, logs) are in tests/node/cluster/test_streams.py, operators in
test_kopf_operator.
"""

import asyncio
from contextlib import asynccontextmanager

import kr8s
import kubernetes
import kubernetes_asyncio
import lightkube
import pytest
from kr8s.asyncio.objects import ConfigMap, Deployment, new_class
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import Deployment as LkDeployment
from lightkube.resources.core_v1 import ConfigMap as LkConfigMap
from lightkube.types import PatchType

from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CONFIGMAPS, CUSTOM_RESOURCE_DEFINITIONS, DEPLOYMENTS
from minikube_py.client.io.rest_client import RestClient
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.custom_objects import a_definition, a_version
from minikube_py.testing.kubectl_server import write_kubeconfig
from minikube_py.testing.memory_api_server import loopback_pki, memory_api_server, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Kubernetes version"),  # kr8s tells of versions that are newer than it is
]
NAMESPACE = "default"
MERGE, STRATEGIC, JSON_PATCH, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)


def a_map(name="m", labels=None, **data):
    meta = {"name": name, "namespace": NAMESPACE, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def a_widget(**spec):
    meta = {"name": "w", "namespace": NAMESPACE}
    return {"apiVersion": "ex.io/v1", "kind": "Widget", "metadata": meta, "spec": spec}


def a_deployment():
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    return {"metadata": {"name": "d", "namespace": NAMESPACE}, "spec": spec}


class Generated:
    """kubernetes and kubernetes_asyncio: generated from one description; the first one answers on its thread."""

    def __init__(self, package, api_client, call):
        self.package, self.api_client, self.call = package, api_client, call
        self.core = package.client.CoreV1Api(api_client)
        self.apps = package.client.AppsV1Api(api_client)

    async def _map(self, what, *args, **more):
        found = await self.call(getattr(self.core, f"{what}_namespaced_config_map"), *args, **more)
        return self.api_client.sanitize_for_serialization(found)

    async def create(self, obj, **more):
        return await self._map("create", NAMESPACE, obj, **more)

    async def dry_run(self, obj):
        return await self.create(obj, dry_run="All")

    async def get(self, name):
        return await self._map("read", name, NAMESPACE)

    async def list(self, selector):
        listed = await self._map("list", NAMESPACE, label_selector=selector)
        return [item["metadata"]["name"] for item in listed["items"]]

    async def pages(self, limit):
        names, go_on = [], None
        while go_on != "":
            page = await self._map("list", NAMESPACE, limit=limit, **({"_continue": go_on} if go_on else {}))
            names.append([item["metadata"]["name"] for item in page["items"]])
            go_on = page["metadata"].get("continue") or ""
        return names

    async def replace(self, obj):
        return await self._map("replace", obj["metadata"]["name"], NAMESPACE, obj)

    async def merge_patch(self, name, patch):
        await self._map("patch", name, NAMESPACE, patch, _content_type=MERGE)

    async def json_patch(self, name, patch):
        await self._map("patch", name, NAMESPACE, patch, _content_type=JSON_PATCH)

    async def strategic_merge_patch(self, name, patch):
        await self.call(self.apps.patch_namespaced_deployment, name, NAMESPACE, patch, _content_type=STRATEGIC)

    async def apply(self, obj):
        more = {"field_manager": "me", "force": True, "_content_type": APPLY}
        await self._map("patch", obj["metadata"]["name"], NAMESPACE, obj, **more)

    async def status(self, name, status):
        body = {"status": status}
        await self.call(self.apps.patch_namespaced_deployment_status, name, NAMESPACE, body, _content_type=MERGE)

    async def scale(self, name, replicas):
        scale = await self.call(self.apps.read_namespaced_deployment_scale, name, NAMESPACE)
        body = self.api_client.sanitize_for_serialization(scale)
        body["spec"]["replicas"] = replicas
        await self.call(self.apps.replace_namespaced_deployment_scale, name, NAMESPACE, body)

    async def delete(self, name):
        await self._map("delete", name, NAMESPACE)

    async def delete_collection(self, selector):
        await self._map("delete_collection", NAMESPACE, label_selector=selector)

    async def missing(self, name):
        try:
            await self.get(name)
        except self.package.client.exceptions.ApiException as error:
            return error.status

    async def custom(self, obj):
        api = self.package.client.CustomObjectsApi(self.api_client)
        where = ("ex.io", "v1", NAMESPACE, "widgets")
        await self.call(api.create_namespaced_custom_object, *where, obj)
        return await self.call(api.get_namespaced_custom_object, *where, "w")


class Kubernetes(Generated):
    async def watch(self, since, count):
        def follow():
            seen, watch = [], kubernetes.watch.Watch()
            more = {"resource_version": since, "timeout_seconds": 60, "field_selector": "metadata.name=seen"}
            for event in watch.stream(self.core.list_namespaced_config_map, NAMESPACE, **more):
                seen.append(event["type"])
                if len(seen) == count:
                    watch.stop()
            return seen

        return await asyncio.to_thread(follow)


class KubernetesAsyncio(Generated):
    async def watch(self, since, count):
        seen = []
        more = {"resource_version": since, "timeout_seconds": 60, "field_selector": "metadata.name=seen"}
        async with kubernetes_asyncio.watch.Watch() as watch:
            async for event in watch.stream(self.core.list_namespaced_config_map, NAMESPACE, **more):
                seen.append(event["type"])
                if len(seen) == count:
                    break
        return seen


class Kr8s:
    def __init__(self, api):
        self.api = api

    async def create(self, obj):
        made = await ConfigMap(obj, api=self.api)
        await made.create()
        return made.raw

    async def get(self, name):
        return (await ConfigMap.get(name, namespace=NAMESPACE, api=self.api)).raw

    async def list(self, selector):
        return [
            found.name async for found in self.api.get("configmaps", namespace=NAMESPACE, label_selector=selector)
        ]

    async def merge_patch(self, name, patch):
        await (await ConfigMap.get(name, namespace=NAMESPACE, api=self.api)).patch(patch)

    async def json_patch(self, name, patch):
        await (await ConfigMap.get(name, namespace=NAMESPACE, api=self.api)).patch(patch, type="json")

    async def status(self, name, status):
        found = await Deployment.get(name, namespace=NAMESPACE, api=self.api)
        await found.patch({"status": status}, subresource="status")

    async def scale(self, name, replicas):
        found = await Deployment.get(name, namespace=NAMESPACE, api=self.api)
        await found.patch({"spec": {"replicas": replicas}}, subresource="scale")

    async def watch(self, since, count):
        seen = []
        selector = {"metadata.name": "seen"}
        async for kind, _ in self.api.watch("configmaps", namespace=NAMESPACE, field_selector=selector, since=since):
            seen.append(kind)
            if len(seen) == count:
                break
        return seen

    async def delete(self, name):
        await (await ConfigMap.get(name, namespace=NAMESPACE, api=self.api)).delete()

    async def missing(self, name):
        try:
            await self.get(name)
        except kr8s.NotFoundError:
            return 404

    async def custom(self, obj):
        widgets = new_class("Widget", "ex.io/v1", namespaced=True, plural="widgets")
        await (await widgets(obj, api=self.api)).create()
        return (await widgets.get("w", namespace=NAMESPACE, api=self.api)).raw


class Lightkube:
    def __init__(self, client):
        self.client = client

    async def create(self, obj, **more):
        return (await self.client.create(LkConfigMap.from_dict(obj), **more)).to_dict()

    async def dry_run(self, obj):
        return await self.create(obj, dry_run=True)

    async def get(self, name):
        return (await self.client.get(LkConfigMap, name)).to_dict()

    async def list(self, selector):
        key, _, value = selector.partition("=")
        return [found.metadata.name async for found in self.client.list(LkConfigMap, labels={key: value})]

    async def pages(self, limit):
        found = [each.metadata.name async for each in self.client.list(LkConfigMap, chunk_size=limit)]
        return [found[start : start + limit] for start in range(0, len(found), limit)]

    async def replace(self, obj):
        return (await self.client.replace(LkConfigMap.from_dict(obj))).to_dict()

    async def merge_patch(self, name, patch):
        await self.client.patch(LkConfigMap, name, patch, patch_type=PatchType.MERGE)

    async def json_patch(self, name, patch):
        await self.client.patch(LkConfigMap, name, patch, patch_type=PatchType.JSON)

    async def strategic_merge_patch(self, name, patch):
        await self.client.patch(LkDeployment, name, patch, patch_type=PatchType.STRATEGIC)

    async def apply(self, obj):
        await self.client.apply(LkConfigMap.from_dict(obj), field_manager="me", force=True)

    async def status(self, name, status):
        await self.client.patch(LkDeployment.Status, name, {"status": status}, patch_type=PatchType.MERGE)

    async def scale(self, name, replicas):
        scale = await self.client.get(LkDeployment.Scale, name)
        scale.spec.replicas = replicas
        await self.client.replace(scale)

    async def watch(self, since, count):
        seen = []
        fields = {"metadata.name": "seen"}
        async for kind, _ in self.client.watch(LkConfigMap, fields=fields, resource_version=since, server_timeout=60):
            seen.append(kind)
            if len(seen) == count:
                break
        return seen

    async def delete(self, name):
        await self.client.delete(LkConfigMap, name)

    async def delete_collection(self, selector):
        await self.client.deletecollection(LkConfigMap)

    async def missing(self, name):
        try:
            await self.get(name)
        except lightkube.ApiError as error:
            return error.status.code

    async def custom(self, obj):
        widgets = create_namespaced_resource("ex.io", "v1", "Widget", "widgets")
        meta = ObjectMeta(name="w", namespace=NAMESPACE)
        await self.client.create(widgets(apiVersion="ex.io/v1", kind="Widget", metadata=meta, spec=obj["spec"]))
        return dict(await self.client.get(widgets, "w"))


@asynccontextmanager
async def _kubernetes(path):
    with kubernetes.config.new_client_from_config(config_file=path) as api_client:
        yield Kubernetes(kubernetes, api_client, asyncio.to_thread)


@asynccontextmanager
async def _kubernetes_asyncio(path):
    async def call(method, *args, **more):
        return await method(*args, **more)

    async with await kubernetes_asyncio.config.new_client_from_config(path) as api_client:
        yield KubernetesAsyncio(kubernetes_asyncio, api_client, call)


@asynccontextmanager
async def _kr8s(path):
    yield Kr8s(await kr8s.asyncio.api(kubeconfig=path))


@asynccontextmanager
async def _lightkube(path):
    client = lightkube.AsyncClient(config=lightkube.KubeConfig.from_file(path), namespace=NAMESPACE)
    yield Lightkube(client)
    await client.close()


CLIENTS = {
    "kubernetes": _kubernetes,
    "kubernetes_asyncio": _kubernetes_asyncio,
    "kr8s": _kr8s,
    "lightkube": _lightkube,
}
LACKS = {
    "kr8s": {
        "dry_run": "it has no way to ask for one",
        "pages": "it takes them together itself",
        "replace": "it changes objects by patches only",
        "strategic_merge_patch": "it knows merge and JSON patches",
        "apply": "it knows merge and JSON patches",
        "delete_collection": "it deletes object by object",
    }
}


class World:
    """What is read beside the client, as the administrator."""

    def __init__(self, admin):
        self.admin = admin

    async def data(self, name):
        return (await self.admin.get(CONFIGMAPS, ObjectKey(NAMESPACE, name))).get("data")

    async def deployment(self):
        return await self.admin.get(DEPLOYMENTS, ObjectKey(NAMESPACE, "d"))

    async def names(self):
        return [name for name in sorted(await self._all()) if name != "kube-root-ca.crt"]

    async def _all(self):
        return [obj["metadata"]["name"] for obj in (await self.admin.list(CONFIGMAPS)).items]


async def _create(client, world):
    made = await client.create(a_map("made", a="1"))
    assert made["metadata"]["uid"]
    assert await world.data("made") == {"a": "1"}


async def _dry_run(client, world):
    assert (await client.dry_run(a_map("dry")))["metadata"]["name"] == "dry"
    assert "dry" not in await world.names()


async def _get(client, world):
    await world.admin.create(CONFIGMAPS, a_map("got", a="1"))
    assert (await client.get("got"))["data"] == {"a": "1"}


async def _list(client, world):
    for name, app in (("l1", "x"), ("l2", "y"), ("l3", "x")):
        await world.admin.create(CONFIGMAPS, a_map(name, {"app": app}))
    assert await client.list("app=x") == ["l1", "l3"]


async def _pages(client, world):
    pages = await client.pages(3)
    assert [len(page) for page in pages[:-1]] == [3] * (len(pages) - 1)
    assert len(pages) > 1
    assert [name for page in pages for name in page if name != "kube-root-ca.crt"] == await world.names()


async def _replace(client, world):
    obj = await world.admin.create(CONFIGMAPS, a_map("replaced", a="1"))
    await client.replace({**a_map(), "metadata": {**obj["metadata"]}, "data": {"b": "2"}})
    assert await world.data("replaced") == {"b": "2"}


async def _merge_patch(client, world):
    await world.admin.create(CONFIGMAPS, a_map("merged", a="1", b="2"))
    await client.merge_patch("merged", {"data": {"a": None, "c": "3"}})
    assert await world.data("merged") == {"b": "2", "c": "3"}


async def _json_patch(client, world):
    await world.admin.create(CONFIGMAPS, a_map("patched", a="1"))
    await client.json_patch("patched", [{"op": "replace", "path": "/data/a", "value": "9"}])
    assert await world.data("patched") == {"a": "9"}


async def _strategic_merge_patch(client, world):
    more = {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "j"}]}}}}
    await client.strategic_merge_patch("d", more)
    containers = (await world.deployment())["spec"]["template"]["spec"]["containers"]
    assert {container["name"] for container in containers} == {"a", "b"}


async def _apply(client, world):
    await client.apply(a_map("applied", a="1"))
    await client.apply(a_map("applied", b="2"))
    obj = await world.admin.get(CONFIGMAPS, ObjectKey(NAMESPACE, "applied"))
    assert obj["data"] == {"b": "2"}
    assert [(entry["manager"], entry["operation"]) for entry in obj["metadata"]["managedFields"]] == [("me", "Apply")]


async def _status(client, world):
    await client.status("d", {"replicas": 3})
    assert (await world.deployment())["status"]["replicas"] == 3


async def _scale(client, world):
    await client.scale("d", 5)
    assert (await world.deployment())["spec"]["replicas"] == 5


async def _watch(client, world):
    before = await world.admin.create(CONFIGMAPS, a_map("before"))
    await world.admin.create(CONFIGMAPS, a_map("seen"))
    await world.admin.patch(CONFIGMAPS, ObjectKey(NAMESPACE, "seen"), {"data": {"a": "1"}})
    await world.admin.delete(CONFIGMAPS, ObjectKey(NAMESPACE, "seen"))
    assert await client.watch(before["metadata"]["resourceVersion"], 3) == ["ADDED", "MODIFIED", "DELETED"]


async def _missing(client, world):
    assert await client.missing("nope") == 404


async def _custom(client, world):
    assert (await client.custom(a_widget(size=3)))["spec"] == {"size": 3}


async def _delete(client, world):
    await world.admin.create(CONFIGMAPS, a_map("deleted"))
    await client.delete("deleted")
    assert "deleted" not in await world.names()


async def _delete_collection(client, world):
    await world.admin.create(CONFIGMAPS, a_map("one", {"go": "now"}))
    await client.delete_collection("go=now")
    assert "one" not in await world.names()


CHECKS = {
    "create": _create,
    "dry_run": _dry_run,
    "get": _get,
    "list": _list,
    "pages": _pages,
    "replace": _replace,
    "merge_patch": _merge_patch,
    "json_patch": _json_patch,
    "strategic_merge_patch": _strategic_merge_patch,
    "apply": _apply,
    "status": _status,
    "scale": _scale,
    "watch": _watch,
    "missing": _missing,
    "custom": _custom,
    "delete": _delete,
    "delete_collection": _delete_collection,
}


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_python_client_does_all_that_it_can(name, tmp_path):
    server, pki = memory_api_server(), loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    async with serving(server, pki.server_context()) as url:
        write_kubeconfig(tmp_path, url, pki)
        admin = RestClient(server.local_transport(), "test", lambda: 300)
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        await admin.create(CUSTOM_RESOURCE_DEFINITIONS, a_definition(versions=(a_version(schema=schema),)))
        await admin.create(DEPLOYMENTS, a_deployment())
        lacks = LACKS.get(name, {})
        async with CLIENTS[name](str(tmp_path / "config")) as client:
            for operation, check in CHECKS.items():
                assert hasattr(client, operation) is (operation not in lacks), (name, operation)
                if operation not in lacks:
                    async with asyncio.timeout(60):
                        await check(client, World(admin))
