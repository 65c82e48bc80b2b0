import pytest

from minikube_py.kubelet.io.container_gc import ContainerGc
from minikube_py.testing.kubelet_lab import a_kubelet_lab

pytestmark = pytest.mark.looptime


async def test_the_files_of_a_pod_that_comes_during_a_collection_stay_and_those_of_nobodys_go():
    lab = a_kubelet_lab()
    active = set()
    lab.files.texts[f"{lab.config.pod_dir('gone')}/etc-hosts"] = "x"
    lab.files.logs["/logs/ns_gone_gone/c/0.log"] = "x"
    listing = lab.runtime.listing

    async def listing_while_a_pod_comes(*args):
        listed = await listing(*args)
        active.add("new")
        lab.files.texts[f"{lab.config.pod_dir('new')}/etc-hosts"] = "x"
        return listed

    lab.runtime.listing = listing_while_a_pod_comes
    await ContainerGc(lab.config, lab.ports()).collect(lambda: frozenset(active))

    assert await lab.files.pod_uids() == ("new",)
    assert await lab.files.log_uids() == ()


async def test_a_pod_that_starts_and_ends_while_a_collection_looks_keeps_its_files_and_logs():
    lab = a_kubelet_lab()
    listing = lab.runtime.listing

    async def listing_before_the_pod(*args):
        listed = await listing(*args)
        # Its worker has ended too before anybody asks for workers: all that is left of it are its files.
        lab.files.texts[f"{lab.config.pod_dir('short')}/etc-hosts"] = "x"
        lab.files.logs["/logs/ns_short_short/c/0.log"] = "x"
        return listed

    lab.runtime.listing = listing_before_the_pod
    await ContainerGc(lab.config, lab.ports()).collect(frozenset)

    assert (await lab.files.pod_uids(), await lab.files.log_uids()) == (("short",), ("short",))
