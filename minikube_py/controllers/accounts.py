"""As whom each controller works: admission and audit see its own service account, as upstream's.

Upstream: kube-controller-manager --use-service-account-credentials (kubeadm sets it), bootstrappolicy's
controller roles.
"""

from collections.abc import Mapping

NAMESPACE = "kube-system"
_OTHERWISE: Mapping[str, str] = {
    "cidrAllocator": "node-controller",
    "endpoint-slice-controller": "endpointslice-controller",
    "garbage-collector-controller": "generic-garbage-collector",
    "taint-eviction-controller": "node-controller",
}
"""Components whose account has another name than their Events."""


def account_of(component: str) -> str:
    """Return the user name of a controller, by the name that its Events have."""
    return f"system:serviceaccount:{NAMESPACE}:{_OTHERWISE.get(component, component)}"
