import pytest

from minikube_py.kubelet.pod_volumes import (
    ClaimVolume,
    EmptyDirVolume,
    HostPathVolume,
    ImageVolume,
    KeyToPath,
    NfsVolume,
    ObjectSource,
    ProjectedVolume,
    TokenSource,
    UnsupportedVolume,
    parse_volume,
)

ITEMS = [{"key": "k", "path": "p", "mode": 256}]


@pytest.mark.parametrize(
    ("raw", "source"),
    [
        ({"emptyDir": {}}, EmptyDirVolume("", "")),
        ({"emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}, EmptyDirVolume("Memory", "4Mi")),
        ({"hostPath": {"path": "/x", "type": "Directory"}}, HostPathVolume("/x", "Directory")),
        (
            {"configMap": {"name": "cm", "items": ITEMS, "defaultMode": 416}},
            ProjectedVolume("configmap", (ObjectSource("ConfigMap", "cm", (KeyToPath("k", "p", 256),), False),), 416),
        ),
        (
            {"secret": {"secretName": "s", "optional": True}},
            ProjectedVolume("secret", (ObjectSource("Secret", "s", (), True),), 0o644),
        ),
        ({"nfs": {"server": "s", "path": "/p"}}, NfsVolume("s", "/p", False)),
        ({"persistentVolumeClaim": {"claimName": "c", "readOnly": True}}, ClaimVolume("c", True)),
        ({"ephemeral": {"volumeClaimTemplate": {}}}, ClaimVolume("", False)),
        ({"image": {"reference": "x", "pullPolicy": "Never"}}, ImageVolume("x", "Never")),
        (
            {"projected": {"sources": [{"clusterTrustBundle": {"path": "p"}}]}},
            UnsupportedVolume("projected.clusterTrustBundle"),
        ),
    ],
    ids=["empty", "memory", "host", "config-map", "secret", "nfs", "claim", "ephemeral", "image", "trust-bundle"],
)
def test_a_volume_is_parsed(raw, source):
    assert parse_volume({"name": "v", **raw}).source == source


def test_a_service_account_volume_is_parsed_whole():
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    source = parse_volume({"name": "v", "projected": {"sources": sources}}).source

    assert isinstance(source, ProjectedVolume)
    assert source.sources[0] == TokenSource("token", "", 3607)
    assert len(source.sources) == 3


def test_only_config_maps_may_reach_the_disk():
    kinds = {"configMap": {"name": "x"}, "secret": {"secretName": "x"}, "downwardAPI": {}, "projected": {}}
    in_memory = [parse_volume({"name": "v", kind: raw}).source.in_memory for kind, raw in kinds.items()]

    assert in_memory == [False, True, True, True]


def test_an_ephemeral_volume_has_a_claim_of_the_pod_and_the_volume():
    assert ClaimVolume("", read_only=False).claim_name("web-0", "data") == "web-0-data"
    assert ClaimVolume("c", read_only=False).claim_name("web-0", "data") == "c"
