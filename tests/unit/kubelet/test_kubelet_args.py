import pytest

from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.kubelet_args import KubeletArgError, apply_kubelet_args

CONFIG = KubeletConfig("n", "192.0.2.1", "/r", "/l")


def apply(*args):
    return apply_kubelet_args(CONFIG, args)


def test_flags_become_settings():
    config = apply(
        "max-pods=20",
        "--pod-max-pids=-1",
        "cpu-cfs-quota=false",
        "kube-reserved=cpu=100m,memory=1Gi",
        "eviction-hard=memory.available<500Mi,nodefs.available<5%",
        "eviction-soft=memory.available<1Gi",
        "eviction-soft-grace-period=memory.available=1m30s",
        "eviction-minimum-reclaim=nodefs.available=500Mi",
        "eviction-pressure-transition-period=30s",
        "eviction-max-pod-grace-period=60",
        "node-labels=a=b,c=d",
    )

    assert (config.max_pods, config.pod_pids_limit, config.cpu_cfs_quota) == (20, 0, False)
    assert config.kube_reserved == (("cpu", "100m"), ("memory", "1Gi"))
    assert config.eviction_hard == (("memory.available", "500Mi"), ("nodefs.available", "5%"))
    assert config.eviction_soft_grace_period == (("memory.available", "1m30s"),)
    assert config.eviction_minimum_reclaim == (("nodefs.available", "500Mi"),)
    assert (config.eviction_pressure_transition_s, config.eviction_max_pod_grace_s) == (30.0, 60.0)
    assert config.node_labels == (("a", "b"), ("c", "d"))


def test_the_last_one_wins_and_none_changes_nothing():
    assert apply("max-pods=20", "max-pods=30").max_pods == 30
    assert apply() == CONFIG


@pytest.mark.parametrize(
    ("arg", "words"),
    [
        ("max-pod=3", "no argument 'max-pod'; did you mean 'max-pods'?"),
        ("max-pods", "max-pods: it needs a value"),
        ("max-pods=many", "max-pods: 'many' is not a number"),
        ("max-pods=0", "max-pods: '0' is not above 0"),
        ("cpu-cfs-quota=yes", "'yes' is neither true nor false"),
        ("kube-reserved=cpu", "'cpu' is not NAME=VALUE"),
        ("kube-reserved=gpu=1", "'gpu' cannot be reserved"),
        ("system-reserved=cpu=lots", "'lots'"),
        ("eviction-hard=memory.free<1Gi", "unsupported eviction signal memory.free"),
        ("eviction-soft=memory.available<1Gi", "grace period must be specified"),
        ("eviction-pressure-transition-period=5", "not a duration"),
    ],
)
def test_what_cannot_be_used_is_named(arg, words):
    with pytest.raises(KubeletArgError) as caught:
        apply(arg)
    assert words in str(caught.value)


def test_all_faults_are_named_at_once():
    with pytest.raises(KubeletArgError) as caught:
        apply("max-pods=x", "nonsense=1")
    assert len(str(caught.value).splitlines()) == 2
