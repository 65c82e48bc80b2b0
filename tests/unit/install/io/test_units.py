"""The systemd units: what each must say, and that systemd 219 (CentOS 7) understands every key."""

from pathlib import Path

import pytest

from minikube_py.install.io.units import read_unit

ROOT = Path(__file__).parents[4]
ROLES = ("server", "agent")
KNOWN_TO_219 = {
    "Unit": {"Description", "After", "Wants"},
    "Service": {
        *("Type", "NotifyAccess", "EnvironmentFile", "ExecStartPre", "ExecStart", "ExecReload", "KillMode"),
        *("Delegate", "Restart", "RestartSec", "StartLimitInterval", "TimeoutStartSec", "TimeoutStopSec"),
        *("WatchdogSec", "LimitNOFILE", "LimitCORE", "OOMScoreAdjust"),
        *("SystemCallArchitectures", "RestrictAddressFamilies", "CapabilityBoundingSet"),
    },
    "Install": {"WantedBy"},
}
"""Sections and keys in the NEWS of systemd up to 219; a newer key needs an older twin beside it, and none is used."""
MOUNT_NAMESPACE_KEYS = {
    *(
        "PrivateTmp",
        "PrivateDevices",
        "ProtectSystem",
        "ProtectHome",
        "ReadOnlyDirectories",
        "InaccessibleDirectories",
    ),
    *("MountFlags", "ReadWriteDirectories", "ProtectKernelTunables", "ProtectControlGroups", "TemporaryFileSystem"),
}


def parse(role):
    sections, section = {}, ""
    for line in read_unit(role).decode().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            sections.setdefault(section, []).append((key, value))
    return sections


@pytest.mark.parametrize("role", ROLES)
def test_systemd_219_knows_every_key(role):
    for section, lines in parse(role).items():
        assert {key for key, _ in lines} <= KNOWN_TO_219[section]


@pytest.mark.parametrize("role", ROLES)
def test_the_agent_is_watched_and_its_containers_outlive_it(role):
    service = dict(parse(role)["Service"])
    assert service["ExecStart"] == f"/usr/local/bin/minikube-py {role}"
    wanted = {"Type": "notify", "NotifyAccess": "main", "KillMode": "process", "Delegate": "yes"}
    assert wanted.items() <= service.items()
    assert service["Restart"] == "on-failure"
    assert int(service["WatchdogSec"]) > 0
    assert int(service["TimeoutStopSec"]) >= 30
    assert "docker.service" in dict(parse(role)["Unit"])["After"].split()


@pytest.mark.parametrize("role", ROLES)
def test_docker_sees_the_volumes_that_the_agent_mounts(role):
    assert not MOUNT_NAMESPACE_KEYS & {key for key, _ in parse(role)["Service"]}


@pytest.mark.parametrize("role", ROLES)
def test_programs_that_the_agent_starts_get_the_domains_that_selinux_has_for_them(role):
    assert "NoNewPrivileges" not in dict(parse(role)["Service"])


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("suffix", ["service", "env"])
def test_the_folder_systemd_shows_what_the_program_carries(role, suffix):
    shown = ROOT / "systemd" / f"minikube-py-{role}.{suffix}"
    carried = ROOT / "minikube_py" / "install" / "units" / shown.name
    assert shown.read_bytes() == carried.read_bytes()


def test_the_two_units_differ_in_role_and_start_timeout_only():
    server, agent = (read_unit(role).decode().splitlines() for role in ROLES)
    different = {line.replace("agent", "server") for line in agent} ^ {
        line.replace("agent", "server") for line in server
    }
    assert {line.partition("=")[0] for line in different if not line.startswith("#")} == {
        "Description",
        "TimeoutStartSec",
    }
