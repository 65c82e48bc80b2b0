"""Every kubectl with custom resources: define, explain, create, get with columns, patch, apply, scale, delete."""

import json

import pytest

from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.kubectl_server import serving_kubectl

pytestmark = pytest.mark.slow

DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.ex.io}
spec:
  group: ex.io
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    selectableFields: [{jsonPath: .spec.color}]
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Color, type: string, jsonPath: .spec.color, priority: 1}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What the widget should be.
            required: [size]
            properties:
              size: {type: integer, minimum: 1, description: How large it is.}
              color: {type: string, enum: [red, blue], default: red}
              replicas: {type: integer, default: 1}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties: {name: {type: string}, port: {x-kubernetes-int-or-string: true}}
          status:
            type: object
            properties: {replicas: {type: integer}, phase: {type: string}}
"""
WIDGET = """
apiVersion: ex.io/v1
kind: Widget
metadata: {name: w1}
spec: {size: 3, ports: [{name: a, port: 80}]}
"""


@pytest.fixture(params=KUBECTLS)
async def kubectl(request, tmp_path):
    async with serving_kubectl(KUBECTLS[request.param], tmp_path) as running:
        yield running


async def test_a_definition_and_its_objects_from_beginning_to_end(kubectl):
    assert "created" in await kubectl("apply", "-f", "-", stdin=DEFINITION)
    await kubectl("wait", "--for=condition=established", "crd/widgets.ex.io", "--timeout=60s")
    assert "unchanged" in await kubectl("apply", "-f", "-", stdin=DEFINITION)

    assert await kubectl("apply", "-f", "-", stdin=WIDGET) == "widget.ex.io/w1 created\n"
    assert await kubectl("apply", "-f", "-", stdin=WIDGET) == "widget.ex.io/w1 unchanged\n"
    larger = WIDGET.replace("size: 3", "size: 4")
    assert await kubectl("apply", "-f", "-", stdin=larger) == "widget.ex.io/w1 configured\n"

    rows = (await kubectl("get", "wd")).splitlines()
    assert rows[0].split() == ["NAME", "SIZE"]
    assert rows[1].split() == ["w1", "4"]
    assert (await kubectl("get", "widgets", "-o", "wide")).splitlines()[1].split() == ["w1", "4", "red"]
    assert "widget.ex.io/w1" in await kubectl("get", "all", "-o", "name")
    assert await kubectl("get", "wd", "--field-selector=spec.color=red", "-o", "name") == "widget.ex.io/w1\n"
    assert await kubectl("get", "wd", "--field-selector=spec.color=blue", "-o", "name") == ""

    explained = await kubectl("explain", "widgets.spec")
    assert "How large it is." in explained
    assert "What the widget should be." in explained

    assert await kubectl("patch", "wd", "w1", "--type=merge", "-p", '{"spec":{"color":"blue"}}') == (
        "widget.ex.io/w1 patched\n"
    )
    await kubectl("patch", "wd", "w1", "--type=json", "-p", '[{"op":"replace","path":"/spec/size","value":5}]')
    await kubectl("scale", "wd/w1", "--replicas=3")
    await kubectl("label", "wd", "w1", "tier=front")
    written = json.loads(await kubectl("get", "wd", "w1", "-o", "json"))
    assert written["spec"] == {"size": 5, "color": "blue", "replicas": 3, "ports": [{"name": "a", "port": 80}]}
    # size, color, size and replicas changed the spec; the label did not
    assert written["metadata"]["generation"] == 5

    assert (await kubectl("delete", "wd", "w1")).startswith('widget.ex.io "w1" deleted')
    assert (await kubectl.run("get", "wd", "w1")).code == 1


async def test_what_is_wrong_is_said_in_upstreams_words(kubectl):
    await kubectl("apply", "-f", "-", stdin=DEFINITION)

    wrong = await kubectl.run("create", "--validate=false", "-f", "-", stdin=WIDGET.replace("size: 3", "size: 0"))
    assert wrong.code == 1
    assert "spec.size in body should be greater than or equal to 1" in wrong.err

    colored = await kubectl.run(
        "create", "--validate=false", "-f", "-", stdin=WIDGET.replace("size: 3", "size: 3, color: green")
    )
    assert 'spec.color: Unsupported value: "green": supported values: "red", "blue"' in colored.err

    unknown = await kubectl.run("create", "-f", "-", stdin=WIDGET.replace("size: 3", "size: 3, bogus: 1"))
    assert "bogus" in unknown.err
    assert unknown.code == 1

    strategic = await kubectl.run("patch", "wd", "w1", "--type=strategic", "-p", "{}")
    assert strategic.code == 1


async def test_server_side_apply_merges_lists_by_their_keys(kubectl):
    await kubectl("apply", "-f", "-", stdin=DEFINITION)
    await kubectl("apply", "--server-side", "--field-manager=a", "-f", "-", stdin=WIDGET)
    other = WIDGET.replace("{size: 3, ports: [{name: a, port: 80}]}", "{ports: [{name: b, port: web}]}")
    await kubectl("apply", "--server-side", "--field-manager=b", "-f", "-", stdin=other)

    written = json.loads(await kubectl("get", "wd", "w1", "-o", "json"))
    assert written["spec"]["ports"] == [{"name": "a", "port": 80}, {"name": "b", "port": "web"}]

    mine = await kubectl.run(
        "apply", "--server-side", "--field-manager=b", "-f", "-", stdin=WIDGET.replace("size: 3", "size: 9")
    )
    assert mine.code == 1
    assert "conflict" in mine.err


async def test_a_definition_goes_with_its_objects(kubectl):
    await kubectl("apply", "-f", "-", stdin=DEFINITION)
    await kubectl("apply", "-f", "-", stdin=WIDGET)
    await kubectl("delete", "crd", "widgets.ex.io", "--timeout=60s")

    gone = await kubectl.run("get", "widgets.v1.ex.io")
    assert gone.code == 1
    await kubectl("apply", "-f", "-", stdin=DEFINITION)
    assert await kubectl("get", "wd", "-o", "name") == ""
