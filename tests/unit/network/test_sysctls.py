from minikube_py.network.sysctls import diff_sysctls, required_sysctls

REQUIRED = required_sysctls("mkpy0", "mkpy-vxlan")


def test_a_bare_host_needs_forwarding_without_redirects_or_strict_source_checks():
    of_links = {
        f"net/ipv4/conf/{link}/{name}": value
        for link in ("mkpy0", "mkpy-vxlan")
        for name, value in (("forwarding", "0"), ("send_redirects", "1"), ("rp_filter", "1"))
    }
    of_all = {"net/ipv4/ip_forward": "0", "net/ipv4/conf/all/send_redirects": "1", "net/ipv4/conf/all/rp_filter": "1"}

    writes = {rule.path: rule.value for rule in diff_sysctls(REQUIRED, of_all | of_links)}

    assert writes == {
        "net/ipv4/ip_forward": "1",
        "net/ipv4/conf/all/send_redirects": "0",
        "net/ipv4/conf/all/rp_filter": "2",
        "net/ipv4/conf/mkpy0/forwarding": "1",
        "net/ipv4/conf/mkpy0/send_redirects": "0",
        "net/ipv4/conf/mkpy0/rp_filter": "2",
        "net/ipv4/conf/mkpy-vxlan/forwarding": "1",
        "net/ipv4/conf/mkpy-vxlan/send_redirects": "0",
        "net/ipv4/conf/mkpy-vxlan/rp_filter": "2",
    }


def test_a_host_that_is_right_or_more_liberal_is_left_alone():
    found = {rule.path: rule.value for rule in REQUIRED} | {"net/ipv4/conf/all/rp_filter": "0"}

    assert diff_sysctls(REQUIRED, found) == ()


def test_what_the_kernel_does_not_have_is_not_written():
    assert diff_sysctls(REQUIRED, {}) == ()
