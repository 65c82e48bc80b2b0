"""The store over a real etcd (Debian's): the contract, failover, reconnecting, compaction, TLS, encryption."""

import pytest

from minikube_py.apiserver.canonical import stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.check import check_state
from minikube_py.store.io.etcd_client import EtcdEndpoints
from minikube_py.store.io.etcd_store import open_etcd_store
from minikube_py.testing.contracts_store import StoreContract
from minikube_py.testing.etcd_server import etcd_cluster

pytestmark = pytest.mark.node


def opened(servers, **options):
    urls = tuple(server.url for server in servers)
    return open_etcd_store(EtcdEndpoints(urls, **options), stamp=stamp, clock=SystemClock())


@pytest.fixture
def etcd(tmp_path):
    with etcd_cluster(tmp_path) as servers:
        yield servers


class TestEtcdStore(StoreContract):
    @pytest.fixture
    async def store(self, etcd):
        async with opened(etcd) as store:
            yield store
            assert check_state(store.state, may_have_gaps=True) == ()
