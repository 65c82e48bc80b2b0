from minikube_py.api.custom.embedded import validate_embedded

NODE = {"properties": {"list": {"items": {"x-kubernetes-embedded-resource": True}}}}


def test_embedded_objects_are_objects():
    good = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    obj = {"list": [good, {"kind": "Pod", "metadata": {"labels": {"-": "x"}}}]}
    faults = [str(fault) for fault in validate_embedded(obj, NODE)]
    assert faults[0] == "list[1].apiVersion: Required value: must not be empty"
    assert faults[1].startswith('list[1].metadata.labels: Invalid value: "-"')
    assert len(faults) == 2
