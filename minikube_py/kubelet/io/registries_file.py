"""Reads `registries.yaml` and what the engine will do of it (see kubelet.registries)."""

from pathlib import Path

import yaml

from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.registries import (
    NO_REGISTRIES,
    EngineRegistries,
    Registries,
    RegistriesError,
    parse_engine_registries,
    parse_registries,
)


def read_registries(path: Path) -> Registries:
    """Return what the file says; a missing one says nothing.

    Raises:
        RegistriesError: it cannot be read or used; every fault, one a line, with the file's name.
    """
    try:
        return parse_registries(yaml.safe_load(path.read_text()))
    except FileNotFoundError:
        return NO_REGISTRIES
    except RegistriesError as error:
        raise RegistriesError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RegistriesError(f"{path} cannot be read: {error}") from error


async def read_engine_registries(api: DockerApi) -> EngineRegistries:
    """Return which registries the engine trusts.

    Raises:
        ContainerRuntimeError: it does not answer.
    """
    return parse_engine_registries(await api.info())
