"""Keeps one certificate of the node good: asks for it, stores it with its key in one file, has it used from then on.

One that ran out all the same (the clock was set, no master was there for long) lets nobody ask for the next: whoever
knows another way to get one gives it as `come_back`.

One file for both, written in one step: certificate and key can never be those of two renewals. Connections that are
open keep what they began with; new ones show the new certificate.

Upstream: client-go util/certificate (certificate_manager.go, certificate_store.go).
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from minikube_py.api.errors import StatusError
from minikube_py.api.meta import format_time
from minikube_py.api.resources import SIGNING_REQUESTS
from minikube_py.client.interface import Client
from minikube_py.client.io.signing_requests import wait_certificate
from minikube_py.kit.backoff import BackoffPolicy, BackoffState, next_backoff
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.files import write_atomic
from minikube_py.kit.io.keys import new_key_pem
from minikube_py.kit.io.waiting import wait_event_or_sleep
from minikube_py.kubelet.node_certificates import (
    HeldCertificate,
    WantedCertificate,
    build_request,
    is_due,
    read_certificate,
    renew_at_s,
)

log = logging.getLogger("kubelet")

ANSWER_TIMEOUT_S = 60.0
RETRY = BackoffPolicy(initial_s=1.0, maximum_s=30.0, reset_after_s=3600.0)
_END = b"-----END CERTIFICATE-----"
LOOK_S_MAX = 10.0
"""The clock is looked at this often at least: it may be set meanwhile."""


def store_pair(path: Path, certificate_pem: bytes, key_pem: bytes) -> None:
    """Keep a certificate and its key in one file that nobody else can read.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    write_atomic(path, certificate_pem.rstrip() + b"\n" + key_pem, 0o600)


def read_pair(path: Path) -> HeldCertificate | None:
    """Return what is in such a file; None: there is none that can be used."""
    try:
        return read_certificate(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("certificate %s cannot be used: %s", path, error)
        return None


def split_pair(path: Path) -> tuple[bytes, bytes]:
    """Return the certificate and the key in such a file.

    Raises:
        OSError: it cannot be read.
    """
    certificate, end, key = path.read_bytes().partition(_END)
    return certificate + end, key.lstrip()


class CertificateRenewal:
    """One for each certificate; `run` until cancelled."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        pick_fraction: Callable[[], float],
        path: Path,
        use: Callable[[Path], None],
        come_back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Begin with what is kept; `come_back` puts another pair in its place once it has run out, or StatusError."""
        self._client = client
        self._clock = clock
        self._fraction = pick_fraction()
        self._path = path
        self._use = use
        self._come_back = come_back
        self._wanted: WantedCertificate | None = None
        self._changed = asyncio.Event()
        self.held = read_pair(path)
        self.first = asyncio.Event()
        """Set when there is a certificate."""
        self._said = ""
        self.fault = ""
        """Why a certificate that ran out is not replaced, for people; empty while it is good."""
        if self.held is not None:
            self.first.set()

    def want(self, wanted: WantedCertificate) -> None:
        """Say what the certificate is to be from now on."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._changed.set()

    async def run(self) -> None:
        """Ask whenever it is time."""
        failures: BackoffState | None = None
        while True:
            self._changed.clear()
            delay_s = LOOK_S_MAX
            if self._wanted is not None:
                try:
                    delay_s = min(delay_s, await self._keep(self._wanted))
                    failures, self._said, self.fault = None, "", ""
                except (StatusError, OSError) as error:
                    failures = next_backoff(RETRY, failures, self._clock.now_s())
                    delay_s = failures.delay_s
                    self._say(f"certificate {self._path.name} is not renewed: {error}")
            await wait_event_or_sleep(self._changed, self._clock, delay_s)

    async def _keep(self, wanted: WantedCertificate) -> float:
        """Renew the certificate if it is time; return in how many seconds it is."""
        now_s = self._clock.wall_s()
        if is_due(self.held, wanted, self._renew_s(), now_s):
            try:
                await self._renew(wanted)
            except StatusError:
                if self._come_back is None or not self._ran_out():
                    raise
                await self._come_back()
                self._take(read_certificate(await asyncio.to_thread(self._path.read_bytes)))
        return max(1.0, self._renew_s() - now_s)

    def _say(self, fault: str) -> None:
        """Write a fault once, however often it is met; one that leaves the node without a certificate is kept."""
        if fault != self._said:
            log.warning("%s", fault)
            self._said = fault
        self.fault = fault if self._ran_out() else ""

    def _ran_out(self) -> bool:
        return self.held is not None and self.held.not_after_s <= self._clock.wall_s()

    def _renew_s(self) -> float:
        return renew_at_s(self.held, self._fraction) if self.held is not None else 0.0

    async def _renew(self, wanted: WantedCertificate) -> None:
        key_pem = new_key_pem()
        request = {
            "metadata": {"generateName": "csr-"},
            "spec": {
                "request": base64.b64encode(build_request(wanted, key_pem)).decode(),
                "signerName": wanted.signer,
                "usages": list(wanted.usages),
            },
        }
        created = await self._client.create(SIGNING_REQUESTS, request)
        certificate_pem = (await wait_certificate(self._client, created, ANSWER_TIMEOUT_S)).encode()
        held = read_certificate(certificate_pem)
        await asyncio.to_thread(store_pair, self._path, certificate_pem, key_pem)
        self._take(held)

    def _take(self, held: HeldCertificate) -> None:
        """Use what is in the file from now on."""
        self._use(self._path)
        self.held = held
        self.first.set()
        log.info("certificate %s is good until %s", self._path.name, format_time(held.not_after_s))
