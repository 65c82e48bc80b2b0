"""Which addresses the pods of this node get: its Node says it, and so does what is kept of it.

A Node that was deleted and made anew may have got another range, when a further one has joined meanwhile: then the
agent begins anew, too, since bridge, routes and rules are all made for one range.
"""

import asyncio
import logging

from minikube_py.agent.errors import AgentError
from minikube_py.api.errors import StatusError
from minikube_py.api.meta import ObjectKey
from minikube_py.api.resources import NODES
from minikube_py.client.interface import Change, Client, Informers, Selection
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.io.node_loop import register_node
from minikube_py.kubelet.ports import HostSurvey

log = logging.getLogger("agent")

POD_CIDR_TIMEOUT_S = 30.0
RETRY = BackoffPolicy(initial_s=0.2, maximum_s=7.0, reset_after_s=60.0)


async def learn_pod_cidr(
    client: Client, informers: Informers, config: KubeletConfig, host: HostSurvey, clock: Clock
) -> str:
    """Return this node's range of pod addresses: register the node if need be, and wait for the controller's answer.

    A node that has one needs no server for this.

    Raises:
        AgentError: no range was given in time (the cluster CIDR is used up).
    """
    node_name = config.node_name
    informer = informers.informer(NODES, Selection(field_selector=f"metadata.name={node_name}"))
    given = asyncio.Event()
    informer.subscribe(lambda change: given.set() if (change.latest.get("spec") or {}).get("podCIDR") else None)
    await informer.wait_synced()
    if not given.is_set():
        await _register(client, config, host, clock)
    try:
        async with asyncio.timeout(POD_CIDR_TIMEOUT_S):
            await given.wait()
    except TimeoutError:
        raise AgentError(
            f"node {node_name} got no pod range within {POD_CIDR_TIMEOUT_S:g} s: is --cluster-cidr used up?"
        ) from None
    node = informer.get(ObjectKey("", node_name))
    assert node is not None
    return str(node["spec"]["podCIDR"])


async def require_pod_cidr(informers: Informers, node_name: str, pod_cidr: str) -> None:
    """Run until the node's range is no more the one that is in use.

    Raises:
        AgentError: so it is.
    """
    changed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def look(change: Change) -> None:
        given = str((change.latest.get("spec") or {}).get("podCIDR") or pod_cidr)
        if given != pod_cidr and not changed.done():
            changed.set_result(given)

    informers.informer(NODES, Selection(field_selector=f"metadata.name={node_name}")).subscribe(look)
    raise AgentError(
        f"node {node_name} has the pod range {await changed} now, no more {pod_cidr}: start this agent again"
    )


async def _register(client: Client, config: KubeletConfig, host: HostSurvey, clock: Clock) -> None:
    failures: BackoffState | None = None
    while True:
        try:
            await register_node(client, config, await host.survey())
        except StatusError as error:
            failures = next_backoff(RETRY, failures, clock.now_s())
            log.warning("node %s is not registered yet: %s", config.node_name, error.message)
            await clock.sleep(failures.delay_s)
        else:
            return
