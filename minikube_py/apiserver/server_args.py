"""`--kube-apiserver-arg NAME=VALUE`: flags of the API server, by upstream's names.

Upstream: cmd/kube-apiserver/app/options; the tolerations' flags are the admission plug-in's own.
"""

from collections.abc import Sequence

from minikube_py.kit.arguments import ArgumentError, Arguments, ArgumentTable, read_arguments, whole_number


def _seconds(text: str) -> int:
    seconds = whole_number(text)
    if seconds < 0:
        raise ArgumentError(f"{text!r} is not 0 or more")
    return seconds


_ARGS: ArgumentTable = {
    "default-not-ready-toleration-seconds": ("default_not_ready_toleration_s", _seconds),
    "default-unreachable-toleration-seconds": ("default_unreachable_toleration_s", _seconds),
}
"""The fields are ApiServerConfig's."""


def read_server_args(args: Sequence[str]) -> Arguments:
    """Return the fields of ApiServerConfig that the arguments set."""
    return read_arguments("kube-apiserver-arg", args, _ARGS)
