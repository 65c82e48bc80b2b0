"""The least that an object of each resource must say, for tests that go through all of them.

A resource that is missing here makes the test matrix fail, which is how a new row asks for its tests.
"""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

from minikube_py.api.meta import Obj
from minikube_py.api.resource import Resource

POD_SPEC: Obj = {"containers": [{"name": "c", "image": "busybox:1.36"}]}
_TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": POD_SPEC}
_SELECTOR = {"matchLabels": {"app": "x"}}
_WORKLOAD: Obj = {"spec": {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE}}
_ONCE = {"spec": {**POD_SPEC, "restartPolicy": "Never"}}
_STORAGE = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_RULE = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
_HOOK = {
    "name": "a.example.com",
    "clientConfig": {"service": {"name": "s", "namespace": "default"}},
    "rules": [_RULE],
    "sideEffects": "None",
    "admissionReviewVersions": ["v1"],
}
_DEVICES = {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "c"}}]}}
_ALLOCATED = {"request": "r", "driver": "gpu.example.com", "pool": "p", "device": "d"}
_CSR_LINES = (
    "-----BEGIN CERTIFICATE REQUEST-----",
    "MIHHMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA",
    "BJaPUx3jI5WlQvdkksngXxC6zd5BeIRGMqor/brE5DwxJuYB5N1ezLTW9nH3UQRC",
    "+Jbh/5JxCeiBvd0vO8ABenygADAKBggqhkjOPQQDAgNJADBGAiEA4IsRuC5MYzVx",
    "DtX1QjMPvF+9Dt9L63gxCLiC7LKKOW0CIQCsDEsHVkKDb0nUuV9fMD/aKyEafLpc",
    "J2jTZkaI/ADLOQ==",
    "-----END CERTIFICATE REQUEST-----",
    "",
)
_CSR = "\n".join(_CSR_LINES).encode()
_POD = {"kind": "Pod", "namespace": "default", "name": "x"}
_ROLE = {"apiGroup": "rbac.authorization.k8s.io", "name": "r"}
_TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
_NONRESOURCE = {"nonResourceAttributes": {"path": "/x", "verb": "get"}}
_ATTRIBUTES = {"verb": "get", "resource": "pods", "namespace": "default"}

