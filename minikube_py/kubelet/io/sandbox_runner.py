"""Makes pause containers, in the quickest way that this host allows.

- **The network.** For a container without network the engine starts a copy of itself to make a namespace, which takes
  more time than all the rest. So the container is started in the host's network with a program that leaves it at once
  for a namespace of its own, and nothing goes on before the kernel says that it has (`pause_network`): a pod must
  never be in the host's network by accident. Engines with user namespaces, other runtimes and pause images of the
  user's cannot do it. The first pod that fails so and starts without is the proof; from then on none of this
  agent's pods tries again. Sysctls of the network are the engine's work, so pods with such ones do not try.
- **Negative OOM scores.** Hosts without CAP_SYS_RESOURCE refuse them, with an error that does not say so. The
  first refusal is tried again with score 0; when that starts, the host is remembered as one of these.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from minikube_py.kubelet.container_spec import SANDBOX_OOM_SCORE_ADJ, can_own_network, render_sandbox
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind, SandboxConfig
from minikube_py.kubelet.docker_names import POD_UID, sandbox_name
from minikube_py.kubelet.docker_records import made_own_network
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.pause_network import PauseNetwork
from minikube_py.kubelet.io.pause_source import PauseSource

log = logging.getLogger("kubelet.docker")

_REFUSED_SCORE_SIGNS = ("can't get final child's PID from pipe", "oom_score_adj")
_ENDED_BY_OTHERS = (0, 137, 143)
"""Exit codes that say nothing of what the host allows: somebody ended the process."""

Inspected = Mapping[str, Any]
Create = Callable[[str, dict[str, Any], Callable[[Inspected], bool]], Awaitable[str]]
"""Create under a name, adopting a running container of that name if the last argument says so; returns the id."""

Start = Callable[[str], Awaitable[None]]
"""Start by id."""


class SandboxRunner:
    """One for the runtime; what it learns of the host is kept for the agent's life."""

    def __init__(
        self,
        api: DockerApi,
        node_name: str,
        pause: PauseSource,
        network: PauseNetwork,
        create: Create,
        start: Start,
    ) -> None:
        self._api = api
        self._node_name = node_name
        self._pause = pause
        self._network = network
        self._create = create
        self._start = start
        self._scores_refused: bool | None = None
        """None: not known yet."""
        self._own_network: bool | None = None
        """Whether pause containers of this host leave the host's network by themselves; None: not known yet."""
        self._checked: dict[str, None] = {}
        """Sandboxes that are known not to be in the host's network by accident; never more than were made here."""

    async def run(self, config: SandboxConfig) -> Inspected:
        """Create and start a pause container and return its inspect document."""
        own = self._own_network is not False and self._pause.is_ours and can_own_network(config)
        try:
            document = await self._run(config, own_network=own)
        except ContainerRuntimeError as error:
            if not own or self._own_network or error.kind is not RuntimeErrorKind.REFUSED:
                raise
            document = await self._run(config, own_network=False)
            self._own_network = False
            log.warning(
                "pods start more slowly on this host: its pause containers cannot make their own network: %s",
                error.message,
            )
        else:
            self._own_network = own or self._own_network
        return document

    async def refuses_scores(self, sandbox: str) -> bool:
        """Return whether this host refuses negative OOM scores: its sandboxes were the first to try."""
        if self._scores_refused is None:
            self._scores_refused = _oom_score(await self._api.inspect_container(sandbox)) == 0
        return self._scores_refused

    async def require_departure(self, sandbox: str) -> None:
        """Make sure that a sandbox which was started in the host's network has left it.

        Raises:
            ContainerRuntimeError: it has not.
        """
        if sandbox not in self._checked:
            await self._check(await self._api.inspect_container(sandbox))

    def forget(self, sandbox: str) -> None:
        """Drop what is known of a sandbox that was removed."""
        self._checked.pop(sandbox, None)

    async def _run(self, config: SandboxConfig, *, own_network: bool) -> Inspected:
        identity = await self._with_score(config, own_network)
        document = await self._api.inspect_container(identity)
        try:
            await self._check(document)
        except ContainerRuntimeError as error:
            ended = await self._api.find_container(identity)
            await self._api.remove_container(identity)
            if ended is None or ended["State"].get("ExitCode") in _ENDED_BY_OTHERS:
                raise ContainerRuntimeError(
                    RuntimeErrorKind.UNAVAILABLE, "the pause container was stopped while it started"
                ) from error
            raise
        self._scores_refused = _oom_score(document) == 0
        return document

    async def _check(self, document: Inspected) -> None:
        if made_own_network(document["Config"].get("Labels") or {}):
            await self._network.wait_departure(int(document["State"]["Pid"]))
        self._checked[str(document["Id"])] = None

    async def _with_score(self, config: SandboxConfig, own_network: bool) -> str:
        score = 0 if self._scores_refused else SANDBOX_OOM_SCORE_ADJ
        try:
            return await self._started(config, score, own_network)
        except ContainerRuntimeError as error:
            if score == 0 or not _may_be_refused_score(error):
                raise
            identity = await self._started(config, 0, own_network)
            if not self._scores_refused:
                log.warning(
                    "this host refuses negative OOM scores (no CAP_SYS_RESOURCE?): containers get 0; Docker said: %s",
                    error.message,
                )
            self._scores_refused = True
            return identity

    async def _started(self, config: SandboxConfig, score: int, own_network: bool) -> str:
        try:
            identity = await self._made(config, score, own_network)
        except ContainerRuntimeError as error:
            if error.kind is not RuntimeErrorKind.NOT_FOUND:
                raise
            self._pause.forget()  # somebody pruned the image
            identity = await self._made(config, score, own_network)
        await self._start(identity)
        return identity

    async def _made(self, config: SandboxConfig, score: int, own_network: bool) -> str:
        body = render_sandbox(
            config,
            pause_image_id=await self._pause.image_id(),
            node_name=self._node_name,
            oom_score_adj=score,
            own_network=own_network,
        )
        name = sandbox_name(config.pod, config.attempt)
        return await self._create(name, body, lambda other: _pod_uid(other) == config.pod.uid)


def _pod_uid(document: Inspected) -> str:
    return str((document["Config"].get("Labels") or {}).get(POD_UID, ""))


def _oom_score(document: Inspected) -> int:
    return int(document["HostConfig"].get("OomScoreAdj") or 0)


def _may_be_refused_score(error: ContainerRuntimeError) -> bool:
    return any(sign in error.message for sign in _REFUSED_SCORE_SIGNS)
