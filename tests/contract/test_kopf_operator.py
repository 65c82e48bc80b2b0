"""An unmodified kopf operator works on custom resources: it creates, follows, patches and lets go."""

import asyncio
import importlib.util
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from minikube_py.api.custom.rows import rows_of
from minikube_py.api.errors import NotFoundError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import CUSTOM_RESOURCE_DEFINITIONS
from minikube_py.client.io.rest_client import RestClient
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.custom_objects import WIDGET_SCHEMA, a_definition, a_version, a_widget
from minikube_py.testing.kubectl_server import write_kubeconfig
from minikube_py.testing.memory_api_server import loopback_pki, memory_api_server, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("kopf") is None, reason="kopf is not installed"),
]
OPERATOR = Path(__file__).with_name("kopf_operator.py")
WITHIN_S = 30.0
KEY = ObjectKey("default", "w")
PRESERVING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
SCHEMA = {**WIDGET_SCHEMA, "properties": {**WIDGET_SCHEMA["properties"], "status": PRESERVING}}


@asynccontextmanager
async def an_operator(home):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kopf",
        "run",
        "--standalone",
        "--namespace=default",
        str(OPERATOR),
        env={"HOME": str(home), "KUBECONFIG": str(home / "config"), "PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def until(check):
    async with asyncio.timeout(WITHIN_S):
        while not (found := await check()):
            await asyncio.sleep(0.05)
        return found


async def test_an_operator_looks_after_its_objects(tmp_path):
    server = memory_api_server()
    pki = loopback_pki(tmp_path / "pki", SystemClock().wall_s())
    crd = a_definition(versions=(a_version(schema=SCHEMA, subresources={"status": {}}),))
    async with serving(server, pki.server_context()) as url:
        write_kubeconfig(tmp_path, url, pki)
        client = RestClient(server.local_transport(), "test", lambda: 60)
        (widgets,) = rows_of(await client.create(CUSTOM_RESOURCE_DEFINITIONS, crd))
        async with an_operator(tmp_path) as operator:
            await client.create(widgets, a_widget(size=1))

            async def phase():
                assert operator.returncode is None, (await operator.communicate())[0].decode()
                return (await client.get(widgets, KEY)).get("status", {}).get("phase")

            async def was_resized():
                return await phase() == "from 1 to 2"

            assert await until(phase) == "size 1"
            seen = await client.get(widgets, KEY)
            assert seen["metadata"]["finalizers"] == ["example.com/kopf"]
            assert seen["status"]["created"] == {"seen": "w"}

            await client.patch(widgets, KEY, {"spec": {"size": 2}})
            await until(was_resized)

            await client.delete(widgets, KEY)

            async def is_gone():
                try:
                    await client.get(widgets, KEY)
                except NotFoundError:
                    return True
                return False

            await until(is_gone)
