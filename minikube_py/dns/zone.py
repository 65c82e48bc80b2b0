"""What the cluster domain answers: Services, endpoints and pods, as the Kubernetes DNS specification 1.1.0 says.

Nothing is compiled in advance: a question is resolved against the indexed copies of Services and EndpointSlices
(`ClusterView`), so an answer is never older than the copy. A name that exists without records of the asked type gets
an empty answer, a name that does not exist NXDOMAIN, both with the SOA that limits how long clients remember it.

    SERVICE.NAMESPACE.svc.DOMAIN                 A: cluster IP, or the ready endpoints when headless
                                                 CNAME: of an ExternalName Service
    _PORT._PROTOCOL.SERVICE.NAMESPACE.svc.DOMAIN SRV
    HOSTNAME.SERVICE.NAMESPACE.svc.DOMAIN        A: that endpoint of a headless Service
    1-2-3-4.NAMESPACE.pod.DOMAIN                 A: 1.2.3.4, whether or not such a pod runs (CoreDNS: pods insecure)
    4.3.2.1.in-addr.arpa                         PTR: Service or endpoint; others are asked upstream

Upstream: CoreDNS' kubernetes plugin.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from minikube_py.api.meta import Obj, name_of, namespace_of
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.records import Question, Record, RecordType, Reply, Soa, Srv

SPECIFICATION_VERSION = "1.1.0"
_REVERSE = ".in-addr.arpa"
_ADDRESS_LABELS = 4
_Data = tuple[RecordType, str | Srv | Soa]


class ClusterView(Protocol):
    """The objects that names are made of, as indexed local copies."""

    def has_namespace(self, namespace: str) -> bool:
        """Return whether the namespace exists."""
        ...

    def service(self, namespace: str, name: str) -> Obj | None:
        """Return the Service."""
        ...

    def slices_of(self, namespace: str, name: str) -> Sequence[Obj]:
        """Return the EndpointSlices of a Service."""
        ...

    def services_at(self, address: str) -> Sequence[Obj]:
        """Return the Services with this cluster IP."""
        ...

    def slices_at(self, address: str) -> Sequence[Obj]:
        """Return the EndpointSlices with this endpoint address."""
        ...

    def service_of_slice(self, endpoint_slice: Obj) -> Obj | None:
        """Return the Service that a slice belongs to."""
        ...


def resolve(question: Question, view: ClusterView, config: DnsConfig) -> Reply | None:
    """Return the answer; None when the name is not the cluster's and an upstream must be asked."""
    name = question.name.lower()
    if name.endswith(_REVERSE):
        return _resolve_reverse(question, name, view, config)
    labels = _labels_below(name, config.domain)
    if labels is None:
        return None
    found = _records_at(labels, view, config)
    if found is None:
        return Reply("NXDOMAIN", authority=(_soa(config),))
    return _reply(question, found, view, config)


def is_cluster_name(name: str, config: DnsConfig) -> bool:
    """Return whether a name is the cluster domain or stands below it."""
    return _labels_below(name.lower(), config.domain) is not None


def _reply(question: Question, found: Sequence[_Data], view: ClusterView, config: DnsConfig) -> Reply:
    records = tuple(Record(question.name, kind, config.ttl_s, data) for kind, data in found)
    alias = next((record for record in records if record.type == "CNAME"), None)
    if alias is not None and question.type != "CNAME":
        return _follow(question, alias, view, config)
    answers = tuple(record for record in records if question.type in {record.type, "ANY"})
    if not answers:
        return Reply(authority=(_soa(config),))
    additional = tuple(
        extra
        for record in answers
        if isinstance(record.data, Srv)
        for extra in _addresses_of(record.data.target, view, config)
    )
    return Reply(answers=answers, additional=tuple(dict.fromkeys(additional)))


def _follow(question: Question, alias: Record, view: ClusterView, config: DnsConfig) -> Reply:
    """Return an ExternalName with what it leads to, when that is a name of ours."""
    target = str(alias.data)
    labels = _labels_below(target.lower(), config.domain)
    if labels is None:
        return Reply(answers=(alias,), chase=target)
    found = _records_at(labels, view, config) or ()
    # One step only: an ExternalName that names another would make a loop possible.
    further = (Record(target, kind, config.ttl_s, data) for kind, data in found if kind == question.type)
    return Reply(answers=(alias, *further))


def _addresses_of(name: str, view: ClusterView, config: DnsConfig) -> tuple[Record, ...]:
    labels = _labels_below(name.lower(), config.domain)
    found = _records_at(labels, view, config) if labels is not None else None
    return tuple(Record(name, "A", config.ttl_s, data) for kind, data in found or () if kind == "A")


def _records_at(labels: Sequence[str], view: ClusterView, config: DnsConfig) -> tuple[_Data, ...] | None:
    """Return type and data of all records at a name below the domain; None when the name does not exist."""
    match tuple(labels):
        case (namespace, "svc" | "pod"):
            return () if view.has_namespace(namespace) else None
        case (address, namespace, "pod"):
            return _pod_records(address) if view.has_namespace(namespace) else None
        case (*head, service, namespace, "svc"):
            found = view.service(namespace, service)
            return None if found is None else _service_records(tuple(head), found, view, config)
        case fixed:
            return _fixed_records(fixed, config)


def _fixed_records(labels: tuple[str, ...], config: DnsConfig) -> tuple[_Data, ...] | None:
    """Return the records of names that stand in every cluster."""
    match labels:
        case ():
            return (("SOA", _soa_data(config)), ("NS", f"ns.dns.{config.domain}"))
        case ("dns-version",):
            return (("TXT", SPECIFICATION_VERSION),)
        case ("ns", "dns"):
            return tuple(("A", address) for address in config.listen_addresses[:1])
        case ("svc",) | ("pod",) | ("dns",):
            return ()
        case _:
            return None


