from minikube_py.kubelet.statistics import CgroupSample, DiskUsage, FileSystem, NodeSample, with_rate


def a_sample(at_s, cpu_ns, nano_cores=None):
    return CgroupSample(at_s, cpu_ns, nano_cores=nano_cores)


def test_a_rate_is_the_growth_over_the_time_between_two_samples():
    assert with_rate(a_sample(110.0, 7_000_000_000), a_sample(100.0, 2_000_000_000)).nano_cores == 500_000_000


def test_the_first_sample_and_one_whose_counter_went_back_have_no_rate():
    assert with_rate(a_sample(110.0, 5), None).nano_cores is None
    assert with_rate(a_sample(110.0, 5), a_sample(100.0, 6, nano_cores=1)).nano_cores is None


def test_samples_that_are_too_close_keep_the_rate_before():
    assert with_rate(a_sample(100.05, 9), a_sample(100.0, 5, nano_cores=77)).nano_cores == 77


def test_usages_add_up():
    assert DiskUsage(1, 2) + DiskUsage(10, 20) == DiskUsage(11, 22)


def test_images_have_a_file_system_of_their_own_when_its_device_is_another():
    one, other = FileSystem(device=1), FileSystem(device=2)
    parts = {"interfaces": (), "processes_max": 0, "processes": 0, "memory_bytes": 0, "boot_at_s": 0.0}

    assert NodeSample(a_sample(0, 0), node_fs=one, image_fs=other, **parts).has_image_fs
    assert not NodeSample(a_sample(0, 0), node_fs=one, image_fs=one, **parts).has_image_fs
