from pathlib import Path

from minikube_py.kubelet.cri import PodIdentity
from minikube_py.kubelet.io.log_links import flat_path, link_log, unlink_log

POD = PodIdentity("default", "web", "u-1")
ID = "c" * 64


def link(folder, attempt=0, text="line\n"):
    engine_log = folder / f"{attempt}-json.log"
    engine_log.write_text(text)
    log_path = str(folder / f"logs/pods/default_web_u-1/app/{attempt}.log")
    link_log(log_path, str(engine_log), POD, "app", ID)
    return log_path


def test_both_links_lead_to_the_engines_file(tmp_path):
    log_path = link(tmp_path)

    flat = tmp_path / f"logs/containers/web_default_app-{ID}.log"
    assert flat_path(log_path, POD, "app", ID) == flat
    assert flat.read_text() == Path(log_path).read_text() == "line\n"


def test_linking_again_replaces_a_link_of_an_earlier_try(tmp_path):
    link(tmp_path)
    (tmp_path / "logs/pods/default_web_u-1/app/0.log").unlink()
    (tmp_path / "logs/pods/default_web_u-1/app/0.log").symlink_to("/nowhere")
    log_path = link(tmp_path, text="new\n")

    assert Path(log_path).read_text() == "new\n"
    assert [path.name for path in (tmp_path / "logs/pods/default_web_u-1/app").iterdir()] == ["0.log"]


def test_unlinking_leaves_another_attempts_log(tmp_path):
    first, second = link(tmp_path, 0), link(tmp_path, 1)
    unlink_log(first, POD, "app", ID)

    assert Path(second).read_text() == "line\n"
    unlink_log(second, POD, "app", ID)
    assert list((tmp_path / "logs/pods").iterdir()) == []
    unlink_log(second, POD, "app", ID)


def test_a_name_that_is_too_long_for_a_file_is_cut(tmp_path):
    pod = PodIdentity("n" * 63, "p" * 253, "u-1")

    assert len(flat_path("/var/log/pods/x/app/0.log", pod, "app", ID).name) == 255
