"""Reads ConfigMaps, Secrets and service accounts that pods refer to, each not more often than its age allows.

Tokens of service accounts are made here too, and kept until it is time for new ones.
Upstream: kubelet util/manager cache-based manager. A plain GET with a small cache in front: a node sees only what its
pods name, and an object that was just created is found at the next try.
"""

from dataclasses import dataclass

from minikube_py.api.errors import NotFoundError, StatusError
from minikube_py.api.meta import Obj, ObjectKey, parse_time, resource_version_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import CONFIGMAPS, SECRETS, SERVICE_ACCOUNTS
from minikube_py.client.interface import Client
from minikube_py.kit.clock import Clock
from minikube_py.kubelet.environment import ObjectRef
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import TokenSource
from minikube_py.kubelet.volumes import VolumeError

CACHED_MAX = 512
"""Objects and tokens kept; at the bound the oldest goes."""
TOKEN_REFRESH_SHARE = 0.8
"""A token is renewed when so much of its life is over, or after a day; if need be it serves on until it expires."""
TOKEN_REFRESH_S = 24 * 3600.0

_RESOURCES: dict[str, Resource] = {
    "ConfigMap": CONFIGMAPS,
    "Secret": SECRETS,
    "ServiceAccount": SERVICE_ACCOUNTS,
}


@dataclass(frozen=True, slots=True)
class _Cached:
    obj: Obj | None
    read_at_s: float


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    refresh_at_s: float
    expires_at_s: float


def _version(obj: Obj | None) -> int:
    return 0 if obj is None else resource_version_of(obj)


class ObjectReader:
    """One for the kubelet; safe to use from all workers."""

    def __init__(self, client: Client, clock: Clock, ttl_s: float) -> None:
        self._client = client
        self._clock = clock
        self._ttl_s = ttl_s
        self._objects: dict[tuple[str, ObjectKey], _Cached] = {}
        self._tokens: dict[tuple[str, TokenSource], _Token] = {}

    async def read(self, namespace: str, refs: tuple[ObjectRef, ...]) -> dict[ObjectRef, Obj | None]:
        """Return the named objects of a namespace; None for those that do not exist.

        Raises:
            StatusError: the API server does not answer, or refuses.
        """
        return {ref: await self._read(ref[0], ObjectKey(namespace, ref[1])) for ref in refs}

    async def _read(self, kind: str, key: ObjectKey) -> Obj | None:
        cached = self._objects.get((kind, key))
        now_s = self._clock.now_s()
        if cached is not None and cached.obj is not None and now_s - cached.read_at_s < self._ttl_s:
            return cached.obj
        obj: Obj | None
        try:
            obj = await self._client.get(_RESOURCES[kind], key)
        except NotFoundError:
            obj = None
        self._keep((kind, key), obj)
        return obj

    def _keep(self, what: tuple[str, ObjectKey], obj: Obj | None) -> None:
        self._objects.pop(what, None)
        if len(self._objects) >= CACHED_MAX:
            self._objects.pop(next(iter(self._objects)))
        self._objects[what] = _Cached(obj, self._clock.now_s())

    def learn(self, what: tuple[str, ObjectKey], obj: Obj | None) -> bool:
        """Take over what a watch says; return whether that is another state than the one read last."""
        cached = self._objects.get(what)
        if cached is not None and _version(cached.obj) >= _version(obj) and obj is not None:
            return False
        self._keep(what, obj)
        return cached is None or _version(cached.obj) != _version(obj)

    def forget_tokens(self, pod_uid: str) -> None:
        """Forget the tokens of a pod that is gone."""
        for held in [held for held in self._tokens if held[0] == pod_uid]:
            del self._tokens[held]

    async def tokens(self, pod: Pod, sources: tuple[TokenSource, ...]) -> dict[TokenSource, str]:
        """Return a token of the pod's service account for each source.

        Raises:
            VolumeError: the API server gives none.
        """
        return {source: await self._token(pod, source) for source in sources}

    async def _token(self, pod: Pod, source: TokenSource) -> str:
        wall_s = self._clock.wall_s()
        cached = self._tokens.get((pod.uid, source))
        if cached is not None and wall_s < cached.refresh_at_s:
            return cached.text
        request: Obj = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [source.audience] if source.audience else [],
                "expirationSeconds": source.expiration_s,
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid},
            },
        }
        account = ObjectKey(pod.namespace, pod.service_account_name or "default")
        try:
            answer = await self._client.create_subresource(SERVICE_ACCOUNTS, account, "token", request)
        except StatusError as error:
            if cached is not None and wall_s < cached.expires_at_s:
                return cached.text
            raise VolumeError(f"failed to fetch token: {error.message}") from error
        status = answer.get("status") or {}
        expires_at_s = parse_time(status["expirationTimestamp"])
        refresh_at_s = wall_s + min((expires_at_s - wall_s) * TOKEN_REFRESH_SHARE, TOKEN_REFRESH_S)
        if len(self._tokens) >= CACHED_MAX:
            self._tokens.pop(next(iter(self._tokens)))
        self._tokens[(pod.uid, source)] = _Token(str(status["token"]), refresh_at_s, expires_at_s)
        return str(status["token"])
