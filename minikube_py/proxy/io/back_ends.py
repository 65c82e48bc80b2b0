"""Which kernel interface the proxy uses on this host: nftables where kernel and `nft` can, else iptables.

What counts is the try: the whole skeleton is given to the tool to check, because a kernel may lack one expression
and an old tool one word. The rules of the mode before are removed only when the new ones stand.
"""

import logging
import shutil
from typing import Literal

from minikube_py.kit.io.process import ProcessError, run_program
from minikube_py.kit.io.xtables import XtablesError, find_xtables
from minikube_py.proxy.chains import ChainSpec
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.io.iptables_applier import IptablesApplier
from minikube_py.proxy.io.nft_applier import NftApplier
from minikube_py.proxy.iptables_script import render_changes
from minikube_py.proxy.iptables_tables import IptablesTables
from minikube_py.proxy.nft_script import render_script
from minikube_py.proxy.ports import RulesetError
from minikube_py.proxy.ruleset import CLUSTER_LIST_OFFSET, DROP, Data, ElementKey, Transaction

log = logging.getLogger("proxy")
Mode = Literal["nftables", "iptables"]
BackEnd = NftApplier | IptablesApplier
_SAMPLE_CHAIN = ChainSpec("node-port", 1, local=1, affinity_s=60)
_SAMPLE: dict[ElementKey, Data] = {
    ElementKey("node-port-endpoints", ("tcp", 1, 0)): ("192.0.2.1", 1),
    ElementKey("node-port-endpoints", ("tcp", 1, CLUSTER_LIST_OFFSET)): ("192.0.2.1", 1),
    ElementKey("node-ports", ("tcp", 1)): f"goto {_SAMPLE_CHAIN.name}",
    ElementKey("no-endpoints-node-ports", ("udp", 1)): DROP,
    ElementKey("hairpin", ("192.0.2.1", "192.0.2.1")): None,
}
"""One of everything, to be checked and never applied."""


async def choose_mode(wanted: str, config: ProxyConfig) -> Mode:
    """Return the mode for `wanted`: `auto`, `nftables` or `iptables`.

    Raises:
        RulesetError: this host cannot do it; says what each tool answered.
    """
    if wanted == "iptables":
        fault = await _iptables_fault(config)
        if fault is None:
            return "iptables"
        raise RulesetError(f"--proxy-mode iptables: {fault}")
    nft_fault = await _nft_fault(config)
    if nft_fault is None:
        return "nftables"
    if wanted == "nftables":
        raise RulesetError(f"--proxy-mode nftables: {nft_fault}")
    fault = await _iptables_fault(config)
    if fault is not None:
        raise RulesetError(f"this host can do neither nftables ({nft_fault}) nor iptables ({fault})")
    log.info("no nftables on this host (%s): iptables it is", nft_fault)
    return "iptables"


def make_back_end(mode: Mode, config: ProxyConfig) -> BackEnd:
    """Return the applier of a mode."""
    return NftApplier(config) if mode == "nftables" else IptablesApplier(config)


async def remove_rules_of(mode: Mode, config: ProxyConfig) -> None:
    """Remove what a mode may have left on this host; fine when there is nothing, or no such tool.

    Raises:
        RulesetError: it cannot be removed.
    """
    if mode == "nftables" and shutil.which("nft") is None:
        return
    back_end = make_back_end(mode, config)
    try:
        await back_end.remove_table()
    finally:
        back_end.close()


async def _nft_fault(config: ProxyConfig) -> str | None:
    sample = Transaction(replace_table=True, add_chains=(_SAMPLE_CHAIN.name,), add_elements=tuple(_SAMPLE.items()))
    try:
        finished = await run_program(("nft", "--check", "-f", "-"), stdin=render_script(sample, config).encode())
    except ProcessError as error:
        return str(error)
    return None if finished.exit_code == 0 else f"nft: {finished.stderr[:300].strip()}"


async def _iptables_fault(config: ProxyConfig) -> str | None:
    try:
        programs = await find_xtables()
        tables = IptablesTables(config, "MASQUERADE --random-fully" if programs.fully_random else "MASQUERADE")
        tables.change(Transaction(add_chains=(_SAMPLE_CHAIN.name,), add_elements=tuple(_SAMPLE.items())))
        for table in ("nat", "filter"):
            await programs.restore(render_changes(table, tables.chains(table)), test=True)
    except XtablesError as error:
        return str(error)
    return None
