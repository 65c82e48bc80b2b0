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

from minikube_py.kit.clock import Clock
from minikube_py.kit.io.process import ProcessError, run_program
from minikube_py.kubelet.credential_provider import (
    CredentialProvider,
    CredentialProviderError,
    ProviderAnswer,
    cache_keys,
    missing_programs,
    parse_answer,
    parse_providers,
    render_request,
)
from minikube_py.kubelet.registry_credentials import Credential

log = logging.getLogger("kubelet")

TIMEOUT_S = 60.0
"""Upstream's."""
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

    def __init__(self, providers: Sequence[CredentialProvider], folder: str, clock: Clock) -> None:
        self._programs = [_Program(provider, f"{folder}/{provider.name}", clock) for provider in providers]

    async def credentials(self, repository: str) -> tuple[Credential, ...]:
        """Return what the programs know for a repository (host and path)."""
        found: list[Credential] = []
        for program in self._programs:
            found += await program.credentials(repository)
        return tuple(found)


class _Program:
    """One program, asked one question at a time: several pulls of one registry then share one answer."""

    def __init__(self, provider: CredentialProvider, path: str, clock: Clock) -> None:
        self._provider = provider
        self._path = path
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._turn = asyncio.Lock()

    async def credentials(self, repository: str) -> tuple[Credential, ...]:
        """Return its credentials for a repository, remembered or asked for."""
        if not self._provider.matches(repository):
            return ()
        async with self._turn:
            for key in cache_keys(repository):
                kept = self._kept.get(key)
                if kept is not None and self._clock.now_s() < kept.until_s:
                    return kept.answer.credentials
            try:
                answer = parse_answer(self._provider, repository, await self._ask(repository))
            except (CredentialProviderError, ProcessError) as error:
                log.warning("credential provider %s for %s: %s", self._provider.name, repository, error)
                return ()
            self._keep(answer)
            return answer.credentials

    async def _ask(self, repository: str) -> str:
        given = [f"{name}={value}" for name, value in self._provider.env]
        done = await run_program(
            ["env", *given, self._path, *self._provider.args],
            stdin=render_request(self._provider, repository),
            timeout_s=TIMEOUT_S,
        )
        if done.exit_code:
            raise CredentialProviderError(f"exit status {done.exit_code}: {done.stderr.strip()}")
        return done.stdout

    def _keep(self, answer: ProviderAnswer) -> None:
        if answer.cache_s <= 0:
            return
        self._kept.pop(answer.cache_key, None)
        if len(self._kept) >= ANSWERS_MAX:
            self._kept.pop(next(iter(self._kept)))
        self._kept[answer.cache_key] = _Kept(answer, self._clock.now_s() + answer.cache_s)
