"""The Docker settings that are compared: of both the recording's and this engine's inspect documents.

What is not listed is not compared: names of files, what only the engine fills in, and the log's settings (Docker's
own default then, the kubelet's limits here).
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_CONFIG = (
    "Hostname",
    "User",
    "Env",
    "Entrypoint",
    "Cmd",
    "WorkingDir",
    "Tty",
    "OpenStdin",
    "StdinOnce",
    "Healthcheck",
)
_HOST = (
    *("NetworkMode", "IpcMode", "PidMode", "UTSMode", "CapAdd", "CapDrop", "Privileged", "ReadonlyRootfs"),
    *("SecurityOpt", "GroupAdd", "Sysctls", "CpuShares", "CpuQuota", "Memory", "MemorySwap", "OomScoreAdj"),
)
_SORTED = ("Env", "CapAdd", "CapDrop", "GroupAdd", "SecurityOpt")
_OF_THE_ENGINE = frozenset(("PATH", "HOSTNAME", "HOME"))


def settings_of(document: Json) -> dict[str, Any]:
    """Return the compared settings of one container; what is empty, false or 0 counts as not set."""
    config, host = document.get("Config") or {}, document.get("HostConfig") or {}
    found: dict[str, Any] = {name: config.get(name) for name in _CONFIG} | {name: host.get(name) for name in _HOST}
    for name in _SORTED:
        if found.get(name):
            found[name] = sorted(found[name])
    if found.get("Env"):
        found["Env"] = [entry for entry in found["Env"] if entry.partition("=")[0] not in _OF_THE_ENGINE]
    score = found.get("OomScoreAdj")
    if not isinstance(score, int) or score <= 0:
        found.pop("OomScoreAdj", None)  # the recorder's host could not have any
    found["NetworkMode"] = str(found["NetworkMode"]).partition(":")[0]
    for name in ("IpcMode", "PidMode"):
        found[name] = str(found[name] or "").partition(":")[0]
    return {key: value for key, value in found.items() if value}


def mounts_of(document: Json) -> dict[str, str]:
    """Return the mounts of one container: destination -> `rw propagation`."""
    mounts: Sequence[Json] = document.get("Mounts") or ()
    return {m["Destination"]: f"{'rw' if m.get('RW') else 'ro'} {m.get('Propagation', '')}" for m in mounts}
