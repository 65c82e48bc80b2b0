"""What a host has of links, rules, mounts, processes, files, cgroups and images, and what an uninstallation left.

A host lives on beside us: between two looks others start processes and make links. So both are told apart: what is
new and carries a mark of ours is left over, an error; what else is new is only mentioned when asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

KINDS = ("links", "rules", "mounts", "processes", "files", "cgroups", "images")
Inventory = Mapping[str, Sequence[str]]
"""What there is, by kind; one line of text for each thing."""

_MARKS = ("minikube-py", "minikube_py", "mkpy", "MKP-", "MKN-", "kubepods", "/var/log/pods")
"""What names, aliases, chains and paths of ours contain; Docker's own containers never do."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is there now and was not before."""

    left_over: tuple[str, ...]
    """`KIND THING` lines that carry a mark of ours."""
    others: tuple[str, ...]


def compare(before: Inventory, after: Inventory, data_dir: str) -> Difference:
    """Return what an inventory has more than an earlier one; what names the data folder is ours too."""
    marks = (*_MARKS, data_dir)
    new = [
        f"{kind} {thing}" for kind in KINDS for thing in sorted(set(after.get(kind, ())) - set(before.get(kind, ())))
    ]
    ours = tuple(line for line in new if any(mark in line for mark in marks))
    return Difference(ours, tuple(line for line in new if line not in ours))
