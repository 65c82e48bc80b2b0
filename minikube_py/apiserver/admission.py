"""What admission is asked, and the seam through which every write passes it.

Mutating admission may change the object that a client wants, before it is decided upon; validating admission sees
what was decided and may refuse it. Upstream: apiserver admission.Attributes and the admission chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource
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


@dataclass(frozen=True, slots=True)
class Admitted:
    """The object after mutation, and what the client is to be warned of."""

    obj: Obj
    warnings: tuple[str, ...] = ()


class Admission(Protocol):
    """All that may change or refuse a write."""

    def concerns(self, attributes: Attributes) -> bool:
        """Return whether anything may have a say about such a request; cheap, asked for every write."""
        ...

    async def mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Return the object as mutating admission leaves it; `new` is private and has its defaults.

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
