"""The CEL expressions that choose devices: do they compile, is their value a truth, can they be run for every device?

    device.driver                               a text
    device.attributes["example.com"].model      by domain and name: text, whole number, truth or version
    device.capacity["example.com"].memory       by domain and name: a quantity
    device.allowMultipleAllocations             a truth

The scheduler runs them for each device of each pool, so what one can cost at the worst is bounded when it is written.

Upstream: dynamic-resource-allocation/cel (compile.go), pkg/apis/resource/validation (validateCELSelector).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from minikube_py.api.cel.check import BOOL, DYN, Shape, Simple, infer
from minikube_py.api.cel.estimate import Path, estimate_cost_max
from minikube_py.api.cel.expressions import compile_expression
from minikube_py.api.cel.syntax import CelSyntaxError
from minikube_py.api.rules.faults import Faults, forbidden, invalid, too_long

EXPRESSION_BYTES_MAX = 10 * 1024
COST_MAX = 1_000_000
"""What one expression may cost at the worst (upstream: CELSelectorExpressionMaxCost)."""
ENTRIES_MAX = 32
"""Attributes and capacities of one device (upstream: ResourceSliceMaxAttributesAndCapacitiesPerDevice)."""
DRIVER_LENGTH_MAX = 63
VALUE_LENGTH_MAX = 64
"""An attribute that is a text, or a version (upstream: DeviceAttributeMaxValueLength)."""
_MAPS = ("attributes", "capacity")
_FIELDS: Mapping[str, Shape] = {
    "driver": Simple("string"),
    "attributes": Simple("map", Simple("map", DYN)),
    "capacity": Simple("map", Simple("map", Simple("kubernetes.Quantity"))),
    "allowMultipleAllocations": BOOL,
}


@dataclass(frozen=True, slots=True)
class _Device:
    """The shape of `device` (api.cel.check.Shape)."""

    @property
    def kind(self) -> str:
        """Return that it has named fields."""
        return "object"

    def field(self, name: str) -> Shape | None:
        """Return a field's type."""
        return _FIELDS.get(name)

    def item(self) -> Shape:
        """Return nothing that is known."""
        return DYN


_SCOPE: Mapping[str, Shape] = {"device": _Device()}


def _size_at(path: Path) -> int | None:
    """Return how large what an expression reaches can be: maps of maps of values, with their keys, and a text."""
    where = path[1] if len(path) > 1 else ""
    if where in _MAPS and path[-1] != "@keys":
        return ENTRIES_MAX if len(path) < 4 else VALUE_LENGTH_MAX
    return DRIVER_LENGTH_MAX if where in (*_MAPS, "driver") else None


def check_device_expression(text: str, path: str) -> Faults:
    """Yield the faults of an expression over `device`."""
    if len(text.encode()) > EXPRESSION_BYTES_MAX:
        yield too_long(path, EXPRESSION_BYTES_MAX)
        return
    try:
        tree = compile_expression(text, ("device",)).tree
        kind = infer(tree, _SCOPE, text).kind
    except CelSyntaxError as error:
        yield invalid(path, text, f"compilation failed: {error}")
        return
    if kind not in ("bool", "dyn"):
        yield invalid(path, text, "must evaluate to bool or the unknown type, not " + kind)
    elif estimate_cost_max(tree, _SCOPE, _size_at, text) > COST_MAX:
        yield forbidden(path, "too complex, exceeds cost limit")
