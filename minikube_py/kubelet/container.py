"""A container of a pod as the kubelet needs it: frozen types, parsed once at the border.

Upstream: core/v1 Container, EnvVar, VolumeMount.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from minikube_py.kubelet.handlers import Handler, Probe, parse_handler, parse_probe

ContainerKind = Literal["init", "regular", "ephemeral"]
FIELD_OF_KIND: Mapping[ContainerKind, str] = {
    "init": "initContainers",
    "regular": "containers",
    "ephemeral": "ephemeralContainers",
}


@dataclass(frozen=True, slots=True)
class FieldRef:
    """`fieldRef`: a field of the pod."""

    path: str


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """`resourceFieldRef`: a request or limit of a container (empty: the one that asks)."""

    container: str
    resource: str
    divisor: str


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key of a ConfigMap or Secret."""

    kind: Literal["ConfigMap", "Secret"]
    name: str
    key: str
    optional: bool


@dataclass(frozen=True, slots=True)
class EnvVar:
    """One entry of `env`: a literal with `$(VAR)` references, or where the value comes from."""

    name: str
    value: str
    ref: FieldRef | ResourceRef | KeyRef | None


@dataclass(frozen=True, slots=True)
class EnvFrom:
    """One entry of `envFrom`: all keys of an object."""

    prefix: str
    kind: Literal["ConfigMap", "Secret"]
    name: str
    optional: bool


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """One entry of `volumeMounts`."""

    name: str
    mount_path: str
    read_only: bool
    sub_path: str
    sub_path_expr: str
    propagation: str
    recursive_read_only: str = "Disabled"
    """Disabled, IfPossible or Enabled: whether mounts below it are read-only too."""


@dataclass(frozen=True, slots=True)
class VolumeDevice:
    """One entry of `volumeDevices`: a volume that is a block device, and where the container sees it."""

    name: str
    device_path: str


@dataclass(frozen=True, slots=True)
class ContainerPort:
    """One entry of `ports`."""

    name: str
    container_port: int
    host_port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class RestartRule:
    """One entry of `restartPolicyRules`: exit codes at which the container is restarted whatever its policy says."""

    operator: Literal["In", "NotIn"]
    exit_codes: frozenset[int]

    def matches(self, exit_code: int) -> bool:
        """Return whether the rule is about this exit code."""
        return (exit_code in self.exit_codes) == (self.operator == "In")


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod, of any kind."""

    name: str
    kind: ContainerKind
    image: str
    image_pull_policy: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    working_dir: str = ""
    ports: tuple[ContainerPort, ...] = ()
    env: tuple[EnvVar, ...] = ()
    env_from: tuple[EnvFrom, ...] = ()
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    volume_mounts: tuple[VolumeMount, ...] = ()
    volume_devices: tuple[VolumeDevice, ...] = ()
    liveness: Probe | None = None
    readiness: Probe | None = None
    startup: Probe | None = None
    post_start: Handler | None = None
    pre_stop: Handler | None = None
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    termination_message_path: str = "/dev/termination-log"
    termination_message_policy: str = "File"
    security: Mapping[str, Any] = field(default_factory=dict)
    restart_policy: str = ""
    """Overrides the pod's; `Always` on an init container makes it a sidecar."""
    restart_rules: tuple[RestartRule, ...] = ()
    stop_signal: str = ""
    """Empty: the image's own."""
    restart_on_resize: frozenset[str] = frozenset()
    """Resources whose resizePolicy is RestartContainer."""
    target_container: str = ""
    hash: str = ""
    """Changes when a running container must be replaced (upstream: HashContainer over name and image)."""

    @property
    def is_sidecar(self) -> bool:
        """Return whether this is an init container that goes on running."""
        return self.kind == "init" and self.restart_policy == "Always"

    @property
    def field_path(self) -> str:
        """Return what events about it carry: `spec.containers{name}`."""
        return f"spec.{FIELD_OF_KIND[self.kind]}{{{self.name}}}"

    def restarts_after(self, exit_code: int, pod_policy: str) -> bool:
        """Return whether it is started again after it ended so (upstream: ContainerShouldRestart)."""
        if self.kind == "ephemeral":
            return False
        if any(rule.matches(exit_code) for rule in self.restart_rules):
            return True
        policy = self.restart_policy or pod_policy
        return policy == "Always" or (policy == "OnFailure" and exit_code != 0)

    def port_number(self, port: int | str) -> int | None:
        """Return the number of a port given by number or name, or None when there is no such name."""
        if isinstance(port, int):
            return port
        named = next((p.container_port for p in self.ports if p.name == port), None)
        if named is not None:
            return named
        return int(port) if port.isdigit() else None


def parse_containers(spec: Mapping[str, Any], kind: ContainerKind) -> tuple[Container, ...]:
    """Return the containers of one kind of a pod's spec."""
    return tuple(_container(raw, kind) for raw in spec.get(FIELD_OF_KIND[kind]) or ())


def container_hash(name: str, image: str) -> str:
    """Return the hash over what may not change under a running container."""
    return f"{zlib.crc32(orjson.dumps([name, image])):08x}"


