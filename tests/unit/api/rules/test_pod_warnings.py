"""What the maker of a pod is warned of: each case of upstream's, by field and in its words."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.api.rules import pod_warnings

CONTAINER = {"name": "c", "image": "x"}
HIDES = 'hides previous definition of "A", which may be dropped when using apply'
NO_SELECTOR = "a null labelSelector results in matching no pod"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
OLD_LABEL = 'deprecated since v1.14; use "kubernetes.io/os" instead'


def pod(annotations=None, container=None, **spec):
    containers = [CONTAINER | (container or {})]
    return {"metadata": {"name": "p", "annotations": annotations or {}}, "spec": {"containers": containers, **spec}}


def env(*values):
    return pod(container={"env": [{"name": "A", **value} for value in values]})


def ports(*values):
    return pod(container={"ports": [{"containerPort": 80, "protocol": "TCP", **value} for value in values]})


SAID = {
    "a variable that hides another": (env({"value": "1"}, {"value": "2"}), f"spec.containers[0].env[1]: {HIDES}"),
    "a variable from elsewhere that hides another": (
        env({"value": "1"}, {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
        f"spec.containers[0].env[1]: {HIDES}",
    ),
    "a variable that is itself": (env({"value": "1"}, {"value": "$(A)"}), f"spec.containers[0].env[1]: {HIDES}"),
    "a port twice": (
        ports({}, {"name": "again"}),
        "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
    ),
    "a port of the host and none": (
        ports({}, {"hostPort": 8080}),
        "spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]",
    ),
    "a port of the host on one address and on all": (
        ports({"hostPort": 8080}, {"hostPort": 8080, "hostIP": "10.0.0.1"}),
        "spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]",
    ),
    "an address without a port": (
        ports({"hostIP": "10.0.0.1"}),
        "spec.containers[0].ports[0]: hostIP set without hostPort:"
        " {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}",
    ),
    "part of a byte": (
        pod(container={"resources": {"limits": {"memory": "1500m"}}}),
        'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
    ),
    "part of a byte of a claim": (
        pod(
            volumes=[
                {
                    "name": "v",
                    "ephemeral": {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1m"}}}}},
                }
            ]
        ),
        "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]:"
        ' fractional byte value "1m" is invalid, must be an integer',
    ),
    "an old label of nodes": (
        pod(nodeSelector={"beta.kubernetes.io/os": "linux"}),
        f"spec.nodeSelector[beta.kubernetes.io/os]: {OLD_LABEL}",
    ),
    "an old label of nodes in an affinity": (
        pod(
            affinity={
                "nodeAffinity": {
                    REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "beta.kubernetes.io/os"}]}]}
                }
            }
        ),
        f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key:"
        f" beta.kubernetes.io/os is {OLD_LABEL}",
    ),
    "spreading without a selector": (
        pod(topologySpreadConstraints=[{"topologyKey": "zone"}]),
        f"spec.topologySpreadConstraints[0].labelSelector: {NO_SELECTOR}",
    ),
    "affinity without a selector": (
        pod(affinity={"podAntiAffinity": {REQUIRED: [{"topologyKey": "zone"}]}}),
        f"spec.affinity.podAntiAffinity.{REQUIRED}[0].labelSelector: {NO_SELECTOR}",
    ),
    "a volume that is no more": (
        pod(volumes=[{"name": "v", "gitRepo": {"repository": "x"}}]),
        "spec.volumes[0].gitRepo: deprecated in v1.11",
    ),
    "an alias twice": (
        pod(hostAliases=[{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]),
        'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
    ),
    "a secret without a name": (
        pod(imagePullSecrets=[{"name": ""}]),
        'spec.imagePullSecrets[0].name: invalid empty name ""',
    ),
    "a grace below zero": (
        pod(terminationGracePeriodSeconds=-1),
        "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
    ),
    "an annotation that is a field now": (
        pod({"seccomp.security.alpha.kubernetes.io/pod": "x"}),
        "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]:"
        ' non-functional in v1.27+; use the "seccompProfile" field instead',
    ),
    "an annotation that does nothing": (
        pod({"scheduler.alpha.kubernetes.io/critical-pod": ""}),
        "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]:"
        ' non-functional in v1.16+; use the "priorityClassName" field instead',
    ),
    "a name with a dot": (
        {"metadata": {"name": "a.b"}, "spec": {"containers": [CONTAINER]}},
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior;"
        " a DNS label is recommended: [must not contain dots]",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_it_is_said_of_a_new_pod_and_not_of_a_changed_one(what):
    obj, text = SAID[what]
    assert list(pod_warnings.warn_of_pod(obj, None)) == [text]
    assert list(pod_warnings.warn_of_pod(obj, obj)) == []


NOT_SAID = {
    "nothing amiss": pod(),
    "a variable that goes on from another": env({"value": "1"}, {"value": "$(A)2"}),
    "the same port of two protocols": ports({}, {"protocol": "UDP"}),
    "an old annotation beside the field": pod(
        {"seccomp.security.alpha.kubernetes.io/pod": "x"},
        securityContext={"seccompProfile": {"type": "RuntimeDefault"}},
    ),
    "whole bytes": pod(container={"resources": {"limits": {"memory": "1500Mi", "cpu": "1500m"}}}),
}


@pytest.mark.parametrize("what", NOT_SAID)
def test_nothing_is_said_of(what):
    assert list(pod_warnings.warn_of_pod(NOT_SAID[what], None)) == []


BAD_TEMPLATE = {"metadata": {}, "spec": {"nodeSelector": {"node-role.kubernetes.io/master": ""}, "containers": []}}
ABOUT = 'spec.nodeSelector[node-role.kubernetes.io/master]: use "node-role.kubernetes.io/control-plane" instead'
NAME = "metadata.name: this is used in Pod names and hostnames"
TEMPLATES = {
    "apps/v1/deployments": ("spec.template.", True),
    "apps/v1/replicasets": ("spec.template.", True),
    "apps/v1/daemonsets": ("spec.template.", False),
    "apps/v1/statefulsets": ("spec.template.", False),
    "batch/v1/jobs": ("spec.template.", True),
    "batch/v1/cronjobs": ("spec.jobTemplate.spec.template.", True),
    "/v1/replicationcontrollers": ("spec.template.", True),
    "/v1/podtemplates": ("template.", False),
}


@pytest.mark.parametrize("kind", TEMPLATES)
def test_templates_are_looked_at_when_they_are_made_and_when_they_change(kind):
    at, names_pods = TEMPLATES[kind]
    obj = {"template": BAD_TEMPLATE}
    for field in reversed(at.split(".")[:-2]):
        obj = {field: obj}
    obj["metadata"] = {"name": "a.b"}
    warn = find_resource(*kind.split("/")).warn
    made = list(warn(obj, None))
    assert made[-1] == f"{at}{ABOUT}"
    assert [text.startswith(NAME) for text in made[:-1]] == [True] * names_pods
    assert list(warn(obj, obj)) == []
    assert list(warn(obj, {"metadata": obj["metadata"]})) == [f"{at}{ABOUT}"]
