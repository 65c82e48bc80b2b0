"""Where images are really pulled from: mirrors and credentials of registries, in k3s's `registries.yaml` form.

    mirrors:
      docker.io:
        endpoint: ["https://mirror.example:5000"]
        rewrite: {"^library/(.*)": "hub/$1"}
    configs:
      mirror.example:5000:
        auth: {username: me, password: secret}
        tls: {ca_file: /etc/ssl/mirror.pem}

Docker has mirrors for Docker Hub alone, and only in its own settings. Therefore the image is pulled by the name that
it has at the mirror, and then tagged with the name that the pod gives it. The registry itself comes last. `*` is the
mirror of every registry without one of its own.

TLS is Docker's affair: it reads `/etc/docker/certs.d/HOST/`, where the file's TLS files are put
(registry_certificates.py), and its own list of insecure registries. What a file asks for and this engine will not do
is told by `engine_faults`.

Upstream: k3s pkg/agent/containerd, containerd's hosts.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from minikube_py.kubelet.cri import RegistryAuth
from minikube_py.kubelet.images import ImageName
from minikube_py.kubelet.registry_credentials import BadCredentialsError, decode_auth

_HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\])(?::[0-9]+)?")
_KEYS = {
    "": {"mirrors", "configs"},
    "mirror": {"endpoint", "rewrite"},
    "config": {"auth", "tls"},
    "auth": {"username", "password", "auth", "identity_token"},
    "tls": {"ca_file", "cert_file", "key_file", "insecure_skip_verify"},
}


def is_hub(host: str) -> bool:
    """Return whether a host is Docker Hub by one of its names."""
    return host in _HUB_HOSTS


class RegistriesError(ValueError):
    """A file that cannot be used; every fault, one a line."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A mirror's address."""

    host: str
    """With its port."""
    path: str = ""
    """What stands before every repository there (`https://host/v2/proxy` has `proxy`)."""
    plain_http: bool = False


@dataclass(frozen=True, slots=True)
class Mirror:
    """Where the images of one registry may be had."""

    registry: str
    endpoints: tuple[Endpoint, ...] = ()
    rewrites: tuple[tuple[str, str], ...] = ()
    """(pattern, replacement) for the repository's name; the first that changes it counts."""

    def rewrite(self, repository: str) -> str:
        """Return the name that a repository has at the mirror."""
        for pattern, replacement in self.rewrites:
            changed = re.sub(pattern, replacement, repository)
            if changed != repository:
                return changed
        return repository


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """How one host is spoken to."""

    host: str
    auth: RegistryAuth | None = None
    tls_files: tuple[tuple[str, str], ...] = ()
    """(`ca_file`, `cert_file` or `key_file`, path)."""
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Registries:
    """The whole file."""

    mirrors: tuple[Mirror, ...] = ()
    configs: tuple[RegistryConfig, ...] = ()

    def auth(self, host: str) -> RegistryAuth | None:
        """Return the node's credentials for a host."""
        hosts = _HUB_HOSTS if is_hub(host) else (host,)
        return next((c.auth for c in self.configs if c.host in hosts and c.auth), None)

    def mirror(self, registry: str) -> Mirror:
        """Return the mirror of a registry (one without endpoints when there is none)."""
        for wanted in (registry, "*"):
            for mirror in self.mirrors:
                if mirror.registry == wanted:
                    return mirror
        return Mirror(registry)


NO_REGISTRIES = Registries()


@dataclass(frozen=True, slots=True)
class PullPlace:
    """One place where an image may be had."""

    image: str
    """What the engine is asked for."""
    repository: str
    """Host and path, as credentials name them."""
    is_mirror: bool

    @property
    def host(self) -> str:
        """Return the registry's host, with its port."""
        return self.repository.partition("/")[0]


def pull_places(name: ImageName, registries: Registries) -> tuple[PullPlace, ...]:
    """Return where to look for an image, in order: its registry's mirrors, then the registry itself."""
    registry, _, path = name.repository.partition("/")
    if not path:
        return (PullPlace(name.text, "", is_mirror=False),)  # an image's id: no registry knows it
    own = PullPlace(name.text, name.repository, is_mirror=False)
    mirror = registries.mirror(registry)
    places: list[PullPlace] = []
    for endpoint in mirror.endpoints:
        if endpoint.host == registry or (is_hub(registry) and is_hub(endpoint.host)):
            places.append(own)
            continue
        inside = "/".join(filter(None, (endpoint.path, mirror.rewrite(path))))
        repository = f"{endpoint.host}/{inside}"
        reference = f"{repository}@{name.digest}" if name.digest else f"{repository}:{name.tag}"
        places.append(PullPlace(reference, repository, is_mirror=True))
    return tuple(places) if own in places else (*places, own)


def parse_registries(document: object) -> Registries:
    """Return what a `registries.yaml` says.

    Raises:
        RegistriesError: every fault found.
    """
    faults: list[str] = []
    top = _mapping(document, "the file", "", faults)
    mirrors = [
        _mirror(name, raw, faults) for name, raw in _mapping(top.get("mirrors"), "mirrors", None, faults).items()
    ]
    configs = [
        _config(name, raw, faults) for name, raw in _mapping(top.get("configs"), "configs", None, faults).items()
    ]
    if faults:
        raise RegistriesError("\n".join(faults))
    return Registries(tuple(mirrors), tuple(configs))


