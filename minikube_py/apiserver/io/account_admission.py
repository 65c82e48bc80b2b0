"""The admission plug-in ServiceAccount, in front of the admission that follows (webhooks and policies).

A namespace is usable a moment before its account `default` is there; a pod that comes in that moment waits for it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from minikube_py.api.errors import ForbiddenError, forbidden
from minikube_py.api.meta import Obj, is_deleting
from minikube_py.api.resources import NAMESPACES, PODS, SERVICE_ACCOUNTS
from minikube_py.apiserver.admission import Admission, Admitted, Attributes
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.service_account_admission import (
    DEFAULT_ACCOUNT,
    is_mirror,
    mirror_fault,
    mount_token,
    name_account,
    secrets_fault,
)
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids
from minikube_py.store.interface import Store

NAME = "ServiceAccount"
"""What it is called where admission plug-ins are named."""
TRIES_MAX = 10
"""Looks for an account `default` that is not there yet."""
RETRY_S = 0.15
SUFFIX_LENGTH = 5


class AccountAdmission:
    """Names, checks and mounts service accounts (apiserver.admission.Admission)."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, following: Admission) -> None:
        self._store = store
        self._clock = clock
        self._new_suffix: Callable[[int], str] = ids.new_suffix
        self._following = following

    def concerns(self, attributes: Attributes) -> bool:
        """Return whether anything may have a say about such a request."""
        return _is_new_pod(attributes) or self._following.concerns(attributes)

    def asks_others(self, attributes: Attributes) -> bool:
        """Return whether webhooks or policies may have a say."""
        return self._following.asks_others(attributes)

    async def mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Return the object as this and the following admission leave it.

        Raises:
            StatusError: refused.
        """
        if _is_new_pod(attributes):
            await self._admit(attributes, new)
        if not self._following.concerns(attributes):
            return Admitted(new)
        return await self._following.mutate(attributes, new, old)

    async def validate(
        self, attributes: Attributes, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None
    ) -> tuple[str, ...]:
        """Return the warnings of the following admission.

        Raises:
            StatusError: refused.
        """
        return await self._following.validate(attributes, new, old)

    async def _admit(self, attributes: Attributes, pod: Obj) -> None:
        namespace = self._store.get(NAMESPACES.storage_key("", attributes.namespace))
        if namespace is None or is_deleting(decode(namespace)):
            return  # NamespaceLifecycle, which follows, says so in its own words
        if is_mirror(pod):
            if fault := mirror_fault(pod):
                raise _refused(attributes, fault)
            return
        name = name_account(pod)
        account = await self._account(attributes, name)
        mount_token(pod, account, self._new_suffix(SUFFIX_LENGTH))
        if fault := secrets_fault(pod, account):
            raise _refused(attributes, fault)

    async def _account(self, attributes: Attributes, name: str) -> Mapping[str, Any]:
        key = SERVICE_ACCOUNTS.storage_key(attributes.namespace, name)
        for left in reversed(range(TRIES_MAX if name == DEFAULT_ACCOUNT else 1)):
            entry = self._store.get(key)
            if entry is not None:
                return decode(entry)
            if left:
                await self._clock.sleep(RETRY_S)
        where = f"{attributes.namespace}/{name}"
        why = f'error looking up service account {where}: serviceaccount "{name}" not found'
        raise _refused(attributes, why)


def _is_new_pod(attributes: Attributes) -> bool:
    return attributes.resource is PODS and attributes.operation == "CREATE" and not attributes.subresource


def _refused(attributes: Attributes, why: str) -> ForbiddenError:
    return forbidden("", PODS.plural, attributes.name, why)
