"""Chains as input for `iptables-restore --noflush`, and the output of `iptables-save` as chains.

A chain that is declared (`:NAME - [0:0]`) is emptied or made, and what is not named stays: so a script holds only
what changes, and each table changes in one step. A chain that goes is emptied with the others and deleted at the end,
when nothing leads to it any more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.proxy.iptables_rules import PREFIX, probability
from minikube_py.proxy.iptables_skeleton import HOOKS, TableName
from minikube_py.proxy.iptables_tables import ChainChanges
from minikube_py.proxy.iptables_tree import Rules

_PROBABILITY = re.compile(r"--probability (0\.\d*[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class SavedTable:
    """What of a table concerns us."""

    chains: Mapping[str, Rules]
    """Our chains."""
    hooks: tuple[tuple[str, str], ...] = ()
    """(built-in chain, rule) of every jump into our chains, as often as it stands there."""


def parse_save(text: str) -> SavedTable:
    """Return our part of what `iptables-save -t TABLE` printed."""
    chains: dict[str, list[str]] = {}
    hooks: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith(f":{PREFIX}-"):
            chains[line[1:].split(" ", 1)[0]] = []
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            if chain in chains:
                chains[chain].append(_PROBABILITY.sub(_as_we_print, rule))
            elif f" {PREFIX}-" in rule:
                hooks.append((chain, rule))
    return SavedTable({name: tuple(rules) for name, rules in chains.items()}, tuple(hooks))


def _as_we_print(found: re.Match[str]) -> str:
    """Return a probability with all its digits: old versions print fewer."""
    return f"--probability {probability(round(1 / float(found[1])))}"


def stands(saved: SavedTable, table: TableName, chains: Mapping[str, Rules]) -> bool:
    """Return whether the kernel has exactly these chains, and our jumps into them."""
    return saved.chains == chains and set(saved.hooks) == set(HOOKS[table])


def render_replacement(saved: SavedTable, table: TableName, chains: Mapping[str, Rules]) -> str:
    """Return the script that makes a table's part of ours what it shall be; empty when it is so."""
    changes: dict[str, Rules | None] = {name: None for name in saved.chains if name not in chains}
    changes.update({name: rules for name, rules in chains.items() if saved.chains.get(name) != rules})
    wrong = [(chain, rule) for chain, rule in saved.hooks if (chain, rule) not in HOOKS[table]]
    lines = [f"-D {chain} {rule}" for chain, rule in wrong]
    # First in the chain: a foreign accept or DNAT before ours would take the packet away.
    lines += [f"-I {chain} 1 {rule}" for chain, rule in HOOKS[table] if (chain, rule) not in saved.hooks]
    return render_changes(table, changes, lines)


def render_removal(saved: SavedTable, table: TableName) -> str:
    """Return the script that takes all that is ours out of a table; empty when there is nothing."""
    lines = [f"-D {chain} {rule}" for chain, rule in saved.hooks]
    return render_changes(table, dict.fromkeys(saved.chains), lines)


def render_changes(table: TableName, changes: ChainChanges, lines: list[str] | None = None) -> str:
    """Return the script for a table; empty when nothing changes. `lines` go before chains are deleted."""
    if not changes and not lines:
        return ""
    return "".join(
        f"{line}\n"
        for line in (
            f"*{table}",
            *(f":{name} - [0:0]" for name in changes),
            *(f"-A {name} {rule}" for name, rules in changes.items() for rule in rules or ()),
            *(lines or ()),
            *(f"-X {name}" for name, rules in changes.items() if rules is None),
            "COMMIT",
        )
    )
