"""A lab's life: up, stop, start, pause, resume, cut, heal, reboot, status, down."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from minikube_py.kit.io.control_socket import AgentNotRunningError, ask_agent
from minikube_py.testing.lab import machine, network, power
from minikube_py.testing.lab.layout import HOSTS_MAX, HostLayout, LabLayout, lay_out
from minikube_py.testing.lab.machine import LabError

READY_TIMEOUT_S = 60.0
ANSWER_TIMEOUT_S = 5.0
API_PORT = 6443
LOG_LINES_SHOWN = 20
FEW_EVICTIONS = "--kubelet-arg=eviction-hard=memory.available<20Mi,nodefs.available<50Mi,imagefs.available<50Mi"
"""By default a tenth of the disk must be free: a machine that runs tests may be fuller, and its pods are small."""


class Lab:
    """The hosts in one folder; what runs is written to `lab.json`, so that later commands find it."""

    def __init__(
        self,
        folder: Path,
        nodes: int,
        *,
        fast_timers: bool = False,
        proxy_mode: str = "auto",
        pod_network: str = "auto",
        routed: bool = False,
        neighbours: int = 0,
    ) -> None:
        subnet = machine.claim_subnet(folder)
        self.layout: LabLayout = lay_out(folder, nodes, subnet, routed=routed, neighbours=neighbours)
        self.fast_timers = fast_timers
        self.proxy_mode = proxy_mode
        """The mode of agents started from here on."""
        self.pod_network = pod_network
        """As `proxy_mode`: how pods of different hosts reach one another."""
        self.program: tuple[str, ...] = (sys.executable, "-m", "minikube_py")
        """What starts `minikube-py`: this Python, or the one file in its place."""
        self.agent_flags: tuple[str, ...] = (FEW_EVICTIONS,)
        """Flags that every agent started from here on gets besides."""
        self.server_flags: tuple[str, ...] = ()
        """Flags that the master started from here on gets besides."""
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
        pids = saved.pop("pids")
        lab = cls(folder, **saved)
        lab.pids = pids
        return lab

    def _save(self) -> None:
        state = {
            "nodes": len(self.layout.hosts),
            "fast_timers": self.fast_timers,
            "proxy_mode": self.proxy_mode,
            "pod_network": self.pod_network,
            "routed": self.layout.routed,
            "neighbours": self.layout.neighbours,
            "pids": self.pids,
        }
        (self.layout.dir / "lab.json").write_text(json.dumps(state))

    def up(self) -> None:
        """Make every host and start everything; returns when every node is Ready."""
        self.make_hosts()
        self.start_agents()

    def start_agents(self) -> None:
        """Start every host's agent; returns when every node is Ready."""
        first, *others = self.layout.hosts
        self.start(first)
        for host in others:
            self.start(host, wait=False)
        for host in others:
            self.wait_ready(host)

    def make_hosts(self) -> None:
        """Make every host with a running engine, and no agent yet.

        Raises:
            LabError: there is a lab already, or too many hosts are wanted.
        """
        if not 1 <= len(self.layout.hosts) <= HOSTS_MAX:
            raise LabError(f"a lab has 1 to {HOSTS_MAX} hosts")
        if (self.layout.dir / "lab.json").exists():
            raise LabError(f"there is a lab in {self.layout.dir} already: `scripts/lab down` removes it")
        network.make_network(self.layout)
        for host in self.layout.hosts:
            host.dir.mkdir(exist_ok=True)
            network.attach_host(self.layout, host)
            self.start_docker(host, wait=False)
        for host in self.layout.hosts:
            machine.wait_docker(host, self.pids[f"{host.name}/dockerd"])

    def start_docker(self, host: HostLayout, *, wait: bool = True) -> None:
        """Start the host's engine; with `wait`, return when it answers."""
        self.pids[f"{host.name}/dockerd"] = pid = machine.start_dockerd(host, self.docker_flags)
        self._save()
        if wait:
            machine.wait_docker(host, pid)

    def agent_argv(self, host: HostLayout) -> list[str]:
        """Return the command that runs the host's agent in the host's network."""
        argv = [
            *self.program,
            *self._role(host),
            f"--data-dir={host.data_dir}",
            f"--docker-host=unix://{host.docker_socket}",
            f"--node-name={host.name}",
            f"--node-ip={host.address}",
            f"--proxy-mode={self.proxy_mode}",
            f"--pod-network={self.pod_network}",
        ]
        if self.fast_timers:
            argv.append("--timers=fast")
        argv += self.agent_flags
        return machine.in_host(host, argv)

    def _role(self, host: HostLayout) -> list[str]:
        master = self.layout.master
        if host == master:
            return ["server", f"--write-kubeconfig={self.layout.kubeconfig}", *self.server_flags]
        token = f"--token-file={master.data_dir}/server/token"
        return ["agent", f"--server=https://{master.address}:{API_PORT}", token]

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
            # Not `minikube-py status`: a Python start for each look would take the processor from the agents.
            try:
                facts = asyncio.run(ask_agent(host.data_dir / "agent" / "control.sock", "status", ANSWER_TIMEOUT_S))
            except (AgentNotRunningError, TimeoutError):
                return False
            return bool(facts["ready"])

        machine.wait_until(ready, READY_TIMEOUT_S, f"{host.name} is not Ready: see {host.agent_log}")

    def command(self, host: HostLayout, argv: Sequence[str]) -> list[str]:
        """Return a `minikube-py` command for the host's agent."""
        return machine.in_host(host, [*self.program, *argv, f"--data-dir={host.data_dir}"])

    def stop(self, host: HostLayout, *, sig: int = signal.SIGTERM) -> None:
        """End the host's agent with a signal; its pods stay."""
        machine.stop_process(self.pids.get(f"{host.name}/agent", 0) or self._missing(host), sig=sig)

    def signal(self, host: HostLayout, sig: int) -> None:
        """Send the agent a signal and do not wait (SIGSTOP, SIGCONT)."""
        os.kill(self.pids.get(f"{host.name}/agent", 0) or self._missing(host), sig)

    def _missing(self, host: HostLayout) -> int:
        raise LabError(f"no agent was started on {host.name}")

    def cut(self, sender: HostLayout, receiver: HostLayout) -> None:
        """Let nothing that `sender` sends reach `receiver`."""
        network.cut(self.layout, sender, receiver)

    def partition(self, one: HostLayout, other: HostLayout) -> None:
        """Let nothing pass between two hosts."""
        self.cut(one, other)
        self.cut(other, one)

    def heal(self) -> None:
        """Mend everything that was cut."""
        network.heal(self.layout)

    def reboot(self, host: HostLayout) -> None:
        """Take the whole host down, its containers too, and bring it back; returns when its node is Ready."""
        self.power_off(host)
        self.power_on(host)

    def power_off(self, host: HostLayout) -> None:
        """End every process of the host at once; its disk stays."""
        power.cut_power(host)
        network.detach_host(self.layout, host)
        for part in ("agent", "dockerd"):
            self.pids.pop(f"{host.name}/{part}", None)
        self._save()

    def power_on(self, host: HostLayout, *, wait: bool = True) -> None:
        """Start a host that is off; with `wait`, return when its node is Ready."""
        network.attach_host(self.layout, host)
        self.start_docker(host)
        self.start(host, wait=wait)

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
            power.cut_power(host)
            network.detach_host(self.layout, host)
        network.remove_network(self.layout)
        shutil.rmtree(self.layout.dir, ignore_errors=True)
        machine.release_subnet(self.layout.dir)
