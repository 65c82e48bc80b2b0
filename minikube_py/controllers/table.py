"""The table of controllers: everything that runs in the controllers' one loop, one row each.

Adding a controller is one module with `observe`, `reconcile` and `spec`, and one row here.
"""

from typing import Any

from minikube_py.controllers import (
    certificate_approval,
    certificate_cleaner,
    certificate_signing,
    deployment,
    disruption,
    endpoints,
    endpointslice,
    flow_schemas,
    garbage_collector,
    namespace,
    namespace_content,
    node_ipam,
    node_lifecycle,
    persistent_volumes,
    pod_gc,
    policy_status,
    replicaset,
    service_addresses,
    service_cidr,
    stale_disruption,
    taint_eviction,
    volume_protection,
)
from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.spec import ControllerSpec


def controllers(config: ControllersConfig) -> tuple[ControllerSpec[Any], ...]:
    """Return all controllers with their settings."""
    signing = (certificate_signing.spec(config.signer),) if config.signer is not None else ()
    return (
        deployment.spec(),
        replicaset.spec(),
        endpointslice.spec(),
        endpoints.spec(),
        namespace.spec(),
        namespace_content.spec(config.root_ca_pem),
        garbage_collector.spec(),
        node_ipam.spec(config.cluster_cidr, config.node_cidr_mask_size),
        node_lifecycle.spec(config),
        taint_eviction.spec(),
        pod_gc.spec(config),
        volume_protection.spec(),
        persistent_volumes.binder_spec(config.recyclers),
        persistent_volumes.ephemeral_spec(),
        policy_status.spec(),
        disruption.spec(),
        stale_disruption.spec(),
        service_addresses.spec(),
        service_cidr.spec(),
        flow_schemas.spec(),
        certificate_approval.spec(),
        *signing,
        certificate_cleaner.spec(),
    )
