"""The files with pods that empty volumes: what is taken, and what stops the start."""

import pytest

from minikube_py.controllers.config import ControllersConfig
from minikube_py.controllers.io.recycler_templates import with_recycler_templates
from minikube_py.controllers.volume_recycler import DEFAULT_TEMPLATE
from minikube_py.kit.errors import UserError

POD = "kind: Pod\nspec: {volumes: [{name: v}], containers: [{name: c, image: mine}]}\n"


def test_a_file_replaces_the_pod_of_its_source_alone(tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    config = ControllersConfig("", pv_recycler_pod_template_filepath_nfs=str(tmp_path / "pod.yaml"))
    by_source = {r.source: r for r in with_recycler_templates(config).recyclers}

    assert by_source["nfs"].template["spec"]["containers"] == [{"name": "c", "image": "mine"}]
    assert (by_source["nfs"].minimum_timeout_s, by_source["hostPath"].minimum_timeout_s) == (300, 60)
    assert by_source["hostPath"].template == DEFAULT_TEMPLATE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("a: [", "cannot be read"),
        ("kind: Service\nspec: {}\n", "is no Pod"),
        ("[]", "is no Pod"),
        ("kind: Pod\nspec: {containers: [{name: c}]}\n", "has no spec.volumes with a name"),
        ("kind: Pod\nspec: {volumes: [{name: v}], containers: []}\n", "has no spec.containers with a name"),
    ],
    ids=["missing", "no-yaml", "service", "list", "no-volume", "no-container"],
)
def test_what_is_no_template_stops_the_start(tmp_path, text, words):
    path = tmp_path / "pod.yaml"
    if text is not None:
        path.write_text(text)
    config = ControllersConfig("", pv_recycler_pod_template_filepath_hostpath=str(path))

    with pytest.raises(UserError, match=words) as refusal:
        with_recycler_templates(config)
    assert str(path) in str(refusal.value)
