"""The agent's settings: what exists, where each value came from, and what is wrong with them.

Flag, then `MINIKUBE_PY_*` in the environment, then the config file (flags' names as keys), then the default. The
command line, the environment, the file and the documentation all derive from `SETTINGS`. All faults are reported at
once; an unknown key names the nearest known one.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import yaml
from yaml.error import MarkedYAMLError

from minikube_py.kit.arguments import ArgumentError
from minikube_py.kit.errors import UserError
from minikube_py.kit.own_address import OwnAddress
from minikube_py.kit.value_faults import ValueFaults, bad_choice
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.kubelet_args import apply_kubelet_args
from minikube_py.kubelet.registration import faults_of
from minikube_py.network.config import PodNetworkMode

_ENDPOINT = re.compile(r"https?://[^/:]+:[0-9]+")
_SERVER = re.compile(r"https://[^/:@]+(:[0-9]+)?/?")
DEFAULT_DATA_DIR = "/var/lib/minikube-py"
DEFAULT_CONFIG_FILE = "/etc/minikube-py/config.yaml"
BUNDLED_PARTS = ("dns", "metrics", "dashboard", "servicelb", "local-storage")


class ConfigError(UserError):
    """Settings that cannot be used; the message lists every fault, one a line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its flag (without dashes in front), default and help."""

    name: str
    default: str | int | None
    help: str
    choices: tuple[str, ...] = ()
    many: bool = False
    """May be given several times, or as a list in the file."""


SETTINGS: tuple[Setting, ...] = (
    Setting("data-dir", DEFAULT_DATA_DIR, "where state, certificates and pod volumes are kept"),
    Setting("node-name", None, "this node's name (default: the host name)"),
    Setting(
        "node-ip",
        None,
        "this node's address (default: that of the way to --server or of the default route; where it is VirtualBox's "
        "10.0.2.15, that of another card)",
    ),
    Setting(
        "datastore-endpoint",
        None,
        "an etcd cluster to keep the state in: http(s)://HOST:PORT (default: own store)",
        many=True,
    ),
    Setting("datastore-cafile", None, "the CA of that cluster's certificates"),
    Setting("datastore-certfile", None, "the client certificate for that cluster"),
    Setting("datastore-keyfile", None, "the client certificate's key"),
    Setting("docker-host", "unix:///var/run/docker.sock", "the Docker engine's address"),
    Setting("cluster-cidr", "10.244.0.0/16", "addresses of pods; each node gets a /24 of it"),
    Setting("service-cidr", "10.96.0.0/16", "addresses of Services"),
    Setting("cluster-dns", "10.96.0.10", "the cluster DNS's address, inside the service CIDR"),
    Setting("cluster-domain", "cluster.local", "the domain of cluster DNS names"),
    Setting("service-node-port-range", "30000-32767", "ports for Services of type NodePort"),
    Setting("bind-address", "0.0.0.0", "the address that the API server listens on"),
    Setting("https-listen-port", 6443, "the API server's port"),
    Setting("tls-san", None, "further names and addresses for the API server's certificate", many=True),
    Setting("server", None, "the URL of a master to join: https://HOST:6443"),
    Setting(
        "token",
        None,
        "what joins hosts: on a master the cluster's own (default: made at the first start), else what "
        "`minikube-py token create` printed",
    ),
    Setting("token-file", None, "a file that holds the token"),
    Setting("audit-log-path", None, "where the audit log goes; `-`: the standard output (default: there is none)"),
    Setting("audit-policy-file", None, "an audit.k8s.io/v1 Policy: what the audit log has"),
    Setting("audit-log-maxsize", 0, "megabytes of one file of the audit log (0: 100)"),
    Setting("audit-log-maxage", 0, "days that old files of the audit log are kept (0: for ever)"),
    Setting("audit-log-maxbackup", 0, "old files of the audit log that are kept (0: all)"),
    Setting("write-kubeconfig", None, "the administrator's kubeconfig (default: /etc/minikube-py/kubeconfig.yaml)"),
    Setting("write-kubeconfig-mode", "0600", "that file's mode"),
    Setting("proxy-mode", "auto", "how Services get into the kernel", choices=("auto", "nftables", "iptables")),
    Setting(
        "pod-network",
        "auto",
        "how pods of different nodes reach one another, the same on every node: by routes, through a VXLAN tunnel, "
        "or (auto) through a tunnel to those nodes only that share no link with this one",
        choices=("auto", "direct", "vxlan"),
    ),
    Setting("vxlan-port", 8472, "the UDP port of the pod network's tunnel, the same on every node"),
    Setting("disable", None, "a bundled part to leave out", choices=BUNDLED_PARTS, many=True),
    Setting(
        "kubelet-arg",
        None,
        "NAME=VALUE: a flag of the kubelet, such as eviction-hard=memory.available<500Mi",
        many=True,
    ),
    Setting(
        "kube-apiserver-arg",
        None,
        "NAME=VALUE: a flag of the API server, such as default-unreachable-toleration-seconds=60",
        many=True,
    ),
    Setting(
        "kube-controller-manager-arg",
        None,
        "NAME=VALUE: a flag of the controllers, such as node-monitor-grace-period=20s",
        many=True,
    ),
    Setting("kubelet-port", 10250, "the port of this node's kubelet"),
    Setting("node-external-ip", None, "the address under which this node is reached from outside"),
    Setting("node-label", None, "NAME=VALUE: a label of this node", many=True),
    Setting("node-taint", None, "NAME=VALUE:EFFECT: a taint that this node is registered with", many=True),
    Setting(
        "pod-manifest-path",
        None,
        "the folder with manifests of static pods (default: /etc/minikube-py/manifests; with another data folder, "
        "its agent/pod-manifests)",
    ),
    Setting(
        "private-registry",
        None,
        "mirrors and credentials of registries (default: /etc/minikube-py/registries.yaml; with another data folder, "
        "its agent/registries.yaml)",
    ),
    Setting("pause-image", None, "the pause image (default: made by the program itself)"),
    Setting("log-format", "text", "how log lines look", choices=("text", "json")),
    Setting(
        "timers", "default", "`fast` shortens heartbeats and grace periods, for tests", choices=("default", "fast")
    ),
)
_BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Datastore:
    """An etcd cluster that keeps the state."""

    urls: tuple[str, ...]
    ca_path: Path | None
    certificate_path: Path | None
    key_path: Path | None


@dataclass(frozen=True, slots=True)
class Audit:
    """Where the audit log goes, what it has, and how much of it is kept."""

    log_path: str
    policy_path: Path
    size_mb_max: int
    age_days_max: int
    backups_max: int


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """All settings of one agent, checked."""

    data_dir: Path
    node_name: str
    node_ip: str
    node_ip_reason: str
    """Why this address, for the log."""
    node_ip_is_given: bool
    docker_host: str
    datastore: "Datastore | None"
    cluster_cidr: IPv4Network
    service_cidr: IPv4Network
    cluster_dns: IPv4Address
    cluster_domain: str
    node_ports: range
    bind_address: str
    https_port: int
    tls_sans: tuple[str, ...]
    server_url: str
    """The master to join; empty: none."""
    token: str
    token_file: Path | None
    audit: "Audit | None"
    write_kubeconfig: str
    kubeconfig_mode: int
    disabled: frozenset[str]
    pause_image: str
    proxy_mode: str
    pod_network: PodNetworkMode
    vxlan_port: int
    kubelet_args: tuple[str, ...]
    server_args: tuple[str, ...]
    controller_args: tuple[str, ...]
    kubelet_port: int
    node_external_ip: str
    node_labels: tuple[str, ...]
    node_taints: tuple[str, ...]
    pod_manifest_path: str
    private_registry: str
    log_format: str
    fast_timers: bool
    explicit: frozenset[str]
    """The names of the settings that somebody gave; the others have their defaults."""

    @property
    def server_dir(self) -> Path:
        """Return the folder of the master role."""
        return self.data_dir / "server"

    @property
    def agent_dir(self) -> Path:
        """Return the folder of the node role."""
        return self.data_dir / "agent"

    @property
    def pod_logs_dir(self) -> Path:
        """Return where pod logs lie."""
        return self._place("", "/var/log/pods", self.data_dir / "log" / "pods")

    @property
    def cgroup_root(self) -> str:
        """Return the cgroup above `kubepods`; an agent with a data folder of its own has its own."""
        return cgroup_root_of(self.data_dir)

    @property
    def kubeconfig_path(self) -> Path:
        """Return where the administrator's kubeconfig goes."""
        return self._place(
            self.write_kubeconfig, "/etc/minikube-py/kubeconfig.yaml", self.server_dir / "kubeconfig.yaml"
        )

    @property
    def static_pod_dir(self) -> Path:
        """Return the folder with manifests of static pods."""
        return self._place(self.pod_manifest_path, "/etc/minikube-py/manifests", self.agent_dir / "pod-manifests")

    @property
    def registries_path(self) -> Path:
        """Return the file with mirrors and credentials of registries."""
        return self._place(
            self.private_registry, "/etc/minikube-py/registries.yaml", self.agent_dir / "registries.yaml"
        )

    def _place(self, given: str, usual: str, own: Path) -> Path:
        """Return a path: what was given, else the usual one; an agent with a data folder of its own keeps its own."""
        if given:
            return Path(given)
        return Path(usual) if self.data_dir == Path(DEFAULT_DATA_DIR) else own

    @property
    def kubernetes_service_ip(self) -> str:
        """Return the cluster IP of default/kubernetes: the first of the service CIDR."""
        return str(self.service_cidr.network_address + 1)


