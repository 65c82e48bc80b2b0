"""The API server's own Lease."""

import asyncio

from minikube_py.api.resources import LEASES
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.identity_lease import FIRST_RETRY_S, RENEW_S, IdentityLease
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.memory_api_server import memory_api_server


async def test_it_is_made_and_renewed_and_another_life_takes_it_over():
    clock = ManualClock()
    server = memory_api_server(clock=clock)
    await server.bootstrap()
    first = IdentityLease(server._storage, clock, "10.0.0.1", "one")

    def seen():
        return decode(server._storage.find(LEASES, "kube-system", first.name))

    await first.renew()
    made = seen()
    assert made["metadata"]["labels"]["apiserver.kubernetes.io/identity"] == "kube-apiserver"
    assert made["spec"]["holderIdentity"] == f"{first.name}_one"
    await clock.advance(RENEW_S)
    await IdentityLease(server._storage, clock, "10.0.0.1", "two").renew()

    assert seen()["spec"]["holderIdentity"] == f"{first.name}_two"
    assert seen()["spec"]["renewTime"] > made["spec"]["renewTime"]
    assert seen()["metadata"]["uid"] == made["metadata"]["uid"]
    assert IdentityLease(server._storage, clock, "10.0.0.2", "one").name != first.name


async def test_a_first_start_waits_for_the_namespace_and_complains_of_nothing(caplog):
    clock = ManualClock()
    server = memory_api_server(clock=clock)
    lease = IdentityLease(server._storage, clock, "10.0.0.1", "one")
    async with asyncio.TaskGroup() as group:
        running = group.create_task(lease.run())
        await clock.advance(FIRST_RETRY_S)
        await server.bootstrap()
        await clock.advance(FIRST_RETRY_S)
        found = server._storage.find(LEASES, "kube-system", lease.name)
        running.cancel()

    assert decode(found)["spec"]["holderIdentity"] == f"{lease.name}_one"
    assert caplog.text == ""
