"""Where a pod came from and when, as the kubelet notes it in the pod's annotations.

A pod sees both notes through its downward API. What the API's object says there itself counts for nothing, or any pod
could pass for a static one, which is never evicted and minds no taints. Upstream: kubelet/config/config.go.
"""

from dataclasses import replace

from minikube_py.kubelet.pod import Pod

CONFIG_SOURCE = "kubernetes.io/config.source"
CONFIG_SEEN = "kubernetes.io/config.seen"
_API = "api"


def received_from_api(pod: Pod, seen: str) -> Pod:
    """Return a pod of the API with the kubelet's notes; `seen` is the time at which this kubelet first had it."""
    return replace(pod, annotations={**pod.annotations, CONFIG_SOURCE: _API, CONFIG_SEEN: seen})


def is_static(pod: Pod) -> bool:
    """Return whether a file of the node asked for the pod."""
    return pod.annotations.get(CONFIG_SOURCE, _API) != _API
