import gzip
import json
from pathlib import Path

import pytest

from minikube_py.api.decode import Expected, decode_parsed
from minikube_py.api.resources import PODS, PRIORITY_CLASSES
from minikube_py.api.rules.core_pod import POD_RULES, prepare_create, prepare_update, qos_class
from minikube_py.api.rules.scheduling_classes import SYSTEM_CLASSES
from minikube_py.testing.built_in_admission import DictLookups, Request, admit


def pod(**spec):
    obj = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    POD_RULES.set_defaults(obj)
    return obj


def using(**resources):
    return {"containers": [{"resources": resources}]}


@pytest.mark.parametrize(
    ("spec", "qos"),
    [
        ({"containers": [{}]}, "BestEffort"),
        (using(requests={"cpu": "0"}), "BestEffort"),
        (using(requests={"cpu": "1"}), "Burstable"),
        (using(requests={"cpu": "1"}, limits={"cpu": "1"}), "Burstable"),
        (using(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "1000m", "memory": "1024Mi"}), "Guaranteed"),
        (using(requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "2", "memory": "1Gi"}), "Burstable"),
        (using(limits={"e.com/x": "1"}), "BestEffort"),
    ],
    ids=str,
)
def test_the_class_follows_from_requests_and_limits(spec, qos):
    assert qos_class(spec) == qos


def test_one_container_without_limits_makes_a_pod_burstable():
    full = {"cpu": "1", "memory": "1Gi"}
    spec = {"containers": [{"resources": {"requests": full, "limits": full}}, {}]}

    assert qos_class(spec) == "Burstable"


def test_limits_of_the_pod_itself_decide_when_they_are_there():
    full = {"cpu": "1", "memory": "1Gi"}

    assert qos_class({"containers": [{}], "resources": {"requests": full, "limits": full}}) == "Guaranteed"


def test_a_status_that_was_sent_is_not_kept():
    obj = pod() | {"status": {"phase": "Running"}}
    prepare_create(obj)

    assert obj["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_gated_pod_says_so():
    obj = pod(schedulingGates=[{"name": "a"}])
    prepare_create(obj)

    assert obj["status"]["conditions"][0]["reason"] == "SchedulingGated"


def test_an_update_must_say_the_service_account():
    old = pod()
    prepare_create(old)
    new = pod(serviceAccountName="default")
    prepare_update(new, old)
    minimal = pod()
    prepare_update(minimal, old)

    assert POD_RULES.validate_update(new, old) == ()
    assert [f.field for f in POD_RULES.validate_update(minimal, old)] == ["spec"]


def test_some_things_come_only_later_in_a_pods_life():
    obj = pod(ephemeralContainers=[{"name": "e", "image": "i"}], nodeName="n", schedulingGates=[{"name": "a"}])
    POD_RULES.set_defaults(obj)

    assert [f.field for f in POD_RULES.validate(obj)] == ["spec.ephemeralContainers", "spec.nodeName"]
    assert POD_RULES.validate_update(obj, obj) == ()


SYSTEM = DictLookups()
for _name, _value in SYSTEM_CLASSES.items():
    SYSTEM.add(PRIORITY_CLASSES, {"metadata": {"name": _name}, "value": _value})
ADMITTED = json.loads(gzip.decompress(Path("tests/fixtures/observed/pods-admitted-1.20.json.gz").read_bytes()))


@pytest.mark.parametrize("case", ADMITTED, ids=lambda case: case["name"])
def test_a_pod_is_admitted_as_a_real_server_admitted_it(case):
    """Observed on 1.20.2; the volume with the service account's token is taken out."""
    obj = decode_parsed(case["manifest"], Expected("v1", "Pod"), "Strict").obj
    POD_RULES.set_defaults(obj)
    admit(Request(PODS), obj, SYSTEM)
    POD_RULES.prepare_create(obj)

    assert POD_RULES.validate(obj) == ()
    assert obj["spec"] == case["spec"]


def test_a_mirror_pod_gets_no_service_account():
    obj = pod()
    obj["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    prepare_create(obj)

    assert "serviceAccountName" not in obj["spec"]


def test_a_spec_that_stays_as_it_is_is_not_looked_at_again():
    strange = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"restartPolicy": "Perhaps"}}
    labelled = {**strange, "metadata": {**strange["metadata"], "labels": {"a": "b"}}}
    changed = {**strange, "spec": {"restartPolicy": "Sometimes"}}

    assert POD_RULES.validate_update(labelled, strange) == ()
    assert "spec.restartPolicy" in [fault.field for fault in POD_RULES.validate_update(changed, strange)]
