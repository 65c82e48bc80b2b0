"""The node's part: pod network, kubelet, service proxy and cluster DNS, wired to one API and one Docker engine."""

import asyncio
import logging
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import get_args

from minikube_py.agent.cluster_settings import with_cluster_settings
from minikube_py.agent.errors import AgentError
from minikube_py.agent.host import Host, this_host
from minikube_py.agent.lifetime import Run, running
from minikube_py.agent.node_credentials import kept_cluster_settings
from minikube_py.agent.own_address import require_own_address
from minikube_py.agent.pod_range import learn_pod_cidr, require_pod_cidr
from minikube_py.agent.registries import with_registries
from minikube_py.api.served import GIT_VERSION
from minikube_py.client.interface import Client, Informers
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.config import AgentConfig
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.io.dns_server import DnsServer
from minikube_py.kit.io.host_facts import find_own_address, list_addresses
from minikube_py.kubelet.config import KubeletConfig, with_fast_timers
from minikube_py.kubelet.configz import configz
from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeVersionError
from minikube_py.kubelet.io.cgroup_writer import LinuxCgroupWriter
from minikube_py.kubelet.io.delegated_access import DelegatedAccess
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.docker_images import DockerImages
from minikube_py.kubelet.io.docker_runtime import DockerRuntime
from minikube_py.kubelet.io.engine_leftovers import HostLeftovers
from minikube_py.kubelet.io.host_statistics import LinuxHostStatistics
from minikube_py.kubelet.io.host_survey import LinuxHostSurvey
from minikube_py.kubelet.io.image_volumes import DockerImageVolumes
from minikube_py.kubelet.io.kubelet_loop import Kubelet
from minikube_py.kubelet.io.kubelet_server import KubeletServer
from minikube_py.kubelet.io.node_logs import NodeLogs
from minikube_py.kubelet.io.pod_files import HostPodFiles
from minikube_py.kubelet.io.pod_streams import DockerPodStreams
from minikube_py.kubelet.io.probe_network import HostProbeNetwork
from minikube_py.kubelet.io.registry_certificates import remove_folders
from minikube_py.kubelet.io.server_documents import DocumentSources, ServerDocuments
from minikube_py.kubelet.io.server_metrics import ServerMetrics
from minikube_py.kubelet.io.server_streams import ServerStreams
from minikube_py.kubelet.io.systemd_slices import SystemdSlices
from minikube_py.kubelet.io.tear_down import tear_down_node
from minikube_py.kubelet.kubelet_args import apply_kubelet_args
from minikube_py.kubelet.pause_image import PAUSE_TAG
from minikube_py.kubelet.ports import KubeletPorts, ShutdownInhibitor
from minikube_py.kubelet.registration import parse_node_label, parse_node_taint
from minikube_py.network.config import NetworkConfig
from minikube_py.network.io.peer_loop import PeerLoop
from minikube_py.network.io.pod_network import BridgePodNetwork
from minikube_py.network.io.service_routes import ServiceRoutes
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.io.back_ends import Mode, choose_mode, make_back_end, remove_rules_of
from minikube_py.proxy.io.conntrack import Conntrack
from minikube_py.proxy.io.health_server import HealthCheckServer
from minikube_py.proxy.io.proxier_loop import Proxier
from minikube_py.proxy.ports import RulesetError

log = logging.getLogger("agent")


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    kubelet: Kubelet
    proxier: Proxier
    server: KubeletServer


def open_runtime(config: AgentConfig, host: Host) -> tuple[DockerApi, DockerRuntime]:
    """Return the engine and the runtime on it; nothing is asked of the engine yet."""
    api = DockerApi(config.docker_host)
    runtime = DockerRuntime(
        api,
        node_name=config.node_name,
        clock=host.clock,
        ids=host.ids,
        pause_image=config.pause_image,
        starts_max=max(2, os.cpu_count() or 1),
    )
    return api, runtime


async def require_engine(runtime: DockerRuntime) -> None:
    """Make sure that the engine answers, before anything is made.

    Raises:
        AgentError: it does not; says which one, and why.
    """
    try:
        await runtime.version()
    except ContainerRuntimeError as error:
        remedy = error.remedy if isinstance(error, RuntimeVersionError) else "start Docker"
        raise AgentError(f"{error.message}; {remedy}, or name another engine with --docker-host") from error


