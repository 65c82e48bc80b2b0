"""Each resource's row becomes paths and operations, as upstream would publish them."""

import json
import re
from pathlib import Path

import pytest

from minikube_py.api.resources import DEPLOYMENTS, ENDPOINTS, NODES, PODS, RESOURCES
from minikube_py.apiserver.openapi_operations import parameter_type, paths_of


def operations(resource):
    return {(path.path, op.method): op for path in paths_of(resource) for op in path.operations}


def test_a_namespaced_resource_is_listed_within_and_across_namespaces():
    found = operations(ENDPOINTS)

    assert found["/api/v1/endpoints", "get"].operation_id == "listCoreV1EndpointsForAllNamespaces"
    assert found["/api/v1/namespaces/{namespace}/endpoints", "get"].action == "list"
    assert ("/api/v1/endpoints", "post") not in found
    assert found["/api/v1/namespaces/{namespace}/endpoints", "post"].operation_id == "createCoreV1NamespacedEndpoints"


def test_a_cluster_scoped_resource_has_one_collection():
    found = operations(NODES)

    assert found["/api/v1/nodes", "post"].created
    assert found["/api/v1/nodes/{name}", "put"].action == "put"
    assert not any("namespaces" in path for path, _ in found)


def test_streams_are_connect_operations_without_a_body():
    exec_pod = operations(PODS)["/api/v1/namespaces/{namespace}/pods/{name}/exec", "post"]

    assert (exec_pod.action, exec_pod.body, exec_pod.takes, exec_pod.kind) == ("connect", "", (), "PodExecOptions")


def test_scale_speaks_autoscaling():
    scale = operations(DEPLOYMENTS)["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale", "put"]

    assert (scale.group, scale.kind, scale.body) == ("autoscaling", "Scale", "io.k8s.api.autoscaling.v1.Scale")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.qualified)
def test_every_verb_of_the_row_has_an_operation(resource):
    actions = {operation.action for operation in operations(resource).values()}
    wanted = {{"create": "post", "update": "put"}.get(verb, verb) for verb in resource.verbs} - {"watch"}

    assert wanted <= actions


def test_operation_ids_are_unique_and_upstreams_own():
    ids = [operation.operation_id for resource in RESOURCES for operation in operations(resource).values()]

    assert len(ids) == len(set(ids))
    assert {
        "readCoreV1NamespacedPod",
        "replaceAppsV1NamespacedDeploymentScale",
        "deleteCoreV1CollectionNode",
        "connectCoreV1PostNamespacedPodExec",
        "listDiscoveryV1EndpointSliceForAllNamespaces",
    } <= set(ids)


def test_parameters_that_are_no_strings_say_so():
    assert [parameter_type(name) for name in ("watch", "limit", "dryRun")] == ["boolean", "integer", "string"]


UPSTREAM = json.loads(Path("tests/fixtures/observed/paths-1.36.json").read_text())
"""Every path of a stable version in upstream's OpenAPI document of 1.36, with its methods."""
ELSEWHERE = {
    re.compile(r"/proxy/\{path\}$"): "what follows a proxy is any path, which no client reads from here",
    re.compile(r"customresourcedefinitions"): "definitions come with what they define",
}


def test_every_stable_path_of_upstream_is_served_with_its_methods():
    served = {}
    for resource in RESOURCES:
        for path in paths_of(resource):
            served[path.path] = sorted(operation.method for operation in path.operations)
    wanted = {path: methods for path, methods in UPSTREAM.items() if not any(p.search(path) for p in ELSEWHERE)}

    streams = {
        path: methods
        for path, methods in served.items()
        if path.endswith(("/exec", "/attach", "/log", "/portforward", "/proxy"))
    }
    assert {path for path in wanted if path not in served} == set()
    assert {path: served[path] for path in wanted if path not in streams} == {
        path: sorted(methods) for path, methods in wanted.items() if path not in streams
    }
    # Upstream has the metrics API in another process, metrics-server.
    assert {path for path in served if not path.startswith("/apis/metrics.k8s.io/")} <= set(UPSTREAM)
