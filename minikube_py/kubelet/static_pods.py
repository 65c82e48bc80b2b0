"""Static pods: pods that a file on the node asks for, and the mirror pods that show them in the API.

A static pod's uid is the hash of what its file says, on this node: a changed file is another pod. The API's copy, the
mirror pod, has a uid of its own and carries the static one in annotations; edits and deletes of it change nothing
on the node. What would need the API server (Secrets, ConfigMaps, service accounts, claims) a static pod cannot use.

Upstream: kubelet/config/common.go, kubelet/pod/mirror_client.go.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from minikube_py.api.meta import Obj, annotations_of, copy_object, metadata, name_of, uid_of
from minikube_py.api.resources import PODS
from minikube_py.kubelet.pod_sources import CONFIG_SEEN, CONFIG_SOURCE

CONFIG_HASH = "kubernetes.io/config.hash"
CONFIG_MIRROR = "kubernetes.io/config.mirror"

_API_VOLUMES = ("secret", "configMap", "persistentVolumeClaim", "csi", "ephemeral")


class StaticPodError(Exception):
    """A file asks for something that cannot be a static pod; the message says what."""


def make_static_pod(document: Mapping[str, Any], *, node_name: str, file_name: str, seen: str) -> Obj:
    """Return the pod that a manifest asks for, with defaults.

    Args:
        document: the file's content.
        node_name: this node; it becomes part of the pod's name and uid.
        file_name: for the uid: two files with one content are two pods.
        seen: when the file was first seen, as an API time.

    Raises:
        StaticPodError: it is no valid pod, or needs the API server.
    """
    if document.get("kind") != "Pod" or document.get("apiVersion") != "v1":
        raise StaticPodError("is not a Pod of apiVersion v1")
    given = metadata(document)
    if not isinstance(given.get("name"), str) or not isinstance(document.get("spec"), dict):
        raise StaticPodError("has no metadata.name or no spec")
    reference = next(_api_references(document["spec"]), None)
    if reference is not None:
        raise StaticPodError(f"refers to {reference}, which a static pod cannot use")
    text = orjson.dumps([document, node_name, file_name], option=orjson.OPT_SORT_KEYS)
    uid = str(given.get("uid") or hashlib.sha256(text).hexdigest()[:32])
    pod = copy_object(document)
    pod["metadata"] = {
        **given,
        "name": f"{given['name']}-{node_name}",
        "namespace": given.get("namespace") or "default",
        "uid": uid,
        "annotations": {
            **annotations_of(document),
            CONFIG_SOURCE: "file",
            CONFIG_HASH: uid,
            CONFIG_SEEN: seen,
        },
    }
    pod.pop("status", None)
    spec = pod["spec"]
    spec["nodeName"] = node_name
    # A static pod is not the cluster's to evict: no taint ends it.
    spec.setdefault("tolerations", []).append({"operator": "Exists", "effect": "NoExecute"})
    PODS.rules.set_defaults(pod)
    faults = PODS.rules.validate(pod)
    if faults:
        raise StaticPodError("; ".join(f"{fault.field}: {fault.detail}" for fault in faults))
    return pod


def _api_references(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("serviceAccountName"):
        yield "a service account"
    for volume in spec.get("volumes") or ():
        kinds = {
            *volume,
            *(kind for source in (volume.get("projected") or {}).get("sources") or () for kind in source),
        }
        if found := next((kind for kind in (*_API_VOLUMES, "serviceAccountToken") if kind in kinds), None):
            yield f"a {found} volume"
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(group) or ():
            sources = [entry.get("valueFrom") or {} for entry in container.get("env") or ()]
            if any("configMapKeyRef" in source or "secretKeyRef" in source for source in sources):
                yield "a ConfigMap or Secret in env"
            if container.get("envFrom"):
                yield "a ConfigMap or Secret in envFrom"


def make_mirror_pod(static: Mapping[str, Any], node: Mapping[str, Any] | None) -> Obj:
    """Return the mirror pod to create for a static pod; `node` owns it when it is known."""
    mirror = copy_object(static)
    meta = mirror["metadata"]
    uid = meta.pop("uid")
    meta["annotations"] = {**meta["annotations"], CONFIG_MIRROR: uid}
    if node is not None:
        owner = {"apiVersion": "v1", "kind": "Node", "name": name_of(node), "uid": uid_of(node), "controller": True}
        meta["ownerReferences"] = [owner]
    mirror.pop("status", None)
    return mirror


def static_uid(mirror: Mapping[str, Any]) -> str:
    """Return the uid of the static pod that a mirror pod shows; empty for other pods."""
    return annotations_of(mirror).get(CONFIG_MIRROR, "")
