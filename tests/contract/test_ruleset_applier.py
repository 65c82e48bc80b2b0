"""The same promises of the table in memory and of both tables in the kernel."""

import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.io.iptables_applier import IptablesApplier
from minikube_py.proxy.io.nft_applier import NftApplier
from minikube_py.testing.contracts_ruleset import CONTRACT
from minikube_py.testing.fake_nft import FakeNft
from minikube_py.testing.netns import run_on_fresh_host

CONFIG = ProxyConfig("node-1")


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
async def test_the_table_in_memory(promise):
    await promise(FakeNft())


@pytest.mark.node
@pytest.mark.parametrize("back_end", [NftApplier, IptablesApplier])
@pytest.mark.parametrize("promise", CONTRACT, ids=lambda promise: promise.__name__)
def test_the_table_in_the_kernel(promise, back_end):
    async def scenario() -> None:
        applier = back_end(CONFIG)
        try:
            await promise(applier)
        finally:
            applier.close()

    run_on_fresh_host(scenario)
