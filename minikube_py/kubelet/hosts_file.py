"""The pod's host name and /etc/hosts (upstream: GeneratePodHostNameAndDomain, ensureHostsFile)."""

from minikube_py.kubelet.pod import Pod

HOSTNAME_LENGTH_MAX = 63
FQDN_LENGTH_MAX = 64

_HEADER = "# Kubernetes-managed hosts file.\n"
_HOST_HEADER = "# Kubernetes-managed hosts file (host network).\n"
_LOCAL = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "fe00::0\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n"
)


def short_hostname(pod: Pod) -> str:
    """Return the host name without a domain: `hostname`, or the pod's name cut to what Linux takes."""
    if pod.hostname_override or pod.hostname:
        return pod.hostname_override or pod.hostname
    return pod.name[:HOSTNAME_LENGTH_MAX].rstrip("-.")


def pod_fqdn(pod: Pod, cluster_domain: str) -> str:
    """Return `hostname.subdomain.namespace.svc.DOMAIN`, or nothing when the pod has no subdomain."""
    if not pod.subdomain or pod.hostname_override:
        return ""
    return f"{short_hostname(pod)}.{pod.subdomain}.{pod.namespace}.svc.{cluster_domain}"


def kernel_hostname(pod: Pod, cluster_domain: str, node_hostname: str) -> str:
    """Return what `hostname` prints in the pod.

    Raises:
        ValueError: the full name is wanted and is longer than the kernel takes; the pod cannot run.
    """
    if pod.host_network:
        return node_hostname
    if pod.hostname_override:
        return pod.hostname_override
    fqdn = pod_fqdn(pod, cluster_domain)
    if not pod.set_hostname_as_fqdn or not fqdn:
        return short_hostname(pod)
    if len(fqdn) > FQDN_LENGTH_MAX:
        raise ValueError(
            f"failed to construct FQDN from pod hostname and cluster domain, FQDN {fqdn} is too long "
            f"(64 characters is the max, {len(fqdn)} characters requested)"
        )
    return fqdn


def render_hosts(pod: Pod, pod_ip: str, cluster_domain: str) -> str:
    """Return /etc/hosts of a pod with its own network."""
    fqdn = pod_fqdn(pod, cluster_domain)
    names = f"{fqdn}\t{short_hostname(pod)}" if fqdn else short_hostname(pod)
    return f"{_HEADER}{_LOCAL}{pod_ip}\t{names}\n{_aliases(pod)}"


def render_host_network_hosts(pod: Pod, host_file: str) -> str:
    """Return /etc/hosts of a pod in the host's network: the host's own file and the pod's aliases."""
    return f"{_HOST_HEADER}{host_file}{_aliases(pod)}"


def _aliases(pod: Pod) -> str:
    if not pod.host_aliases:
        return ""
    lines = "".join("\t".join((address, *names)) + "\n" for address, names in pod.host_aliases)
    return f"\n# Entries added by HostAliases.\n{lines}"
