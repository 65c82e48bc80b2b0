from minikube_py.network.sysctls import diff_sysctls, required_sysctls


def test_a_bare_host_needs_forwarding_without_redirects_or_strict_source_checks():
    required = required_sysctls("mkpy0")
    found = {rule.path: value for rule, value in zip(required, ("0", "0", "1", "1", "1", "1"), strict=True)}

    writes = {rule.path: rule.value for rule in diff_sysctls(required, found)}

    assert writes == {
        "net/ipv4/ip_forward": "1",
        "net/ipv4/conf/mkpy0/forwarding": "1",
        "net/ipv4/conf/all/send_redirects": "0",
        "net/ipv4/conf/mkpy0/send_redirects": "0",
        "net/ipv4/conf/all/rp_filter": "2",
        "net/ipv4/conf/mkpy0/rp_filter": "2",
    }


def test_a_host_that_is_right_or_more_liberal_is_left_alone():
    required = required_sysctls("mkpy0")
    found = {rule.path: rule.value for rule in required} | {"net/ipv4/conf/all/rp_filter": "0"}

    assert diff_sysctls(required, found) == ()


def test_what_the_kernel_does_not_have_is_not_written():
    assert diff_sysctls(required_sysctls("mkpy0"), {}) == ()
