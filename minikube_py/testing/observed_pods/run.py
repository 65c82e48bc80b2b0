"""Runs scenarios side by side on a lab and collects what differs."""

import asyncio
import platform
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import orjson

from minikube_py.client.io.http_transport import HttpTransport
from minikube_py.client.io.rest_client import WATCH_TIMEOUT_S_RANGE, RestClient
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.testing.lab.cluster import Cluster
from minikube_py.testing.observed_pods.replay import Outcome, Replay
from minikube_py.testing.observed_pods.scenarios import Scenario, with_rivals
from minikube_py.testing.observed_pods.stage import HOST_FOLDER, shared_folder, stage_images, stage_objects

PARALLEL = 6
"""Pods at a time: a start costs a third of a second of processor time, and what is compared are times too."""


@contextmanager
def staged(cluster: Cluster) -> Iterator[None]:
    """Give the scenarios what they find around them: images, objects, a folder of the host."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    asyncio.run(_load_images(cluster, architecture))
    for obj in stage_objects():
        cluster.kubectl("apply", "-f", "-", stdin=orjson.dumps(obj).decode())
    with shared_folder(HOST_FOLDER):
        yield


async def _load_images(cluster: Cluster, architecture: str) -> None:
    api = DockerApi(f"unix://{cluster.host.docker_socket}")
    try:
        for image in stage_images(architecture):
            await api.load_images(image.archive)
    finally:
        await api.close()


def play_all(
    cluster: Cluster, scenarios: Sequence[Scenario], on_end: Callable[[Outcome], None] = lambda outcome: None
) -> tuple[Outcome, ...]:
    """Play scenarios, `PARALLEL` at a time, in their order; returns the outcomes in that order.

    Args:
        cluster: a lab that is `staged`.
        scenarios: what to play.
        on_end: is told each outcome at once, for runs that somebody looks at.
    """
    return asyncio.run(_play_all(cluster, scenarios, on_end))


async def _play_all(
    cluster: Cluster, scenarios: Sequence[Scenario], on_end: Callable[[Outcome], None]
) -> tuple[Outcome, ...]:
    server, tls = cluster.admin_access()
    slots = asyncio.Semaphore(PARALLEL)
    rng = random.Random(1)  # noqa: S311 - the times at which watches end
    async with HttpTransport(server, tls, user_agent="observed-pods") as transport:
        client = RestClient(transport, "observed-pods", lambda: rng.randint(*WATCH_TIMEOUT_S_RANGE))
        async with Replay(cluster, client).playing() as replay:

            async def play(scenario: Scenario, *rivals: Scenario) -> tuple[Outcome, ...]:
                async with slots:
                    outcomes = await replay.play(scenario, rivals)
                for outcome in outcomes:
                    on_end(outcome)
                return outcomes

            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(play(*together)) for together in with_rivals(scenarios)]
    outcomes = {outcome.name: outcome for task in tasks for outcome in task.result()}
    return tuple(outcomes[scenario.name] for scenario in scenarios)


def report(outcomes: Sequence[Outcome]) -> str:
    """Return what differs, one line each, and the sum."""
    lines: list[str] = []
    for outcome in outcomes:
        lines += [f"{outcome.name}: {difference}" for difference in outcome.differences]
    same = sum(not outcome.differences for outcome in outcomes)
    known = sum(len(outcome.known) for outcome in outcomes)
    lines.append(f"{same} of {len(outcomes)} scenarios end as recorded, {known} known differences")
    return "\n".join(lines)
