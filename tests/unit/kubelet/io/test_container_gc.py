import pytest

from minikube_py.kubelet.io.container_gc import ContainerGc
from minikube_py.testing.kubelet_lab import a_kubelet_lab

pytestmark = pytest.mark.looptime


async def test_the_files_of_a_pod_that_comes_during_a_collection_stay_and_those_of_nobodys_go():
    lab = a_kubelet_lab()
    active = set()
    listing = lab.runtime.listing

    async def listing_while_a_pod_comes(*args):
        listed = await listing(*args)
        active.add("new")
        for uid in ("new", "gone"):
            lab.files.texts[f"{lab.config.pod_dir(uid)}/etc-hosts"] = "x"
        return listed

    lab.runtime.listing = listing_while_a_pod_comes
    await ContainerGc(lab.config, lab.ports()).collect(lambda: frozenset(active))

    assert await lab.files.pod_uids() == ("new",)
