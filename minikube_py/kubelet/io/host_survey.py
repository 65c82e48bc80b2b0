"""Reads what this host is from /proc, /sys and /etc (ports.HostSurvey). Upstream: cadvisor MachineInfo."""

import asyncio
import os
import platform

from minikube_py.kubelet.node_status import HostFacts

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class LinuxHostSurvey:
    """This host; `data_dir` tells which file system is the node's (upstream: nodefs)."""

    def __init__(self, data_dir: str = "/") -> None:
        self._data_dir = data_dir

    async def survey(self) -> HostFacts:
        """Return the facts as they are now."""
        return await asyncio.get_running_loop().run_in_executor(None, self._survey)

    def _survey(self) -> HostFacts:
        memory = parse_meminfo(_read("/proc/meminfo"))
        disk = os.statvfs(_existing(self._data_dir))
        machine = platform.machine()
        machine_id = _read("/etc/machine-id") or _read("/var/lib/dbus/machine-id")
        boot_id = _read("/proc/sys/kernel/random/boot_id")
        return HostFacts(
            hostname=platform.node(),
            architecture=_ARCHITECTURES.get(machine, machine),
            kernel=platform.release(),
            os_image=parse_os_release(_read("/etc/os-release")),
            machine_id=machine_id,
            system_uuid=_read("/sys/class/dmi/id/product_uuid") or machine_id,
            boot_id=boot_id,
            cpus=os.cpu_count() or 1,
            memory_bytes=memory.get("MemTotal", 0),
            disk_bytes=disk.f_blocks * disk.f_frsize,
            huge_pages=_huge_pages(),
            has_swap=memory.get("SwapTotal", 0) > 0,
        )


def _huge_pages() -> tuple[tuple[int, int], ...]:
    """Return the pools of huge pages: (size of a page in bytes, pages)."""
    root = "/sys/kernel/mm/hugepages"
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return ()
    found = []
    for name in names:
        size, count = name.removeprefix("hugepages-").removesuffix("kB"), _read(f"{root}/{name}/nr_hugepages")
        if size.isdigit() and count.isdigit():
            found.append((int(size) * 1024, int(count)))
    return tuple(found)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def _existing(path: str) -> str:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return path


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the numbers of /proc/meminfo in bytes."""
    values: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            values[name] = int(fields[0]) * (1024 if fields[1:] == ["kB"] else 1)
    return values


def parse_os_release(text: str) -> str:
    """Return the distribution's name."""
    for line in text.splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def parse_loadavg(text: str) -> int:
    """Return how many processes and threads there are (the second half of the fourth field)."""
    fields = text.split()
    count = fields[3].partition("/")[2] if len(fields) > 3 else ""
    return int(count) if count.isdigit() else 0
