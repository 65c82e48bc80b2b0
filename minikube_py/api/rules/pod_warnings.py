"""What whoever writes a pod, or a template of pods, is warned of: what is valid and yet hardly what was meant.

Upstream: pkg/api/pod/warnings.go, pkg/api/node/util.go, and WarningsOnCreate of the workloads' strategies.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeAlias

from minikube_py.api.meta import metadata, name_of
from minikube_py.api.names import dns_label_faults
from minikube_py.api.quantity import parse_quantity
from minikube_py.api.rules.faults import items, part

Warnings: TypeAlias = Iterator[str]
"""What a rule yields: texts in upstream's words and order."""
_Node: TypeAlias = Mapping[str, Any]

_NODE_LABELS: Mapping[str, str] = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_ANNOTATIONS: Mapping[str, tuple[str, str]] = {
    "scheduler.alpha.kubernetes.io/critical-pod": ("v1.16", "priorityClassName"),
    "security.alpha.kubernetes.io/sysctls": ("v1.11", "sysctls"),
    "security.alpha.kubernetes.io/unsafe-sysctls": ("v1.11", "sysctls"),
}
DEPRECATED_VOLUMES: Mapping[str, str] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
"""Fields of a volume, and what is said of them."""
_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_OF = "container.seccomp.security.alpha.kubernetes.io/"
_APPARMOR_OF = "container.apparmor.security.beta.kubernetes.io/"
_USE_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_USE_APPARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'
_NEGATIVE = "must be >= 0; negative values are invalid and will be treated as 1"
_MATCHES_NOTHING = "a null labelSelector results in matching no pod"
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_OF_BYTES = ("memory", "ephemeral-storage")
_AFFINITIES = ("podAffinity", "podAntiAffinity")
_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def warn_of_pod(pod: _Node, old: _Node | None) -> Warnings:
    """Yield what the maker of a pod is warned of; of changes, which come often and from programs, nobody is."""
    if old is not None:
        return
    yield from _warn_of_name(pod, "the Pod's hostname")
    yield from _warn_of_pod(pod, "")


