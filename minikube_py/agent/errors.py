"""What stops an agent or a command for a reason that its user can mend."""

from collections.abc import Iterator

from minikube_py.kit.errors import UserError


class AgentError(UserError):
    """A command failed; the message says what, on which object, and what to do."""


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions inside (nested) exception groups, or the exception itself."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