def cgroup_root_of(data_dir: Path) -> str:
    """Return the cgroup above `kubepods` of the agent with this data folder."""
    if data_dir == Path(DEFAULT_DATA_DIR):
        return "/"
    return f"/minikube-py-{sha256(str(data_dir).encode()).hexdigest()[:8]}"


def read_config_file(path: Path, required: bool) -> Mapping[str, Any]:
    """Return the mapping in a YAML config file, empty when there is none and none is required.

    Raises:
        ConfigError: it is missing, cannot be read or is not a mapping.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        if required:
            raise ConfigError(f"config file {path} does not exist") from None
        return {}
    except OSError as error:
        raise ConfigError(f"config file {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        where = str(error)
        if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
            # Its own text is a drawing of several lines.
            where = f"line {error.problem_mark.line + 1}: {error.problem}"
        raise ConfigError(f"config file {path} cannot be read: {where}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"config file {path} must hold `name: value` lines, not a {type(content).__name__}")
    return content


def collect_settings(flags: Mapping[str, Any], environ: Mapping[str, str], file: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each setting that is given, by the order flag, environment, file.

    Raises:
        ConfigError: the file holds an unknown key.
    """
    unknown = [key for key in file if str(key) not in _BY_NAME]
    if unknown:
        raise ConfigError("\n".join(_unknown_key(str(key)) for key in unknown))
    in_file = {str(name): value for name, value in file.items() if value is not None}
    return {**in_file, **given_settings(flags, environ)}


