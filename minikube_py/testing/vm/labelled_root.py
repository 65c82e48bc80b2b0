"""A system with a root of its own, so that its files have labels, and with SELinux, which enforces Debian's policy.

The root holds the packages that a node and SELinux need: those of this machine as they are here, the others fetched.
"""

import shutil
import sys
from functools import partial
from pathlib import Path

from minikube_py.testing.lab.machine import run
from minikube_py.testing.vm import guest, settings
from minikube_py.testing.vm.images import FETCH_WITH_NEEDED, kept, make_image, new_root, unpack_packages
from minikube_py.testing.vm.system import System

HOST = (
    *("docker.io", "dbus", "systemd", "systemd-sysv", "udev", "python3", "python3-distutils", "iproute2", "iptables"),
    *("nftables", "conntrack", "kmod", "procps", "util-linux", "mount", "ca-certificates", "coreutils", "bash"),
    *("dash", "debianutils", "libc-bin", "mawk", "base-files", "base-passwd", "python3-pkg-resources"),
    *("sed", "grep", "findutils", "tar", "gzip", "hostname", "init-system-helpers", "e2fsprogs", "bsdutils"),
)
"""What is installed here, as on every host with Docker; with what they need."""
SELINUX = ("selinux-policy-default", "policycoreutils", "policycoreutils-python-utils", "python3-selinux")
"""The policy, and what administrators and Ansible's modules work with."""
POLICY = "default"
"""The policy's name."""
MAKE_TIMEOUT_S = 600.0
FREE_BYTES = 6 << 30
_WORDS = "security=selinux selinux=1 enforcing=1"
_FOLDERS = (
    *("proc", "sys", "dev", "run", "tmp", "mnt/shared", "root", "opt", "srv", "home", "usr/local/bin"),
    *("var/log", "var/tmp", "var/lib/docker"),
)
_JOIN = """
mount -t ext4 -o noatime /dev/vda /root
mount -t tmpfs own /root/run
touch /root/run/started
"""
_WRITTEN = "find / -xdev ! -type d -cnewer /run/started"
_COPY = r"""
root=$1
shift
names=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances "$@" | sed -n 's/^\([a-z0-9][^: ]*\).*/\1/p' | sort -u)
{
    dpkg-query --listfiles $names 2>/dev/null | grep '^/' | grep -vE '^/usr/share/(doc|man|locale|info)/'
    find /usr/bin /usr/sbin -lname '/etc/alternatives/*'
    find /etc
} | sort -u | tar -C / -c --no-recursion -T - 2>/dev/null | tar -x -C "$root" --keep-directory-symlink
"""
"""Files that a package names and this machine has not are left out, as on it."""
_CONFIGURE = r"""
printf 'SELINUX=enforcing\nSELINUXTYPE=%s\n' "$1" > /etc/selinux/config
cd "/usr/share/selinux/$1"
semodule -X 100 -n -s "$1" $(sed "s,.*,-i &.pp.bz2," .modules)
python3 -m compileall -q /usr/lib/python3 /usr/lib/python3.* || [ $? = 1 ]
"""
"""What packages do when they are installed, but that every module of the policy is left on."""


def labelled_root(folder: Path, borrowed: System) -> System:
    """Return the system, made of what is kept in `folder`, with the kernel of another.

    Raises:
        LabError: this machine has no such packages.
    """
    sources = [Path(str(module.__file__)).read_text() for module in (sys.modules[__name__], settings, guest)]
    versions = run(["dpkg-query", "-W", *HOST]).stdout
    place = kept(folder, (*sources, versions, borrowed.modules.name), partial(_make, borrowed))
    return System(borrowed.kernel, borrowed.modules, place / "root.ext4", _JOIN, _WRITTEN, words=_WORDS)


def _make(borrowed: System, work: Path, made: Path) -> None:
    root = work / "root"
    new_root(root)
    run(["sh", "-euc", _COPY, "sh", str(root), *HOST])
    unpack_packages(root, work / "archives", FETCH_WITH_NEEDED, *SELINUX)
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    shutil.copytree(borrowed.modules, root / "usr/lib/modules" / borrowed.modules.name)
    settings.write_settings(root)
    run(["chroot", str(root), "sh", "-euc", _CONFIGURE, "sh", POLICY], timeout_s=MAKE_TIMEOUT_S)
    contexts = root / f"etc/selinux/{POLICY}/contexts/files/file_contexts"
    run([str(root / "usr/sbin/setfiles"), "-F", "-r", str(root), str(contexts), str(root)])
    make_image(root, made / "root.ext4", free_bytes=FREE_BYTES)
