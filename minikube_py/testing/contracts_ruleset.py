"""What every RulesetApplier must do, the fake's table and the kernel's alike; subjects are made by the test."""

import pytest

from minikube_py.proxy.affinity import identity_of
from minikube_py.proxy.ports import RulesetApplier, RulesetError
from minikube_py.proxy.ruleset import Data, ElementKey, Ruleset, Transaction

VIP = "10.96.0.20"
WEB = ElementKey("services", (VIP, "tcp", 80))
FIRST = ElementKey("endpoints", (VIP, "tcp", 80, 0))
SECOND = ElementKey("endpoints", (VIP, "tcp", 80, 1))
ELEMENTS: dict[ElementKey, Data] = {
    FIRST: ("10.244.0.2", 8080),
    WEB: "goto cluster-1",
    ElementKey("node-ports", ("tcp", 30080)): "goto node-port-affinity-60s-local-0-of-1",
    ElementKey("node-port-endpoints", ("tcp", 30080, 1 << 16)): ("10.244.0.2", 8080),
    ElementKey("no-endpoints", (VIP, "tcp", 81)): "goto reject-new",
    ElementKey("no-endpoints-node-ports", ("udp", 30081)): "drop",
    ElementKey("affinity-choices", (VIP, "tcp", 80, 0)): identity_of(("10.244.0.2", 8080), 0),
    ElementKey("affinity-endpoints", (VIP, "tcp", 80, identity_of(("10.244.0.2", 8080), 0))): ("10.244.0.2", 8080),
    ElementKey("hairpin", ("10.244.0.2", "10.244.0.2")): None,
    ElementKey("cluster-ips", (VIP,)): None,
    ElementKey("restricted", ("192.0.2.9", "tcp", 80)): None,
    ElementKey("source-ranges", ("192.0.2.9", "tcp", 80, "198.51.100.0/24")): None,
    ElementKey("source-ranges", ("192.0.2.9", "tcp", 80, "203.0.113.7/32")): None,
}
CHAINS = ("cluster-1", "node-port-affinity-60s-local-0-of-1")
FILLED = Transaction(replace_table=True, add_chains=CHAINS, add_elements=tuple(ELEMENTS.items()))
GROW = Transaction(
    add_chains=("cluster-2",),
    delete_elements=(WEB,),
    add_elements=((SECOND, ("10.244.0.3", 8080)), (WEB, "goto cluster-2")),
)


async def nothing_stands_before_the_first_transaction(applier: RulesetApplier) -> None:
    """Listing tells that there is no table, and a change of it is refused."""
    assert await applier.list_table() is None
    with pytest.raises(RulesetError):
        await applier.apply(GROW)


async def what_was_applied_is_listed(applier: RulesetApplier) -> None:
    """A listing shows what a replacement and a change made."""
    await applier.apply(FILLED)
    assert await applier.list_table() == Ruleset(ELEMENTS, frozenset(CHAINS))
    await applier.apply(GROW)
    grown = ELEMENTS | dict(GROW.add_elements)
    assert await applier.list_table() == Ruleset(grown, frozenset((*CHAINS, "cluster-2")))
    await applier.apply(Transaction(delete_elements=tuple(grown), delete_chains=(*CHAINS, "cluster-2")))
    assert await applier.list_table() == Ruleset({}, frozenset())


async def a_replacement_leaves_nothing_of_before(applier: RulesetApplier) -> None:
    """The second table has nothing of the first."""
    await applier.apply(FILLED)
    await applier.apply(Transaction(replace_table=True))
    assert await applier.list_table() == Ruleset({}, frozenset())


async def a_refused_transaction_changes_nothing(applier: RulesetApplier) -> None:
    """One impossible change refuses all of them."""
    await applier.apply(FILLED)
    missing = ElementKey("endpoints", (VIP, "tcp", 80, 7))
    other = ElementKey("services", ("10.96.0.21", "tcp", 80))
    for refused in (
        Transaction(delete_elements=(WEB, missing)),
        Transaction(delete_elements=(FIRST,), add_elements=((other, "goto cluster-9"),)),
        Transaction(delete_elements=(FIRST,), add_elements=((WEB, "drop"),)),
    ):
        with pytest.raises(RulesetError):
            await applier.apply(refused)
        assert await applier.list_table() == Ruleset(ELEMENTS, frozenset(CHAINS))


async def removal_may_be_repeated(applier: RulesetApplier) -> None:
    """Removal leaves no table, and removing nothing is fine."""
    await applier.remove_table()
    await applier.apply(FILLED)
    await applier.remove_table()
    assert await applier.list_table() is None
    await applier.remove_table()


CONTRACT = (
    nothing_stands_before_the_first_transaction,
    what_was_applied_is_listed,
    a_replacement_leaves_nothing_of_before,
    a_refused_transaction_changes_nothing,
    removal_may_be_repeated,
)
