"""Images as directories, from an engine that shows a made container's files; with real Docker: tests/node."""

import asyncio
import io
import tarfile
from contextlib import asynccontextmanager

import pytest

from minikube_py.kubelet.cri import ContainerRuntimeError, RuntimeErrorKind
from minikube_py.kubelet.io.image_volumes import DockerImageVolumes


def an_archive(*entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data, mode in entries:
            member = tarfile.TarInfo(name)
            member.mode, member.size = mode, len(data)
            member.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


class Engine:
    """Containers that were made, by name; each shows `files`."""

    def __init__(self, files):
        self.files = files
        self.names = set()
        self.made = 0

    async def create_container(self, name, body):
        assert name not in self.names, "the name is taken"
        assert body["Image"] == "sha256:1"
        self.names.add(name)
        self.made += 1
        return name

    async def remove_container(self, name):
        if name not in self.names:
            raise ContainerRuntimeError(RuntimeErrorKind.NOT_FOUND, "no such container")
        self.names.remove(name)

    @asynccontextmanager
    async def stream(self, path, *, params, stall_s):
        assert path.removesuffix("/export").removeprefix("containers/") in self.names

        async def chunks():
            for at in range(0, len(self.files), 1000):
                yield self.files[at : at + 1000]

        yield chunks()


FILES = an_archive(
    (".dockerenv", b"", 0o755),
    ("dev/", b"", 0o755),
    ("dev/console", b"", 0o600),
    ("etc/", b"", 0o755),
    ("etc/hosts", b"", 0o644),
    ("model/", b"", 0o750),
    ("model/weights", b"w" * 5000, 0o640),
)


async def test_a_volume_holds_the_images_files_and_no_container_is_left(tmp_path):
    engine = Engine(FILES)
    volumes = DockerImageVolumes(engine)
    for _ in range(2):
        await volumes.set_up_image("sha256:1", str(tmp_path / "v"))

    assert [path.name for path in tmp_path.iterdir()] == ["v"]
    assert [path.name for path in (tmp_path / "v").iterdir()] == ["model"]
    assert (tmp_path / "v/model/weights").read_bytes() == b"w" * 5000
    assert (tmp_path / "v/model/weights").stat().st_mode & 0o777 == 0o640
    assert (engine.made, engine.names) == (1, set())


async def test_half_a_volume_is_never_shown_and_the_next_try_begins_afresh(tmp_path):
    engine = Engine(FILES[:5000])
    volumes = DockerImageVolumes(engine)
    with pytest.raises(OSError, match="Unexpected EOF"):
        await volumes.set_up_image("sha256:1", str(tmp_path / "v"))
    assert not (tmp_path / "v").exists()
    assert engine.names == set()

    engine.files = an_archive(("only", b"x", 0o644))
    await volumes.set_up_image("sha256:1", str(tmp_path / "v"))
    assert [path.name for path in (tmp_path / "v").iterdir()] == ["only"]


async def test_a_container_that_a_killed_agent_left_is_taken_away(tmp_path):
    engine = Engine(FILES[:5000])
    keep = engine.remove_container
    engine.remove_container = lambda name: asyncio.sleep(0)  # the agent dies before it removes anything
    with pytest.raises(OSError, match="Unexpected EOF"):
        await DockerImageVolumes(engine).set_up_image("sha256:1", str(tmp_path / "v"))
    assert len(engine.names) == 1

    engine.remove_container, engine.files = keep, FILES
    await DockerImageVolumes(engine).set_up_image("sha256:1", str(tmp_path / "v"))
    assert (tmp_path / "v").is_dir()
    assert engine.names == set()
