"""All resources that a server serves at one moment: the rows of the table, and those of custom resources.

A Catalog is a value: when a definition comes, changes or goes, there is a new one. Routes, discovery, documents and
controllers ask the catalog that they are given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minikube_py.api.resource import Resource
from minikube_py.api.resources import RESOURCES


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """The resources that are served, and how to find them; make one with `catalog_of`."""

    rows: tuple[Resource, ...]
    by_path: Mapping[tuple[str, str, str], Resource]
    by_kind: Mapping[tuple[str, str], Resource]

    @property
    def custom(self) -> tuple[Resource, ...]:
        """Return the rows of custom resources."""
        return tuple(row for row in self.rows if row.custom is not None)

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the row that serves this path, or None."""
        return self.by_path.get((group, version, plural))

    def find_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the row of an object's apiVersion and kind, or None."""
        return self.by_kind.get((api_version, kind))


def catalog_of(rows: Iterable[Resource]) -> Catalog:
    """Return the catalog of these rows; of two rows for one path the first one counts."""
    by_path: dict[tuple[str, str, str], Resource] = {}
    by_kind: dict[tuple[str, str], Resource] = {}
    for row in rows:
        by_path.setdefault((row.group, row.version, row.plural), row)
        by_kind.setdefault((row.api_version, row.kind), row)
    return Catalog(tuple(by_path.values()), by_path, by_kind)


STATIC = catalog_of(RESOURCES)
"""The built-in resources alone."""
