"""The choice of a mode; the programs are shell scripts that take or refuse what they are given."""

import pytest

from minikube_py.proxy.config import ProxyConfig
from minikube_py.proxy.io.back_ends import choose_mode, remove_rules_of
from minikube_py.proxy.ports import RulesetError

CONFIG = ProxyConfig("node-1")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install programs that end so; the only ones on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(**programs: str) -> None:
        for name, text in programs.items():
            path = tmp_path / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)

    return make


IPTABLES = {"iptables": "echo 'iptables v1.4.21'", "iptables_restore": "exit 0"}


async def test_auto_is_nftables_where_it_can_and_else_iptables(install):
    install(**IPTABLES, nft="exit 0")
    assert await choose_mode("auto", CONFIG) == "nftables"

    install(nft="echo 'Could not process rule: No such file or directory' >&2; exit 1")

    assert await choose_mode("auto", CONFIG) == "iptables"


async def test_a_mode_that_was_asked_for_is_not_replaced_by_the_other(install):
    install(**IPTABLES, nft="exit 0")
    assert await choose_mode("iptables", CONFIG) == "iptables"

    install(nft="exit 1", iptables_restore="echo 'no chain of that kind' >&2; exit 1")

    with pytest.raises(RulesetError, match="--proxy-mode nftables: nft"):
        await choose_mode("nftables", CONFIG)
    with pytest.raises(RulesetError, match="--proxy-mode iptables: .*no chain of that kind"):
        await choose_mode("iptables", CONFIG)


async def test_a_host_that_can_neither_is_told_both_reasons(install):
    with pytest.raises(RulesetError, match=r"neither nftables \(cannot run nft.*nor iptables \(not installed"):
        await choose_mode("auto", CONFIG)


async def test_on_a_host_without_the_tools_there_is_nothing_to_remove(install):
    await remove_rules_of("nftables", CONFIG)
    await remove_rules_of("iptables", CONFIG)
