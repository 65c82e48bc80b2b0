from minikube_py.network.io.pod_end import read_pod_end


def test_a_process_that_is_gone_has_no_end():
    assert read_pod_end(2**22 + 1) is None  # above the kernel's greatest process id
