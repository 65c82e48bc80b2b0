import pytest

from minikube_py.kubelet.io.log_sweep import log_uids, remove_logs


@pytest.fixture
def logs(tmp_path):
    pods = tmp_path / "pods"
    containers = tmp_path / "containers"
    containers.mkdir()
    for uid in ("here", "gone"):
        folder = pods / f"ns_pod_{uid}" / "c"
        folder.mkdir(parents=True)
        (folder / "0.log").write_text("x")
        (containers / f"pod_ns_c-{uid}.log").symlink_to(folder / "0.log")
    return pods


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_logs_of_pods_that_are_gone_go_with_their_links(logs):
    assert log_uids(str(logs)) == ("gone", "here")
    remove_logs(str(logs), {"gone"})

    assert names(logs) == ["ns_pod_here"]
    assert names(logs.parent / "containers") == ["pod_ns_c-here.log"]


def test_what_is_no_pods_folder_and_no_link_stays(logs):
    (logs / "other").mkdir()
    (logs.parent / "containers" / "note.log").write_text("mine")
    remove_logs(str(logs), {"other"})

    assert names(logs) == ["ns_pod_gone", "ns_pod_here", "other"]
    assert len(names(logs.parent / "containers")) == 3


def test_folders_that_are_not_there_are_fine(tmp_path):
    remove_logs(str(tmp_path / "pods"), {"gone"})
    assert log_uids(str(tmp_path / "pods")) == ()
