"""A lab's life: up, exec, stop, start, kill, pause, resume, reboot, status, down."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from minikube_py.config import cgroup_root_of
from minikube_py.testing.lab import machine
from minikube_py.testing.lab.layout import HOSTS_MAX, HostLayout, LabLayout, lay_out
from minikube_py.testing.lab.machine import LabError

READY_TIMEOUT_S = 60.0
LOG_LINES_SHOWN = 20
FEW_EVICTIONS = "--kubelet-arg=eviction-hard=memory.available<20Mi,nodefs.available<50Mi,imagefs.available<50Mi"
"""By default a tenth of the disk must be free: a machine that runs tests may be fuller, and its pods are small."""


class Lab:
    """The hosts in one folder; what runs is written to `lab.json`, so that later commands find it."""

    def __init__(self, folder: Path, nodes: int, *, fast_timers: bool = False, proxy_mode: str = "auto") -> None:
        self.layout: LabLayout = lay_out(folder, nodes, machine.claim_subnet(folder))
        self.fast_timers = fast_timers
        self.proxy_mode = proxy_mode
        """The mode of agents started from here on."""
        self.agent_flags: tuple[str, ...] = (FEW_EVICTIONS,)
        """Flags that every agent started from here on gets besides."""
        self.docker_flags: tuple[str, ...] = ()
        """Flags that every engine started from here on gets besides."""
        self.pids: dict[str, int] = {}

    @classmethod
    def load(cls, folder: Path) -> "Lab":
        """Return the lab that was brought up in `folder`.

        Raises:
            LabError: there is none.
        """
        try:
            saved = json.loads((folder / "lab.json").read_text())
        except FileNotFoundError:
            raise LabError(f"there is no lab in {folder}: bring one up with `scripts/lab up`") from None
        lab = cls(folder, saved["nodes"], fast_timers=saved["fast_timers"], proxy_mode=saved["proxy_mode"])
        lab.pids = saved["pids"]
        return lab

    def _save(self) -> None:
        state = {
            "nodes": len(self.layout.hosts),
            "fast_timers": self.fast_timers,
            "proxy_mode": self.proxy_mode,
            "pids": self.pids,
        }
        (self.layout.dir / "lab.json").write_text(json.dumps(state))

    def up(self) -> None:
        """Make every host and start everything; returns when every node is Ready."""
        if len(self.layout.hosts) > HOSTS_MAX:
            raise LabError(f"a lab has at most {HOSTS_MAX} hosts")
        if (self.layout.dir / "lab.json").exists():
            raise LabError(f"there is a lab in {self.layout.dir} already: `scripts/lab down` removes it")
        machine.make_bridge(self.layout)
        for host in self.layout.hosts:
            host.dir.mkdir(exist_ok=True)
            machine.make_host_network(self.layout, host)
            self._save()
            self.start_docker(host)
            self.start(host)

    def start_docker(self, host: HostLayout) -> None:
        """Start the host's engine."""
        self.pids[f"{host.name}/dockerd"] = machine.start_dockerd(host, self.docker_flags)
        self._save()

    def agent_argv(self, host: HostLayout) -> list[str]:
        """Return the command that runs the host's agent in the host's network."""
        master = self.layout.hosts[0]
        if host is master:
            role = ["server", f"--write-kubeconfig={self.layout.kubeconfig}"]
        else:
            token_file = master.data_dir / "server" / "token"
            role = ["agent", f"--server=https://{master.address}:6443", f"--token-file={token_file}"]
        argv = [
            *(sys.executable, "-m", "minikube_py", *role),
            f"--data-dir={host.data_dir}",
            f"--docker-host=unix://{host.docker_socket}",
            f"--node-name={host.name}",
            f"--node-ip={host.address}",
            f"--proxy-mode={self.proxy_mode}",
        ]
        if self.fast_timers:
            argv.append("--timers=fast")
        argv += self.agent_flags
        return machine.in_host(host, argv)

    def start(self, host: HostLayout, *, wait: bool = True) -> None:
        """Start the host's agent; with `wait`, return when its node is Ready."""
        if machine.is_running(self.pids.get(f"{host.name}/agent", 0)):
            raise LabError(f"the agent of {host.name} runs already")
        self.pids[f"{host.name}/agent"] = machine.start_daemon(self.agent_argv(host), host.agent_log)
        self._save()
        if wait:
            self.wait_ready(host)

    def wait_ready(self, host: HostLayout) -> None:
        """Wait until the host's agent says that its node is Ready."""
        pid = self.pids[f"{host.name}/agent"]

        def ready() -> bool:
            if not machine.is_running(pid):
                last = "\n".join(host.agent_log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
                raise LabError(f"the agent of {host.name} ended; its last words in {host.agent_log}:\n{last}")
            done = machine.run(self.command(host, ["status", "-o", "json"]), check=False)
            return done.returncode == 0 and bool(json.loads(done.stdout)["ready"])

        machine.wait_until(ready, READY_TIMEOUT_S, f"{host.name} is not Ready: see {host.agent_log}")

    def command(self, host: HostLayout, argv: Sequence[str]) -> list[str]:
        """Return a `minikube-py` command for the host's agent."""
        return machine.in_host(host, [sys.executable, "-m", "minikube_py", *argv, f"--data-dir={host.data_dir}"])

    def stop(self, host: HostLayout, *, sig: int = signal.SIGTERM) -> None:
        """End the host's agent with a signal; its pods stay."""
        machine.stop_process(self.pids.get(f"{host.name}/agent", 0) or self._missing(host), sig=sig)

    def signal(self, host: HostLayout, sig: int) -> None:
        """Send the agent a signal and do not wait (SIGSTOP, SIGCONT)."""
        os.kill(self.pids.get(f"{host.name}/agent", 0) or self._missing(host), sig)

    def _missing(self, host: HostLayout) -> int:
        raise LabError(f"no agent was started on {host.name}")

    def reboot(self, host: HostLayout) -> None:
        """Take the whole host down, its containers too, and bring it back."""
        self._halt(host)
        machine.remove_host_network(host)
        machine.make_host_network(self.layout, host)
        self.start_docker(host)
        self.start(host)

    def _halt(self, host: HostLayout) -> None:
        agent = self.pids.pop(f"{host.name}/agent", 0)
        if agent:
            machine.stop_process(agent, sig=signal.SIGKILL)
        dockerd = self.pids.pop(f"{host.name}/dockerd", 0)
        if dockerd:
            running = machine.docker(host, ["ps", "-q"], check=False).stdout.split()
            if running:
                machine.docker(host, ["kill", *running], check=False)
            machine.stop_process(dockerd)
        self._save()

    def status(self) -> dict[str, object]:
        """Return what runs, by host."""
        return {
            host.name: {
                "address": host.address,
                "agent": machine.is_running(self.pids.get(f"{host.name}/agent", 0)),
                "dockerd": machine.is_running(self.pids.get(f"{host.name}/dockerd", 0)),
                "log": str(host.agent_log),
            }
            for host in self.layout.hosts
        }

    def down(self) -> None:
        """Remove everything of the lab."""
        for host in self.layout.hosts:
            agent = self.pids.get(f"{host.name}/agent", 0)
            if agent:
                machine.stop_process(agent, sig=signal.SIGKILL)
            if machine.is_running(self.pids.get(f"{host.name}/dockerd", 0)):
                containers = machine.docker(host, ["ps", "-aq"], check=False).stdout.split()
                if containers:
                    machine.docker(host, ["rm", "-fv", *containers], check=False)
            self._halt(host)
            machine.unmount_below(host.dir)
            machine.remove_host_network(host)
            machine.remove_cgroups(cgroup_root_of(host.data_dir))
        machine.remove_bridge(self.layout)
        shutil.rmtree(self.layout.dir, ignore_errors=True)
        machine.release_subnet(self.layout.dir)
