"""What admission is asked, and the seam through which every write passes it.

Mutating admission may change the object that a client wants, before it is decided upon; validating admission sees
what was decided and may refuse it. Upstream: apiserver admission.Attributes and the admission chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from minikube_py.api.decode import expected_of
from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.users import UserInfo

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]


@dataclass(frozen=True, slots=True)
class Attributes:
    """One request, as admission sees it."""

    operation: Operation
    resource: Resource
    subresource: str
    namespace: str
    name: str
    user: UserInfo
    dry_run: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the request's CreateOptions, UpdateOptions or DeleteOptions say beside dryRun."""
    trail: AuditTrail | None = field(default=None, compare=False)
    """Where admission writes down what it did; None: nobody keeps it."""
    heavy: bool = field(default=False, compare=False)
    """The objects have so many values that nothing is done with all of them on the event loop."""

    @property
    def seen_as(self) -> Resource:
        """Return the row with the kind of the objects that are seen: a Binding for pods/binding."""
        expected = expected_of(self.resource, self.subresource)
        if expected.kind == self.resource.kind:
            return self.resource
        group, _, version = expected.api_version.rpartition("/")
        return replace(self.resource, group=group, version=version, kind=expected.kind, custom=None)

    def annotate(self, key: str, value: str) -> None:
        """Write something down for the audit log."""
        if self.trail is not None:
            self.trail.annotate(key, value)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The object after mutation (of a deletion: an empty one), and what the client is to be warned of."""

    obj: Obj
    warnings: tuple[str, ...] = ()
    grown: bool = False
    """A webhook's patch is so long that the object is heavy now (`Attributes.heavy`), whatever it was before."""


class Admission(Protocol):
    """All that may change or refuse a write."""

    def concerns(self, attributes: Attributes) -> bool:
        """Return whether anything may have a say about such a request; cheap, asked for every write."""
        ...

    def asks_others(self, attributes: Attributes) -> bool:
        """Return whether webhooks or policies may have a say: then others may change objects meanwhile."""
        ...

    async def mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Return the object as mutating admission leaves it; `new` is private, and empty for a deletion.

        Raises:
            StatusError: refused.
        """
        ...

    async def validate(
        self, attributes: Attributes, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None
    ) -> tuple[str, ...]:
        """Return warnings; `new` None for a deletion, `old` None for a creation.

        Raises:
            StatusError: refused.
        """
        ...
