"""What chooses a device."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.api.rules.device_expressions import check_device_expression
from minikube_py.testing.rule_cases import new_faults

CLASSES = find_resource("resource.k8s.io", "v1", "deviceclasses")
CLAIMS = find_resource("resource.k8s.io", "v1", "resourceclaims")
TEMPLATES = find_resource("resource.k8s.io", "v1", "resourceclaimtemplates")


def reasons(text):
    return [fault.reason.removeprefix("FieldValue") for fault in check_device_expression(text, "x")]


@pytest.mark.parametrize(
    "text",
    [
        'device.driver == "gpu.example.com"',
        'device.attributes["gpu.example.com"].model == "a100"',
        'device.attributes["gpu.example.com"].?family.orValue("") == "x"',
        'device.capacity["gpu.example.com"].memory.compareTo(quantity("10Gi")) >= 0',
        'device.attributes["x.y"].version.isGreaterThan(semver("1.0.0"))',
        'device.attributes.exists(d, d == "x.y") && !device.allowMultipleAllocations',
        'device.attributes["x.y"].healthy',
        "true",
    ],
)
def test_expressions_over_a_device(text):
    assert reasons(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("device.", "Invalid"),
        ("devices.driver", "Invalid"),
        ("device.nope == 1", "Invalid"),
        ("device.driver", "Invalid"),
        ("device.driver == 1", "Invalid"),
        ("size(device.attributes)", "Invalid"),
        ("noSuchFunction(device.driver)", "Invalid"),
        ("'" + "x" * 10240 + "' == ''", "TooLong"),
        (
            "device.attributes.all(a, device.attributes.all(b, device.attributes.all(c,"
            " device.attributes.all(d, a == b && c == d))))",
            "Forbidden",
        ),
    ],
)
def test_what_cannot_choose_is_refused(text, reason):
    assert reasons(text) == [reason]


def test_they_are_looked_at_wherever_devices_are_chosen():
    wrong = [{"cel": {"expression": "device.nope"}}]

    assert new_faults(CLASSES, {"spec.selectors": wrong}) == [("spec.selectors[0].cel.expression", "Invalid")]
    for resource, path in ((CLAIMS, "spec"), (TEMPLATES, "spec.spec")):
        at = f"{path}.devices.requests.0.exactly.selectors"
        shown = f"{path}.devices.requests[0].exactly.selectors[0].cel.expression"
        assert new_faults(resource, {at: wrong}) == [(shown, "Invalid")]
        assert new_faults(resource, {at: [{"cel": {"expression": "true"}}]}) == []
