"""Which program this is."""

from importlib.metadata import version


def program_version() -> str:
    """Return this program's version: MAJOR.MINOR.PATCH."""
    return version("minikube-py")
