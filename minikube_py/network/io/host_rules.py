"""Sysctls, the masquerade table and the accept rules of this host: looked at, and mended where they differ."""

import asyncio
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from minikube_py.kit.io.process import Finished, ProcessError, run_program
from minikube_py.kit.io.xtables import Xtables, XtablesError, find_xtables
from minikube_py.network.config import NetworkConfig
from minikube_py.network.egress import plan_iptables_egress, plan_iptables_removal, render_egress, render_removal
from minikube_py.network.host_firewall import plan_accept_rules, plan_removal
from minikube_py.network.sysctls import diff_sysctls, required_sysctls

log = logging.getLogger("network")
_SYSCTL_ROOT = Path("/proc/sys")


class HostRulesError(OSError):
    """nft refused the masquerade, or a sysctl cannot be written."""


class HostRules:
    """This host's rules for the pod network; all methods may be repeated at any time."""

    def __init__(self, config: NetworkConfig) -> None:
        self._config = config
        self._egress_stands = False
        self._iptables: Xtables | None = None
        self._missed_iptables = False
        self._other_is_gone = False

    async def ensure(self) -> None:
        """Write what is missing.

        Raises:
            HostRulesError: a sysctl cannot be written, or nft refuses the table.
        """
        await asyncio.to_thread(self._ensure_sysctls)
        if self._config.back_end == "iptables":
            await self._ensure_iptables_egress()
        else:
            await self._ensure_egress()
        if not self._other_is_gone:
            # The mode may have been another one before; its rules go when ours stand.
            if self._config.back_end == "iptables":
                await self._remove_table()
            else:
                await self._remove_iptables_egress()
            self._other_is_gone = True
        await self._run_iptables_plan(removal=False)

    async def remove(self) -> None:
        """Remove the rules; sysctls stay as they are, others may rely on them by now."""
        await self._remove_table()
        await self._remove_iptables_egress()
        self._egress_stands = False
        await self._run_iptables_plan(removal=True)

    def _ensure_sysctls(self) -> None:
        required = required_sysctls(self._config.bridge, self._config.tunnel)
        paths = {rule.path: _SYSCTL_ROOT / rule.path for rule in required}
        found = {rule: path.read_text().strip() for rule, path in paths.items() if path.exists()}
        for rule in diff_sysctls(required, found):
            log.info("sysctl %s: %s -> %s", rule.path, found[rule.path], rule.value)
            try:
                paths[rule.path].write_text(rule.value)
            except OSError as error:
                raise HostRulesError(error.errno, f"cannot set sysctl {rule.path}={rule.value}") from error

    async def _ensure_egress(self) -> None:
        if self._egress_stands:
            listed = await _run(("nft", "list", "chain", "ip", self._config.table, "postrouting"))
            if listed.exit_code == 0 and "masquerade" in listed.stdout:
                return
            log.warning("masquerade table %s was changed by somebody else, loading it again", self._config.table)
        await self._nft(render_egress(self._config))
        self._egress_stands = True

    async def _ensure_iptables_egress(self) -> None:
        try:
            programs = await find_xtables()
            masquerade = "MASQUERADE --random-fully" if programs.fully_random else "MASQUERADE"
            script = plan_iptables_egress(await programs.save("nat"), self._config, masquerade)
            if script:
                await programs.restore(script)
        except XtablesError as error:
            raise HostRulesError(f"cannot make the pods' masquerade: {error}") from error

    async def _remove_table(self) -> None:
        if shutil.which("nft") is not None:
            await self._nft(render_removal(self._config.table))

    async def _remove_iptables_egress(self) -> None:
        try:
            programs = await find_xtables()
        except XtablesError:
            # Without the programs nobody has made rules.
            return
        try:
            script = plan_iptables_removal(await programs.save("nat"))
            if script:
                await programs.restore(script)
        except XtablesError as error:
            raise HostRulesError(f"cannot remove the pods' masquerade: {error}") from error

    async def _nft(self, script: str) -> None:
        finished = await _run(("nft", "-f", "-"), script.encode())
        if finished.exit_code != 0:
            raise HostRulesError(f"nft refused table {self._config.table}: {finished.stderr.strip()}")

    async def _run_iptables_plan(self, *, removal: bool) -> None:
        """Let pods' packets pass, or stop to; what cannot be done now is tried again at the next look."""
        programs = await self._find_iptables()
        if programs is None:
            return
        iptables = (programs.name, *programs.wait_arguments)
        plan = plan_removal if removal else plan_accept_rules
        try:
            listed = await run_program((*iptables, "-S"))
            for command in plan(listed.stdout, self._config.bridge, self._config.cluster_cidr):
                finished = await run_program((*iptables, *command))
                log.info("iptables %s", " ".join(command))
                if finished.exit_code != 0:
                    log.warning("iptables %s failed: %s", " ".join(command), finished.stderr.strip())
        except ProcessError as error:
            log.warning("cannot look after the host's firewall: %s", error)

    async def _find_iptables(self) -> Xtables | None:
        """Return the program that other firewalls use; without it there are no rules that could drop our packets."""
        if self._iptables is None:
            try:
                self._iptables = await find_xtables(("iptables",))
            except XtablesError as error:
                if not self._missed_iptables:
                    log.info("no iptables on this host: %s", error)
                self._missed_iptables = True
        return self._iptables


async def _run(argv: Sequence[str], stdin: bytes = b"") -> Finished:
    try:
        return await run_program(argv, stdin=stdin)
    except ProcessError as error:
        raise HostRulesError(str(error)) from error
