import dnslib

from minikube_py.dns.cache import ResponseCache
from minikube_py.dns.wire import parse_query, truncate


def query_and_answer(name: str, ttl: int = 60):
    record = dnslib.DNSRecord.question(name)
    reply = record.reply()
    reply.add_answer(dnslib.RR(name, rdata=dnslib.A("192.0.2.1"), ttl=ttl))
    return parse_query(record.pack()).cache_key, reply.pack()


def test_an_answer_is_kept_for_its_ttl_and_counts_down():
    cache = ResponseCache(size_max=10, ttl_max_s=300)
    key, answer = query_and_answer("a.example.org")
    cache.put(key, answer, now_s=100)

    assert dnslib.DNSRecord.parse(cache.get(key, 140)).rr[0].ttl == 20
    assert cache.get(key, 160) is None
    assert len(cache) == 0


def test_no_answer_is_kept_longer_than_the_limit():
    cache = ResponseCache(size_max=10, ttl_max_s=30)
    key, answer = query_and_answer("a.example.org", ttl=86400)
    cache.put(key, answer, now_s=0)

    assert cache.get(key, 29) is not None
    assert cache.get(key, 30) is None


def test_the_one_unused_for_longest_makes_room():
    cache = ResponseCache(size_max=2, ttl_max_s=30)
    pairs = [query_and_answer(f"{name}.example.org") for name in "abc"]
    cache.put(*pairs[0], now_s=0)
    cache.put(*pairs[1], now_s=0)
    cache.get(pairs[0][0], 1)
    cache.put(*pairs[2], now_s=2)

    assert [cache.get(key, 3) is not None for key, _ in pairs] == [True, False, True]


def test_what_may_not_be_kept_is_not():
    cache = ResponseCache(size_max=2, ttl_max_s=30)
    key, answer = query_and_answer("a.example.org")
    cache.put(key, truncate(answer), now_s=0)

    assert cache.get(key, 0) is None
