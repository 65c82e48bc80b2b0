"""What several modules of this folder are tested on."""

import pytest

from minikube_py.testing.fake_docker import FakeDocker


@pytest.fixture
async def engine(tmp_path):
    """Give an engine in memory that answers on a socket, `host`."""
    fake = FakeDocker()
    async with fake.serving(tmp_path) as host:
        fake.host = host
        yield fake
