"""Links in pages that come through the proxy."""

import gzip
import zlib

import pytest

from minikube_py.apiserver.proxied_html import HTML_BYTES_MAX, is_html, rewrite_link, rewrite_page, unpack

PREFIX = "/api/v1/namespaces/x/pods/p/proxy"


def led(link):
    return rewrite_link(link, target_host="10.0.0.1:80", client_host="api:6443", prefix=PREFIX)


@pytest.mark.parametrize(
    ("link", "rewritten"),
    [
        ("/", f"{PREFIX}/"),
        ("/a/b?c=d#e", f"{PREFIX}/a/b?c=d#e"),
        ("http://10.0.0.1:80/a", f"{PREFIX}/a"),
        ("https://api:6443/a", f"https://api:6443{PREFIX}/a"),
        (f"{PREFIX}/a", f"{PREFIX}/a"),
        ("a/b", "a/b"),
        ("../a", "../a"),
        ("?q", "?q"),
        ("#top", "#top"),
        ("https://elsewhere/a", "https://elsewhere/a"),
        ("//elsewhere/a", "//elsewhere/a"),
        ("mailto:a@b", "mailto:a@b"),
        ("http://[", "http://["),
        (f"{PREFIX}ied/a", f"{PREFIX}{PREFIX}ied/a"),
    ],
)
def test_only_what_leads_to_the_proxied_server_is_led_through_the_proxy(link, rewritten):
    assert led(link) == rewritten


@pytest.mark.parametrize(
    ("page", "rewritten"),
    [
        ('<a href="/x">', '<a href="P/x">'),
        ("<a href=/x>", '<a href="P/x">'),
        ("<A HREF = '/x' id=1>", '<A HREF = "P/x" id=1>'),
        ('<img alt="/x" src="/y"/>', '<img alt="/x" src="P/y"/>'),
        ('<a href="/x?a=1&amp;b=2">', '<a href="P/x?a=1&amp;b=2">'),
        ('<p title="/x">/x</p>', '<p title="/x">/x</p>'),
        ("<!-- <a href=/x> --><a href=/y>", '<!-- <a href=/x> --><a href="P/y">'),
        ("<script src=/s>'<a href=/x>'</script>", """<script src="P/s">'<a href=/x>'</script>"""),
        ("<style>a{b:url(/x)}</STYLE><a href=/y>", '<style>a{b:url(/x)}</STYLE><a href="P/y">'),
        ("a < b <a href=/x", "a < b <a href=/x"),
        ('<a title="<b>" href="/x">', '<a title="<b>" href="P/x">'),
        ("<!-- <a href=/x>", "<!-- <a href=/x>"),
        ("<script><a href=/x>", "<script><a href=/x>"),
        ("\xe4<a href=/\xe4>", '\xe4<a href="P/\xe4">'),
    ],
)
def test_links_are_rewritten_and_nothing_else(page, rewritten):
    def rewrite(link):
        return f"P{link}" if link.startswith("/") else link

    assert rewrite_page(page.encode("latin-1"), rewrite) == rewritten.encode("latin-1")


@pytest.mark.parametrize(
    "hostile", ["<a " * 20_000, '<a "' * 20_000, "<" * 100_000, "<a href='" * 20_000, "<!--" * 20_000]
)
def test_a_page_made_to_be_slow_is_not(hostile):
    assert rewrite_page(hostile.encode(), str) == hostile.encode()


def test_pages_are_unpacked_up_to_a_bound():
    assert unpack(b"x", "") == b"x"
    assert unpack(gzip.compress(b"x"), "gzip") == b"x"
    assert unpack(zlib.compress(b"x"), "deflate") == b"x"
    assert unpack(b"x", "gzip") is None
    assert unpack(b"x", "br") is None
    assert unpack(gzip.compress(b"x" * (HTML_BYTES_MAX + 1)), "gzip") is None


def test_a_page_is_told_by_its_type():
    assert is_html("Text/HTML; charset=utf-8")
    assert not is_html("application/xhtml+xml")
