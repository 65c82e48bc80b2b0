from minikube_py.dns.forward import (
    UPSTREAMS_MAX,
    Upstream,
    order_upstreams,
    parse_resolv_conf,
    parse_upstreams,
)

A, B, C = Upstream("192.0.2.1"), Upstream("192.0.2.2"), Upstream("192.0.2.3")


def test_name_servers_are_read_in_order():
    text = "# made by hand\nsearch example.org\nnameserver 192.0.2.1\nnameserver\t192.0.2.2 # two\noptions ndots:1\n"

    assert parse_resolv_conf(text, ()) == (A, B)


def test_a_query_never_comes_back_to_us():
    text = "nameserver 10.96.0.10\nnameserver 192.0.2.1\n"

    assert parse_resolv_conf(text, ("10.96.0.10",)) == (A,)
    assert parse_upstreams(("10.96.0.10", "192.0.2.1"), ("10.96.0.10",)) == (A,)


def test_what_is_no_ipv4_server_is_left_out():
    text = "nameserver fd00::1\nnameserver example\nnameserver\nnameserver 192.0.2.1\nnameserver 192.0.2.1\n"

    assert parse_resolv_conf(text, ()) == (A,)
    assert parse_upstreams(("192.0.2.1:5353", "192.0.2.1:x"), ()) == (Upstream("192.0.2.1", 5353),)


def test_there_is_a_most_of_servers():
    text = "".join(f"nameserver 192.0.2.{n}\n" for n in range(50))

    assert len(parse_resolv_conf(text, ())) == UPSTREAMS_MAX


def test_servers_that_failed_lately_are_asked_last():
    assert order_upstreams((A, B, C), {A: 95.0, C: 80.0}, 100.0) == (B, C, A)
    assert order_upstreams((A, B, C), {}, 0.0) == (A, B, C)
    assert order_upstreams((A, B), {A: 99.0, B: 98.0}, 100.0) == (A, B)
