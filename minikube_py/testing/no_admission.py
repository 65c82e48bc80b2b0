"""Admission that has no say, for tests of what comes before and after it."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj
from minikube_py.apiserver.admission import Admitted, Attributes


class NoAdmission:
    """Admits everything (apiserver.admission.Admission)."""

    def concerns(self, attributes: Attributes) -> bool:
        """Return whether anything may have a say."""
        del attributes
        return False

    def asks_others(self, attributes: Attributes) -> bool:
        """Return whether webhooks or policies may have a say."""
        del attributes
        return False

    async def mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Return the object as it is."""
        del attributes, old
        return Admitted(new)

    async def validate(
        self, attributes: Attributes, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None
    ) -> tuple[str, ...]:
        """Admit."""
        del attributes, new, old
        return ()
