"""Settings as command-line options: derived from config.SETTINGS, so that flag, variable and file key agree."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from minikube_py.config import (
    DEFAULT_CONFIG_FILE,
    SETTINGS,
    AgentConfig,
    Setting,
    collect_settings,
    given_settings,
    parse_config,
    read_config_file,
)
from minikube_py.kit.io.host_facts import find_own_address, host_name

STATE_SETTINGS = (
    "data-dir",
    "datastore-endpoint",
    "datastore-cafile",
    "datastore-certfile",
    "datastore-keyfile",
)
"""Where the state is."""


NODE_SETTINGS = (
    "data-dir",
    "node-name",
    "node-ip",
    "docker-host",
    "server",
    "token",
    "token-file",
    "cluster-cidr",
    "service-cidr",
    "cluster-dns",
    "cluster-domain",
    "service-node-port-range",
    "disable",
    "proxy-mode",
    "pod-network",
    "vxlan-port",
    "kubelet-arg",
    "kubelet-port",
    "node-external-ip",
    "node-label",
    "node-taint",
    "pod-manifest-path",
    "private-registry",
    "pause-image",
    "log-format",
    "timers",
)
"""What a node without the master role can be told."""


def with_settings(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of the named settings (all when none is named) as one AgentConfig argument."""
    wanted = [setting for setting in SETTINGS if not names or setting.name in names]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(config_file: Path | None, **given: Any) -> None:
            flags = {s.name: given.pop(_parameter(s)) for s in wanted}
            command(load(flags, config_file), **given)

        return _with_options(wanted, wrapped)

    return decorate


def with_given_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all settings: as one AgentConfig, and as what was given besides the file."""

    @functools.wraps(command)
    def wrapped(config_file: Path | None, **others: Any) -> None:
        flags = {s.name: others.pop(_parameter(s)) for s in SETTINGS}
        command(load(flags, config_file), given_settings(flags, os.environ), **others)

    return _with_options(SETTINGS, wrapped)


def _with_options(settings: Sequence[Setting], command: Callable[..., None]) -> Callable[..., None]:
    decorated: Callable[..., None] = click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        help=f"The config file.  [default: {DEFAULT_CONFIG_FILE}]",
    )(command)
    for setting in reversed(settings):
        decorated = _option(setting)(decorated)
    return decorated


def load(flags: dict[str, Any], config_file: Path | None) -> AgentConfig:
    """Return the settings by the order flag, environment, file, default.

    Raises:
        ConfigError: they cannot be used.
    """
    file = read_config_file(config_file or Path(DEFAULT_CONFIG_FILE), required=config_file is not None)
    values = collect_settings(flags, os.environ, file)
    return parse_config(values, host_name=host_name(), default_ip=find_own_address(str(values.get("server") or "")))


def _parameter(setting: Setting) -> str:
    return "setting_" + setting.name.replace("-", "_")


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    text = setting.help[0].upper() + setting.help[1:] + "."
    if setting.default is not None:
        text += f"  [default: {setting.default}]"
    # No click.Choice: the settings' own check also covers the environment and the file, with one wording.
    metavar = "|".join(setting.choices) if setting.choices else setting.name.split("-")[-1].upper()
    return click.option(
        f"--{setting.name}",
        _parameter(setting),
        help=text,
        metavar=metavar,
        multiple=setting.many,
        default=None,
    )
