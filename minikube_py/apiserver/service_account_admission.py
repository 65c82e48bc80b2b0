"""Every pod runs as a service account: names it, checks it, and gives its containers the account's token.

The token, the cluster's CA and the namespace come as one projected volume at `/var/run/secrets/…`, for each container
that mounts nothing there itself, unless the pod or else the account says `automountServiceAccountToken: false`. A
mirror pod stands for what a kubelet runs anyway: it is not changed, and may refer to nothing of the API.

Upstream: plugin/pkg/admission/serviceaccount.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minikube_py.api.meta import Obj, annotations_of, name_of
from minikube_py.api.rules.core_pod import MIRROR
from minikube_py.api.rules.faults import items, part

DEFAULT_ACCOUNT = "default"
TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  # where clients look for it
TOKEN_EXPIRATION_S = 3607
"""An hour and a bit: how upstream's servers tell these tokens from those that were asked for."""
VOLUME_PREFIX = "kube-api-access-"
ENFORCE = "kubernetes.io/enforce-mountable-secrets"
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_CONTAINERS = ("initContainers", "containers")


def is_mirror(pod: Mapping[str, Any]) -> bool:
    """Return whether a pod mirrors a static pod."""
    return MIRROR in annotations_of(pod)


def mirror_fault(pod: Mapping[str, Any]) -> str:
    """Return what a mirror pod refers to and may not; empty when nothing."""
    spec = part(pod, "spec")
    sources = [source for volume in items(spec, "volumes") for source in items(part(volume, "projected"), "sources")]
    if spec.get("serviceAccountName"):
        return "a mirror pod may not reference service accounts"
    if any(_referred(spec, "secret")):
        return "a mirror pod may not reference secrets"
    if any(_referred(spec, "configMap")):
        return "a mirror pod may not reference configmaps"
    if any(source.get("serviceAccountToken") for source in sources):
        return "a mirror pod may not use ServiceAccountToken volume projections"
    return ""


def _referred(spec: Mapping[str, Any], kind: str) -> Iterator[bool]:
    for volume in items(spec, "volumes"):
        yield bool(volume.get(kind))
        yield any(source.get(kind) for source in items(part(volume, "projected"), "sources"))
    for field in _CONTAINERS:
        for container in items(spec, field):
            yield any(part(env, "valueFrom").get(f"{kind}KeyRef") for env in items(container, "env"))
            yield any(env.get(f"{kind}Ref") for env in items(container, "envFrom"))
    yield kind == "secret" and bool(spec.get("imagePullSecrets"))


def name_account(pod: Obj) -> str:
    """Give a pod the account that it runs as, if it names none; return its name."""
    spec = pod.setdefault("spec", {})
    name = str(spec.get("serviceAccountName") or DEFAULT_ACCOUNT)
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    return name


def mount_token(pod: Obj, account: Mapping[str, Any], suffix: str) -> None:
    """Give the pod's containers the account's token, and the pod its image pull secrets.

    Args:
        pod: a pod with its defaults; changed.
        account: the ServiceAccount that it runs as.
        suffix: random letters for the volume's name.
    """
    spec = pod["spec"]
    if _automounts(spec, account):
        names = [str(volume.get("name") or "") for volume in items(spec, "volumes")]
        found = next((name for name in names if name.startswith(VOLUME_PREFIX)), None)
        name = found or VOLUME_PREFIX + suffix
        needed = [_mount(container, name) for field in _CONTAINERS for container in items(spec, field)]
        if found is None and any(needed):
            spec["volumes"] = [*items(spec, "volumes"), {"name": name, "projected": token_volume()}]
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(secret) for secret in account["imagePullSecrets"]]


def _automounts(spec: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    for said in (spec.get("automountServiceAccountToken"), account.get("automountServiceAccountToken")):
        if said is not None:
            return bool(said)
    return True


def _mount(container: Obj, volume: str) -> bool:
    if any(mount.get("mountPath") == TOKEN_PATH for mount in items(container, "volumeMounts")):
        return False
    mount = {"name": volume, "readOnly": True, "mountPath": TOKEN_PATH}
    container["volumeMounts"] = [*items(container, "volumeMounts"), mount]
    return True


def token_volume() -> Obj:
    """Return the projected volume of token, CA and namespace."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_EXPIRATION_S, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 0o644,
    }


def secrets_fault(pod: Mapping[str, Any], account: Mapping[str, Any]) -> str:
    """Return which Secret a pod uses though its account, which wants to be asked, does not list it."""
    if annotations_of(account).get(ENFORCE) not in _TRUE:
        return ""
    spec, name = part(pod, "spec"), name_of(account)
    allowed = {secret.get("name") for secret in items(account, "secrets")}
    tail = f"is not allowed because service account {name} does not reference that"
    for what, secret in _uses(spec):
        if secret not in allowed:
            return f'{what} secret.secretName="{secret}" {tail} secret'
    pull = {secret.get("name") for secret in items(account, "imagePullSecrets")}
    for index, secret in enumerate(items(spec, "imagePullSecrets")):
        if secret.get("name") not in pull:
            return f'imagePullSecrets[{index}].name="{secret.get("name")}" {tail} imagePullSecret'
    return ""


def _uses(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for volume in items(spec, "volumes"):
        if volume.get("secret"):
            yield "volume with", str(volume["secret"].get("secretName"))
    for field, word in (("initContainers", "init container"), ("containers", "container")):
        containers: Sequence[Mapping[str, Any]] = items(spec, field)
        for container in containers:
            for env in items(container, "env"):
                if ref := part(env, "valueFrom").get("secretKeyRef"):
                    yield (
                        f"{word} {container.get('name')} with envVar {env.get('name')} referencing",
                        str(ref.get("name")),
                    )
            for env in items(container, "envFrom"):
                if ref := env.get("secretRef"):
                    yield f"{word} {container.get('name')} with envFrom referencing", str(ref.get("name"))
