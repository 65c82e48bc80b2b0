"""The environment of a container: service variables, then `envFrom`, then `env` in order with `$(VAR)` expansion.

A literal may refer to variables defined before it and to service variables; `$$(VAR)` is a literal `$(VAR)`, an
undefined reference stays as it is. Upstream: kubelet_pods.go makeEnvironmentVariables, third_party expansion.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.kubelet.container import Container, EnvFrom, FieldRef, KeyRef, ResourceRef
from minikube_py.kubelet.downward import PodFacts, field_value, resource_value
from minikube_py.kubelet.pod import Pod

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\)|)")
_NAME = re.compile(r"[^\x00-\x1f\x7f=]+")

ObjectRef = tuple[str, str]
"""Kind (ConfigMap or Secret) and name, in the pod's namespace."""


class ConfigError(Exception):
    """The container cannot be made as it is written (CreateContainerConfigError); the message is upstream's."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables, and which keys of which objects could not become one."""

    variables: tuple[tuple[str, str], ...]
    skipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`configMap namespace/name` -> keys that are no variable names."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return `text` with `$(VAR)` replaced by known variables and `$$` by `$`."""

    def replace(match: re.Match[str]) -> str:
        if match.group(0) == "$$":
            return "$"
        name = match.group(1)
        if name is None:
            return match.group(0)
        return variables.get(name, match.group(0))

    return _REFERENCE.sub(replace, text)


def referenced_objects(container: Container) -> tuple[ObjectRef, ...]:
    """Return the ConfigMaps and Secrets that the environment reads, each once, sorted."""
    found = {(e.kind, e.name) for e in container.env_from}
    found |= {(e.ref.kind, e.ref.name) for e in container.env if isinstance(e.ref, KeyRef)}
    return tuple(sorted(found))


def make_environment(
    pod: Pod,
    container: Container,
    facts: PodFacts,
    service_variables: Mapping[str, str],
    objects: Mapping[ObjectRef, Obj | None],
) -> Environment:
    """Return the environment of a container.

    Args:
        pod: the pod.
        container: the container.
        facts: addresses and the node's size, for the downward API.
        service_variables: what services contribute; `env` overrides them.
        objects: the ConfigMaps and Secrets of `referenced_objects`; None for one that does not exist.

    Raises:
        ConfigError: an object or key that is not optional is missing, or a reference means nothing.
    """
    variables: dict[str, str] = {}
    skipped: dict[str, tuple[str, ...]] = {}
    for source in container.env_from:
        bad = _add_env_from(variables, source, pod.namespace, objects)
        if bad:
            lower = "configMap" if source.kind == "ConfigMap" else "secret"
            skipped[f"{lower} {pod.namespace}/{source.name}"] = bad
    for entry in container.env:
        known = {**service_variables, **variables}
        if entry.ref is None:
            variables[entry.name] = expand(entry.value, known)
            continue
        value = _value_of(pod, container, facts, entry.ref, objects)
        if value is not None:
            variables[entry.name] = value
    for name, value in service_variables.items():
        variables.setdefault(name, value)
    return Environment(tuple(variables.items()), skipped)


def _add_env_from(
    variables: dict[str, str], source: EnvFrom, namespace: str, objects: Mapping[ObjectRef, Obj | None]
) -> tuple[str, ...]:
    obj = objects.get((source.kind, source.name))
    if obj is None:
        if source.optional:
            return ()
        raise ConfigError(missing_object(source.kind, source.name))
    bad: list[str] = []
    for key, value in sorted(text_data(obj, source.kind).items()):
        name = source.prefix + key
        if _NAME.fullmatch(name):
            variables[name] = value
        else:
            bad.append(key)
    return tuple(bad)


def _value_of(
    pod: Pod,
    container: Container,
    facts: PodFacts,
    ref: FieldRef | ResourceRef | KeyRef,
    objects: Mapping[ObjectRef, Obj | None],
) -> str | None:
    if isinstance(ref, KeyRef):
        return _key_value(pod.namespace, ref, objects.get((ref.kind, ref.name)))
    if isinstance(ref, FieldRef):
        value = field_value(pod, ref.path, facts)
        if value is None:
            raise ConfigError(f"unsupported fieldPath: {ref.path}")
        return value
    target = pod.container(ref.container) if ref.container else container
    value = None if target is None else resource_value(target, ref.resource, ref.divisor, facts)
    if value is None:
        raise ConfigError(f"unsupported container resource : {ref.resource}")
    return value


def _key_value(namespace: str, ref: KeyRef, obj: Obj | None) -> str | None:
    if obj is None:
        if ref.optional:
            return None
        raise ConfigError(missing_object(ref.kind, ref.name))
    data = text_data(obj, ref.kind)
    if ref.key in data:
        return data[ref.key]
    if ref.optional:
        return None
    raise ConfigError(f"couldn't find key {ref.key} in {ref.kind} {namespace}/{ref.name}")


def missing_object(kind: str, name: str) -> str:
    """Return the API's words for a ConfigMap or Secret that does not exist."""
    return f'{kind.lower()} "{name}" not found'


def text_data(obj: Mapping[str, Any], kind: str) -> Mapping[str, str]:
    """Return the data of a ConfigMap or Secret as texts.

    Raises:
        ConfigError: a value of the Secret is not base64.
    """
    data: Mapping[str, str] = obj.get("data") or {}
    if kind == "ConfigMap":
        return data
    try:
        return {key: decode_base64(value).decode(errors="replace") for key, value in data.items()}
    except binascii.Error as error:
        raise ConfigError(f"secret holds data that is not base64: {error}") from error


def decode_base64(text: str) -> bytes:
    """Return the bytes; line breaks are allowed, as in Go.

    Raises:
        binascii.Error: the text is no base64.
    """
    return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
