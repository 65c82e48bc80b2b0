import gzip
import lzma

import pytest

from minikube_py.testing.vm.initrd import File, load_order, module_files, module_name, render_archive

DEPENDENCIES = """\
kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/net/some-thing.ko:
"""


def entries(archive):
    """Read an archive by the format's description (names, modes and contents)."""
    found, at = [], 0
    while True:
        assert archive[at : at + 6] == b"070701"
        fields = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = fields[1], fields[6], fields[11]
        name = archive[at + 110 : at + 110 + length - 1].decode()
        start = -(-(at + 110 + length) // 4) * 4
        if name == "TRAILER!!!":
            return found
        found.append((name, mode, archive[start : start + size]))
        at = -(-(start + size) // 4) * 4


def test_an_archive_holds_names_modes_and_contents():
    files = (File("bin", mode=0o040755), File("bin/a", b"12345", 0o100755), File("b", b"1234"), File("c", b""))
    assert entries(render_archive(files)) == [(f.path, f.mode, f.content) for f in files]


def test_what_a_module_needs_is_loaded_before_it_and_once():
    assert load_order(DEPENDENCIES, ("virtio_blk", "virtio_ring")) == (
        "kernel/drivers/virtio/virtio.ko",
        "kernel/drivers/virtio/virtio_ring.ko",
        "kernel/drivers/block/virtio_blk.ko.xz",
    )


def test_a_module_that_is_built_in_is_not_loaded():
    assert load_order(DEPENDENCIES, ("ext4", "some_thing")) == ("kernel/net/some-thing.ko",)


def test_a_module_is_called_by_its_name_whatever_its_file_is_called():
    assert module_name("kernel/net/some-thing.ko.xz") == "some_thing"


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".xz", lzma.compress), (".gz", gzip.compress)])
def test_modules_are_unpacked_and_listed_in_order(tmp_path, suffix, pack):
    (tmp_path / "modules.dep").write_text(f"b.ko{suffix}: a.ko{suffix}\na.ko{suffix}:\n")
    for name in ("a", "b"):
        (tmp_path / f"{name}.ko{suffix}").write_bytes(pack(name.encode()))
    assert module_files(tmp_path, ("b",)) == (
        File("modules/a.ko", b"a"),
        File("modules/b.ko", b"b"),
        File("modules/order", b"a.ko\nb.ko\n"),
    )
