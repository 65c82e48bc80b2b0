import pytest

from minikube_py.api import names


@pytest.mark.parametrize(
    ("check", "fine", "bad"),
    [
        (names.dns_label_faults, ["a", "0-9", "a" * 63], ["", "A", "a.b", "-a", "a-", "a" * 64, "a\n"]),
        (names.dns_1035_label_faults, ["a", "a-1"], ["1a", "", "a.b", "A"]),
        (names.dns_subdomain_faults, ["a", "a.b-c.1", "a" * 253], ["", "a..b", ".a", "a_b", "a" * 254]),
        (names.path_segment_faults, ["a:b", "A"], [".", "..", "a/b", "a%b"]),
        (
            names.qualified_name_faults,
            ["a", "A_b.c", "example.com/A", "x/" + "a" * 63],
            ["", "/a", "a/", "a/b/c", "-a", "a b", "X/a", "a" * 64],
        ),
        (names.label_value_faults, ["", "a", "A_b.c"], ["a b", "-a", "a-", "a" * 64]),
        (names.port_name_faults, ["http", "a-1", "1a"], ["", "1", "Http", "a--b", "-a", "a-", "a" * 16, "a_b"]),
        (names.env_name_faults, ["A", "my.env-name", "1 x"], ["", "a=b", "é", "a\n"]),
        (names.c_identifier_faults, ["_a1", "A"], ["1a", "a-b", ""]),
        (names.config_key_faults, ["a", ".a", "KEY_NAME"], ["", ".", "..", "..a", "a b", "a/b", "a" * 254]),
        (names.percent_faults, ["0%", "150%"], ["1", "%", "-1%", "1.5%"]),
        (names.ip_faults, ["10.0.0.1", "::1", "2001:db8::ffff"], ["", "10.0.0", "010.0.0.1", "fe80::1%eth0", "x"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_fine_passes_and_what_is_not_gets_a_message(check, fine, bad):
    assert [text for text in fine if check(text)] == []
    assert [text for text in bad if not check(text)] == []


def test_every_fault_of_a_name_is_told():
    assert names.qualified_name_faults("/") == (
        "prefix part must be non-empty",
        "name part must be non-empty",
        *names.qualified_name_faults("-")[-1:],
    )
    assert names.dns_label_faults("A" * 64)[0] == "must be no more than 63 bytes"
    assert names.dns_label_faults("A_b")[0].startswith("a lowercase RFC 1123 label must consist of")


def test_ports_lie_between_1_and_65535():
    assert [port for port in (-1, 0, 1, 65535, 65536) if not names.port_number_faults(port)] == [1, 65535]


def test_sysctl_names_may_use_dots_or_slashes():
    assert names.sysctl_name_is_valid("net.ipv4.ip_forward")
    assert names.sysctl_name_is_valid("net/ipv4/conf/eth0.1/forwarding")
    assert not names.sysctl_name_is_valid("A B")


def test_a_label_with_dots_is_told_so():
    assert names.dns_label_faults("a.b") == ("must not contain dots",)
    assert names.dns_label_faults("a.B")[0].startswith("a lowercase RFC 1123 label must consist of")
