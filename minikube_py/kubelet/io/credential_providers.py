"""Asks the programs that know passwords of registries, and keeps their answers as long as they hold.

A program that fails takes nothing away: the pull goes on with what else there is.

Upstream: credentialprovider/plugin.
"""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from minikube_py.api.errors import StatusError
from minikube_py.kit.clock import Clock
from minikube_py.kit.io.process import ProcessError, run_program
from minikube_py.kubelet.credential_provider import (
    Caller,
    CredentialProvider,
    CredentialProviderError,
    ProviderAnswer,
    cache_keys,
    caller_of,
    missing_annotations,
    missing_programs,
    origin_of,
    parse_answer,
    parse_providers,
    render_request,
)
from minikube_py.kubelet.io.object_reader import ObjectReader
from minikube_py.kubelet.pod import Pod
from minikube_py.kubelet.pod_volumes import TokenSource
from minikube_py.kubelet.registry_credentials import Credential
from minikube_py.kubelet.volumes import VolumeError

log = logging.getLogger("kubelet")

TIMEOUT_S = 60.0
"""Upstream's."""
TOKEN_S = 3600
"""Life of a token that a program gets."""
ANSWERS_MAX = 256
"""Answers kept of one program; at the bound the oldest goes."""


def read_providers(config: Path, folder: Path) -> tuple[CredentialProvider, ...]:
    """Return the programs that a file sets up.

    Raises:
        CredentialProviderError: the file cannot be used, or a program is not there; every fault, one a line.
    """
    try:
        providers = parse_providers(yaml.safe_load(config.read_text()))
        present = [entry.name for entry in os.scandir(folder) if os.access(entry.path, os.X_OK)]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CredentialProviderError(f"{config}: {error}") from error
    except CredentialProviderError as error:
        raise CredentialProviderError("\n".join(f"{config}: {line}" for line in str(error).splitlines())) from error
    if missing := missing_programs(providers, str(folder), present):
        raise CredentialProviderError("\n".join(f"{config}: {fault}" for fault in missing))
    return providers


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: ProviderAnswer
    until_s: float


class CredentialProviders:
    """One for the kubelet."""

    def __init__(
        self, providers: Sequence[CredentialProvider], folder: str, objects: ObjectReader, clock: Clock
    ) -> None:
        self._programs = [_Program(provider, f"{folder}/{provider.name}", clock) for provider in providers]
        self._objects = objects

    async def credentials(self, repository: str, pod: Pod | None) -> tuple[Credential, ...]:
        """Return what the programs know for a repository (host and path), for who pulls."""
        found: list[Credential] = []
        for program in self._programs:
            if not program.provider.matches(repository):
                continue
            try:
                caller = await self._caller(program.provider, pod)
                found += await program.credentials(repository, caller)
            except (CredentialProviderError, ProcessError, VolumeError, StatusError) as error:
                log.warning("credential provider %s for %s: %s", program.provider.name, repository, error)
        return tuple(found)

    async def origin(self, pod: Pod) -> str:
        """Return what credentials are remembered by that programs gave for this pod's account; empty for none.

        Raises:
            StatusError: the API server does not answer.
        """
        if not pod.service_account_name or not any(program.provider.token for program in self._programs):
            return ""
        ref = ("ServiceAccount", pod.service_account_name)
        account = (await self._objects.read(pod.namespace, (ref,)))[ref]
        return origin_of(account) if account is not None else ""

    async def _caller(self, provider: CredentialProvider, pod: Pod | None) -> Caller | None:
        """Return the service account that a program is told of.

        Raises:
            CredentialProviderError: the program is not to be asked for this pod.
            VolumeError, StatusError: the API server gives no token, or does not answer.
        """
        wanted = provider.token
        if wanted is None:
            return None
        if pod is None or not pod.service_account_name:
            if wanted.required:
                raise CredentialProviderError("it is asked for service accounts alone")
            return None
        ref = ("ServiceAccount", pod.service_account_name)
        account = (await self._objects.read(pod.namespace, (ref,)))[ref]
        if account is None:
            raise CredentialProviderError(f"service account {pod.namespace}/{ref[1]} is not known")
        if missing := missing_annotations(wanted, account):
            raise CredentialProviderError(f"service account {pod.namespace}/{ref[1]} lacks {', '.join(missing)}")
        source = TokenSource("", wanted.audience, TOKEN_S)
        return caller_of(wanted, account, (await self._objects.tokens(pod, (source,)))[source])


class _Program:
    """One program, asked one question at a time: several pulls of one registry then share one answer."""

    def __init__(self, provider: CredentialProvider, path: str, clock: Clock) -> None:
        self.provider = provider
        self._path = path
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._turn = asyncio.Lock()

    async def credentials(self, repository: str, caller: Caller | None) -> tuple[Credential, ...]:
        """Return its credentials for a repository, remembered or asked for.

        Raises:
            CredentialProviderError, ProcessError: it does not answer, or not so that it can be understood.
        """
        whose = caller.cache_part if caller is not None else ""
        async with self._turn:
            for key in cache_keys(repository):
                kept = self._kept.get((key, whose))
                if kept is not None and self._clock.now_s() < kept.until_s:
                    return kept.answer.credentials
            answer = parse_answer(self.provider, repository, await self._ask(repository, caller), caller)
            self._keep(answer, whose)
            return answer.credentials

    async def _ask(self, repository: str, caller: Caller | None) -> str:
        done = await run_program(
            [self._path, *self.provider.args],
            stdin=render_request(self.provider, repository, caller),
            timeout_s=TIMEOUT_S,
            variables=dict(self.provider.env),
        )
        if done.exit_code:
            raise CredentialProviderError(f"exit status {done.exit_code}: {done.stderr.strip()}")
        return done.stdout

    def _keep(self, answer: ProviderAnswer, whose: str) -> None:
        if answer.cache_s <= 0:
            return
        key = (answer.cache_key, whose)
        self._kept.pop(key, None)
        if len(self._kept) >= ANSWERS_MAX:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = _Kept(answer, self._clock.now_s() + answer.cache_s)