def _mapping(raw: object, where: str, keys: str | None, faults: list[str]) -> Mapping[str, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        faults.append(f"{where}: must hold `name: value` lines, not {type(raw).__name__}")
        return {}
    if keys is not None:
        known = ", ".join(sorted(_KEYS[keys]))
        faults += [f"{where}: {key!r} is not known; {known} are" for key in raw if key not in _KEYS[keys]]
    return {str(key): value for key, value in raw.items()}


def _mirror(name: str, raw: object, faults: list[str]) -> Mirror:
    where = f"mirrors.{name}"
    fields = _mapping(raw, where, "mirror", faults)
    given = fields.get("endpoint") or ()
    texts = [given] if isinstance(given, str) else list(given) if isinstance(given, list) else []
    endpoints = tuple(filter(None, (_endpoint(str(text), f"{where}.endpoint", faults) for text in texts)))
    rewrites = []
    for pattern, replacement in _mapping(fields.get("rewrite"), f"{where}.rewrite", None, faults).items():
        template = _python_template(str(replacement))
        try:
            re.compile(pattern).sub(template, "")  # also finds references to groups that are not there
        except (re.error, IndexError) as error:
            faults.append(f"{where}.rewrite: {pattern!r}: {error}")
            continue
        rewrites.append((pattern, template))
    return Mirror("docker.io" if is_hub(name) else name, endpoints, tuple(rewrites))


def _python_template(replacement: str) -> str:
    """Return a replacement of Go's (`$1`, `${name}`, `$$`) as Python writes it."""

    def one(match: re.Match[str]) -> str:
        return "$" if match.group() == "$$" else f"\\g<{match.group(1) or match.group(2)}>"

    return re.sub(r"\$\$|\$(\w+)|\$\{(\w+)\}", one, replacement.replace("\\", r"\\"))


def _endpoint(text: str, where: str, faults: list[str]) -> Endpoint | None:
    scheme, sign, rest = text.partition("://")
    if not sign:
        scheme, rest = "https", text
    host, _, path = rest.partition("/")
    path = path.strip("/")
    if scheme not in ("http", "https") or not _HOST.fullmatch(host):
        faults.append(f"{where}: {text!r} is no address such as https://mirror.example:5000")
        return None
    if path and path != "v2" and not path.startswith("v2/"):
        faults.append(f"{where}: {text!r}: Docker finds registries below /v2 only, such as https://{host}/v2/{path}")
        return None
    return Endpoint(host, path[2:].strip("/"), scheme == "http")


def _config(name: str, raw: object, faults: list[str]) -> RegistryConfig:
    where = f"configs.{name}"
    fields = _mapping(raw, where, "config", faults)
    if not _HOST.fullmatch(name):
        faults.append(f"{where}: {name!r} is no host such as mirror.example:5000")
    auth = _mapping(fields.get("auth"), f"{where}.auth", "auth", faults)
    tls = _mapping(fields.get("tls"), f"{where}.tls", "tls", faults)
    username, password = str(auth.get("username") or ""), str(auth.get("password") or "")
    if auth.get("auth"):
        try:
            username, password = decode_auth(str(auth["auth"]))
        except BadCredentialsError as error:
            faults.append(f"{where}.auth: {error}")
    if bool(tls.get("cert_file")) != bool(tls.get("key_file")):
        faults.append(f"{where}.tls: cert_file and key_file go together")
    token = str(auth.get("identity_token") or "")
    return RegistryConfig(
        name,
        RegistryAuth(username, password, name, token) if username or token else None,
        tuple((key, str(tls[key])) for key in ("ca_file", "cert_file", "key_file") if tls.get(key)),
        bool(tls.get("insecure_skip_verify")),
    )


@dataclass(frozen=True, slots=True)
class EngineRegistries:
    """What the engine says of registries (`docker info`)."""

    insecure_hosts: frozenset[str] = frozenset()
    insecure_networks: tuple[str, ...] = ("127.0.0.0/8",)

    def trusts(self, host: str) -> bool:
        """Return whether the engine speaks to a host without checking its certificate, or without TLS."""
        name = host.rpartition(":")[0] or host
        if host in self.insecure_hosts or name == "localhost":
            return True
        try:
            address = ip_address(name.strip("[]"))
        except ValueError:
            return False
        return any(address in ip_network(network) for network in self.insecure_networks)


def parse_engine_registries(info: Mapping[str, Any]) -> EngineRegistries:
    """Return what `docker info` says of registries."""
    said = info.get("RegistryConfig") or {}
    hosts = [name for name, index in (said.get("IndexConfigs") or {}).items() if not index.get("Secure", True)]
    networks = tuple(str(network) for network in said.get("InsecureRegistryCIDRs") or ())
    return EngineRegistries(frozenset(hosts), networks)


def engine_faults(registries: Registries, engine: EngineRegistries) -> tuple[str, ...]:
    """Return what the file asks for and this engine does not do, and how to have it do so, one text a fault."""
    return tuple(_engine_faults(registries, engine))


def _engine_faults(registries: Registries, engine: EngineRegistries) -> Iterator[str]:
    plain = {e.host for mirror in registries.mirrors for e in mirror.endpoints if e.plain_http}
    plain |= {config.host for config in registries.configs if config.insecure}
    for host in sorted(plain):
        if not engine.trusts(host):
            yield f'{host} is to be used without (checked) TLS: add it to "insecure-registries" in daemon.json'
