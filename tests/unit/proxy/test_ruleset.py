from minikube_py.proxy.ruleset import DROP, REJECT, Transaction, chain_of


def test_only_verdicts_to_dispatch_chains_name_one():
    assert chain_of("goto cluster-3") == "cluster-3"
    assert [chain_of(data) for data in (REJECT, DROP, None, ("10.0.0.1", 80))] == [None] * 4


def test_a_transaction_without_changes_is_empty():
    assert Transaction().is_empty
    assert not Transaction(replace_table=True).is_empty
