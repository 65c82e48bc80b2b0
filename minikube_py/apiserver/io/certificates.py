"""A master's certificates on disk: made at the first start, renewed when they run out (`DATA/server/tls`).

The CA is never replaced: clients trust it. A file that cannot be read back stops the start with its name in the
message, since silently making a new CA would lock every client out.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from minikube_py.apiserver.io.extension_servers import FrontProxy
from minikube_py.apiserver.pki import CertificateSpec, build_ca, build_certificate, needs_renewal
from minikube_py.apiserver.request_headers import FRONT_PROXY_NAME
from minikube_py.apiserver.users import SYSTEM_MASTERS
from minikube_py.kit.io.files import make_private_folder, write_atomic
from minikube_py.kit.io.tls import server_context

_REQUEST_HEADER_CA = "requestheader-client-ca"
_FRONT_PROXY = "front-proxy-client"
_KUBELET_CLIENT = "apiserver-kubelet-client"
KUBELET_CLIENT = CertificateSpec("kube-apiserver-kubelet-client", (SYSTEM_MASTERS,))
"""Who the API server is to kubelets (name and file as kubeadm has them)."""


class CertificateError(Exception):
    """A certificate or key on disk cannot be used; the message names the file and the way out."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its key, as PEM."""

    certificate_pem: bytes
    key_pem: bytes


@dataclass(frozen=True, slots=True)
class Pki:
    """What a master holds."""

    ca: KeyPair
    serving: KeyPair
    admin: KeyPair
    front_proxy_ca: KeyPair
    """The request header CA: whom it signed may say by X-Remote headers who asks."""
    kubelet_client: KeyPair
    folder: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS settings of the API server: client certificates are welcome, not required."""
        context = server_context(self.ca.certificate_pem)
        self.load_serving(context)
        # Both CAs are let in here; apiserver.request_headers keeps them apart.
        context.load_verify_locations(cadata=self.front_proxy_ca.certificate_pem.decode())
        return context

    def front_proxy(self) -> FrontProxy:
        """Return what the API server needs to ask the servers of APIServices."""
        return FrontProxy(
            self.folder / f"{_FRONT_PROXY}.crt",
            self.folder / f"{_FRONT_PROXY}.key",
            self.front_proxy_ca.certificate_pem.decode(),
            self.ca.certificate_pem.decode(),
        )

    def kubelet_context(self) -> ssl.SSLContext:
        """Return how the API server asks kubelets: by a certificate of its own, and they must be known to the CA."""
        context = ssl.create_default_context(cadata=self.ca.certificate_pem.decode())
        self.load_kubelet_client(context)
        return context

    def load_kubelet_client(self, context: ssl.SSLContext) -> None:
        """Let new connections to kubelets show the client certificate that is on disk now."""
        context.load_cert_chain(self.folder / f"{_KUBELET_CLIENT}.crt", self.folder / f"{_KUBELET_CLIENT}.key")

    def load_serving(self, context: ssl.SSLContext) -> None:
        """Let new connections see the serving certificate that is on disk now."""
        context.load_cert_chain(self.folder / "serving.crt", self.folder / "serving.key")


def ensure_pki(folder: Path, serving: CertificateSpec, admin: CertificateSpec, now_s: float) -> Pki:
    """Return the certificates in `folder`, making and renewing what is needed.

    Raises:
        CertificateError: a file there is damaged.
        OSError: the folder cannot be written.
    """
    make_private_folder(folder)
    ca, ca_key = _ensure_ca(folder, "ca", "minikube-py-ca", now_s)
    proxy_ca, proxy_ca_key = _ensure_ca(folder, _REQUEST_HEADER_CA, "minikube-py-requestheader-ca", now_s)
    _ensure(folder, _FRONT_PROXY, CertificateSpec(FRONT_PROXY_NAME), proxy_ca, proxy_ca_key, now_s)
    return Pki(
        ca=_pair(folder, "ca"),
        serving=_ensure(folder, "serving", serving, ca, ca_key, now_s),
        admin=_ensure(folder, "admin", admin, ca, ca_key, now_s),
        front_proxy_ca=_pair(folder, _REQUEST_HEADER_CA),
        kubelet_client=_ensure(folder, _KUBELET_CLIENT, KUBELET_CLIENT, ca, ca_key, now_s),
        folder=folder,
    )


def _pair(folder: Path, name: str) -> KeyPair:
    return KeyPair((folder / f"{name}.crt").read_bytes(), (folder / f"{name}.key").read_bytes())


def ensure_node_serving(pki: Pki, folder: Path, spec: CertificateSpec, now_s: float) -> tuple[Path, Path]:
    """Return the paths of a kubelet's serving certificate and key, made and renewed with the CA of this host.

    Raises:
        CertificateError: a file there is damaged.
        OSError: the folder cannot be written.
    """
    make_private_folder(folder)
    ca, ca_key = _load(pki.folder, "ca")
    _ensure(folder, "serving-kubelet", spec, ca, ca_key, now_s)
    return folder / "serving-kubelet.crt", folder / "serving-kubelet.key"


def _ensure_ca(
    folder: Path, name: str, common_name: str, now_s: float
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if not (folder / f"{name}.crt").exists():
        key = ec.generate_private_key(ec.SECP256R1())
        ca = build_ca(common_name, key, now_s, _serial())
        write_atomic(folder / f"{name}.key", _key_pem(key), 0o600)
        write_atomic(folder / f"{name}.crt", _certificate_pem(ca), 0o644)
    return _load(folder, name)


def _ensure(
    folder: Path,
    name: str,
    spec: CertificateSpec,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    now_s: float,
) -> KeyPair:
    certificate_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
    if certificate_path.exists() and key_path.exists():
        certificate, _ = _load(folder, name)
        if not needs_renewal(certificate, spec, ca, now_s):
            return _pair(folder, name)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = build_certificate(spec, key.public_key(), ca, ca_key, now_s, _serial())
    write_atomic(key_path, _key_pem(key), 0o600)
    write_atomic(certificate_path, _certificate_pem(certificate), 0o644)
    return _pair(folder, name)


def _load(folder: Path, name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    way_out = "restore it, or move the folder away to start with a new CA (every client then needs a new kubeconfig)"
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), password=None)
    except (ValueError, FileNotFoundError) as error:
        raise CertificateError(f"cannot use {folder / name}.crt and .key ({error}): {way_out}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{folder / name}.key is not an EC key: {way_out}")
    return certificate, key


def _serial() -> int:
    return x509.random_serial_number()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _certificate_pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
