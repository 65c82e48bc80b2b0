"""Reads the systemd units that `systemd/` shows, from inside the program."""

from importlib.resources import files

from minikube_py.install.plan import Role, unit_name


def read_unit(role: Role) -> bytes:
    """Return the text of the role's unit."""
    return files("minikube_py.install").joinpath("units", unit_name(role)).read_bytes()