def network_config(config: AgentConfig, pod_cidr: str, back_end: Mode = "nftables") -> NetworkConfig:
    """Return the pod network's settings."""
    return NetworkConfig(
        pod_cidr=pod_cidr,
        node_name=config.node_name,
        node_ip=config.node_ip,
        pod_network=config.pod_network,
        vxlan_port=config.vxlan_port,
        back_end=back_end,
        cluster_cidr=str(config.cluster_cidr),
        service_cidr=str(config.service_cidr),
        local_addresses=() if "dns" in config.disabled else (str(config.cluster_dns),),
    )


def proxy_config(config: AgentConfig) -> ProxyConfig:
    """Return the service proxy's settings."""
    return ProxyConfig(
        node_name=config.node_name,
        service_cidr=str(config.service_cidr),
        cluster_cidr=str(config.cluster_cidr),
        node_local_vips=() if "dns" in config.disabled else (str(config.cluster_dns),),
    )


def kubelet_config(config: AgentConfig) -> KubeletConfig:
    """Return the kubelet's settings."""
    settings = KubeletConfig(
        node_name=config.node_name,
        node_ip=config.node_ip,
        root_dir=str(config.agent_dir),
        pod_logs_dir=str(config.pod_logs_dir),
        local_path_dir="" if "local-storage" in config.disabled else str(config.agent_dir / "storage"),
        cluster_dns=() if "dns" in config.disabled else (str(config.cluster_dns),),
        cluster_domain=config.cluster_domain,
        kubelet_version=GIT_VERSION,
        cgroup_root=config.cgroup_root,
        kubelet_port=config.kubelet_port,
        node_external_ip=config.node_external_ip,
        node_labels=tuple(map(parse_node_label, config.node_labels)),
        register_with_taints=tuple(map(parse_node_taint, config.node_taints)),
        static_pod_path=str(config.static_pod_dir),
        docker_config_paths=(str(config.agent_dir / "config.json"), "/root/.docker/config.json"),
    )
    settings = with_fast_timers(settings) if config.fast_timers else settings
    return apply_kubelet_args(settings, config.kubelet_args)


async def _choose_proxy_mode(config: AgentConfig) -> Mode:
    try:
        return await choose_mode(config.proxy_mode, proxy_config(config))
    except RulesetError as error:
        raise AgentError(str(error)) from error


def make_proxier(config: AgentConfig, informers: Informers, host: Host, mode: Mode) -> Proxier:
    """Return the service proxy in a mode; the rules of the other mode go when its own stand."""
    settings = proxy_config(config)
    other: Mode = "iptables" if mode == "nftables" else "nftables"
    return Proxier(
        settings,
        informers,
        host.clock,
        make_back_end(mode, settings),
        Conntrack(),
        lambda: remove_rules_of(other, settings),
    )


def kubelet_server(
    config: KubeletConfig, ports: KubeletPorts, kubelet: Kubelet, runtime: DockerRuntime
) -> KubeletServer:
    """Return the kubelet's own server, which answers the API server, monitors and administrators."""
    metrics = ServerMetrics(config.node_name, kubelet.probe_counts)
    for collector in kubelet.collectors:
        metrics.registry.register(collector)
    sources = DocumentSources(
        pods=kubelet.pods,
        runtime=runtime,
        statistics=kubelet.statistics,
        metrics=metrics,
        logs=NodeLogs(),
        configz=configz(config),
        fault=kubelet.sync_fault,
    )
    streams = DockerPodStreams(runtime, kubelet.waiting_reason, kubelet.worker_uid, kubelet.ended_id)
    return KubeletServer(
        DelegatedAccess(ports.client, ports.clock, config.node_name),
        ServerDocuments(sources),
        ServerStreams(kubelet.pod, streams, ports.clock),
        metrics,
    )


@asynccontextmanager
async def _open_logind() -> AsyncIterator[ShutdownInhibitor]:
    # Only who wants shutdowns held up pays for the D-Bus library.
    from minikube_py.kubelet.io.dbus import bus_path  # noqa: PLC0415
    from minikube_py.kubelet.io.logind import open_logind  # noqa: PLC0415

    async with open_logind(bus_path()) as logind:
        yield logind


def _components_by_settings(config: AgentConfig, informers: Informers, host: Host) -> Mapping[str, Run]:
    """Return the components that not every node has."""
    components: dict[str, Run] = {}
    if not config.node_ip_is_given:
        choose = partial(asyncio.to_thread, find_own_address, config.server_url)
        components["own-address"] = partial(require_own_address, config.node_ip, list_addresses, choose, host.clock)
    if "dns" not in config.disabled:
        dns = DnsConfig(listen_addresses=(str(config.cluster_dns),), domain=config.cluster_domain)
        components["dns"] = DnsServer(dns, informers, host.clock, host.rng).run
    return components