def _pod_records(label: str) -> tuple[_Data, ...] | None:
    parts = label.split("-")
    if len(parts) != _ADDRESS_LABELS or not all(
        part.isascii() and part.isdecimal() and int(part) < 256 for part in parts
    ):
        return None
    return (("A", ".".join(str(int(part)) for part in parts)),)


def _service_records(
    head: tuple[str, ...], service: Obj, view: ClusterView, config: DnsConfig
) -> tuple[_Data, ...] | None:
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        target = str(spec.get("externalName", "")).rstrip(".")
        return (("CNAME", target),) if not head and target else None
    headless = spec.get("clusterIP") in {None, "", "None"}
    slices = view.slices_of(namespace_of(service), name_of(service)) if headless else ()
    ports = _headless_ports(slices, service, config) if headless else _cluster_ip_ports(service, config)
    match head:
        case ():
            addresses = _ready_addresses(slices) if headless else _ipv4(spec.get("clusterIPs") or [spec["clusterIP"]])
            return (*(("A", address) for address in addresses), *(("SRV", srv) for _, _, srv in ports))
        case (protocol,) if protocol.startswith("_"):
            return () if any(protocol == f"_{found}" for _, found, _ in ports) else None
        case (hostname,):
            named = tuple(address for name, address in _named_endpoints(slices) if name == hostname)
            return tuple(("A", address) for address in named) or None
        case (port, protocol):
            srvs = tuple(srv for name, found, srv in ports if (port, protocol) == (f"_{name}", f"_{found}"))
            return tuple(("SRV", srv) for srv in dict.fromkeys(srvs)) or None
        case _:
            return None


def _cluster_ip_ports(service: Obj, config: DnsConfig) -> tuple[tuple[str, str, Srv], ...]:
    """Return name, protocol and SRV of each port."""
    target = _service_name(service, config)
    return tuple(
        (str(port.get("name") or ""), str(port.get("protocol") or "TCP").lower(), Srv(int(port["port"]), target))
        for port in (service.get("spec") or {}).get("ports") or ()
    )


def _headless_ports(slices: Sequence[Obj], service: Obj, config: DnsConfig) -> tuple[tuple[str, str, Srv], ...]:
    base = _service_name(service, config)
    return tuple(
        (
            str(port.get("name") or ""),
            str(port.get("protocol") or "TCP").lower(),
            Srv(int(port["port"]), f"{hostname}.{base}"),
        )
        for endpoint_slice in slices
        for port in endpoint_slice.get("ports") or ()
        if port.get("port") is not None
        for hostname, _ in _named_endpoints((endpoint_slice,))
    )


def _named_endpoints(slices: Sequence[Obj]) -> tuple[tuple[str, str], ...]:
    """Return name and address of each ready endpoint: its hostname, or its address with dashes."""
    return tuple(
        (str(endpoint.get("hostname") or address.replace(".", "-")).lower(), address)
        for endpoint_slice in slices
        if endpoint_slice.get("addressType") == "IPv4"
        for endpoint in endpoint_slice.get("endpoints") or ()
        if _is_ready(endpoint)
        for address in endpoint.get("addresses") or ()
    )


def _is_ready(endpoint: Mapping[str, Any]) -> bool:
    # publishNotReadyAddresses needs no case of its own: the EndpointSlice then says ready.
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _ready_addresses(slices: Sequence[Obj]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for _, address in _named_endpoints(slices)))


def _resolve_reverse(question: Question, name: str, view: ClusterView, config: DnsConfig) -> Reply | None:
    parts = name.removesuffix(_REVERSE).split(".")
    if len(parts) != _ADDRESS_LABELS:
        return None
    address = ".".join(reversed(parts))
    targets = [_service_name(service, config) for service in view.services_at(address)]
    for endpoint_slice in view.slices_at(address) if not targets else ():
        service = view.service_of_slice(endpoint_slice)
        if service is not None and (service.get("spec") or {}).get("clusterIP") == "None":
            base = _service_name(service, config)
            targets += [f"{host}.{base}" for host, found in _named_endpoints((endpoint_slice,)) if found == address]
    if not targets:
        return None
    if question.type not in {"PTR", "ANY"}:
        return Reply(authority=(_soa(config),))
    return Reply(
        answers=tuple(Record(question.name, "PTR", config.ttl_s, target) for target in dict.fromkeys(targets))
    )


def _service_name(service: Obj, config: DnsConfig) -> str:
    return f"{name_of(service)}.{namespace_of(service)}.svc.{config.domain}"


def _ipv4(addresses: Sequence[Any]) -> tuple[str, ...]:
    return tuple(str(address) for address in addresses if address and ":" not in str(address))


def _labels_below(name: str, domain: str) -> tuple[str, ...] | None:
    """Return the labels before the domain, None when the name is not below it."""
    if name == domain:
        return ()
    if not name.endswith(f".{domain}"):
        return None
    return tuple(name[: -len(domain) - 1].split("."))


def _soa(config: DnsConfig) -> Record:
    return Record(config.domain, "SOA", config.ttl_s, _soa_data(config))


def _soa_data(config: DnsConfig) -> Soa:
    # No secondary ever asks, so the serial has nobody to tell about changes.
    return Soa(f"ns.dns.{config.domain}", f"hostmaster.{config.domain}", serial=1, negative_ttl_s=config.ttl_s)
