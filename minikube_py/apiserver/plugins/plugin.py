"""What a built-in admission plug-in is: where it is asked, what it changes, what it refuses.

A plug-in sees one request and may look other objects up; it never waits. Its refusals are StatusErrors, mostly 403.
Upstream: apiserver admission.Interface, with MutationInterface and ValidationInterface.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from minikube_py.api.errors import ForbiddenError, forbidden
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Attributes, Operation
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.users import UserInfo


@dataclass(frozen=True, slots=True)
class Permission:
    """Something that a user may have to be allowed to do, at the cluster's scope."""

    verb: str
    group: str
    resource: str
    name: str


class Lookups(Protocol):
    """What plug-ins may know beside the request."""

    def get(self, resource: Resource, namespace: str, name: str) -> Mapping[str, Any] | None:
        """Return an object as it is stored, None when there is none."""
        ...

    def list(self, resource: Resource) -> Sequence[Mapping[str, Any]]:
        """Return all objects of a resource, by key."""
        ...

    def may(self, user: UserInfo, permission: Permission) -> bool:
        """Ask the authorizer."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, with what may be looked up about it."""

    attributes: Attributes
    new: Obj
    """The object that is wanted; while mutating it is private, and changed in place. Empty for a deletion."""
    old: Mapping[str, Any] | None
    lookups: Lookups
    config: ApiServerConfig

    def refusal(self, why: str) -> ForbiddenError:
        """Return a 403 with upstream's words (admission.NewForbidden)."""
        resource = self.attributes.resource
        return forbidden(resource.group, resource.plural, self.attributes.name, why)


Act = Callable[[Asked], None]
"""Changes `new`, or looks at it; raises a StatusError to refuse."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One plug-in."""

    name: str
    """Upstream's name, as in --enable-admission-plugins."""
    places: tuple[str, ...]
    """`pods`, `pods/binding`, with the group as in `ingresses.networking.k8s.io`; `*`: all."""
    operations: tuple[Operation, ...]
    mutate: Act | None = None
    validate: Act | None = None


def place_of(attributes: Attributes) -> str:
    """Return a request's place, as `Plugin.places` has it."""
    qualified = attributes.resource.qualified
    return f"{qualified}/{attributes.subresource}" if attributes.subresource else qualified
