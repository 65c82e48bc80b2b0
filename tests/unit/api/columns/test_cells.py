"""What each new kind's row says, as upstream 1.20 printed it (tests/fixtures/tables) or later versions do."""

import pytest

from minikube_py.api.columns.cells import at, condition_of, count, flag, go_bool, names_of, number, text
from minikube_py.api.meta import format_time
from minikube_py.api.resources import RESOURCES
from minikube_py.apiserver.tables import render_table
from minikube_py.testing.rule_cases import REMOVED, made, with_changes

NOW = 1_000_000_000.0
STAMP = {"metadata.creationTimestamp": format_time(NOW - 60)}
AGE = "60s"
ROWS = {f"{r.plural}.{r.version}.{r.group}": r for r in RESOURCES}
TEMPLATE_CELLS = ["c", "busybox:1.36"]
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
CPU_NOW = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}
PODS_METRIC = {
    "type": "Pods",
    "pods": {"metric": {"name": "m"}, "target": {"type": "AverageValue", "averageValue": "5"}},
}
DONE = {"status": {"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 2}}
OWNER = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u", "controller": True}


@pytest.mark.parametrize(
    ("row", "changes", "cells"),
    [
        (
            "persistentvolumes.v1.",
            {
                "spec.accessModes": ["ReadOnlyMany", "ReadWriteOnce"],
                "spec.claimRef": {"namespace": "other", "name": "none"},
                "spec.storageClassName": "x",
                "status": {"phase": "Available"},
            },
            ["x", "1Gi", "RWO,ROX", "Retain", "Available", "other/none", "x", "<unset>", "", AGE, "Filesystem"],
        ),
        (
            "persistentvolumeclaims.v1.",
            {"spec.storageClassName": "x"},
            ["x", "Pending", "", "", "", "x", "<unset>", AGE, "Filesystem"],
        ),
        (
            "persistentvolumeclaims.v1.",
            {
                "spec.volumeName": "pv",
                "spec.volumeAttributesClassName": "gold",
                "status": {"phase": "Bound", "capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOncePod"]},
                "metadata.deletionTimestamp": "2001-01-01T00:00:00Z",
            },
            ["x", "Terminating", "pv", "2Gi", "RWOP", "", "gold", AGE, "Filesystem"],
        ),
        ("replicationcontrollers.v1.", {}, ["x", 2, 0, 0, AGE, *TEMPLATE_CELLS, "app=x"]),
        ("podtemplates.v1.", {}, ["x", *TEMPLATE_CELLS, "app=x"]),
        (
            "resourcequotas.v1.",
            {
                "status": {
                    "hard": {"requests.cpu": "4", "pods": "10", "limits.memory": "2Gi"},
                    "used": {"pods": "2", "requests.cpu": "20m", "limits.memory": "1Gi"},
                }
            },
            ["x", "pods: 2/10, requests.cpu: 20m/4", "limits.memory: 1Gi/2Gi", AGE],
        ),
        ("limitranges.v1.", {}, ["x", STAMP["metadata.creationTimestamp"]]),
        (
            "daemonsets.v1.apps",
            {"spec.template.spec.nodeSelector": {"no": "where"}},
            ["x", 0, 0, 0, 0, 0, "no=where", AGE, *TEMPLATE_CELLS, "app=x"],
        ),
        ("statefulsets.v1.apps", {"status.readyReplicas": 1}, ["x", "1/2", AGE, *TEMPLATE_CELLS]),
        ("controllerrevisions.v1.apps", {"revision": 3}, ["x", "<none>", 3, AGE]),
        ("controllerrevisions.v1.apps", {"metadata.ownerReferences": [OWNER]}, ["x", "daemonset.apps/d", 1, AGE]),
        (
            "jobs.v1.batch",
            {"spec.completions": 2, **DONE},
            ["x", "Complete", "2/2", "", AGE, *TEMPLATE_CELLS, "batch.kubernetes.io/controller-uid=u"],
        ),
        (
            "jobs.v1.batch",
            {
                "spec.completions": REMOVED,
                "spec.parallelism": 3,
                "status": {"startTime": format_time(NOW - 90), "completionTime": format_time(NOW - 60)},
            },
            ["x", "Running", "0/1 of 3", "30s", AGE, *TEMPLATE_CELLS, "batch.kubernetes.io/controller-uid=u"],
        ),
        (
            "cronjobs.v1.batch",
            {"status": {"lastScheduleTime": format_time(NOW - 120), "active": [{}]}, "spec.timeZone": "UTC"},
            ["x", "0 3 * * *", "UTC", "False", 1, "2m", AGE, *TEMPLATE_CELLS, "<none>"],
        ),
        (
            "horizontalpodautoscalers.v2.autoscaling",
            {"spec.metrics": [CPU, PODS_METRIC, CPU], "status": {"currentReplicas": 1, "currentMetrics": [CPU_NOW]}},
            ["x", "Deployment/d", "cpu: 7%/80%, <unknown>/5 + 1 more...", "1", 3, 1, AGE],
        ),
        ("horizontalpodautoscalers.v1.autoscaling", {}, ["x", "Deployment/d", "cpu: <unknown>/80%", "1", 3, 0, AGE]),
        ("poddisruptionbudgets.v1.policy", {}, ["x", "1", "N/A", 0, AGE]),
        (
            "ingresses.v1.networking.k8s.io",
            {
                "spec.ingressClassName": "tab-ic",
                "spec.rules": [{"host": "a.example"}],
                "spec.tls": [{}],
                "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"hostname": "h"}]}},
            },
            ["x", "tab-ic", "a.example", "10.0.0.1,h", "80, 443", AGE],
        ),
        ("ingresses.v1.networking.k8s.io", {}, ["x", "<none>", "*", "", "80", AGE]),
        (
            "ingressclasses.v1.networking.k8s.io",
            {"spec.parameters": {"kind": "P", "apiGroup": "e.com", "name": "n"}},
            ["x", "example.com/c", "P.e.com/n", AGE],
        ),
        (
            "networkpolicies.v1.networking.k8s.io",
            {"spec.podSelector": {"matchLabels": {"a": "b"}}},
            ["x", "a=b", AGE],
        ),
        ("ipaddresses.v1.networking.k8s.io", {}, ["10.200.0.1", "services/default/s"]),
        ("servicecidrs.v1.networking.k8s.io", {}, ["x", "10.200.0.0/24", AGE]),
        (
            "rolebindings.v1.rbac.authorization.k8s.io",
            {
                "subjects": [
                    {"kind": "User", "name": "u"},
                    {"kind": "Group", "name": "g"},
                    {"kind": "ServiceAccount", "name": "sa", "namespace": "ns"},
                ]
            },
            ["x", "Role/r", AGE, "u", "g", "ns/sa"],
        ),
        (
            "storageclasses.v1.storage.k8s.io",
            {"metadata.annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            ["x (default)", "example.com/p", "Delete", "Immediate", False, AGE],
        ),
        ("volumeattributesclasses.v1.storage.k8s.io", {}, ["x", "d.example.com", AGE]),
        ("volumeattachments.v1.storage.k8s.io", {}, ["x", "d.example.com", "pv", "n1", False, AGE]),
        (
            "csidrivers.v1.storage.k8s.io",
            {"spec.tokenRequests": [{"audience": "a"}, {"audience": "b"}]},
            ["x", True, False, False, "a,b", False, "Persistent", AGE],
        ),
        ("csinodes.v1.storage.k8s.io", {}, ["x", 1, AGE]),
        ("csistoragecapacities.v1.storage.k8s.io", {}, ["x", "sc", "1Gi"]),
        ("priorityclasses.v1.scheduling.k8s.io", {}, ["x", 5, False, AGE, "PreemptLowerPriority"]),
        ("runtimeclasses.v1.node.k8s.io", {}, ["x", "h", AGE]),
        (
            "certificatesigningrequests.v1.certificates.k8s.io",
            {
                "spec.username": "u",
                "spec.expirationSeconds": 3600,
                "status": {"conditions": [{"type": "Approved"}], "certificate": "c"},
            },
            ["x", AGE, "example.com/signer", "u", "60m", "Approved,Issued"],
        ),
        (
            "certificatesigningrequests.v1.certificates.k8s.io",
            {},
            ["x", AGE, "example.com/signer", "", "<none>", "Pending"],
        ),
        ("apiservices.v1.apiregistration.k8s.io", {}, ["v1.x.example.com", "default/s", "Unknown", AGE]),
        (
            "apiservices.v1.apiregistration.k8s.io",
            {
                "spec.service": REMOVED,
                "status": {"conditions": [{"type": "Available", "status": "False", "reason": "Down"}]},
            },
            ["v1.x.example.com", "Local", "False (Down)", AGE],
        ),
        ("flowschemas.v1.flowcontrol.apiserver.k8s.io", {}, ["x", "p", 1000, "<none>", AGE, "?"]),
        (
            "prioritylevelconfigurations.v1.flowcontrol.apiserver.k8s.io",
            {},
            ["x", "Limited", 30, "<none>", "<none>", "<none>", AGE],
        ),
        ("validatingwebhookconfigurations.v1.admissionregistration.k8s.io", {}, ["x", 1, AGE]),
        (
            "validatingadmissionpolicies.v1.admissionregistration.k8s.io",
            {"spec.paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}},
            ["x", 1, "v1/ConfigMap", AGE],
        ),
        (
            "validatingadmissionpolicybindings.v1.admissionregistration.k8s.io",
            {"spec.paramRef": {"name": "n"}},
            ["x", "p", "*/n", AGE],
        ),
        ("mutatingadmissionpolicybindings.v1.admissionregistration.k8s.io", {}, ["x", "p", "<unset>", AGE]),
        ("resourceclaims.v1.resource.k8s.io", {}, ["x", "pending", AGE]),
        (
            "resourceclaims.v1.resource.k8s.io",
            {"status": {"allocation": {}, "reservedFor": [{}]}},
            ["x", "allocated,reserved", AGE],
        ),
        ("resourceslices.v1.resource.k8s.io", {}, ["x", "n1", "d.example.com", "n1", AGE]),
        (
            "events.v1.events.k8s.io",
            {"eventTime": format_time(NOW - 60), "note": "a message"},
            ["60s", "Normal", "Started", "pod/x", "", "example.com/c, c-1", "a message", "60s", 1, "x"],
        ),
    ],
)
def test_a_row_says_what_upstreams_does(row, changes, cells):
    resource = ROWS[row]
    status = {path: value for path, value in changes.items() if path.startswith("status")}
    spec = {path: value for path, value in changes.items() if path not in status and value is not REMOVED}
    obj = made(resource, spec)
    removed = {path: value for path, value in changes.items() if value is REMOVED}
    shown = with_changes(
        obj, {**STAMP, **status, **{p: v for p, v in removed.items() if at(obj, *p.split(".")) is not None}}
    )

    (rendered,) = render_table(resource, [shown], NOW)["rows"]
    assert rendered["cells"] == cells


def test_cells_of_what_is_absent():
    columns = (
        text("T", "a.b", "d", missing="-"),
        number("N", "a.b", "d"),
        flag("F", "a.b", "d"),
        count("C", "a.b", "d"),
    )

    assert [column.cell({}, NOW) for column in columns] == ["-", 0, False, 0]
    assert [column.type for column in columns] == ["string", "integer", "boolean", "integer"]
    assert at({"a": "text"}, "a", "b") is None
    assert (go_bool(None), names_of([])) == ("False", "<none>")
    assert condition_of({"status": {"conditions": None}}, "Ready") == {}