@asynccontextmanager
async def run_node(
    config: AgentConfig,
    host: Host,
    client: Client,
    informers: Informers,
    docker: tuple[DockerApi, DockerRuntime],
    tls: ssl.SSLContext,
) -> AsyncIterator[Node]:
    """Run the node's components while the context lasts; pods go on running afterwards.

    `client` is the API as the node's own user. `tls` is what the kubelet's server serves with; whoever renews its
    certificate loads it into this same context.
    """
    log.info("this node's address is %s: %s", config.node_ip, config.node_ip_reason)
    api, runtime = docker
    mode = await _choose_proxy_mode(config)
    settings = await with_registries(kubelet_config(config), config, api)
    survey = LinuxHostSurvey(str(config.agent_dir))
    pod_cidr = await learn_pod_cidr(client, informers, settings, survey, host.clock)
    network_settings = network_config(config, pod_cidr, mode)
    network = BridgePodNetwork(network_settings, host.clock)
    try:
        await network.ensure_bridge()
    except OSError as error:
        raise AgentError(f"cannot set up the pod network: {error}") from error
    proxier = make_proxier(config, informers, host, mode)
    slices = SystemdSlices()
    recorder = EventRecorder(client, host.clock, host.ids, "kubelet", config.node_name)
    ports = KubeletPorts(
        client=client,
        informers=informers,
        runtime=runtime,
        images=DockerImages(api, settings.image_pull_progress_deadline_s, pinned=(config.pause_image or PAUSE_TAG,)),
        image_volumes=DockerImageVolumes(api),
        network=network,
        endpoint_drain=proxier,
        files=HostPodFiles(settings, slices),
        probe_network=HostProbeNetwork(),
        host=survey,
        statistics=LinuxHostStatistics(host.clock),
        places=runtime,
        cgroups=LinuxCgroupWriter(slices),
        leftovers=HostLeftovers(),
        recorder=recorder,
        clock=host.clock,
        random=host.rng.random,
        open_inhibitor=_open_logind if settings.shutdown_grace_period_s > 0 else None,
    )
    kubelet = Kubelet(settings, ports)
    server = kubelet_server(settings, ports, kubelet, runtime)
    components: dict[str, Run] = {
        "pod-range": partial(require_pod_cidr, informers, config.node_name, pod_cidr),
        "network": network.run,
        "network-services": ServiceRoutes(network_settings, informers, network).run,
        "network-peers": PeerLoop(network_settings, informers, host.clock, network).run,
        "proxy": proxier.run,
        "proxy-health": HealthCheckServer(proxy_config(config), informers, host.clock, proxier.is_healthy).run,
        "kubelet-events": recorder.run,
        "kubelet": kubelet.run,
        "kubelet-server": partial(server.serve, "0.0.0.0", settings.kubelet_port, tls),
        **_components_by_settings(config, informers, host),
    }
    try:
        async with running(host.health, components):
            yield Node(kubelet, proxier, server)
    finally:
        await network.close()


async def tear_down(config: AgentConfig) -> Mapping[str, int]:
    """Stop every pod of this node and remove its links, rules and mounts; needs no API server.

    Returns:
        How much of what was removed.

    Raises:
        AgentError: Docker cannot be reached, or something could not be removed.
    """
    host = this_host()
    config = with_cluster_settings(config, kept_cluster_settings(config))
    api, runtime = open_runtime(config, host)
    # Only names matter for taking down, not which slice of the cluster CIDR this node had.
    pod_cidr = next(config.cluster_cidr.subnets(new_prefix=24))
    network = BridgePodNetwork(network_config(config, str(pod_cidr)), host.clock)
    try:
        await require_engine(runtime)
        removed = await tear_down_node(kubelet_config(config), runtime)
        await asyncio.to_thread(remove_folders, str(config.data_dir))
        await network.tear_down()
        for mode in get_args(Mode):
            await remove_rules_of(mode, proxy_config(config))
    except (ContainerRuntimeError, OSError, RulesetError) as error:
        raise AgentError(f"cannot remove everything of this node: {error}; run this again") from error
    finally:
        await network.close()
        await api.close()
    return removed
