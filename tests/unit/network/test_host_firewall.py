from minikube_py.network.host_firewall import plan_accept_rules, plan_removal

OPEN = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"
DOCKER = OPEN.replace("FORWARD ACCEPT", "FORWARD DROP") + "-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n"
OURS = "-A INPUT -i mkpy0 -j ACCEPT\n-A FORWARD -o mkpy0 -j ACCEPT\n-A FORWARD -i mkpy0 -j ACCEPT\n"


def test_a_host_that_drops_nothing_gets_no_rule():
    assert plan_accept_rules(OPEN, "mkpy0") == ()


def test_a_dropping_forward_policy_is_passed_by_both_directions():
    commands = plan_accept_rules(DOCKER, "mkpy0")

    assert ("-I", "FORWARD", "1", "-i", "mkpy0", "-j", "ACCEPT") in commands
    assert ("-I", "FORWARD", "1", "-o", "mkpy0", "-j", "ACCEPT") in commands
    assert ("-I", "INPUT", "1", "-i", "mkpy0", "-j", "ACCEPT") in commands


def test_a_rejecting_rule_counts_as_dropping():
    firewalld = OPEN + "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"

    assert len(plan_accept_rules(firewalld, "mkpy0")) == 3


def test_rules_that_stand_are_not_added_again():
    assert plan_accept_rules(DOCKER + OURS, "mkpy0") == ()


def test_another_bridge_of_a_similar_name_does_not_count():
    assert len(plan_accept_rules(DOCKER + OURS, "mkpy")) == 3


def test_removal_deletes_every_copy_and_nothing_else():
    commands = plan_removal(DOCKER + OURS + OURS, "mkpy0")

    assert len(commands) == 6
    assert set(commands) == {
        ("-D", "INPUT", "-i", "mkpy0", "-j", "ACCEPT"),
        ("-D", "FORWARD", "-o", "mkpy0", "-j", "ACCEPT"),
        ("-D", "FORWARD", "-i", "mkpy0", "-j", "ACCEPT"),
    }
    assert plan_removal(DOCKER, "mkpy0") == ()
