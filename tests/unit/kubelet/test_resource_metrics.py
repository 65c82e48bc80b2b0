import json
from pathlib import Path

from minikube_py.kubelet.cri import PodIdentity
from minikube_py.kubelet.resource_metrics import render_resource_metrics
from minikube_py.kubelet.statistics import CgroupSample, ContainerSample, FileSystem, NodeSample, PodSample, Snapshot
from minikube_py.testing.metric_families import metric_families

OBSERVED = json.loads(Path("tests/fixtures/observed/kubelet-metrics.json").read_text())["kubelet_metrics_resource"]


def a_snapshot():
    sample = CgroupSample(12.5, 1_500_000_000, working_set_bytes=4096, swap_bytes=1)
    fs = FileSystem()
    pod = PodSample(PodIdentity("n", "p", "u"), 1.0, sample, "/x", (ContainerSample("c", "id", "i", 3.25, sample),))
    return Snapshot("node1", NodeSample(sample, (), fs, fs, 0, 0, 0, 0.0), (pod,))


def test_every_observed_family_is_there_with_its_type_and_labels():
    found = metric_families(render_resource_metrics(a_snapshot()))

    assert {name: found.get(name) for name in OBSERVED} == {n: [t, sorted(ls)] for n, (t, ls) in OBSERVED.items()}


def test_values_carry_the_time_at_which_they_were_measured():
    text = render_resource_metrics(a_snapshot())

    assert 'container_cpu_usage_seconds_total{container="c",namespace="n",pod="p"} 1.5 12500\n' in text
    assert 'container_start_time_seconds{container="c",namespace="n",pod="p"} 3.25\n' in text
    assert "node_memory_working_set_bytes 4096 12500\n" in text
    assert "\nscrape_error 0\n" in text


def test_a_failure_is_one_of_the_metrics():
    text = render_resource_metrics(None)

    assert "\nresource_scrape_error 1\n" in text
    assert "container_cpu" not in text