def _container(raw: Mapping[str, Any], kind: ContainerKind) -> Container:
    resources = raw.get("resources") or {}
    limits = {k: str(v) for k, v in (resources.get("limits") or {}).items()}
    requests = {k: str(v) for k, v in (resources.get("requests") or {}).items()}
    lifecycle = raw.get("lifecycle") or {}
    name, image = str(raw["name"]), str(raw.get("image") or "")
    return Container(
        name=name,
        kind=kind,
        image=image,
        image_pull_policy=str(raw.get("imagePullPolicy") or ""),
        command=tuple(raw.get("command") or ()),
        args=tuple(raw.get("args") or ()),
        working_dir=str(raw.get("workingDir") or ""),
        ports=tuple(_port(p) for p in raw.get("ports") or ()),
        env=tuple(_env_var(e) for e in raw.get("env") or ()),
        env_from=tuple(_env_from(e) for e in raw.get("envFrom") or ()),
        requests=requests,
        limits=limits,
        volume_mounts=tuple(_volume_mount(m) for m in raw.get("volumeMounts") or ()),
        volume_devices=tuple(VolumeDevice(d["name"], d["devicePath"]) for d in raw.get("volumeDevices") or ()),
        liveness=parse_probe(raw.get("livenessProbe")),
        readiness=parse_probe(raw.get("readinessProbe")),
        startup=parse_probe(raw.get("startupProbe")),
        post_start=parse_handler(lifecycle.get("postStart")),
        pre_stop=parse_handler(lifecycle.get("preStop")),
        stdin=bool(raw.get("stdin")),
        stdin_once=bool(raw.get("stdinOnce")),
        tty=bool(raw.get("tty")),
        termination_message_path=str(raw.get("terminationMessagePath") or "/dev/termination-log"),
        termination_message_policy=str(raw.get("terminationMessagePolicy") or "File"),
        security=raw.get("securityContext") or {},
        restart_policy=str(raw.get("restartPolicy") or ""),
        restart_rules=tuple(_restart_rule(r) for r in raw.get("restartPolicyRules") or ()),
        restart_on_resize=frozenset(
            p.get("resourceName", "")
            for p in raw.get("resizePolicy") or ()
            if p.get("restartPolicy") == "RestartContainer"
        ),
        stop_signal=str(lifecycle.get("stopSignal") or ""),
        target_container=str(raw.get("targetContainerName") or ""),
        hash=container_hash(name, image),
    )


def _restart_rule(raw: Mapping[str, Any]) -> RestartRule:
    codes = raw.get("exitCodes") or {}
    operator: Literal["In", "NotIn"] = "NotIn" if codes.get("operator") == "NotIn" else "In"
    return RestartRule(operator, frozenset(int(code) for code in codes.get("values") or ()))


def _port(raw: Mapping[str, Any]) -> ContainerPort:
    return ContainerPort(
        str(raw.get("name") or ""),
        int(raw.get("containerPort") or 0),
        int(raw.get("hostPort") or 0),
        str(raw.get("protocol") or "TCP"),
    )


def _env_var(raw: Mapping[str, Any]) -> EnvVar:
    source = raw.get("valueFrom") or {}
    ref: FieldRef | ResourceRef | KeyRef | None = None
    if (by_field := source.get("fieldRef")) is not None:
        ref = parse_field_ref(by_field)
    elif (by_resource := source.get("resourceFieldRef")) is not None:
        ref = parse_resource_ref(by_resource)
    elif (in_map := source.get("configMapKeyRef")) is not None:
        ref = KeyRef("ConfigMap", in_map.get("name", ""), in_map.get("key", ""), bool(in_map.get("optional")))
    elif (in_secret := source.get("secretKeyRef")) is not None:
        ref = KeyRef("Secret", in_secret.get("name", ""), in_secret.get("key", ""), bool(in_secret.get("optional")))
    return EnvVar(str(raw["name"]), str(raw.get("value") or ""), ref)


def parse_field_ref(raw: Mapping[str, Any]) -> FieldRef:
    """Return an ObjectFieldSelector."""
    return FieldRef(str(raw.get("fieldPath") or ""))


def parse_resource_ref(raw: Mapping[str, Any]) -> ResourceRef:
    """Return a ResourceFieldSelector."""
    divisor = str(raw.get("divisor") or "1")
    return ResourceRef(str(raw.get("containerName") or ""), str(raw.get("resource") or ""), divisor)


def _env_from(raw: Mapping[str, Any]) -> EnvFrom:
    prefix = str(raw.get("prefix") or "")
    if (source := raw.get("configMapRef")) is not None:
        return EnvFrom(prefix, "ConfigMap", source.get("name", ""), bool(source.get("optional")))
    source = raw.get("secretRef") or {}
    return EnvFrom(prefix, "Secret", source.get("name", ""), bool(source.get("optional")))


def _volume_mount(raw: Mapping[str, Any]) -> VolumeMount:
    return VolumeMount(
        str(raw["name"]),
        str(raw["mountPath"]),
        bool(raw.get("readOnly")),
        str(raw.get("subPath") or ""),
        str(raw.get("subPathExpr") or ""),
        str(raw.get("mountPropagation") or "None"),
        str(raw.get("recursiveReadOnly") or "Disabled"),
    )
