import pytest

from minikube_py.kubelet.io.registries_file import read_registries
from minikube_py.kubelet.registries import NO_REGISTRIES, RegistriesError


def test_a_file_gives_its_mirrors_and_a_missing_one_none(tmp_path):
    path = tmp_path / "registries.yaml"
    assert read_registries(path) == NO_REGISTRIES
    path.write_text('mirrors:\n  docker.io:\n    endpoint: ["https://m.example"]\n')

    assert read_registries(path).mirror("docker.io").endpoints[0].host == "m.example"


@pytest.mark.parametrize(
    ("text", "fault"), [("a: [", "cannot be read"), ("x: 1\ny: 2\n", "'y' is not known"), ("\xff", "must hold")]
)
def test_every_fault_names_the_file(tmp_path, text, fault):
    path = tmp_path / "registries.yaml"
    path.write_text(text)
    with pytest.raises(RegistriesError, match=fault) as error:
        read_registries(path)

    assert str(error.value).startswith(str(path))
