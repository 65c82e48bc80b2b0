"""What must stand on a virtual machine's root before its systemd starts: who it is, and what takes commands there."""

from pathlib import Path

from minikube_py.testing.vm import guest

HOST_NAME = "vm1"
_PROGRAM = "usr/local/lib/virtual-machine/guest.py"
_MASKED = (
    *("apparmor.service", "networking.service", "systemd-timesyncd.service", "timers.target", "cryptsetup.target"),
    *("systemd-sysusers.service", "systemd-binfmt.service", "proc-sys-fs-binfmt_misc.automount"),
    *("systemd-random-seed.service", "systemd-update-utmp.service", "systemd-journal-flush.service"),
)
"""What has nothing to do there, and would take its time."""
_COMMANDS = f"""[Unit]
DefaultDependencies=no
After=local-fs.target
[Service]
# As administrators who have logged in, where SELinux is.
SELinuxContext=-unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023
ExecStart=/bin/sh -c 'exec python3 -S /{_PROGRAM} /dev/vport*p1'
"""


def write_settings(root: Path) -> None:
    """Write them: what the machine is and mounts is not what this machine is and mounts.

    Its commands are taken by this machine's own program for that.
    """
    units = root / "etc/systemd/system"
    for place in (units / "basic.target.wants", root / "mnt", (root / _PROGRAM).parent):
        place.mkdir(parents=True, exist_ok=True)
    (root / "etc/hostname").write_text(f"{HOST_NAME}\n")
    (root / "etc/fstab").write_text("")
    (root / _PROGRAM).write_bytes(Path(guest.__file__).read_bytes())
    (units / "commands.service").write_text(_COMMANDS)
    (units / "basic.target.wants/commands.service").symlink_to("../commands.service")
    for unit in _MASKED:
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")
