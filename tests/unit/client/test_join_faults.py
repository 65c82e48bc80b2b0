"""One line for each thing that keeps a host from joining."""

import pytest

from minikube_py.client.join_faults import ServerClock, tls_fault, version_fault, wrong_ca

URL = "https://m1:6443"
NOW_S = 1_767_225_600.0


def clock(skew_s: float) -> ServerClock:
    return ServerClock(NOW_S, skew_s)


@pytest.mark.parametrize(
    ("skew_s", "words"),
    [
        (-3 * 86400.0, "this host's clock is 3 days behind the server's, which says 2026-01-01T00:00:00Z"),
        (7300.0, "this host's clock is 2 hours ahead of the server's"),
        (130.0, "2 minutes ahead of"),
        (-90.0, "90 seconds behind"),
    ],
)
def test_clocks_that_are_apart_are_said_to_be(skew_s, words):
    assert words in clock(skew_s).fault()


@pytest.mark.parametrize("skew_s", [0.0, 59.0, -60.0])
def test_clocks_that_agree_are_no_fault(skew_s):
    assert clock(skew_s).fault() == ""


def test_a_certificate_of_the_future_is_laid_to_the_clock_that_is_off():
    line = tls_fault(URL, 9, "certificate is not yet valid", clock(-86400.0 * 400))

    assert line.startswith("this host's clock is 400 days behind the server's")
    assert "set it" in line


def test_a_certificate_that_expired_is_laid_to_the_server_when_the_clocks_agree():
    for reading in (clock(1.0), None):
        assert "restart the master to renew it" in tls_fault(URL, 10, "certificate has expired", reading)


@pytest.mark.parametrize("code", [62, 64])
def test_a_name_that_the_certificate_lacks_leads_to_tls_san(code):
    assert "--tls-san" in tls_fault(URL, code, "Hostname mismatch", clock(0.0))


def test_any_other_certificate_is_not_the_clusters():
    assert "does not come from the cluster's CA (self-signed)" in tls_fault(URL, 18, "self-signed", None)


def test_another_ca_is_shown_by_both_hashes():
    assert "aaaaaaaaaaaa…) than the token names (bbbbbbbbbbbb…)" in wrong_ca(URL, "b" * 64, "a" * 64)


@pytest.mark.parametrize(("server", "own"), [("1.2.0", "1.2.9"), ("0.1.0", "0.1.0")])
def test_programs_of_one_minor_version_fit(server, own):
    assert version_fault(server, own) == ""


@pytest.mark.parametrize("server", ["1.3.0", "2.2.0", "0.2.0"])
def test_programs_of_other_versions_do_not_fit_and_both_are_named(server):
    line = version_fault(server, "1.2.0")

    assert server in line
    assert "1.2.0" in line
