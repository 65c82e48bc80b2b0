"""The files of an installation, below a root of the test's own."""

from pathlib import PurePosixPath

import pytest
import yaml

from minikube_py.install.io.files import HostFiles, render_settings
from minikube_py.install.plan import RECORD_FILE, CopyProgram, InstallError, LinkProgram, Record, WriteFile


@pytest.fixture
def host(tmp_path):
    return HostFiles(tmp_path / "root")


def test_a_step_done_again_changes_nothing(host):
    step = WriteFile("/etc/minikube-py/config.yaml", b"a: 1\n", 0o600)
    assert [host.apply(step, dry_run=False) for _ in range(2)] == ["created", "unchanged"]
    place = host.at(step.path)
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"a: 1\n", 0o600)


def test_another_content_or_mode_is_a_change(host):
    host.apply(WriteFile("/f", b"a", 0o644), dry_run=False)
    assert host.apply(WriteFile("/f", b"a", 0o600), dry_run=False) == "changed"
    assert host.apply(WriteFile("/f", b"b", 0o600), dry_run=False) == "changed"
    assert [path.name for path in host.at("/").iterdir()] == ["f"]


def test_a_dry_run_says_the_same_and_does_nothing(host):
    assert host.apply(WriteFile("/etc/f", b"a"), dry_run=True) == "created"
    assert not host.at("/etc").exists()


def test_a_program_is_copied_so_that_it_can_be_executed(host, tmp_path):
    source = tmp_path / "minikube-py"
    source.write_bytes(b"ELF")
    source.chmod(0o600)
    step = CopyProgram("/usr/local/bin/minikube-py", str(source))
    assert [host.apply(step, dry_run=False) for _ in range(2)] == ["created", "unchanged"]
    assert host.at(step.path).stat().st_mode & 0o777 == 0o755


def test_a_copy_takes_a_links_place_without_writing_through_it(host, tmp_path):
    source, venv = tmp_path / "new", tmp_path / "venv-program"
    source.write_bytes(b"new")
    venv.write_bytes(b"venv")
    assert host.apply(LinkProgram("/bin/p", str(venv)), dry_run=False) == "created"
    assert host.apply(LinkProgram("/bin/p", str(venv)), dry_run=False) == "unchanged"
    assert host.apply(CopyProgram("/bin/p", str(source)), dry_run=False) == "changed"
    assert (venv.read_bytes(), host.at("/bin/p").read_bytes()) == (b"venv", b"new")


def test_what_cannot_be_written_is_named(host):
    host.at("/etc").parent.mkdir(parents=True)
    host.at("/etc").write_text("a file where a folder should be")
    with pytest.raises(InstallError, match="cannot write /etc/minikube-py/config.yaml"):
        host.apply(WriteFile("/etc/minikube-py/config.yaml", b""), dry_run=False)


def test_the_record_comes_back_as_it_was_written(host):
    record = Record("agent", ("/a", "/b"), {"links": ["eth0"]})
    assert host.read_record() is None
    host.write_record(record)
    assert host.read_record() == record


def test_a_damaged_record_is_an_error_and_no_clean_host(host):
    host.apply(WriteFile(RECORD_FILE, b"{"), dry_run=False)
    with pytest.raises(InstallError, match="is damaged"):
        host.read_record()


def test_removal_takes_files_links_and_whole_folders_and_says_which(host, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("")
    host.apply(WriteFile("/d/agent/x/y", b""), dry_run=False)
    host.at("/d/agent/link").symlink_to(outside)
    host.apply(LinkProgram("/p", "/gone"), dry_run=False)
    removed = host.remove(("/p", "/never-there"), (PurePosixPath("/d/agent"), PurePosixPath("/d/server")))
    assert removed == ("/p", "/d/agent/")
    assert (outside / "kept").exists()
    assert host.remove_if_empty(PurePosixPath("/d"))
    assert host.remove_if_empty(PurePosixPath("/d"))


def test_a_folder_with_somebody_elses_file_stays(host):
    host.apply(WriteFile("/d/theirs", b""), dry_run=False)
    assert not host.remove_if_empty(PurePosixPath("/d"))


def test_settings_are_written_as_the_config_file_reads_them(host):
    settings = {"node-ip": "192.0.2.1", "disable": ("dns", "metrics"), "https-listen-port": 6443}
    host.apply(WriteFile("/c", render_settings(settings)), dry_run=False)
    assert host.read_settings("/c") == {**settings, "disable": ["dns", "metrics"]}
    assert yaml.safe_load(render_settings({})) is None
    assert host.read_settings("/none") == {}
