import pytest

from minikube_py.api.resources import find_resource

SERVICES = find_resource("", "v1", "services")
INGRESSES = find_resource("networking.k8s.io", "v1", "ingresses")
CLAIMS = find_resource("", "v1", "persistentvolumeclaims")
VOLUMES = find_resource("", "v1", "persistentvolumes")
ACCOUNTS = find_resource("", "v1", "serviceaccounts")


def obj(annotation="", **spec):
    return {"metadata": {"annotations": {annotation: "x"}}, "spec": {"sessionAffinity": "None", **spec}}


SAID = {
    "hints": (
        SERVICES,
        obj("service.kubernetes.io/topology-aware-hints"),
        "annotation service.kubernetes.io/topology-aware-hints is deprecated,"
        " please use service.kubernetes.io/topology-mode instead",
    ),
    "affinity without an address": (
        SERVICES,
        obj(clusterIP="None", sessionAffinity="ClientIP"),
        "spec.SessionAffinity is ignored for headless services",
    ),
    "external addresses without an address": (
        SERVICES,
        obj(clusterIP="None", externalIPs=["192.0.2.1"]),
        "spec.externalIPs is ignored for headless services",
    ),
    "external addresses": (
        SERVICES,
        obj(externalIPs=["192.0.2.1"]),
        "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
    ),
    "external addresses of a name": (
        SERVICES,
        obj(type="ExternalName", externalIPs=["192.0.2.1"]),
        'spec.externalIPs is ignored when spec.type is "ExternalName"',
    ),
    "a name that is none": (
        SERVICES,
        obj(externalName="example.com"),
        'spec.externalName is ignored when spec.type is not "ExternalName"',
    ),
    "close ones": (
        SERVICES,
        obj(trafficDistribution="PreferClose"),
        'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ),
    "a class as an annotation": (
        INGRESSES,
        obj("kubernetes.io/ingress.class"),
        "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead",
    ),
    "a claim's class as an annotation": (
        CLAIMS,
        obj("volume.beta.kubernetes.io/storage-class"),
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]:"
        ' deprecated since v1.8; use "storageClassName" attribute instead',
    ),
    "part of a byte": (
        CLAIMS,
        obj(resources={"requests": {"storage": "1500m"}}),
        'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ),
    "recycling": (
        VOLUMES,
        obj(persistentVolumeReclaimPolicy="Recycle"),
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated."
        " Instead, the recommended approach is to use dynamic provisioning.",
    ),
    "a kind of volume that is no more": (
        VOLUMES,
        obj(rbd={"monitors": []}),
        "spec.rbd: deprecated in v1.28, non-functional in v1.31+",
    ),
    "an account that may mount few secrets": (
        ACCOUNTS,
        obj("kubernetes.io/enforce-mountable-secrets"),
        "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+;"
        " prefer separate namespaces to isolate access to mounted secrets",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_the_writer_is_told_of(what):
    resource, written, text = SAID[what]
    assert list(resource.warn(written, None)) == [text]


@pytest.mark.parametrize("resource", [SERVICES, INGRESSES, CLAIMS, VOLUMES, ACCOUNTS], ids=lambda r: r.plural)
def test_nothing_is_said_where_nothing_is_amiss(resource):
    assert list(resource.warn(obj("a"), None)) == []


def test_an_ingress_that_has_its_class_in_the_field_too_is_right():
    assert list(INGRESSES.warn(obj("kubernetes.io/ingress.class", ingressClassName="x"), None)) == []