MINIMAL: Mapping[str, Obj] = {
    "namespaces": {},
    "nodes": {},
    "pods": {"spec": POD_SPEC},
    "services": {"spec": {"ports": [{"port": 80}], "selector": {"app": "x"}}},
    "endpoints": {"subsets": [{"addresses": [{"ip": "10.1.2.3"}], "ports": [{"port": 80}]}]},
    "configmaps": {"data": {"a": "b"}},
    "secrets": {"data": {"a": "Yg=="}},
    "serviceaccounts": {},
    "events": {"involvedObject": _POD, "reason": "Started"},
    "bindings": {"target": {"kind": "Node", "name": "n1"}},
    "limitranges": {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
    "resourcequotas": {"spec": {"hard": {"pods": "3"}}},
    "persistentvolumes": {
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}
    },
    "persistentvolumeclaims": {"spec": _STORAGE},
    "podtemplates": {"template": _TEMPLATE},
    "replicationcontrollers": {"spec": {"replicas": 2, "selector": {"app": "x"}, "template": _TEMPLATE}},
    "customresourcedefinitions.apiextensions.k8s.io": {
        "spec": {
            "group": "least.example.com",
            "scope": "Namespaced",
            "names": {"plural": "x", "kind": "Kindx"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        }
    },
    "apiservices.apiregistration.k8s.io": {
        "spec": {
            "group": "example.com",
            "version": "v1",
            "groupPriorityMinimum": 100,
            "versionPriority": 10,
            "service": {"name": "s", "namespace": "default"},
        }
    },
    "replicasets.apps": _WORKLOAD,
    "deployments.apps": _WORKLOAD,
    "daemonsets.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "statefulsets.apps": {"spec": {**_WORKLOAD["spec"], "serviceName": "x"}},
    "controllerrevisions.apps": {"data": {"a": "b"}, "revision": 1},
    "events.events.k8s.io": {
        "regarding": _POD,
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.com/c",
        "reportingInstance": "c-1",
        "action": "Start",
        "reason": "Started",
        "type": "Normal",
    },
    "tokenreviews.authentication.k8s.io": {"spec": {"token": "reader-token"}},
    "selfsubjectreviews.authentication.k8s.io": {},
    "subjectaccessreviews.authorization.k8s.io": {"spec": {"user": "alice", **_NONRESOURCE}},
    "localsubjectaccessreviews.authorization.k8s.io": {"spec": {"user": "alice", "resourceAttributes": _ATTRIBUTES}},
    "selfsubjectaccessreviews.authorization.k8s.io": {"spec": {"resourceAttributes": _ATTRIBUTES}},
    "selfsubjectrulesreviews.authorization.k8s.io": {"spec": {"namespace": "default"}},
    "horizontalpodautoscalers.autoscaling": {"spec": {"maxReplicas": 3, "scaleTargetRef": _TARGET}},
    "jobs.batch": {"spec": {"template": _ONCE}},
    "cronjobs.batch": {"spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": _ONCE}}}},
    "certificatesigningrequests.certificates.k8s.io": {
        "spec": {
            "request": base64.b64encode(_CSR).decode(),
            "signerName": "example.com/signer",
            "usages": ["client auth"],
        }
    },
    "ingresses.networking.k8s.io": {"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    "ingressclasses.networking.k8s.io": {"spec": {"controller": "example.com/c"}},
    "networkpolicies.networking.k8s.io": {"spec": {"podSelector": {}}},
    "ipaddresses.networking.k8s.io": {
        "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "s"}}
    },
    "servicecidrs.networking.k8s.io": {"spec": {"cidrs": ["10.200.0.0/24"]}},
    "poddisruptionbudgets.policy": {"spec": {"minAvailable": 1, "selector": _SELECTOR}},
    "roles.rbac.authorization.k8s.io": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "clusterroles.rbac.authorization.k8s.io": {"rules": [{"nonResourceURLs": ["/x"], "verbs": ["get"]}]},
    "rolebindings.rbac.authorization.k8s.io": {"roleRef": {**_ROLE, "kind": "Role"}},
    "clusterrolebindings.rbac.authorization.k8s.io": {"roleRef": {**_ROLE, "kind": "ClusterRole"}},
    "storageclasses.storage.k8s.io": {"provisioner": "example.com/p"},
    "volumeattributesclasses.storage.k8s.io": {"driverName": "d.example.com", "parameters": {"a": "b"}},
    "volumeattachments.storage.k8s.io": {
        "spec": {"attacher": "d.example.com", "nodeName": "n1", "source": {"persistentVolumeName": "pv"}}
    },
    "csidrivers.storage.k8s.io": {"spec": {}},
    "csinodes.storage.k8s.io": {"spec": {"drivers": [{"name": "d.example.com", "nodeID": "n1"}]}},
    "csistoragecapacities.storage.k8s.io": {"storageClassName": "sc", "capacity": "1Gi"},
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": [_HOOK]},
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": [_HOOK]},
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {"matchConstraints": {"resourceRules": [_RULE]}, "validations": [{"expression": "true"}]}
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "spec": {"policyName": "p", "validationActions": ["Deny"]}
    },
    "mutatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {
            "matchConstraints": {"resourceRules": [_RULE]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}],
            "reinvocationPolicy": "Never",
        }
    },
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": {"spec": {"policyName": "p"}},
    "priorityclasses.scheduling.k8s.io": {"value": 5},
    "runtimeclasses.node.k8s.io": {"handler": "h"},
    "leases.coordination.k8s.io": {"spec": {"holderIdentity": "x"}},
    "endpointslices.discovery.k8s.io": {"addressType": "IPv4", "endpoints": [{"addresses": ["10.1.2.3"]}]},
    "flowschemas.flowcontrol.apiserver.k8s.io": {"spec": {"priorityLevelConfiguration": {"name": "p"}}},
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    },
    "deviceclasses.resource.k8s.io": {"spec": {}},
    "resourceclaims.resource.k8s.io": {"spec": _DEVICES},
    "resourceclaimtemplates.resource.k8s.io": {"spec": {"spec": _DEVICES}},
    "resourceslices.resource.k8s.io": {
        "spec": {
            "driver": "d.example.com",
            "nodeName": "n1",
            "pool": {"name": "n1", "resourceSliceCount": 1},
        }
    },
}

