"""Cells of the core group's kinds, against what upstream 1.20 printed for such objects."""

import json
from pathlib import Path

import pytest

from minikube_py.api.columns import core_v1
from minikube_py.api.columns.core_v1 import shorten
from minikube_py.api.meta import format_time

OBSERVED = {
    table["resource"]: table["rows"]
    for table in json.loads((Path(__file__).parents[3] / "fixtures" / "tables" / "observed-1.20.json").read_text())
}
NOW = 1_000_000_000.0
AGO = format_time(NOW - 61)


def named(name, **fields):
    return {"metadata": {"name": name, "creationTimestamp": AGO}, **fields}


def observed(resource, index=0):
    """Return the cells of an observed row, with our clock's age for its placeholder."""
    return ["61s" if cell == "<age>" else cell for cell in OBSERVED[resource][index]]


def cells(columns, obj):
    return [column.cell(obj, NOW) for column in columns]


def a_service(name, **spec):
    return named(name, spec=spec)


SERVICES = [
    a_service(
        "svc",
        type="ClusterIP",
        clusterIP="<svcIP>",
        clusterIPs=["<svcIP>"],
        ports=[{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}],
        selector={"a": "b"},
    ),
    a_service("svc-ext", type="ExternalName", externalName="example.com"),
    a_service("svc-headless", type="ClusterIP", clusterIP="None", clusterIPs=["None"]),
    a_service(
        "svc-lb", type="LoadBalancer", clusterIP="<svcIP>", ports=[{"port": 80, "nodePort": 31298, "protocol": "TCP"}]
    ),
    a_service(
        "svc-np",
        type="NodePort",
        clusterIP="<svcIP>",
        externalIPs=["192.0.2.50"],
        ports=[{"port": 80, "nodePort": 31234, "protocol": "TCP"}],
    ),
]


@pytest.mark.parametrize("index", range(5), ids=lambda index: SERVICES[index]["metadata"]["name"])
def test_services_print_as_upstream_printed_them(index):
    assert cells(core_v1.SERVICE_COLUMNS, SERVICES[index]) == observed("services", index)


def test_a_balanced_service_lists_its_addresses_and_then_its_external_ones():
    service = a_service("s", type="LoadBalancer", externalIPs=["192.0.2.1"])
    service["status"] = {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}, {"hostname": "a.example"}]}}

    assert cells(core_v1.SERVICE_COLUMNS, service)[3] == "192.0.2.9,a.example,192.0.2.1"


def test_a_node_prints_as_upstream_printed_it():
    info = {
        "kubeletVersion": "v1.20.2",
        "osImage": "Debian GNU/Linux 12 (bookworm)",
        "kernelVersion": "6.1.0",
        "containerRuntimeVersion": "docker://20.10.24",
    }
    addresses = [{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "192.0.2.7"}]
    node = named("tab-node", status={"conditions": [{"type": "Ready", "status": "True"}], "addresses": addresses})
    node["status"]["nodeInfo"] = info
    node["metadata"]["labels"] = {"node-role.kubernetes.io/master": ""}

    assert cells(core_v1.NODE_COLUMNS, node) == observed("nodes")


@pytest.mark.parametrize(
    ("conditions", "unschedulable", "status"),
    [
        ([{"type": "Ready", "status": "Unknown"}], False, "NotReady"),
        ([], False, "Unknown"),
        ([{"type": "Ready", "status": "True"}], True, "Ready,SchedulingDisabled"),
    ],
)
def test_a_nodes_status(conditions, unschedulable, status):
    node = named("n", spec={"unschedulable": unschedulable}, status={"conditions": conditions})

    assert cells(core_v1.NODE_COLUMNS, node)[1:3] == [status, "<none>"]


def test_endpoints_show_three_and_count_the_rest():
    addresses = [{"ip": f"192.0.2.{n}"} for n in range(1, 11)]

    assert cells(
        core_v1.ENDPOINTS_COLUMNS, named("ep", subsets=[{"addresses": addresses, "ports": [{"port": 80}]}])
    ) == (observed("endpoints"))
    assert cells(core_v1.ENDPOINTS_COLUMNS, named("e"))[1] == "<none>"
    assert cells(core_v1.ENDPOINTS_COLUMNS, named("e", subsets=[{"addresses": [{"ip": "fd00::1"}]}]))[1] == "fd00::1"


def test_an_event_prints_as_upstream_printed_it():
    event = {
        "metadata": {"name": "ev.1"},
        "type": "Warning",
        "reason": "Test",
        "involvedObject": {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
        "source": {"component": "obs", "host": "h"},
        "message": " a message\n",
        "firstTimestamp": format_time(NOW - 86400 * (6 * 365 + 328)),
        "lastTimestamp": format_time(NOW - 86400 * (6 * 365 + 328)),
        "count": 3,
    }

    assert cells(core_v1.EVENT_COLUMNS, event) == observed("events")


def test_events_of_the_newer_form_count_by_their_series():
    event = {
        "metadata": {"name": "e"},
        "eventTime": format_time(NOW - 30),
        "reportingComponent": "c",
        "reportingInstance": "c-1",
        "involvedObject": {"kind": "Node"},
    }
    single = cells(core_v1.EVENT_COLUMNS, event)
    series = cells(core_v1.EVENT_COLUMNS, event | {"series": {"count": 5, "lastObservedTime": format_time(NOW - 10)}})

    assert (single[0], single[3], single[5], single[7], single[8]) == ("30s", "node", "c, c-1", "30s", 1)
    assert (series[0], series[7], series[8]) == ("10s", "30s", 5)


def test_counted_kinds_print_as_upstream_printed_them():
    assert cells(core_v1.CONFIG_MAP_COLUMNS, named("cm", data={"a": "", "b": ""}, binaryData={"c": ""})) == observed(
        "configmaps"
    )
    assert cells(core_v1.NAMESPACE_COLUMNS, named("default", status={"phase": "Active"})) == observed("namespaces")
    assert cells(core_v1.SERVICE_ACCOUNT_COLUMNS, named("default", secrets=[{"name": "t"}])) == observed(
        "serviceaccounts"
    )
    secret = named("default-token-<rand>", type="kubernetes.io/service-account-token", data=dict.fromkeys("abc", ""))
    assert cells(core_v1.SECRET_COLUMNS, secret) == observed("secrets")


def test_a_long_list_is_shortened():
    assert shorten([], "<none>") == "<none>"
    assert shorten(["a", "b", "c"], "-") == "a,b,c"
    assert shorten(["a", "b", "c", "d", "e"], "-") == "a,b,c + 2 more..."
