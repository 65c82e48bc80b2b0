"""Transactions as text for `nft -f -`.

The text makes the table, and is what a person reads; later changes go as netlink batches (`netlink_batch`). It has to
be so: nft 1.0.6 cannot add a rule that looks up a map of an earlier script when that map was declared with `th dport`
("conflicting protocols"), and declares the 32-bit index in no other way. Within the text deletions come first, and
element lists are cut in pieces so that lines stay readable.
"""

from collections.abc import Iterable, Iterator
from typing import assert_never

from minikube_py.proxy.affinity import render_identity
from minikube_py.proxy.chains import (
    Affinity,
    Drop,
    FromPods,
    FromThisHost,
    MarkForMasquerade,
    Rule,
    SendAgain,
    SendAndRemember,
    SendToEndpoint,
    Step,
    chain_rules,
    parse_chain_name,
)
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ruleset import MAPS, Data, ElementKey, Key, Transaction
from minikube_py.proxy.skeleton import render_skeleton

ELEMENTS_PER_LINE_MAX = 1000


def render_script(transaction: Transaction, config: ProxyConfig) -> str:
    """Return the script; nft applies it as one transaction."""
    return "".join(f"{line}\n" for line in _lines(transaction, config))


def render_removal(table: str) -> str:
    """Return the script that removes the table, whether or not it exists."""
    return f"add table ip {table}\ndelete table ip {table}\n"


def render_rule(rule: Rule, config: ProxyConfig) -> str:
    """Return a rule of a dispatch chain in nft's words."""
    return " ".join(_render_step(step, config) for step in rule)


def _render_step(step: Step, config: ProxyConfig) -> str:
    match step:
        case FromPods():
            return f"ip saddr {config.cluster_cidr}"
        case FromThisHost():
            return "fib saddr type local"
        case MarkForMasquerade():
            return f"meta mark set mark or {config.masquerade_mark:#x}"
        case SendToEndpoint():
            drawn = f"{_entry(by_address=step.keyed_by_address)} . {_draw(step.count, step.offset)}"
            return f"dnat ip addr . port to {drawn} map @{step.map}"
        case SendAgain() | SendAndRemember():
            return f"meta priority set {_identity(step)} {_send_remembered(step.affinity)}"
        case Drop():
            return "drop"
        case _:
            assert_never(step)


def _entry(*, by_address: bool) -> str:
    return "ip daddr . meta l4proto . th dport" if by_address else "meta l4proto . th dport"


def _client(affinity: Affinity) -> str:
    return f"ip saddr . {_entry(by_address=affinity.keyed_by_address)}"


def _draw(count: int, offset: int) -> str:
    return f"numgen random mod {count}" + (f" offset {offset}" if offset else "")


def _identity(step: SendAgain | SendAndRemember) -> str:
    """Return what finds the identity of an endpoint."""
    affinity, client = step.affinity, _client(step.affinity)
    if isinstance(step, SendAgain):
        return f"{client} map @{affinity.maps.memory}"
    drawn = f"{_entry(by_address=affinity.keyed_by_address)} . {_draw(step.count, step.offset)}"
    # What may be remembered leads to an endpoint that is gone, and an update would leave it as it is.
    return f"{drawn} map @{affinity.maps.choices} delete @{affinity.maps.memory} {{ {client} : meta priority }}"


def _send_remembered(affinity: Affinity) -> str:
    """Return what remembers the identity in the packet's priority, anew or for the first time, and sends it there."""
    remember = (
        f"update @{affinity.maps.memory} {{ {_client(affinity)} timeout {affinity.timeout_s}s : meta priority }}"
    )
    where = f"{_entry(by_address=affinity.keyed_by_address)} . meta priority map @{affinity.maps.endpoints}"
    return f"{remember} dnat ip addr . port to {where}"


def render_key(map_name: str, key: Key) -> str:
    """Return an element's key in nft's words."""
    fields = zip(MAPS[map_name].key, key, strict=True)
    return " . ".join(render_identity(int(part)) if field == "identity" else str(part) for field, part in fields)


def _lines(transaction: Transaction, config: ProxyConfig) -> Iterator[str]:
    table = f"ip {config.table}"
    if transaction.replace_table:
        yield from (f"add table {table}", f"delete table {table}", f"add table {table}", *render_skeleton(config))
    for chain in transaction.add_chains:
        spec = parse_chain_name(chain)
        assert spec is not None, f"{chain} is no dispatch chain"
        yield f"add chain {table} {chain}"
        yield from (f"add rule {table} {chain} {render_rule(rule, config)}" for rule in chain_rules(spec))
    yield from _element_lines("delete", table, ((key, None) for key in transaction.delete_elements))
    yield from _element_lines("add", table, transaction.add_elements)
    yield from (f"delete chain {table} {chain}" for chain in transaction.delete_chains)


def _element_lines(verb: str, table: str, elements: Iterable[tuple[ElementKey, Data]]) -> Iterator[str]:
    batch: list[str] = []
    batch_map = ""
    for key, data in elements:
        if batch and (key.map != batch_map or len(batch) == ELEMENTS_PER_LINE_MAX):
            yield f"{verb} element {table} {batch_map} {{ {', '.join(batch)} }}"
            batch = []
        batch_map = key.map
        name = render_key(key.map, key.key)
        batch.append(name if data is None else f"{name} : {_render_data(data)}")
    if batch:
        yield f"{verb} element {table} {batch_map} {{ {', '.join(batch)} }}"


def _render_data(data: str | tuple[str, int] | int) -> str:
    if isinstance(data, int):
        return render_identity(data)
    return data if isinstance(data, str) else f"{data[0]} . {data[1]}"