_IPS: Mapping[str, str] = {
    "x": "10.200.0.1",
    "x1": "10.200.0.2",
    "x2": "10.200.0.3",
    "x3": "10.200.0.4",
    "y": "10.200.0.5",
}


def name_for(resource: Resource, name: str) -> str:
    """Return the name that stands for `name` in a resource whose names have a form of their own."""
    if resource.plural == "ipaddresses":
        return _IPS.get(name, "10.200.0.9")
    if resource.plural == "apiservices":
        return f"v1.{name}.example.com"
    if resource.plural == "customresourcedefinitions":
        return f"{name}.least.example.com"
    return name


def least_object(resource: Resource, name: str = "x", **metadata: Any) -> Obj:
    """Return the least object of a resource."""
    meta: Obj = {"name": name_for(resource, name), **metadata}
    if resource.namespaced:
        meta["namespace"] = "default"
    body = orjson.loads(orjson.dumps(MINIMAL[resource.qualified]))
    if resource.plural == "apiservices":
        body["spec"]["group"] = f"{name}.example.com"
    if resource.plural == "customresourcedefinitions":
        body["spec"]["names"] = {"plural": name, "kind": f"Kind{name}"}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **body}


CERTIFICATE_PEM = (
    "-----BEGIN CERTIFICATE-----",
    "MIIBUzCB+6ADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB3Rlc3QtY2Ew",
    "HhcNMjUxMjMxMjM1NTAwWhcNMzUxMjMwMDAwMDAwWjASMRAwDgYDVQQDDAd0ZXN0",
    "LWNhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXU1685QRFh8Ws12SbNZvG1Ru",
    "RSFSbsz6V6QBfcvsyqMvE086FWn/z8Thsafg92PwWQshxhTk6rqyyqb14P6fqqNC",
    "MEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAYYwHQYDVR0OBBYEFOM6",
    "XFl7TW6nGJjs7iZjzghFh+NCMAoGCCqGSM49BAMCA0cAMEQCIE9izZIoLbENeTOO",
    "PaArtZjE37gqDRcn135UaBZzD5CuAiB+YJFtW5AXki8NLRsWggm/rmdF+xUTwzTQ",
    "VZ0wwMTgvw==",
    "-----END CERTIFICATE-----",
)
"""A CA's certificate, of a key that nobody has kept."""
_CONDITION: Obj = {"conditions": [{"type": "Ready", "status": "True", "reason": "Test"}]}
_WHOLE_CONDITION: Obj = {
    "conditions": [{**_CONDITION["conditions"][0], "lastTransitionTime": "2026-01-01T00:00:00Z", "message": ""}]
}
STATUS: Mapping[str, Obj] = {
    "customresourcedefinitions.apiextensions.k8s.io": {**_CONDITION, "storedVersions": ["v1"]},
    "poddisruptionbudgets.policy": _WHOLE_CONDITION,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _WHOLE_CONDITION,
    "resourcequotas": {"used": {"pods": "1"}},
    "horizontalpodautoscalers.autoscaling": {"currentReplicas": 2, "desiredReplicas": 3},
    "certificatesigningrequests.certificates.k8s.io": {
        "certificate": base64.b64encode("\n".join((*CERTIFICATE_PEM, "")).encode()).decode()
    },
    "persistentvolumes": {"phase": "Available", "reason": "Test"},
    "ingresses.networking.k8s.io": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}},
    "volumeattachments.storage.k8s.io": {"attached": True},
    "cronjobs.batch": {"lastScheduleTime": "2026-01-01T00:00:00Z"},
    "resourceclaims.resource.k8s.io": {"allocation": {"devices": {"results": [_ALLOCATED]}}},
}
"""What a status of a kind may say, where it has no conditions."""


def least_status(resource: Resource) -> Obj:
    """Return a status that an object of the resource may get."""
    return STATUS.get(resource.qualified, _CONDITION)
