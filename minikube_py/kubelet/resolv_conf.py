"""/etc/resolv.conf of a pod, by its dnsPolicy and dnsConfig.

Upstream: kubelet network/dns. Limits of the resolver library: three name servers, 32 search domains of 2048
characters together; what is beyond is left out.
"""

from dataclasses import dataclass

from minikube_py.kubelet.pod import DnsConfig, Pod

NAMESERVERS_MAX = 3
SEARCHES_MAX = 32
SEARCH_LENGTH_MAX = 2048


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """What a resolv.conf says; options are `name` or `name:value`."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def parse_resolv_conf(text: str) -> ResolvConf:
    """Return what a file says; of several `search` lines the last one counts, as for the resolver."""
    nameservers: list[str] = []
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    for line in text.splitlines():
        fields = line.split()
        if not fields or line.lstrip().startswith(("#", ";")):
            continue
        if fields[0] == "nameserver" and len(fields) > 1:
            nameservers.append(fields[1])
        elif fields[0] in ("search", "domain"):
            searches = tuple("." if f == "." else f.rstrip(".") for f in fields[1:])
        elif fields[0] == "options":
            options = tuple(fields[1:])
    return ResolvConf(tuple(nameservers), searches, options)


def compute_resolv_conf(pod: Pod, host: ResolvConf, cluster_dns: tuple[str, ...], cluster_domain: str) -> ResolvConf:
    """Return what the pod's resolv.conf says."""
    return _limited(_merged(_base(pod, host, cluster_dns, cluster_domain), pod.dns_config))


def _base(pod: Pod, host: ResolvConf, cluster_dns: tuple[str, ...], cluster_domain: str) -> ResolvConf:
    policy = pod.dns_policy
    if policy == "None":
        return ResolvConf()
    if not cluster_dns or policy == "Default" or (policy == "ClusterFirst" and pod.host_network):
        return host
    own = (f"{pod.namespace}.svc.{cluster_domain}", f"svc.{cluster_domain}", cluster_domain)
    return ResolvConf(cluster_dns, own + host.searches, ("ndots:5",))


def resolv_conf_notes(
    pod: Pod, host: ResolvConf, cluster_dns: tuple[str, ...], cluster_domain: str
) -> tuple[tuple[str, str], ...]:
    """Return reason and message of the Warning events that a pod's resolv.conf is worth."""
    notes: list[tuple[str, str]] = []
    if not cluster_dns and pod.dns_policy in ("ClusterFirst", "ClusterFirstWithHostNet"):
        words = (
            f'pod: "{pod.full_name}". kubelet does not have ClusterDNS IP configured and cannot create Pod using '
            f'"{pod.dns_policy}" policy. Falling back to "Default" policy.'
        )
        notes.append(("MissingClusterDNS", words))
    wanted = _merged(_base(pod, host, cluster_dns, cluster_domain), pod.dns_config)
    given = _limited(wanted)
    if given.nameservers != wanted.nameservers:
        words = (
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
        )
        notes.append(("DNSConfigForming", words + " ".join(given.nameservers)))
    if given.searches != wanted.searches:
        words = "Search Line limits were exceeded, some search paths have been omitted, the applied search line is"
        notes.append(("DNSConfigForming", f"{words}: {' '.join(given.searches)}"))
    return tuple(notes)


def _merged(base: ResolvConf, config: DnsConfig) -> ResolvConf:
    options = {option.partition(":")[0]: option for option in base.options}
    for name, value in config.options:
        options[name] = f"{name}:{value}" if value else name
    return ResolvConf(
        tuple(dict.fromkeys(base.nameservers + config.nameservers)),
        tuple(dict.fromkeys(base.searches + config.searches)),
        tuple(options.values()),
    )


def _limited(conf: ResolvConf) -> ResolvConf:
    searches: list[str] = []
    length = 0
    for domain in conf.searches[:SEARCHES_MAX]:
        length += len(domain) + 1
        if length > SEARCH_LENGTH_MAX:
            break
        searches.append(domain)
    return ResolvConf(conf.nameservers[:NAMESERVERS_MAX], tuple(searches), conf.options)


def render_resolv_conf(conf: ResolvConf) -> str:
    """Return the file's text (the inverse of parse_resolv_conf)."""
    lines = [f"nameserver {address}" for address in conf.nameservers]
    if conf.searches:
        lines.append("search " + " ".join(conf.searches))
    if conf.options:
        lines.append("options " + " ".join(conf.options))
    return "".join(line + "\n" for line in lines)
