from minikube_py.network.host_firewall import plan_accept_rules, plan_removal

OPEN = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"
DOCKER = OPEN.replace("FORWARD ACCEPT", "FORWARD DROP") + "-N DOCKER-USER\n-A FORWARD -j DOCKER-USER\n"
PODS = "10.244.0.0/16"
OURS = f"-A INPUT -i mkpy0 -j ACCEPT\n-A FORWARD -d {PODS} -j ACCEPT\n-A FORWARD -s {PODS} -j ACCEPT\n"


def test_a_host_that_drops_nothing_gets_no_rule():
    assert plan_accept_rules(OPEN, "mkpy0", PODS) == ()


def test_a_dropping_forward_policy_is_passed_by_both_directions():
    commands = plan_accept_rules(DOCKER, "mkpy0", PODS)

    assert ("-I", "FORWARD", "1", "-s", PODS, "-j", "ACCEPT") in commands
    assert ("-I", "FORWARD", "1", "-d", PODS, "-j", "ACCEPT") in commands
    assert ("-I", "INPUT", "1", "-i", "mkpy0", "-j", "ACCEPT") in commands


def test_a_rejecting_rule_counts_as_dropping():
    firewalld = OPEN + "-A INPUT -j REJECT --reject-with icmp-host-prohibited\n"

    assert len(plan_accept_rules(firewalld, "mkpy0", PODS)) == 3


def test_rules_that_stand_are_not_added_again():
    assert plan_accept_rules(DOCKER + OURS, "mkpy0", PODS) == ()


def test_another_bridge_or_range_of_a_similar_name_does_not_count():
    assert len(plan_accept_rules(DOCKER + OURS, "mkpy", "10.244.0.0/1")) == 3


def test_removal_deletes_every_copy_and_nothing_else():
    commands = plan_removal(DOCKER + OURS + OURS, "mkpy0", PODS)

    assert len(commands) == 6
    assert set(commands) == {
        ("-D", "INPUT", "-i", "mkpy0", "-j", "ACCEPT"),
        ("-D", "FORWARD", "-d", PODS, "-j", "ACCEPT"),
        ("-D", "FORWARD", "-s", PODS, "-j", "ACCEPT"),
    }
    assert plan_removal(DOCKER, "mkpy0", PODS) == ()
