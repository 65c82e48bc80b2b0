import pytest

from minikube_py.kit.arguments import ArgumentError
from minikube_py.kubelet.config import KubeletConfig
from minikube_py.kubelet.kubelet_args import apply_kubelet_args

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


def test_programs_that_know_passwords_need_their_folder_and_pulls_have_a_pace():
    with pytest.raises(ArgumentError, match="image-credential-provider-config and -bin-dir go together"):
        apply("image-credential-provider-config=/etc/providers.yaml")
    config = apply(
        "image-credential-provider-config=/etc/providers.yaml",
        "image-credential-provider-bin-dir=/opt/providers",
        "registry-qps=0",
        "registry-burst=3",
    )

    assert (config.image_credential_provider_config, config.registry_pull_qps) == ("/etc/providers.yaml", 0)
    assert (config.image_credential_provider_bin_dir, config.registry_burst) == ("/opt/providers", 3)


def test_unsafe_sysctls_are_allowed_by_name_or_pattern_when_a_pod_can_have_its_own():
    assert apply("allowed-unsafe-sysctls=net.core.somaxconn,kernel/msg*").allowed_unsafe_sysctls == (
        "net.core.somaxconn",
        "kernel.msg*",
    )
    with pytest.raises(ArgumentError, match=r"allowed-unsafe-sysctls: the sysctl 'vm.swappiness' is not known"):
        apply("allowed-unsafe-sysctls=vm.swappiness")


def test_flags_of_images_logs_and_dead_containers_become_settings():
    config = apply(
        "image-gc-high-threshold=90",
        "image-gc-low-threshold=70",
        "minimum-image-ttl-duration=5m",
        "image-maximum-gc-age=24h",
        "container-log-max-size=1Mi",
        "container-log-max-files=2",
        "maximum-dead-containers=10",
        "maximum-dead-containers-per-container=0",
        "minimum-container-ttl-duration=1m",
        "image-pull-progress-deadline=2m",
    )

    assert (config.image_gc_high_percent, config.image_gc_low_percent) == (90, 70)
    assert (config.image_minimum_gc_age_s, config.image_maximum_gc_age_s) == (300.0, 86400.0)
    assert (config.container_log_max_size, config.container_log_max_files) == ("1Mi", 2)
    assert (config.dead_containers_total_max, config.dead_containers_max) == (10, 0)
    assert config.dead_container_minimum_age_s == 60.0
    assert config.image_pull_progress_deadline_s == 120.0


@pytest.mark.parametrize(
    ("args", "pulls_max"),
    [
        ((), 2),
        (("max-parallel-image-pulls=4",), 4),
        (("serialize-image-pulls=true",), 1),
        (("serialize-image-pulls=true", "max-parallel-image-pulls=1"), 1),
        (("serialize-image-pulls=false",), None),
        (("max-parallel-image-pulls=4", "serialize-image-pulls=false"), 4),
    ],
)
def test_images_are_pulled_as_many_at_a_time_as_upstreams_two_settings_say(args, pulls_max):
    assert apply(*args).image_pulls_max == pulls_max


def test_images_cannot_be_pulled_one_after_the_other_and_at_the_same_time():
    words = r"max-parallel-image-pulls \(4\) cannot be larger than 1 unless serialize-image-pulls is false"
    with pytest.raises(ArgumentError, match=words):
        apply("serialize-image-pulls=true", "max-parallel-image-pulls=4")


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
        ("image-pull-progress-deadline=0s", "image-pull-progress-deadline: '0s' is not above 0"),
        ("cpu-cfs-quota=yes", "'yes' is neither true nor false"),
        ("kube-reserved=cpu", "'cpu' is not NAME=VALUE"),
        ("kube-reserved=gpu=1", "'gpu' cannot be reserved"),
        ("system-reserved=cpu=lots", "'lots'"),
        ("eviction-hard=memory.free<1Gi", "unsupported eviction signal memory.free"),
        ("eviction-soft=memory.available<1Gi", "grace period must be specified"),
        ("image-gc-high-threshold=101", "'101' is not between 0 and 100"),
        ("image-gc-low-threshold=90", "image-gc-low-threshold (90) must be lower than image-gc-high-threshold (85)"),
        ("container-log-max-size=0", "'0' is not above 0"),
        ("container-log-max-size=big", "container-log-max-size: 'big'"),
        ("container-log-max-files=1", "'1' is not between 2 and 20"),
        ("eviction-pressure-transition-period=5", "not a duration"),
    ],
)
def test_what_cannot_be_used_is_named(arg, words):
    with pytest.raises(ArgumentError) as caught:
        apply(arg)
    assert words in str(caught.value)


def test_all_faults_are_named_at_once():
    with pytest.raises(ArgumentError) as caught:
        apply("max-pods=x", "nonsense=1")
    assert len(str(caught.value).splitlines()) == 2
