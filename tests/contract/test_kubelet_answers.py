"""What the API server takes of a kubelet's answers: a refusal whole, and nothing without end."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from minikube_py.api.errors import InternalError, UnnamedError
from minikube_py.api.meta import ObjectKey
from minikube_py.apiserver.io.kubelets import ERROR_BYTES_MAX, Kubelets
from minikube_py.apiserver.proxying import Location

KEY = ObjectKey("n", "p")


@asynccontextmanager
async def a_kubelet(answer):
    """Answer every request, and give a way to ask."""
    runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    kubelets = Kubelets(None, None)
    try:
        yield kubelets, Location("http", "127.0.0.1", runner.addresses[0][1])
    finally:
        await kubelets.close()
        await runner.cleanup()


def in_pieces(status, pieces):
    """Return what answers in pieces, each on the wire before the next one is written."""

    async def answer(request):
        response = web.StreamResponse(status=status)
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            for _ in range(20):
                await asyncio.sleep(0)
        return response

    return answer


async def test_a_refusal_that_comes_in_pieces_is_told_whole():
    async with a_kubelet(in_pieces(500, [b"one ", b"two ", b"three"])) as (kubelets, location):
        with pytest.raises(InternalError, match="Internal error occurred: one two three$"):
            await kubelets.log(location, "/containerLogs/n/p/c", KEY)


async def test_of_a_refusal_without_end_the_beginning_is_told():
    async def answer(request):
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(b"x" * 4096)

    async with a_kubelet(answer) as (kubelets, location):
        with pytest.raises(InternalError) as refused:
            await kubelets.log(location, "/containerLogs/n/p/c", KEY)
    assert refused.value.message == "Internal error occurred: " + "x" * ERROR_BYTES_MAX


async def test_a_refusal_that_breaks_off_is_no_answer():
    async def answer(request):
        response = web.StreamResponse(status=500, headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        request.transport.close()
        return response

    async with a_kubelet(answer) as (kubelets, location):
        with pytest.raises(UnnamedError, match='Get "http://127.0.0.1'):
            await kubelets.log(location, "/containerLogs/n/p/c", KEY)
