"""What a page of metrics has: each family's type and the labels of its rows, to be held against what was observed."""

import re


def metric_families(text: str) -> dict[str, list[object]]:
    """Return [type, sorted labels] of each family of a page in Prometheus' text format."""
    types: dict[str, str] = dict(re.findall(r"# TYPE (\S+) (\S+)", text))
    labels: dict[str, set[str]] = {name: set() for name in types}
    for name, inside in re.findall(r"^(\w+)(?:\{(.*)\})? ", text, re.MULTILINE):
        labels[name] |= set(re.findall(r'(\w+)="', inside))
    return {name: [types[name], sorted(labels[name])] for name in types}
