"""Issues tokens of service accounts, and says whose a token is."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.errors import BadRequestError, UnauthorizedError, conflict, invalid, not_found
from minikube_py.api.meta import Obj, is_deleting, uid_of
from minikube_py.api.resource import Resource
from minikube_py.api.resources import NODES, PODS, SECRETS, SERVICE_ACCOUNTS
from minikube_py.api.rules.faults import part
from minikube_py.apiserver.canonical import decode
from minikube_py.apiserver.io.storage import Storage
from minikube_py.apiserver.io.token_key import TokenKey
from minikube_py.apiserver.routes import Route
from minikube_py.apiserver.service_account_tokens import (
    is_in_its_time,
    issued,
    join_token,
    make_claims,
    namespace_in,
    references_of,
    request_faults,
    set_request_defaults,
    signing_input,
    split_token,
    user_of_claims,
)
from minikube_py.apiserver.users import UserInfo
from minikube_py.kit.clock import Clock
from minikube_py.kit.ids import Ids

_BOUND: Mapping[str, Resource] = {"Pod": PODS, "Secret": SECRETS, "Node": NODES}
_REFERRED: Mapping[str, Resource] = {
    "serviceaccount": SERVICE_ACCOUNTS,
    **{kind.lower(): resource for kind, resource in _BOUND.items()},
}


class AccountTokens:
    """Tokens of service accounts."""

    def __init__(self, storage: Storage, key: TokenKey, clock: Clock, ids: Ids) -> None:
        self._storage = storage
        self._key = key
        self._clock = clock
        self._ids = ids

    def issue(self, route: Route, request: Obj) -> Obj:
        """Return a TokenRequest with the token that it asks for.

        Raises:
            StatusError: no such account, or nothing to bind to.
        """
        account = decode(self._storage.get(route))
        set_request_defaults(request)
        if faults := request_faults(request):
            raise invalid("authentication.k8s.io", "TokenRequest", "", faults)
        spec = part(request, "spec")
        bound = self._bound(route, spec["boundObjectRef"]) if spec.get("boundObjectRef") else None
        claims = make_claims(account, spec, bound, self._ids.new_uid(), self._clock.wall_s())
        signed = signing_input(claims, self._key.key_id)
        return issued(request, account, join_token(signed, self._key.sign(signed)), claims)

    def _bound(self, route: Route, reference: Mapping[str, Any]) -> Obj:
        kind = str(reference.get("kind"))
        resource = _BOUND.get(kind)
        if resource is None or reference.get("apiVersion") not in ("v1", "", None):
            shown = f"{reference.get('apiVersion')}, Kind={kind}"
            raise BadRequestError(f"cannot bind token to object of type /{shown}")
        name = str(reference["name"])
        entry = self._storage.find(resource, route.namespace if resource.namespaced else "", name)
        if entry is None:
            raise not_found(resource.group, resource.plural, name)
        obj = decode(entry)
        if resource is PODS and part(obj, "spec").get("serviceAccountName") != route.name:
            what = f'serviceaccount "{route.name}" to pod running with different serviceaccount name'
            raise BadRequestError(f"cannot bind token for {what}")
        wanted = reference.get("uid")
        if wanted and wanted != uid_of(obj):
            why = f"the UID in the bound object reference ({wanted}) does not match the UID in record. "
            raise conflict(resource.group, kind, name, why + "The object might have been deleted and then recreated")
        return {**obj, "kind": kind}

    def is_ours(self, token: str) -> bool:
        """Return whether a text looks like a token of a service account."""
        return split_token(token) is not None

    def user_of(self, token: str) -> UserInfo:
        """Return whose token it is.

        Raises:
            UnauthorizedError: nobody's, or it is good no longer.
        """
        split = split_token(token)
        if (
            split is None
            or not self._key.verify(split.signed, split.signature)
            or not is_in_its_time(split.claims, self._clock.wall_s())
            or not self._all_there(split.claims)
        ):
            raise UnauthorizedError("Unauthorized")
        return user_of_claims(split.claims)

    def _all_there(self, claims: Mapping[str, Any]) -> bool:
        for kind, reference in references_of(claims).items():
            resource = _REFERRED[kind]
            namespace = namespace_in(claims) if resource.namespaced else ""
            entry = self._storage.find(resource, namespace, str(reference.get("name")))
            if entry is None or uid_of(decode(entry)) != reference.get("uid"):
                return False
            if resource is SERVICE_ACCOUNTS and is_deleting(decode(entry)):
                return False
        return "serviceaccount" in references_of(claims)
