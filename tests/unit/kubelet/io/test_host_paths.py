import pytest

from minikube_py.kubelet.io.host_paths import check_host_path
from minikube_py.kubelet.volumes import VolumeError


@pytest.mark.parametrize(
    ("name", "kind", "word"),
    [
        ("file", "File", None),
        ("file", "Directory", "a directory"),
        ("dir", "Directory", None),
        ("dir", "File", "a file"),
        ("none", "File", "a file"),
        ("none", "Socket", "a socket file"),
        ("file", "CharDevice", "a character device"),
        ("file", "BlockDevice", "a block device"),
        ("none", "", None),
        ("none", "DirectoryOrCreate", None),
        ("none", "FileOrCreate", None),
        ("file", "DirectoryOrCreate", "a directory"),
        ("dir", "FileOrCreate", "a file"),
    ],
)
def test_a_host_path_must_be_what_it_is_said_to_be(tmp_path, name, kind, word):
    (tmp_path / "file").write_text("")
    (tmp_path / "dir").mkdir()
    path = str(tmp_path / name)
    if word is None:
        check_host_path(path, kind)
        return

    with pytest.raises(VolumeError) as refused:
        check_host_path(path, kind)
    assert str(refused.value) == f"hostPath type check failed: {path} is not {word}"


def test_devices_are_what_they_are():
    check_host_path("/dev/null", "CharDevice")


def test_a_host_path_of_any_kind_is_made_when_it_is_missing(tmp_path):
    check_host_path(str(tmp_path / "a/b"), "")

    assert (tmp_path / "a/b").is_dir()


def test_no_directory_is_made_above_a_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_host_path(str(tmp_path / "none/f"), "FileOrCreate")


def test_another_type_is_named():
    with pytest.raises(VolumeError, match="^Pipe is an invalid volume type$"):
        check_host_path("/", "Pipe")
