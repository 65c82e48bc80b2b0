"""Scripts of `proxy.nft_script` read back: `parse_script(render_script(tx, config), config) == tx`."""

import re
from collections.abc import Callable, Iterator, Mapping

from minikube_py.proxy.affinity import parse_identity
from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.ruleset import MAPS, Data, ElementKey, Key, MapSpec, Transaction
from minikube_py.proxy.skeleton import render_skeleton


class ScriptError(ValueError):
    """A line of a script is not one that `render_script` writes."""


def parse_script(text: str, config: ProxyConfig) -> Transaction:
    """Return the transaction that a script of `render_script` says.

    Raises:
        ScriptError: a line is of no known form.
    """
    table = re.escape(f"ip {config.table}")
    element = re.compile(rf"(add|delete) element {table} (\S+) {{ (.*) }}")
    chain = re.compile(rf"(add|delete) chain {table} (\S+)")
    lines = text.splitlines()
    start = [f"add table ip {config.table}", f"delete table ip {config.table}", f"add table ip {config.table}"]
    replace_table = lines[:3] == start
    body = lines[3 + len(render_skeleton(config)) :] if replace_table else lines
    found: dict[str, list[str]] = {"add": [], "delete": []}
    changes: dict[str, list[tuple[ElementKey, Data]]] = {"add": [], "delete": []}
    for line in body:
        if match := element.fullmatch(line):
            changes[match[1]].extend(_parse_elements(match[2], match[3]))
        elif match := chain.fullmatch(line):
            found[match[1]].append(match[2])
        elif not line.startswith(f"add rule ip {config.table} "):
            raise ScriptError(line)
    return Transaction(
        replace_table=replace_table,
        add_chains=tuple(found["add"]),
        delete_elements=tuple(key for key, _ in changes["delete"]),
        add_elements=tuple(changes["add"]),
        delete_chains=tuple(found["delete"]),
    )


def _parse_elements(map_name: str, text: str) -> Iterator[tuple[ElementKey, Data]]:
    spec = MAPS.get(map_name)
    if spec is None:
        raise ScriptError(f"unknown map {map_name}")
    for part in text.split(", "):
        key, _, data = part.partition(" : ")
        yield ElementKey(map_name, _parse_key(spec, key)), _parse_data(spec, data)


def _parse_key(spec: MapSpec, text: str) -> Key:
    parts = text.split(" . ")
    if len(parts) != len(spec.key):
        raise ScriptError(f"key {text} of {spec.name}")
    readers: Mapping[str, Callable[[str], str | int]] = {"port": int, "index": int, "identity": parse_identity}
    return tuple(readers.get(field, str)(part) for field, part in zip(spec.key, parts, strict=True))


def _parse_data(spec: MapSpec, text: str) -> Data:
    if not text:
        return None
    if spec.data == "identity":
        return parse_identity(text)
    address, separator, port = text.partition(" . ")
    return (address, int(port)) if separator else text
