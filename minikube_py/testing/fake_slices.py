"""systemd's slices as a table, and what it does to the hierarchies when a slice starts (ports.Slices)."""

from collections.abc import Callable, Sequence

from minikube_py.kubelet.slice_properties import SliceProperty


class FakeSlices:
    """The slices that run; properties of one are replaced by name, as systemd does."""

    def __init__(self, make: Callable[[str], None] = lambda name: None) -> None:
        """`make` makes the cgroups of a slice that starts."""
        self._make = make
        self.units: dict[str, tuple[SliceProperty, ...]] = {}

    async def apply(self, name: str, properties: Sequence[SliceProperty]) -> None:
        """Start a slice, or change the one that runs."""
        if name not in self.units:
            self._make(name)
        changed = {p.name: p for p in (*self.units.get(name, ()), *properties)}
        self.units[name] = tuple(changed[key] for key in sorted(changed))

    async def stop(self, name: str) -> None:
        """Stop a slice and those in it."""
        inside = name.removesuffix(".slice") + "-"
        for unit in [unit for unit in self.units if unit == name or unit.startswith(inside)]:
            del self.units[unit]
