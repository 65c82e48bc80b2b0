"""Who sees an object a second time, because others changed it after him.

Mutating policies and webhooks are asked in their order. When any of them changed the object, the chain runs once
more: built-in plug-ins again, and those members whose reinvocationPolicy is IfNeeded and after whose turn there was a
change; also those before whom only the plug-ins changed something.

Upstream: apiserver admission/reinvocation.go, plugin/webhook/mutating/reinvocationcontext.go.
"""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.meta import Obj, copy_object


class Reinvocations:
    """The members of one plug-in of the chain, by their place, in the course of one request."""

    def __init__(self) -> None:
        self.round = 0
        self.changed = False
        """Somebody changed the object."""
        self._waiting: set[int] = set()
        """Asked already, and would like to see later changes."""
        self._again: set[int] = set()
        self._left: Obj | None = None

    def wants(self, index: int) -> bool:
        """Return whether a member is to be asked in this round."""
        return self.round == 0 or index in self._again

    def asked(self, index: int, *, changed: bool, if_needed: bool) -> None:
        """Note what a member did, and whether it wants to see what others do after it."""
        if changed:
            self.changed = True
            self._wake()
        if if_needed:
            self._waiting.add(index)

    def end_round(self, obj: Mapping[str, Any]) -> None:
        """Remember the object as the last member left it."""
        self._left = copy_object(obj) if self._waiting else None

    def begin_again(self, obj: Mapping[str, Any]) -> None:
        """Begin the second round; what the object became meanwhile is a change too."""
        self.round += 1
        if self._waiting and obj != self._left:
            self._wake()

    def _wake(self) -> None:
        self._again |= self._waiting
        self._waiting = set()
