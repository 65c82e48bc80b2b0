"""Names and labels of containers in Docker: the only state that the runtime keeps, so they must say everything.

A pod's containers can be found, told apart, counted and stopped from Docker alone, after any crash of the agent and
without the API server. Names are those of dockershim, `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`; `_` is legal in
Docker's names and illegal in Kubernetes' ones, so that the parts can be told apart. A name is unique at one engine,
which makes creating idempotent: the second of two tries meets the first one's container.

Upstream: dockershim naming.go, cri-dockerd core/labels; kuberuntime labels.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.kubelet.cri import PodIdentity

SANDBOX_CONTAINER_NAME = "POD"

CONTAINER_NAME = "io.kubernetes.container.name"
CONTAINER_LOG_PATH = "io.kubernetes.container.logpath"
CONTAINER_TYPE = "io.kubernetes.docker.type"
POD_NAME = "io.kubernetes.pod.name"
POD_NAMESPACE = "io.kubernetes.pod.namespace"
POD_UID = "io.kubernetes.pod.uid"
SANDBOX_ID = "io.kubernetes.sandbox.id"
NODE = "minikube-py.node"
"""Whose container it is: two agents on one engine leave each other's alone."""
IMAGE = "minikube-py.image"
"""The image as the pod names it; the container itself is made from an id."""

NETNS = "minikube-py.netns"
"""On a sandbox that Docker shows in the host's network: `own` says that it has left it for one of its own."""
OWN_NETNS = "own"

TYPE_SANDBOX = "podsandbox"
TYPE_CONTAINER = "container"
ANNOTATION_PREFIX = "annotation."

_OURS = frozenset(
    (
        *(CONTAINER_NAME, CONTAINER_LOG_PATH, CONTAINER_TYPE, POD_NAME, POD_NAMESPACE, POD_UID, SANDBOX_ID),
        *(NODE, IMAGE, NETNS),
    )
)


@dataclass(frozen=True, slots=True)
class ParsedName:
    """What a container's name says."""

    container: str
    pod: PodIdentity
    attempt: int


def sandbox_name(pod: PodIdentity, attempt: int) -> str:
    """Return the pause container's name."""
    return container_name(pod, SANDBOX_CONTAINER_NAME, attempt)


def container_name(pod: PodIdentity, container: str, attempt: int) -> str:
    """Return an app container's name."""
    return f"k8s_{container}_{pod.name}_{pod.namespace}_{pod.uid}_{attempt}"


def parse_name(name: str) -> ParsedName | None:
    """Return what `name` says (with or without Docker's leading slash), or None for a stranger's.

    A seventh part is the random end that a name gets when Docker holds on to the name of a container that is gone.
    """
    parts = name.removeprefix("/").split("_")
    if len(parts) not in (6, 7) or parts[0] != "k8s" or not parts[5].isdecimal():
        return None
    _, container, pod, namespace, uid, attempt = parts[:6]
    return ParsedName(container, PodIdentity(namespace, pod, uid), int(attempt))


def render_labels(
    pod: PodIdentity,
    own: Mapping[str, str],
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
) -> dict[str, str]:
    """Return Docker's labels: the pod's, its annotations with a prefix, who the pod is, and `own`, which wins."""
    return {
        **labels,
        **{ANNOTATION_PREFIX + key: value for key, value in annotations.items()},
        POD_NAME: pod.name,
        POD_NAMESPACE: pod.namespace,
        POD_UID: pod.uid,
        **own,
    }


def pod_of(labels: Mapping[str, str]) -> PodIdentity:
    """Return which pod a container with these labels belongs to."""
    return PodIdentity(labels.get(POD_NAMESPACE, ""), labels.get(POD_NAME, ""), labels.get(POD_UID, ""))


def pod_labels_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the pod's own labels among Docker's."""
    return {key: value for key, value in labels.items() if key not in _OURS and not key.startswith(ANNOTATION_PREFIX)}


def annotations_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations that are kept in Docker's labels."""
    return {
        key.removeprefix(ANNOTATION_PREFIX): value
        for key, value in labels.items()
        if key.startswith(ANNOTATION_PREFIX)
    }
