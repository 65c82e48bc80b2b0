from minikube_py.kubelet.cri import LinuxUser, RuntimeListing
from minikube_py.kubelet.pod_runtime_status import (
    group_by_pod,
    parse_process_user,
    pod_runtime_status,
    restart_count_of,
)
from minikube_py.testing.kubelet_records import a_run, a_sandbox


def test_the_newest_comes_first():
    runs = [a_run("c", attempt=n, exit_code=1) for n in (1, 10, 2)]
    status = pod_runtime_status([a_sandbox(0, ready=False), a_sandbox(1)], runs)

    assert [r.attempt for r in status.runs("c")] == [10, 2, 1]
    assert status.sandbox == a_sandbox(1)


def test_a_run_of_an_older_sandbox_is_not_of_this_one():
    status = pod_runtime_status([a_sandbox(0, ready=False), a_sandbox(1)], [a_run("c", sandbox=0, exit_code=0)])

    assert status.newest("c") is not None
    assert status.newest_in_sandbox("c") is None


def test_a_listing_is_grouped_by_pod():
    groups = group_by_pod(RuntimeListing((a_sandbox(),), (a_run("c"),)))

    assert list(groups) == ["u"]
    assert groups["u"].running == (a_run("c"),)


def test_the_restart_count_is_the_label():
    assert restart_count_of(a_run("c", attempt=7)) == 7


def test_the_user_of_a_process_is_read_from_the_kernel_s_text():
    text = "Name:\tsleep\nUid:\t1000\t0\t0\t0\nGid:\t2000\t0\t0\t0\nGroups:\t2000 3000 \n"

    assert parse_process_user(text) == LinuxUser(1000, 2000, (2000, 3000))
    assert parse_process_user("") is None
