"""A master's certificates and kubeconfig: made at the first start, kept in `DATA/server`."""

import ssl
from pathlib import Path

import yaml

from minikube_py.agent.errors import AgentError
from minikube_py.apiserver.audit_policy import AuditPolicyError, parse_policy
from minikube_py.apiserver.audit_rotation import Rotation
from minikube_py.apiserver.io.audit_log import AuditSettings
from minikube_py.apiserver.io.certificates import (
    CertificateError,
    Pki,
    ensure_node_serving,
    ensure_pki,
)
from minikube_py.apiserver.kubeconfig import kubeconfig
from minikube_py.apiserver.pki import CertificateSpec, kubelet_serving, serving_sans
from minikube_py.apiserver.users import SYSTEM_MASTERS
from minikube_py.config import AgentConfig
from minikube_py.kit.io.files import write_atomic
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.tls import server_context

ADMIN = CertificateSpec("minikube-py-admin", (SYSTEM_MASTERS,))


def server_pki(config: AgentConfig, now_s: float) -> Pki:
    """Return the master's certificates.

    Raises:
        AgentError: what is on disk cannot be used.
    """
    sans = serving_sans(
        config.node_name,
        config.node_ip,
        config.kubernetes_service_ip,
        config.cluster_domain,
        config.tls_sans,
    )
    try:
        return ensure_pki(config.server_dir / "tls", CertificateSpec("kube-apiserver", (), sans), ADMIN, now_s)
    except (CertificateError, OSError) as error:
        raise AgentError(str(error)) from error


def node_serving(config: AgentConfig, pki: Pki, now_s: float) -> tuple[Path, Path]:
    """Return the paths of this node's serving certificate and key, made by the CA of this host.

    A node whose CA is elsewhere gets them by a CertificateSigningRequest; whoever serves needs the paths only.

    Raises:
        AgentError: they cannot be made or kept.
    """
    addresses = tuple(address for address in (config.node_ip, config.node_external_ip) if address)
    spec = kubelet_serving(config.node_name, addresses)
    try:
        return ensure_node_serving(pki, config.agent_dir / "tls", spec, now_s)
    except (CertificateError, OSError) as error:
        raise AgentError(str(error)) from error


def node_server_context(config: AgentConfig, pki: Pki, now_s: float) -> ssl.SSLContext:
    """Return the TLS settings of this node's kubelet.

    Raises:
        AgentError: its certificate cannot be made or kept.
    """
    context = server_context(pki.ca.certificate_pem)
    context.load_cert_chain(*node_serving(config, pki, now_s))
    return context


def audit_settings(config: AgentConfig) -> AuditSettings | None:
    """Return what the audit log has and where it goes, None when there is none.

    Raises:
        AgentError: the policy's file is no policy.
    """
    audit = config.audit
    if audit is None:
        return None
    try:
        policy = parse_policy(yaml.safe_load(audit.policy_path.read_text()))
    except (OSError, yaml.YAMLError, AuditPolicyError) as error:
        raise AgentError(f"--audit-policy-file {audit.policy_path}: {error}") from error
    return AuditSettings(policy, audit.log_path, Rotation(audit.size_mb_max, audit.age_days_max, audit.backups_max))


def token_key_pem(config: AgentConfig) -> bytes:
    """Return the key in `DATA/server/tls/sa.key` that signs tokens of service accounts, made when missing.

    Raises:
        AgentError: it cannot be read or kept.
    """
    path = config.server_dir / "tls" / "sa.key"
    try:
        if not path.exists():
            write_atomic(path, new_key_pem(), 0o600)
        return path.read_bytes()
    except OSError as error:
        raise AgentError(f"cannot keep the key for tokens in {path}: {error.strerror}") from error


def render_kubeconfig(pki: Pki, server_url: str) -> bytes:
    """Return the administrator's kubeconfig as YAML."""
    content = kubeconfig(server_url, pki.ca.certificate_pem, pki.admin.certificate_pem, pki.admin.key_pem)
    return yaml.safe_dump(content, sort_keys=False).encode()


def server_url(config: AgentConfig) -> str:
    """Return the URL under which this host's API server is reached."""
    return f"https://{config.node_ip}:{config.https_port}"


def write_kubeconfig(config: AgentConfig, pki: Pki) -> None:
    """Write the kubeconfig where the settings say; left alone when it is right already.

    Raises:
        AgentError: it cannot be written.
    """
    path: Path = config.kubeconfig_path
    content = render_kubeconfig(pki, server_url(config))
    try:
        if path.exists() and path.read_bytes() == content and path.stat().st_mode & 0o777 == config.kubeconfig_mode:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content, config.kubeconfig_mode)
    except OSError as error:
        raise AgentError(
            f"cannot write the kubeconfig {path}: {error.strerror}; give another path with --write-kubeconfig"
        ) from error
