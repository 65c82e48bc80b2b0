import pytest

from minikube_py.api.rules.pod_defaults import (
    pull_policy_of,
    set_pod_defaults,
    set_pod_spec_defaults,
    set_template_defaults,
)


def defaulted(spec):
    pod = {"spec": spec}
    set_pod_defaults(pod)
    return pod["spec"]


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("busybox", "Always"),
        ("busybox:latest", "Always"),
        ("busybox:1", "IfNotPresent"),
        ("host:5000/busybox", "Always"),
        ("host:5000/busybox:1", "IfNotPresent"),
        ("busybox@sha256:0", "IfNotPresent"),
        ("", "Always"),
    ],
)
def test_the_tag_decides_how_an_image_is_pulled(image, policy):
    assert pull_policy_of(image) == policy


def test_what_was_written_stays():
    spec = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "enableServiceLinks": False,
        "containers": [{"image": "a", "imagePullPolicy": "Never", "resources": {"limits": {"cpu": "1"}}}],
    }
    spec["containers"][0]["resources"]["requests"] = {"cpu": "500m"}
    result = defaulted(spec)

    assert (result["restartPolicy"], result["terminationGracePeriodSeconds"]) == ("Never", 0)
    assert result["enableServiceLinks"] is False
    assert result["containers"][0]["imagePullPolicy"] == "Never"
    assert result["containers"][0]["resources"]["requests"] == {"cpu": "500m"}


def test_only_a_pod_copies_limits_and_ports():
    spec = {
        "hostNetwork": True,
        "containers": [{"ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}}}],
    }
    template = {"spec": {**spec, "containers": [dict(spec["containers"][0], ports=[{"containerPort": 80}])]}}
    set_template_defaults(template)
    pod = defaulted(spec)["containers"][0]

    assert "hostPort" not in template["spec"]["containers"][0]["ports"][0]
    assert "enableServiceLinks" not in template["spec"]
    assert pod["ports"][0]["hostPort"] == 80


def test_both_names_of_the_service_account_are_kept_in_step():
    spec = {"serviceAccount": "a"}
    set_pod_spec_defaults(spec)

    assert spec["serviceAccountName"] == "a"


def test_volumes_get_what_their_source_needs():
    sources = [
        {},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
        {"image": {"reference": "a:1"}},
        {"iscsi": {}},
        {"rbd": {}},
    ]
    volumes = defaulted({"volumes": sources})["volumes"]

    assert volumes[0] == {"emptyDir": {}}
    assert volumes[1]["projected"]["sources"][0]["serviceAccountToken"]["expirationSeconds"] == 3600
    assert volumes[2]["ephemeral"]["volumeClaimTemplate"]["spec"] == {"volumeMode": "Filesystem"}
    assert volumes[3]["image"]["pullPolicy"] == "IfNotPresent"
    assert volumes[4]["iscsi"] == {"iscsiInterface": "default"}
    assert volumes[5]["rbd"]["pool"] == "rbd"


def test_references_and_grpc_probes_are_completed():
    env = [{"valueFrom": {"resourceFieldRef": {}}}, {"valueFrom": {"fileKeyRef": {}}}]
    container = defaulted({"containers": [{"env": env, "startupProbe": {"grpc": {"port": 1}}}]})["containers"][0]

    assert container["env"][0]["valueFrom"]["resourceFieldRef"] == {"divisor": "0"}
    assert container["env"][1]["valueFrom"]["fileKeyRef"] == {"optional": False}
    assert container["startupProbe"]["grpc"] == {"port": 1, "service": ""}
