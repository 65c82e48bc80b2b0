"""What the cluster domain answers, over a view made of plain dictionaries."""

import pytest

from minikube_py.api.meta import labels_of, name_of, namespace_of
from minikube_py.dns.config import DnsConfig
from minikube_py.dns.records import Question, Srv
from minikube_py.dns.zone import is_cluster_name, resolve
from minikube_py.testing.service_builders import a_service, a_slice, an_endpoint

CONFIG = DnsConfig()
HTTP = {"name": "http", "port": 80, "protocol": "TCP"}


class View:
    """A ClusterView over lists."""

    def __init__(self, *objects, namespaces=("default", "shop")):
        self.services = [o for o in objects if o["kind"] == "Service"]
        self.slices = [o for o in objects if o["kind"] == "EndpointSlice"]
        self.namespaces = namespaces

    def has_namespace(self, namespace):
        return namespace in self.namespaces

    def service(self, namespace, name):
        return next((s for s in self.services if (namespace_of(s), name_of(s)) == (namespace, name)), None)

    def slices_of(self, namespace, name):
        return [s for s in self.slices if self._owner(s) == (namespace, name)]

    def services_at(self, address):
        return [s for s in self.services if s["spec"].get("clusterIP") == address]

    def slices_at(self, address):
        return [s for s in self.slices if any(address in e["addresses"] for e in s["endpoints"])]

    def service_of_slice(self, endpoint_slice):
        return self.service(*self._owner(endpoint_slice))

    def _owner(self, endpoint_slice):
        return namespace_of(endpoint_slice), labels_of(endpoint_slice)["kubernetes.io/service-name"]


WEB = a_service("web", cluster_ip="10.96.3.4", ports=(HTTP,))
HEADLESS = a_service("db", cluster_ip="None", ports=({"name": "sql", "port": 5432, "protocol": "TCP"},))
DB_SLICE = a_slice(
    an_endpoint("10.244.0.2", hostname="db-0"),
    an_endpoint("10.244.0.3"),
    an_endpoint("10.244.0.4", hostname="db-2", ready=False),
    service="db",
    ports=({"name": "sql", "port": 5432, "protocol": "TCP"},),
)
ALIAS = a_service("ext", cluster_ip="", ports=(), type="ExternalName", externalName="db.example.org")
INNER_ALIAS = a_service(
    "inner", cluster_ip="", ports=(), type="ExternalName", externalName="web.default.svc.cluster.local"
)
VIEW = View(WEB, HEADLESS, DB_SLICE, ALIAS, INNER_ALIAS)


def ask(name: str, kind: str = "A"):
    return resolve(Question(name, kind), VIEW, CONFIG)


def answers(name: str, kind: str = "A"):
    reply = ask(name, kind)
    assert reply is not None
    return reply.rcode, [record.data for record in reply.answers]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("web.default.svc.cluster.local", "A", ["10.96.3.4"]),
        ("_http._tcp.web.default.svc.cluster.local", "SRV", [Srv(80, "web.default.svc.cluster.local")]),
        ("web.default.svc.cluster.local", "SRV", [Srv(80, "web.default.svc.cluster.local")]),
        ("db.default.svc.cluster.local", "A", ["10.244.0.2", "10.244.0.3"]),
        ("db-0.db.default.svc.cluster.local", "A", ["10.244.0.2"]),
        ("10-244-0-3.db.default.svc.cluster.local", "A", ["10.244.0.3"]),
        (
            "_sql._tcp.db.default.svc.cluster.local",
            "SRV",
            [Srv(5432, f"{host}.db.default.svc.cluster.local") for host in ("db-0", "10-244-0-3")],
        ),
        ("10-1-2-3.shop.pod.cluster.local", "A", ["10.1.2.3"]),
        ("dns-version.cluster.local", "TXT", ["1.1.0"]),
        ("ns.dns.cluster.local", "A", ["10.96.0.10"]),
        ("cluster.local", "NS", ["ns.dns.cluster.local"]),
        ("4.3.96.10.in-addr.arpa", "PTR", ["web.default.svc.cluster.local"]),
        ("2.0.244.10.in-addr.arpa", "PTR", ["db-0.db.default.svc.cluster.local"]),
        ("inner.default.svc.cluster.local", "A", ["web.default.svc.cluster.local", "10.96.3.4"]),
        ("ext.default.svc.cluster.local", "CNAME", ["db.example.org"]),
    ],
)
def test_names_of_the_specification_resolve(name, kind, expected):
    assert answers(name, kind) == ("NOERROR", expected)