def warn_of_template(workload: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a workload's template when it is made and when the spec changes."""
    if old is None or old.get("spec") != workload.get("spec"):
        yield from _warn_of_pod(part(part(workload, "spec"), "template"), "spec.template.")


def warn_of_named_template(workload: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a workload whose name becomes part of its pods' names."""
    if old is None:
        yield from _warn_of_name(workload, "Pod names and hostnames")
    yield from warn_of_template(workload, old)


def warn_of_cron_job(cron_job: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a CronJob."""
    spec = part(cron_job, "spec")
    if old is None:
        yield from _warn_of_name(cron_job, "Pod names and hostnames")
    if old is None or old.get("spec") != cron_job.get("spec"):
        template = part(part(part(spec, "jobTemplate"), "spec"), "template")
        yield from _warn_of_pod(template, "spec.jobTemplate.spec.template.")


def warn_of_pod_template(template: _Node, old: _Node | None) -> Warnings:
    """Yield what is said of a PodTemplate."""
    if old is None or old.get("template") != template.get("template"):
        yield from _warn_of_pod(part(template, "template"), "template.")


def warn_of_amounts(amounts: _Node, names: Iterable[str], path: str) -> Warnings:
    """Yield amounts of bytes that are no whole numbers."""
    for name in names:
        amount = amounts.get(name)
        if amount is not None and str(amount).endswith("m") and parse_quantity(str(amount)).milli % 1000:
            yield f'{path}[{name}]: fractional byte value "{amount}" is invalid, must be an integer'


def _warn_of_name(obj: _Node, used_in: str) -> Warnings:
    faults = dns_label_faults(name_of(obj))
    if faults:
        yield (
            f"metadata.name: this is used in {used_in}, which can result in surprising behavior;"
            f" a DNS label is recommended: [{' '.join(faults)}]"
        )


def _warn_of_pod(pod: _Node, at: str) -> Warnings:
    spec, annotations = part(pod, "spec"), metadata(pod).get("annotations") or {}
    yield from _warn_of_nodes(spec, at)
    for name, (since, field) in _ANNOTATIONS.items():
        if name in annotations:
            yield f'{at}metadata.annotations[{name}]: non-functional in {since}+; use the "{field}" field instead'
    for index, volume in enumerate(items(spec, "volumes")):
        yield from _warn_of_volume(volume, f"{at}spec.volumes[{index}]")
    yield from _warn_of_repeats(items(spec, "hostAliases"), "ip", f"{at}spec.hostAliases")
    yield from _warn_of_repeats(items(spec, "imagePullSecrets"), "name", f"{at}spec.imagePullSecrets")
    for index, secret in enumerate(items(spec, "imagePullSecrets")):
        if not secret.get("name"):
            yield f'{at}spec.imagePullSecrets[{index}].name: invalid empty name ""'
    yield from warn_of_amounts(part(spec, "overhead"), _OF_BYTES, f"{at}spec.overhead")
    yield from _warn_of_containers(spec, annotations, at)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield f"{at}spec.terminationGracePeriodSeconds: {_NEGATIVE}"
    if spec.get("affinity"):
        yield from _warn_of_affinity(spec["affinity"], f"{at}spec.affinity")


def _warn_of_nodes(spec: _Node, at: str) -> Warnings:
    for name in spec.get("nodeSelector") or ():
        if name in _NODE_LABELS:
            yield f"{at}spec.nodeSelector[{name}]: {_NODE_LABELS[name]}"
    affinity = part(part(spec, "affinity"), "nodeAffinity") if spec.get("affinity") else {}
    here = f"{at}spec.affinity.nodeAffinity"
    for index, term in enumerate(items(part(affinity, _REQUIRED), "nodeSelectorTerms")):
        yield from warn_of_node_term(term, f"{here}.{_REQUIRED}.nodeSelectorTerms[{index}]")
    for index, term in enumerate(items(affinity, _PREFERRED)):
        yield from warn_of_node_term(part(term, "preference"), f"{here}.{_PREFERRED}[{index}].preference")
    for index, spread in enumerate(items(spec, "topologySpreadConstraints")):
        here, key = f"{at}spec.topologySpreadConstraints[{index}]", spread.get("topologyKey")
        if key in _NODE_LABELS:
            yield f"{here}.topologyKey: {key} is {_NODE_LABELS[key]}"
        if spread.get("labelSelector") is None:
            yield f"{here}.labelSelector: {_MATCHES_NOTHING}"


def warn_of_node_term(term: _Node, path: str) -> Warnings:
    """Yield the deprecated labels of nodes that a term selects by."""
    for index, expression in enumerate(items(term, "matchExpressions")):
        key = expression.get("key")
        if key in _NODE_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {key} is {_NODE_LABELS[key]}"


def _warn_of_volume(volume: _Node, path: str) -> Warnings:
    for kind in volume.keys() & DEPRECATED_VOLUMES.keys():
        # upstream says storageOS, not the field's name
        yield f"{path}.{'storageOS' if kind == 'storageos' else kind}: {DEPRECATED_VOLUMES[kind]}"
    if "ephemeral" in volume:
        here = f"{path}.ephemeral.volumeClaimTemplate.spec.resources"
        resources = part(part(part(part(volume, "ephemeral"), "volumeClaimTemplate"), "spec"), "resources")
        for field in ("requests", "limits"):
            yield from warn_of_amounts(part(resources, field), ("storage",), f"{here}.{field}")


def _warn_of_repeats(elements: Sequence[_Node], field: str, path: str) -> Warnings:
    seen: set[str] = set()
    for index, element in enumerate(elements):
        value = element.get(field) or ""
        if value in seen:
            yield f'{path}[{index}].{field}: duplicate {field} "{value}"'
        seen.add(value)


def _warn_of_containers(spec: _Node, annotations: _Node, at: str) -> Warnings:
    security = part(spec, "securityContext")
    if _SECCOMP in annotations and not security.get("seccompProfile"):
        yield f"{at}metadata.annotations[{_SECCOMP}]: {_USE_SECCOMP}"
    ports: dict[tuple[Any, Any], list[tuple[str, _Node]]] = {}
    of_ports: list[Warnings] = []
    for container, path in _containers(spec, at):
        if annotations:
            yield from _warn_of_profiles(container, security, annotations, at)
        for field, amounts in (container.get("resources") or {}).items():
            if field in ("limits", "requests"):
                yield from warn_of_amounts(amounts, _OF_BYTES, f"{path}.resources.{field}")
        if container.get("env"):
            yield from _warn_of_hidden_env(container["env"], f"{path}.env")
        if container.get("ports"):
            of_ports.append(_warn_of_ports(container["ports"], f"{path}.ports", ports))
    yield from chain.from_iterable(of_ports)


def _containers(spec: _Node, at: str) -> Iterator[tuple[_Node, str]]:
    for field in _CONTAINER_LISTS:
        for index, container in enumerate(spec.get(field) or ()):
            yield container, f"{at}spec.{field}[{index}]"


def _warn_of_profiles(container: _Node, of_pod: _Node, annotations: _Node, at: str) -> Warnings:
    own, name = part(container, "securityContext"), container.get("name")
    seccomp, apparmor = f"{_SECCOMP_OF}{name}", f"{_APPARMOR_OF}{name}"
    if seccomp in annotations and not own.get("seccompProfile"):
        yield f"{at}metadata.annotations[{seccomp}]: {_USE_SECCOMP}"
    if apparmor in annotations and not own.get("appArmorProfile") and not of_pod.get("appArmorProfile"):
        yield f"{at}metadata.annotations[{apparmor}]: {_USE_APPARMOR}"


def _warn_of_hidden_env(env: Sequence[_Node], path: str) -> Warnings:
    if len({variable.get("name") for variable in env}) == len(env):
        return
    seen: set[str] = set()
    for index, variable in enumerate(env):
        name, value = variable.get("name") or "", variable.get("value") or ""
        reference = f"$({name})"
        if name in seen and (variable.get("valueFrom") or value == reference or reference not in value):
            yield f'{path}[{index}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _warn_of_ports(
    ports: Sequence[_Node], path: str, seen: dict[tuple[Any, Any], list[tuple[str, _Node]]]
) -> Warnings:
    for index, port in enumerate(ports):
        here, host, ip = f"{path}[{index}]", port.get("hostPort") or 0, port.get("hostIP") or ""
        number, protocol = port.get("containerPort"), port.get("protocol")
        if ip and not host:
            shown = f"Name:{port.get('name') or ''} HostPort:0 ContainerPort:{number} Protocol:{protocol} HostIP:{ip}"
            yield f"{here}: hostIP set without hostPort: {{{shown}}}"
        others = seen.setdefault((number, protocol), [])
        for where, other in others:
            other_host, other_ip = other.get("hostPort") or 0, other.get("hostIP") or ""
            if (ip, host) == (other_ip, other_host):
                yield f"{here}: duplicate port definition with {where}"
            elif not host or not other_host:
                yield f"{here}: overlapping port definition with {where}"
            elif host == other_host and bool(ip) != bool(other_ip):
                yield f"{here}: dangerously ambiguous port definition with {where}"
        others.append((here, port))


def _warn_of_affinity(affinity: _Node, path: str) -> Warnings:
    for kind in _AFFINITIES:
        terms = part(affinity, kind)
        for index, term in enumerate(items(terms, _REQUIRED)):
            if term.get("labelSelector") is None:
                yield f"{path}.{kind}.{_REQUIRED}[{index}].labelSelector: {_MATCHES_NOTHING}"
        for index, term in enumerate(items(terms, _PREFERRED)):
            if part(term, "podAffinityTerm").get("labelSelector") is None:
                yield f"{path}.{kind}.{_PREFERRED}[{index}].podAffinityTerm.labelSelector: {_MATCHES_NOTHING}"
