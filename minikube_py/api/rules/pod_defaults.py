"""What a pod or a pod template gets where its author said nothing.

A pod's own defaults go further than a template's: only a pod has its limits copied to its requests, its ports copied
to host ports and its service links switched on, so that a template stays as it was written.

Upstream: pkg/apis/core/v1 defaults.go and conversion.go (the two names of the service account).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minikube_py.api.meta import Obj

FILE_MODE = 0o644
TOKEN_EXPIRATION_S = 3600
_LATEST = "latest"


def set_pod_defaults(pod: Obj) -> None:
    """Fill in a Pod."""
    spec = pod.setdefault("spec", {})
    set_pod_spec_defaults(spec)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        _requests_from_limits(container["resources"])
        if spec.get("hostNetwork"):
            for port in container.get("ports") or ():
                if port.get("containerPort") and not port.get("hostPort"):
                    port["hostPort"] = port["containerPort"]


def set_template_defaults(template: Obj) -> None:
    """Fill in a pod template."""
    set_pod_spec_defaults(template.setdefault("spec", {}))


def set_pod_spec_defaults(spec: Obj) -> None:
    """Fill in what pods and templates have in common."""
    for volume in spec.get("volumes") or ():
        _volume(volume)
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for container in spec.get(field) or ():
            _container(container)
    _default(spec, "restartPolicy", "Always")
    if spec.get("terminationGracePeriodSeconds") is None:
        spec["terminationGracePeriodSeconds"] = 30
    _default(spec, "dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    _default(spec, "schedulerName", "default-scheduler")
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def _default(obj: Obj, field: str, value: object) -> None:
    """Set a field that is absent or has the zero value."""
    if not obj.get(field):
        obj[field] = value


def _container(container: Obj) -> None:
    for port in container.get("ports") or ():
        _default(port, "protocol", "TCP")
    for variable in container.get("env") or ():
        _value_source(variable.get("valueFrom") or {})
    container.setdefault("resources", {})
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe in container:
            _probe(container[probe])
    for handler in (container.get("lifecycle") or {}).values():
        if isinstance(handler, dict):
            _http_get(handler)
    _default(container, "terminationMessagePath", "/dev/termination-log")
    _default(container, "terminationMessagePolicy", "File")
    _default(container, "imagePullPolicy", pull_policy_of(str(container.get("image", ""))))


def pull_policy_of(image: str) -> str:
    """Return the default pull policy of an image: Always for `latest` or no tag, else IfNotPresent."""
    if not image or "@" in image:
        return "IfNotPresent" if image else "Always"
    _, _, name = image.rpartition("/")
    _, colon, tag = name.partition(":")
    return "Always" if not colon or tag == _LATEST else "IfNotPresent"


def _requests_from_limits(resources: Obj) -> None:
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**(resources.get("requests") or {}), **_missing(limits, resources.get("requests"))}


def _missing(limits: Mapping[str, str], requests: Mapping[str, str] | None) -> Mapping[str, str]:
    return {name: amount for name, amount in limits.items() if name not in (requests or {})}


def _value_source(source: Obj) -> None:
    if "fieldRef" in source:
        _default(source["fieldRef"], "apiVersion", "v1")
    if "resourceFieldRef" in source:
        _default(source["resourceFieldRef"], "divisor", "0")
    if "fileKeyRef" in source and source["fileKeyRef"].get("optional") is None:
        source["fileKeyRef"]["optional"] = False


def _probe(probe: Obj) -> None:
    _http_get(probe)
    if "grpc" in probe:
        probe["grpc"].setdefault("service", "")
    _default(probe, "timeoutSeconds", 1)
    _default(probe, "periodSeconds", 10)
    _default(probe, "successThreshold", 1)
    _default(probe, "failureThreshold", 3)


def _http_get(handler: Obj) -> None:
    action = handler.get("httpGet")
    if action is not None:
        _default(action, "path", "/")
        _default(action, "scheme", "HTTP")


def _volume(volume: Obj) -> None:
    if not set(volume) - {"name"}:
        volume["emptyDir"] = {}
    for source, inner in volume.items():
        if source in _VOLUME_DEFAULTS and isinstance(inner, dict):
            _VOLUME_DEFAULTS[source](inner)


def _file_mode(source: Obj) -> None:
    if source.get("defaultMode") is None:
        source["defaultMode"] = FILE_MODE


def _items(source: Obj) -> Iterator[Obj]:
    yield from source.get("items") or ()


def _downward_api(source: Obj) -> None:
    _file_mode(source)
    _downward_items(source)


def _downward_items(source: Obj) -> None:
    for item in _items(source):
        _value_source(item)


def _projected(source: Obj) -> None:
    _file_mode(source)
    for projection in source.get("sources") or ():
        _downward_items(projection.get("downwardAPI") or {})
        token = projection.get("serviceAccountToken")
        if token is not None and token.get("expirationSeconds") is None:
            token["expirationSeconds"] = TOKEN_EXPIRATION_S


def _host_path(source: Obj) -> None:
    source.setdefault("type", "")


def _iscsi(source: Obj) -> None:
    _default(source, "iscsiInterface", "default")


def _ephemeral(source: Obj) -> None:
    claim = (source.get("volumeClaimTemplate") or {}).get("spec")
    if claim is not None and claim.get("volumeMode") is None:
        claim["volumeMode"] = "Filesystem"


def _rbd(source: Obj) -> None:
    _default(source, "pool", "rbd")
    _default(source, "user", "admin")
    _default(source, "keyring", "/etc/ceph/keyring")


def _image(source: Obj) -> None:
    _default(source, "pullPolicy", pull_policy_of(str(source.get("reference", ""))))


_VOLUME_DEFAULTS: Mapping[str, Callable[[Any], None]] = {
    "secret": _file_mode,
    "configMap": _file_mode,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "hostPath": _host_path,
    "iscsi": _iscsi,
    "rbd": _rbd,
    "ephemeral": _ephemeral,
    "image": _image,
}
