"""All built-in plug-ins, in the order in which they are asked: each sees what those before it have made.

ExtendedResourceToleration, AlwaysPullImages and the others that upstream leaves off are not here.
Upstream: pkg/kubeapiserver/options/plugins.go (AllOrderedPlugins, DefaultOffAdmissionPlugins).
"""

from collections.abc import Mapping

from minikube_py.apiserver.admission import Operation
from minikube_py.apiserver.plugins import certificates, classes, lifecycle, priority, runtime_class, tolerations
from minikube_py.apiserver.plugins.plugin import Plugin

ORDER = (
    "NamespaceLifecycle",
    "TaintNodesByCondition",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "PodTopologyLabels",
)
PLUGINS: tuple[Plugin, ...] = tuple(
    sorted(
        (
            *lifecycle.PLUGINS,
            *priority.PLUGINS,
            *tolerations.PLUGINS,
            *classes.PLUGINS,
            *runtime_class.PLUGINS,
            *certificates.PLUGINS,
        ),
        key=lambda plugin: ORDER.index(plugin.name),
    )
)
_EVERYWHERE: Mapping[Operation, tuple[Plugin, ...]] = {
    operation: tuple(p for p in PLUGINS if "*" in p.places and operation in p.operations)
    for operation in ("CREATE", "UPDATE", "DELETE", "CONNECT")
}
_AT: Mapping[tuple[str, Operation], tuple[Plugin, ...]] = {
    (place, operation): tuple(
        p for p in PLUGINS if operation in p.operations and (place in p.places or "*" in p.places)
    )
    for plugin in PLUGINS
    for place in plugin.places
    for operation in plugin.operations
}


def plugins_at(place: str, operation: Operation) -> tuple[Plugin, ...]:
    """Return the plug-ins that are asked about an operation on a resource, or a subresource of it."""
    return _AT.get((place, operation)) or _EVERYWHERE[operation]