@pytest.mark.parametrize(
    "name",
    [
        "absent.default.svc.cluster.local",
        "web.absent.svc.cluster.local",
        "absent.svc.cluster.local",
        "absent.pod.cluster.local",
        "db-2.db.default.svc.cluster.local",
        "x.web.default.svc.cluster.local",
        "_https._tcp.web.default.svc.cluster.local",
        "_udp.web.default.svc.cluster.local",
        "a.b.c.web.default.svc.cluster.local",
        "1-2-3.default.pod.cluster.local",
        "1-2-3-256.default.pod.cluster.local",
        "1-2-3-4.absent.pod.cluster.local",
        "x.ext.default.svc.cluster.local",
        "web.default.cluster.local",
        "nonsense.cluster.local",
    ],
)
def test_names_that_do_not_exist_are_nxdomain_with_a_short_memory(name):
    reply = ask(name)

    assert (reply.rcode, reply.answers) == ("NXDOMAIN", ())
    (soa,) = reply.authority
    assert (soa.name, soa.type, soa.ttl_s, soa.data.negative_ttl_s) == ("cluster.local", "SOA", 5, 5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("web.default.svc.cluster.local", "AAAA"),
        ("default.svc.cluster.local", "A"),
        ("svc.cluster.local", "A"),
        ("pod.cluster.local", "A"),
        ("cluster.local", "A"),
        ("_tcp.web.default.svc.cluster.local", "A"),
        ("10-1-2-3.shop.pod.cluster.local", "AAAA"),
        ("4.3.96.10.in-addr.arpa", "A"),
    ],
)
def test_names_that_exist_without_the_asked_type_are_empty(name, kind):
    reply = ask(name, kind)

    assert (reply.rcode, reply.answers) == ("NOERROR", ())
    assert reply.authority[0].type == "SOA"


@pytest.mark.parametrize(
    "name", ["example.org", "local", "notcluster.local", "1.0.0.127.in-addr.arpa", "0.10.in-addr.arpa", "", "x.y"]
)
def test_other_names_are_for_upstream(name):
    assert ask(name) is None


def test_an_outside_alias_is_to_be_chased():
    reply = ask("ext.default.svc.cluster.local")

    assert [record.data for record in reply.answers] == ["db.example.org"]
    assert reply.chase == "db.example.org"


def test_srv_answers_bring_the_addresses_along():
    reply = ask("_sql._tcp.db.default.svc.cluster.local", "SRV")

    assert {(record.name, record.data) for record in reply.additional} == {
        ("db-0.db.default.svc.cluster.local", "10.244.0.2"),
        ("10-244-0-3.db.default.svc.cluster.local", "10.244.0.3"),
    }


def test_names_are_compared_without_case_and_answered_as_asked():
    reply = ask("WeB.Default.SVC.cluster.LOCAL")

    assert [(record.name, record.data) for record in reply.answers] == [
        ("WeB.Default.SVC.cluster.LOCAL", "10.96.3.4")
    ]
    assert is_cluster_name("X.Cluster.Local", CONFIG)


def test_a_headless_service_without_endpoints_exists_but_is_empty():
    view = View(HEADLESS)

    reply = resolve(Question("db.default.svc.cluster.local", "A"), view, CONFIG)

    assert (reply.rcode, reply.answers) == ("NOERROR", ())


def test_another_domain_is_served_when_it_is_configured():
    config = DnsConfig(domain="k8s.example.org")

    assert resolve(Question("web.default.svc.k8s.example.org", "A"), VIEW, config).answers
    assert resolve(Question("web.default.svc.cluster.local", "A"), VIEW, config) is None