def given_settings(flags: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings that flags or, behind them, the environment give, by name."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        variable = "MINIKUBE_PY_" + setting.name.upper().replace("-", "_")
        given: Any = flags.get(setting.name)
        if given is None or given == ():
            given = environ.get(variable)
            if given is not None and setting.many:
                given = [part for part in given.split(",") if part]
        if given is not None:
            values[setting.name] = given
    return values


def _unknown_key(key: str) -> str:
    near = difflib.get_close_matches(key, _BY_NAME, n=1)
    return f"unknown setting {key!r} in the config file" + (f"; did you mean {near[0]!r}?" if near else "")


def parse_config(given: Mapping[str, Any], *, host_name: str, default_ip: OwnAddress) -> AgentConfig:
    """Return the checked settings.

    Args:
        given: what collect_settings returned; the others have their defaults.
        host_name: the node's name when none is given.
        default_ip: the node's address when none is given; empty when the host has none.

    Raises:
        ConfigError: every fault found, one a line.
    """
    faults = ValueFaults()
    values = {setting.name: given.get(setting.name, setting.default) for setting in SETTINGS}
    for setting in SETTINGS:
        value = values[setting.name]
        if setting.choices and not setting.many and value not in setting.choices:
            faults.lines.append(bad_choice(setting.name, value, setting.choices))
    if not (values["node-ip"] or default_ip.address):
        faults.lines.append("--node-ip: this host has no default route to take the address from; give the address")
    config = AgentConfig(
        data_dir=Path(str(values["data-dir"])).absolute(),
        node_name=str(values["node-name"] or host_name).lower(),
        node_ip=str(faults.address("node-ip", values["node-ip"] or default_ip.address or "127.0.0.1", "127.0.0.1")),
        node_ip_reason="it was given" if values["node-ip"] else default_ip.reason,
        node_ip_is_given=bool(values["node-ip"]),
        docker_host=str(values["docker-host"]),
        datastore=_datastore(values, faults),
        cluster_cidr=faults.network("cluster-cidr", values["cluster-cidr"], "10.244.0.0/16"),
        service_cidr=faults.network("service-cidr", values["service-cidr"], "10.96.0.0/16"),
        cluster_dns=faults.address("cluster-dns", values["cluster-dns"], "10.96.0.10"),
        cluster_domain=str(values["cluster-domain"]).strip("."),
        node_ports=faults.port_range("service-node-port-range", values["service-node-port-range"]),
        bind_address=str(values["bind-address"]),
        https_port=faults.port("https-listen-port", values["https-listen-port"]),
        tls_sans=faults.many("tls-san", values["tls-san"]),
        server_url=_server_url(values["server"], faults),
        token=str(values["token"] or ""),
        token_file=Path(str(values["token-file"])) if values["token-file"] else None,
        audit=_audit(values, faults),
        write_kubeconfig=str(values["write-kubeconfig"] or ""),
        kubeconfig_mode=faults.mode("write-kubeconfig-mode", values["write-kubeconfig-mode"]),
        disabled=frozenset(faults.many("disable", values["disable"], BUNDLED_PARTS)),
        pause_image=str(values["pause-image"] or ""),
        proxy_mode=str(values["proxy-mode"]),
        pod_network=values["pod-network"],
        vxlan_port=faults.port("vxlan-port", values["vxlan-port"]),
        kubelet_args=faults.many("kubelet-arg", values["kubelet-arg"] or ()),
        server_args=faults.many("kube-apiserver-arg", values["kube-apiserver-arg"] or ()),
        controller_args=faults.many("kube-controller-manager-arg", values["kube-controller-manager-arg"] or ()),
        private_registry=str(values["private-registry"] or ""),
        kubelet_port=faults.port("kubelet-port", values["kubelet-port"]),
        node_external_ip=_optional_address(values["node-external-ip"], faults),
        node_labels=faults.many("node-label", values["node-label"] or ()),
        node_taints=faults.many("node-taint", values["node-taint"] or ()),
        pod_manifest_path=str(values["pod-manifest-path"] or ""),
        log_format=str(values["log-format"]),
        fast_timers=values["timers"] == "fast",
        explicit=frozenset(given),
    )
    faults.lines += _contradictions(config)
    faults.lines += _bad_arguments(config)
    faults.lines += faults_of(config.node_labels, config.node_taints)
    if faults.lines:
        raise ConfigError("\n".join(faults.lines))
    return config


def _datastore(values: Mapping[str, Any], faults: ValueFaults) -> Datastore | None:
    given = faults.many("datastore-endpoint", values["datastore-endpoint"] or ())
    urls = tuple(url for item in given for url in item.split(",") if url)
    files = [values[name] for name in ("datastore-cafile", "datastore-certfile", "datastore-keyfile")]
    faults.lines += [
        f"--datastore-endpoint: {url!r} is no URL such as https://10.0.0.1:2379"
        for url in urls
        if not _ENDPOINT.fullmatch(url)
    ]
    if not urls and any(files):
        faults.lines.append("--datastore-cafile, -certfile and -keyfile need --datastore-endpoint")
    if bool(files[1]) != bool(files[2]):
        faults.lines.append("--datastore-certfile and --datastore-keyfile go together")
    paths = [Path(str(file)) if file else None for file in files]
    return Datastore(urls, *paths) if urls else None


def _server_url(value: object, faults: ValueFaults) -> str:
    url = str(value or "").rstrip("/")
    if not url:
        return ""
    if not _SERVER.fullmatch(url):
        faults.lines.append(f"--server: {url!r} is no URL such as https://10.0.0.1:6443")
    return url if url.count(":") > 1 else f"{url}:6443"


def _optional_address(value: object, faults: ValueFaults) -> str:
    return str(faults.address("node-external-ip", value, "127.0.0.1")) if value else ""


def _audit(values: Mapping[str, Any], faults: ValueFaults) -> Audit | None:
    path, policy = values["audit-log-path"], values["audit-policy-file"]
    if bool(path) != bool(policy):
        faults.lines.append("--audit-log-path and --audit-policy-file go together")
    size, age, backups = (
        faults.count(name, values[name]) for name in ("audit-log-maxsize", "audit-log-maxage", "audit-log-maxbackup")
    )
    return Audit(str(path), Path(str(policy)), size, age, backups) if path and policy else None


def _bad_master_arguments(config: AgentConfig) -> list[str]:
    # A worker has nothing of a master in its memory.
    from minikube_py.apiserver.server_args import read_server_args  # noqa: PLC0415
    from minikube_py.controllers.controller_args import read_controller_args  # noqa: PLC0415

    return [*read_server_args(config.server_args).faults, *read_controller_args(config.controller_args).faults]


def _bad_arguments(config: AgentConfig) -> list[str]:
    faults = _bad_master_arguments(config) if config.server_args or config.controller_args else []
    try:
        apply_kubelet_args(KubeletConfig("", "", "", ""), config.kubelet_args)
    except ArgumentError as error:
        faults += str(error).splitlines()
    return faults


def _contradictions(config: AgentConfig) -> list[str]:
    faults = []
    if config.cluster_cidr.overlaps(config.service_cidr):
        faults.append(f"--cluster-cidr {config.cluster_cidr} and --service-cidr {config.service_cidr} overlap")
    if config.cluster_cidr.prefixlen > 24:
        faults.append(f"--cluster-cidr {config.cluster_cidr} is too small: each node takes a /24 of it")
    if config.cluster_dns not in config.service_cidr:
        faults.append(f"--cluster-dns {config.cluster_dns} is not inside --service-cidr {config.service_cidr}")
    if not config.docker_host.startswith("unix:///"):
        faults.append(f"--docker-host {config.docker_host!r} must be a unix:///PATH: pods are wired on this host")
    if config.token and config.token_file:
        faults.append("--token and --token-file: give one of them")
    if config.https_port in config.node_ports:
        faults.append(f"--https-listen-port {config.https_port} lies inside --service-node-port-range")
    return faults
