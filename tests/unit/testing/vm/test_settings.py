from pathlib import Path

from minikube_py.testing.vm import guest
from minikube_py.testing.vm.settings import HOST_NAME, write_settings


def test_a_machine_has_a_name_mounts_nothing_of_this_one_and_takes_commands(tmp_path):
    write_settings(tmp_path)
    units = tmp_path / "etc/systemd/system"

    assert (tmp_path / "etc/hostname").read_text() == f"{HOST_NAME}\n"
    assert (tmp_path / "etc/fstab").read_text() == ""
    assert (units / "basic.target.wants/commands.service").resolve() == units / "commands.service"
    (program,) = (word for word in (units / "commands.service").read_text().split() if word.endswith("guest.py"))
    assert (tmp_path / program.lstrip("/")).read_bytes() == Path(guest.__file__).read_bytes()


def test_settings_take_the_place_of_those_that_a_root_has(tmp_path):
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / "apparmor.service").write_text("[Service]")
    (tmp_path / "etc/fstab").write_text("/dev/vda / ext4")
    write_settings(tmp_path)

    assert str((units / "apparmor.service").readlink()) == "/dev/null"
    assert (tmp_path / "etc/fstab").read_text() == ""
