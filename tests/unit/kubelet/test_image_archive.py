import hashlib
import io
import json
import tarfile

from minikube_py.kubelet.image_archive import ArchiveEntry, render_image, render_tar


def test_a_tar_keeps_files_folders_and_links_without_owner_or_time():
    entries = (
        ArchiveEntry("bin/", folder=True, mode=0o755),
        ArchiveEntry("bin/tool", b"\x7fELF", 0o755),
        ArchiveEntry("bin/sh", link_to="tool", mode=0o777),
    )
    data = render_tar(entries)

    assert data == render_tar(entries)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = archive.getmembers()
        assert archive.extractfile("bin/tool").read() == b"\x7fELF"
    assert [(m.name, m.isdir(), m.issym(), m.linkname) for m in members] == [
        ("bin", True, False, ""),
        ("bin/tool", False, False, ""),
        ("bin/sh", False, True, "tool"),
    ]
    assert {(m.uid, m.gid, m.mtime) for m in members} == {(0, 0, 0)}


def test_an_image_names_its_layer_by_content():
    image = render_image(
        "arm64", ("example/web:2", "example/web:latest"), (ArchiveEntry("index.html", b"hello"),), {"Cmd": ["serve"]}
    )

    with tarfile.open(fileobj=io.BytesIO(image.archive)) as archive:
        (manifest,) = json.load(archive.extractfile("manifest.json"))
        config_bytes = archive.extractfile(manifest["Config"]).read()
        layer = archive.extractfile(manifest["Layers"][0]).read()
    config = json.loads(config_bytes)
    assert image.id == "sha256:" + hashlib.sha256(config_bytes).hexdigest()
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    assert (config["architecture"], config["os"], config["config"]) == ("arm64", "linux", {"Cmd": ["serve"]})
    assert manifest["RepoTags"] == ["example/web:2", "example/web:latest"]
    assert image.tag == "example/web:2"


def test_another_file_makes_another_image():
    one = render_image("amd64", ("a:1",), (ArchiveEntry("f", b"1"),), {})
    other = render_image("amd64", ("a:1",), (ArchiveEntry("f", b"2"),), {})

    assert one.id != other.id
