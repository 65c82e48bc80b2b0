"""What an operator can set about controllers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from minikube_py.controllers.certificate_authority import CertificateAuthority
from minikube_py.controllers.certificate_signing import Signer
from minikube_py.controllers.volume_recycler import DEFAULT_TEMPLATE, Recycler


@dataclass(frozen=True, slots=True)
class ControllersConfig:
    """Settings of all controllers (upstream: kube-controller-manager's flags of the same names)."""

    root_ca_pem: str
    """The cluster's CA certificate, published as ConfigMap kube-root-ca.crt in every namespace."""
    authority: CertificateAuthority | None = None
    """The CA that signs certificate requests; None: nobody signs them here."""
    cluster_signing_duration_s: float = 365 * 24 * 3600.0
    """The longest lifetime of a certificate that is asked for through the API."""
    cluster_cidr: str = "10.244.0.0/16"
    """IPv4 range from which each node gets its pod range; no further node gets one when it is used up."""
    node_cidr_mask_size: int = 24
    """Prefix length of a node's pod range."""
    node_monitor_period_s: float = 5.0
    """A node is looked at this often at least."""
    node_monitor_grace_period_s: float = 50.0
    """A node whose lease was not renewed for so long is Unknown."""
    node_startup_grace_period_s: float = 60.0
    """The same for a node that has not reported anything yet."""
    node_eviction_rate: float = 0.1
    """Nodes of one zone given up in a second, when most of the zone is well."""
    secondary_node_eviction_rate: float = 0.01
    """The same when most of the zone is not, in a large zone; in a small one none is given up then."""
    unhealthy_zone_threshold: float = 0.55
    """The share of nodes not Ready (three at least) from which a zone counts as disrupted."""
    large_cluster_size_threshold: int = 50
    """Nodes beyond which a zone is large."""
    terminated_pod_gc_threshold: int = 12_500
    """Ended pods beyond this number are deleted, the oldest first."""
    orphan_quarantine_s: float = 40.0
    """Pods of a node that does not exist are deleted when it has been missing for so long."""
    pv_recycler_minimum_timeout_hostpath_s: int = 60
    """A pod that empties a hostPath volume has so long at least."""
    pv_recycler_timeout_increment_hostpath_s: int = 30
    """And so long for each GiB, if that is more."""
    pv_recycler_minimum_timeout_nfs_s: int = 300
    pv_recycler_increment_timeout_nfs_s: int = 30
    pv_recycler_pod_template_filepath_hostpath: str = ""
    """A file with the pod that empties hostPath volumes; empty: upstream's."""
    pv_recycler_pod_template_filepath_nfs: str = ""
    recycler_templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What those files hold, by source."""

    @property
    def signer(self) -> Signer | None:
        """Return what signs certificate requests, if anything does here."""
        return None if self.authority is None else Signer(self.authority, self.cluster_signing_duration_s)

    @property
    def recyclers(self) -> tuple[Recycler, ...]:
        """Return how volumes with the policy Recycle are emptied."""
        by_source = {
            "hostPath": (self.pv_recycler_minimum_timeout_hostpath_s, self.pv_recycler_timeout_increment_hostpath_s),
            "nfs": (self.pv_recycler_minimum_timeout_nfs_s, self.pv_recycler_increment_timeout_nfs_s),
        }
        templates = self.recycler_templates
        return tuple(
            Recycler(source, *timeouts, templates.get(source, DEFAULT_TEMPLATE))
            for source, timeouts in by_source.items()
        )

    @property
    def look_every_s(self) -> float:
        """Return how often a node is looked at: several times in a grace period, however short."""
        return min(self.node_monitor_period_s, self.node_monitor_grace_period_s / 4)


def with_fast_periods(config: ControllersConfig) -> ControllersConfig:
    """Return the settings for tests that wait for nodes to be given up; a lease is renewed every 2 s there."""
    return replace(config, node_monitor_grace_period_s=8.0, orphan_quarantine_s=5.0)
