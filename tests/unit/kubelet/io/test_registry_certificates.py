import pytest

from minikube_py.kubelet.io.registry_certificates import plan_folders, remove_folders, write_folders
from minikube_py.kubelet.registries import NO_REGISTRIES, RegistriesError, parse_registries

ME = "/var/lib/me"


@pytest.fixture
def registries(tmp_path):
    (tmp_path / "ca.pem").write_text("CA")
    return parse_registries({"configs": {"m.example:5000": {"tls": {"ca_file": str(tmp_path / "ca.pem")}}}})


def test_files_are_put_there_kept_and_taken_away_with_their_folder(registries, tmp_path):
    folder = tmp_path / "certs.d"
    (folder / "other").mkdir(parents=True)
    assert write_folders(registries, ME, folder) == ()
    assert (folder / "m.example:5000" / "ca.crt").read_text() == "CA"
    assert (folder / "m.example:5000" / "ca.crt").stat().st_mode & 0o777 == 0o600
    assert not plan_folders(registries, ME, folder).writes

    write_folders(NO_REGISTRIES, "/var/lib/another", folder)
    assert (folder / "m.example:5000").exists()
    remove_folders(ME, folder)
    assert [path.name for path in folder.iterdir()] == ["other"]


def test_nothing_is_made_where_nothing_is_asked_for(tmp_path):
    assert write_folders(NO_REGISTRIES, ME, tmp_path / "certs.d") == ()
    assert not (tmp_path / "certs.d").exists()


def test_a_file_that_cannot_be_read_is_named(registries, tmp_path):
    (tmp_path / "ca.pem").unlink()

    with pytest.raises(RegistriesError, match="configs.m.example:5000.tls: .*ca.pem cannot be read: No such file"):
        write_folders(registries, ME, tmp_path / "certs.d")
