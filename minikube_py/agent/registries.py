"""A node's registries as their file has them: read, checked against the engine, TLS files put where Docker looks."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

from minikube_py.agent.errors import AgentError
from minikube_py.config import AgentConfig
from minikube_py.doctor.facts import HostFacts
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.credential_provider import CredentialProvider, CredentialProviderError
from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.io.credential_providers import read_providers
from minikube_py.kubelet.io.docker_api import DockerApi
from minikube_py.kubelet.io.registries_file import read_engine_registries, read_registries
from minikube_py.kubelet.io.registry_certificates import plan_folders, write_folders
from minikube_py.kubelet.registries import RegistriesError, engine_faults
from minikube_py.kubelet.registry_certificates import engine_certificate_faults

log = logging.getLogger("agent")


async def with_registries(settings: KubeletConfig, config: AgentConfig, api: DockerApi) -> KubeletConfig:
    """Return the settings with the registries of the file, and warn of what the engine will not do of it.

    Raises:
        AgentError: the file cannot be used, or not with this engine.
    """
    path = config.registries_path
    try:
        registries = await asyncio.to_thread(read_registries, path)
        if refused := engine_certificate_faults(registries, config.docker_host):
            raise RegistriesError("\n".join(f"{path}: {fault}" for fault in refused))
        faults = await asyncio.to_thread(write_folders, registries, str(config.data_dir))
        faults += engine_faults(registries, await read_engine_registries(api))
        providers = await asyncio.to_thread(_read_providers, settings)
    except (RegistriesError, CredentialProviderError, ContainerRuntimeError) as error:
        raise AgentError(str(error)) from error
    except OSError as error:
        raise AgentError(f"{path}: TLS files cannot be given to Docker: {error}") from error
    for fault in faults:
        log.warning("%s: %s", path, fault)
    return replace(settings, registries=registries, credential_providers=providers)


def _read_providers(settings: KubeletConfig) -> tuple[CredentialProvider, ...]:
    if not settings.image_credential_provider_config:
        return ()
    return read_providers(
        Path(settings.image_credential_provider_config), Path(settings.image_credential_provider_bin_dir)
    )


async def survey_registries(host: HostFacts, config: AgentConfig) -> HostFacts:
    """Return the host's facts with what `doctor` says of the registries' file; changes nothing."""
    path = config.registries_path
    api = DockerApi(config.docker_host)
    try:
        registries = read_registries(path)
        ignored = engine_certificate_faults(registries, config.docker_host)
        ignored += plan_folders(registries, str(config.data_dir)).faults
        ignored += engine_faults(registries, await read_engine_registries(api))
    except RegistriesError as error:
        return replace(host, registries_path=str(path), registries_fault=str(error))
    except ContainerRuntimeError:
        ignored = ()  # the engine has a check of its own
    except OSError as error:
        return replace(host, registries_path=str(path), registries_fault=str(error))
    finally:
        await api.close()
    return replace(host, registries_path=str(path), registries_ignored=ignored)
