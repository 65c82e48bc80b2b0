"""The store contract on both stores of this program."""

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state
from minikube_py.store.io.memory_store import MemoryStore
from minikube_py.store.io.open_store import open_store
from minikube_py.testing.contracts_store import StoreContract
from minikube_py.testing.contracts_watch import WatchContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    async def store(self):
        store = MemoryStore(stamp, SystemClock(), first_revision=1000)
        yield store
        assert check_state(store.state) == ()


class TestEmbeddedStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path):
        async with open_store(tmp_path / "store", stamp=stamp, clock=SystemClock()) as store:
            yield store
            assert check_state(store.state) == ()
            assert (await store.snapshots.check(stamp)).faults == ()


class TestWatchesOfMemoryStore(WatchContract):
    @pytest.fixture
    async def store(self):
        return MemoryStore(stamp, SystemClock(), first_revision=1000)


class TestWatchesOfEmbeddedStore(WatchContract):
    @pytest.fixture
    async def store(self, tmp_path):
        async with open_store(tmp_path / "store", stamp=stamp, clock=SystemClock()) as store:
            yield store
            assert (await store.snapshots.check(stamp)).faults == ()
