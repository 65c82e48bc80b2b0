import dnslib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikube_py.dns.records import Question, Record, Reply, Soa, Srv
from minikube_py.dns.wire import (
    TCP_BYTES_MAX,
    UDP_BYTES_MAX,
    aged,
    answer_records,
    answers_query,
    cacheable_s,
    is_truncated,
    parse_query,
    render_failure,
    render_format_error,
    render_question,
    render_reply,
    truncate,
    with_id,
)

NAME = "web.default.svc.cluster.local"


def a_query(name: str = NAME, kind: str = "A", edns: int = 0):
    record = dnslib.DNSRecord(dnslib.DNSHeader(id=77, rd=1), q=dnslib.DNSQuestion(name, getattr(dnslib.QTYPE, kind)))
    if edns:
        record.add_ar(dnslib.EDNS0(udp_len=edns))
    query = parse_query(record.pack())
    assert query is not None
    return query


def test_a_query_is_read():
    query = a_query()

    assert (query.id, query.question, query.has_edns, query.udp_bytes) == (77, Question(NAME, "A"), False, 512)


@pytest.mark.parametrize(("offered", "taken"), [(100, 512), (1000, 1000), (4096, UDP_BYTES_MAX)])
def test_a_client_says_what_it_takes_over_udp_up_to_a_limit(offered, taken):
    assert a_query(edns=offered).udp_bytes == taken


def test_every_record_type_is_written():
    reply = Reply(
        answers=(
            Record(NAME, "A", 5, "10.96.0.1"),
            Record(NAME, "CNAME", 5, "other.example.org"),
            Record(NAME, "PTR", 5, "x.example.org"),
            Record(NAME, "NS", 5, "ns.example.org"),
            Record(NAME, "TXT", 5, "1.1.0"),
            Record(NAME, "SRV", 5, Srv(80, "x.example.org")),
        ),
        authority=(Record("cluster.local", "SOA", 5, Soa("ns.cluster.local", "host.cluster.local", 1, 5)),),
    )

    message = dnslib.DNSRecord.parse(render_reply(a_query(), reply, TCP_BYTES_MAX))

    assert (message.header.id, message.header.qr, message.header.aa, message.header.ra) == (77, 1, 1, 1)
    assert [str(rr.rdata) for rr in message.rr] == [
        "10.96.0.1",
        "other.example.org.",
        "x.example.org.",
        "ns.example.org.",
        '"1.1.0"',
        "0 100 80 x.example.org.",
    ]
    assert str(message.auth[0].rdata) == "ns.cluster.local. host.cluster.local. 1 7200 1800 86400 5"


def test_edns_is_answered_with_edns():
    reply = Reply(answers=(Record(NAME, "A", 5, "10.96.0.1"),))

    assert dnslib.DNSRecord.parse(render_reply(a_query(edns=1232), reply, 1232)).ar[0].rtype == dnslib.QTYPE.OPT
    assert not dnslib.DNSRecord.parse(render_reply(a_query(), reply, 512)).ar


def test_what_does_not_fit_is_cut_and_says_so():
    reply = Reply(answers=tuple(Record(NAME, "A", 5, f"10.244.0.{n}") for n in range(200)))

    cut = render_reply(a_query(), reply, 512)

    assert is_truncated(cut)
    assert len(cut) <= 512
    message = dnslib.DNSRecord.parse(cut)
    assert (str(message.q.qname), message.rr) == (f"{NAME}.", [])
    assert not is_truncated(render_reply(a_query(), reply, TCP_BYTES_MAX))


def test_failures_keep_id_and_question():
    message = dnslib.DNSRecord.parse(render_failure(a_query(), "SERVFAIL"))

    assert (message.header.id, message.header.rcode, str(message.q.qname)) == (77, 2, f"{NAME}.")


def test_what_is_no_query_is_answered_formerr_or_not_at_all():
    status = a_query().raw[:2] + b"\x10" + a_query().raw[3:]

    assert parse_query(status) is None
    assert render_format_error(status)[3] & 0xF == 4
    assert render_format_error(a_query().raw[:20])[3] & 0xF == 1
    assert render_format_error(b"short") is None
    assert render_format_error(render_failure(a_query(), "REFUSED")) is None


def an_answer(name: str = "example.org", ttl: int = 60) -> bytes:
    reply = dnslib.DNSRecord.parse(a_query(name).raw).reply()
    reply.add_answer(dnslib.RR(name, rdata=dnslib.A("192.0.2.1"), ttl=ttl))
    reply.add_answer(dnslib.RR(name, rdata=dnslib.A("192.0.2.2"), ttl=ttl + 30))
    reply.add_ar(dnslib.EDNS0(udp_len=1232))
    return reply.pack()


def test_a_response_may_be_kept_for_its_least_ttl():
    assert cacheable_s(an_answer(ttl=60)) == 60
    assert cacheable_s(truncate(an_answer())) == 0
    assert cacheable_s(render_failure(a_query(), "SERVFAIL")) == 0
    assert cacheable_s(b"") == 0


def test_a_kept_response_grows_old():
    message = dnslib.DNSRecord.parse(aged(an_answer(ttl=60), 70))

    assert [rr.ttl for rr in message.rr] == [0, 20]


def test_only_the_answer_to_the_question_is_taken():
    query = a_query("example.org").raw

    assert answers_query(an_answer("example.org"), query)
    assert answers_query(an_answer("EXAMPLE.org"), query)
    assert not answers_query(an_answer("example.net"), query)
    assert not answers_query(with_id(an_answer("example.org"), 1), query)
    assert not answers_query(query, query)
    assert not answers_query(b"", query)


def test_answer_records_of_an_upstream_follow_ours():
    reply = Reply(answers=(Record(NAME, "CNAME", 5, "example.org"),))

    message = dnslib.DNSRecord.parse(render_reply(a_query(), reply, 512, answer_records(an_answer())))

    assert [str(rr.rdata) for rr in message.rr] == ["example.org.", "192.0.2.1", "192.0.2.2"]
    assert answer_records(b"nonsense") == []


def test_our_own_questions_are_queries():
    query = parse_query(render_question("example.org", "AAAA", 5))

    assert (query.id, query.question) == (5, Question("example.org", "AAAA"))


def test_answers_are_remembered_by_name_type_and_flags():
    assert a_query("A.example.org").cache_key == a_query("a.example.org").cache_key
    assert a_query("a.example.org").cache_key != a_query("a.example.org", edns=1232).cache_key
    assert a_query("a.example.org").cache_key != a_query("a.example.org", "AAAA").cache_key


@given(st.binary(max_size=100))
def test_any_bytes_are_taken(data):
    parse_query(data)
    render_format_error(data)
    cacheable_s(data)
    answer_records(data)
    answers_query(data, a_query().raw)


@settings(max_examples=80)
@given(st.data())
def test_a_damaged_message_is_taken(data):
    message = bytearray(data.draw(st.sampled_from([an_answer(), a_query("a.b-c.example.org", edns=1232).raw])))
    for _ in range(data.draw(st.integers(1, 6))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(message)

    query = parse_query(damaged)
    if query is not None:
        render_reply(query, Reply("SERVFAIL", (Record(query.question.name, "A", 5, "10.0.0.1"),)), 512)
    answer_records(damaged)
    if cacheable_s(damaged):
        aged(damaged, 3)
