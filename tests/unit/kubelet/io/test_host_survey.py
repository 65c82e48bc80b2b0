from pathlib import Path

from minikube_py.kubelet.io.host_survey import LinuxHostSurvey, parse_loadavg, parse_meminfo, parse_os_release


def test_meminfo_is_in_bytes():
    assert parse_meminfo("MemTotal:  16 kB\nHugePages_Total:       3\n") == {"MemTotal": 16384, "HugePages_Total": 3}


def test_the_distributions_name_is_found():
    assert parse_os_release('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n') == (
        "Debian GNU/Linux 12 (bookworm)"
    )


def test_processes_are_counted():
    assert parse_loadavg("0.1 0.2 0.3 2/345 6789") == 345


async def test_this_host_has_memory_disk_and_processors(tmp_path):
    facts = await LinuxHostSurvey(str(tmp_path / "not/yet/there")).survey()

    assert facts.cpus >= 1
    assert facts.memory_bytes > 0
    assert facts.disk_bytes > 0
    assert facts.kernel
    assert facts.has_swap is (len(Path("/proc/swaps").read_text().splitlines()) > 1)
