import pytest

from minikube_py.kubelet.pause_network import Departure, judge_departure

HOST = {"net:[1]", "net:[2]"}


def _status(state="S (sleeping)", ids="65535", powers="0000000000000000"):
    return (
        f"Name:\tpause\nState:\t{state}\nUid:\t{ids}\t{ids}\t{ids}\t{ids}\nGid:\t{ids}\t{ids}\t{ids}\t{ids}\n"
        f"CapPrm:\t{powers}\nCapEff:\t{powers}\nCapBnd:\t0000000000200000\n"
    )


def test_a_powerless_process_in_another_network_has_left():
    assert judge_departure("net:[3]", _status(), HOST) is Departure.LEFT


@pytest.mark.parametrize(
    ("netns", "status", "host"),
    [
        ("net:[1]", _status(), HOST),
        ("net:[2]", _status(), HOST),
        ("net:[3]", _status(ids="0"), HOST),
        ("net:[3]", _status(powers="0000000000200000"), HOST),
        ("net:[3]", "State:\tS\n", HOST),
        ("net:[3]", _status(), set()),
    ],
    ids=["in the agent's", "in the first process's", "still root", "still capable", "unreadable", "host unknown"],
)
def test_without_every_sign_it_has_not_left(netns, status, host):
    assert judge_departure(netns, status, host) is Departure.NOT_YET


@pytest.mark.parametrize(
    ("netns", "status"),
    [("", _status()), ("net:[3]", ""), ("net:[3]", _status(state="Z (zombie)"))],
    ids=["no namespace", "no process", "zombie"],
)
def test_a_process_that_is_gone_has_ended(netns, status):
    assert judge_departure(netns, status, HOST) is Departure.ENDED
