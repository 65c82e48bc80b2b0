from minikube_py.kubelet.io import manifest_folder
from minikube_py.kubelet.io.manifest_folder import ManifestFolder


def test_a_missing_folder_is_an_empty_one(tmp_path):
    assert ManifestFolder(str(tmp_path / "none")).scan() == {}


def test_files_are_read_in_the_order_of_their_names_and_hidden_ones_left_out(tmp_path):
    (tmp_path / "b.yaml").write_text("kind: Pod")
    (tmp_path / "a.json").write_text('{"kind": "Pod", "n": 1}')
    (tmp_path / ".swp").write_text("kind: Pod")

    assert list(ManifestFolder(str(tmp_path)).scan()) == ["a.json", "b.yaml"]


def test_an_unchanged_file_is_the_same_object_again(tmp_path):
    (tmp_path / "a").write_text("n: 1")
    folder = ManifestFolder(str(tmp_path))
    first = folder.scan()["a"]

    assert folder.scan()["a"] is first
    (tmp_path / "a").write_text("n: 22")
    assert folder.scan()["a"] == {"n": 22}


def test_a_bad_file_is_said_once_and_read_again_when_it_changed(tmp_path, caplog):
    (tmp_path / "a").write_text("{")
    folder = ManifestFolder(str(tmp_path))

    assert folder.scan() == folder.scan() == {}
    assert len(caplog.records) == 1
    (tmp_path / "a").write_text("n: 1")
    assert folder.scan() == {"a": {"n": 1}}


def test_more_files_than_a_node_has_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest_folder, "FILES_MAX", 2)
    for name in "abc":
        (tmp_path / name).write_text("n: 1")

    assert list(ManifestFolder(str(tmp_path)).scan()) == ["a", "b"]
