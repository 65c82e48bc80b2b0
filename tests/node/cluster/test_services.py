"""Cluster IPs, DNS names and node ports, from the host and from pods."""

import pytest

from minikube_py.testing.lab.cluster import IMAGE, wait_until, web
from minikube_py.testing.lab.machine import run

pytestmark = pytest.mark.node


@pytest.fixture(scope="module", params=["nftables", "iptables"], autouse=True)
def proxy_mode(cluster, request):
    """The agent of the lab in this mode: what the other one left is gone once it is Ready."""
    restart_in_mode(cluster, request.param)
    yield request.param
    restart_in_mode(cluster, "auto")


def restart_in_mode(cluster, mode):
    lab = cluster.lab
    if lab.proxy_mode in {mode, {"nftables": "auto"}.get(mode)}:
        return
    lab.proxy_mode = mode
    lab.stop(cluster.host)
    lab.start(cluster.host)


def test_the_rules_of_the_other_mode_are_gone(cluster, proxy_mode):
    def traces():
        saved = cluster.in_host("iptables-legacy-save").stdout
        return {
            "nftables": "minikube-py" in cluster.in_host("nft", "list", "tables").stdout,
            "iptables": "MKP-" in saved or "MKN-" in saved,
        }

    wait_until(lambda: traces() == {mode: mode == proxy_mode for mode in ("nftables", "iptables")})


def _client(cluster, namespace):
    cluster.apply(
        namespace,
        f"""
apiVersion: v1
kind: Pod
metadata: {{name: client}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: c, image: "{IMAGE}", command: ["sleep", "3600"]}}]
""",
    )
    cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/client", "--timeout=60s")

    def execute(*command, check=True):
        return cluster.kubectl("exec", "-n", namespace, "client", "--", *command, check=check).stdout

    return execute


def _deploy(cluster, namespace, **options):
    cluster.apply(namespace, web(**options))
    cluster.kubectl("rollout", "status", "-n", namespace, "deployment/web", "--timeout=60s")
    return cluster.get("service", "web", "-n", namespace)["spec"]["clusterIP"]


def test_the_cluster_ip_answers_from_the_host_spread_over_all_pods(cluster, namespace):
    address = _deploy(cluster, namespace)
    pods = {p["metadata"]["name"] for p in cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]}

    answers = cluster.ask(address, 80, times=60)

    assert len(pods) == 3
    assert set(answers) == pods


FURTHER = """
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: further}
spec: {cidrs: [10.201.0.0/24]}
"""
THERE = """
apiVersion: v1
kind: Service
metadata: {name: there}
spec: {clusterIP: 10.201.0.7, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


def test_a_service_in_a_further_range_answers_from_the_host_and_from_a_pod(cluster, namespace):
    def routes():
        return cluster.in_host("ip", "route", "show", "10.201.0.0/24").stdout

    _deploy(cluster, namespace)
    in_pod = _client(cluster, namespace)
    pods = {p["metadata"]["name"] for p in cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]}
    cluster.apply(namespace, FURTHER)
    try:
        cluster.kubectl("wait", "--for=condition=Ready", "servicecidr/further", "--timeout=30s")
        cluster.apply(namespace, THERE)
        wait_until(lambda: "src" in routes())

        assert set(cluster.ask("10.201.0.7", 80, times=30)) == pods
        assert in_pod("wget", "-qO-", "http://10.201.0.7").strip() in pods
        rules = cluster.in_host("nft", "list", "ruleset").stdout + cluster.in_host("iptables-legacy-save").stdout
        assert rules.count("10.201.0.0/24") >= 2, "masquerade for others, and refusal of addresses that nobody has"
    finally:
        cluster.kubectl("delete", "service", "there", "-n", namespace, "--ignore-not-found")
        cluster.kubectl("delete", "servicecidr", "further", "--timeout=60s")
    wait_until(lambda: not routes())


def test_cluster_ip_and_dns_name_answer_from_a_pod(cluster, namespace):
    address = _deploy(cluster, namespace)
    in_pod = _client(cluster, namespace)
    pods = {p["metadata"]["name"] for p in cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]}

    many = in_pod("sh", "-c", f"for i in $(seq 60); do wget -qO- http://{address}; done").split()
    assert set(many) == pods
    for name in ("web", f"web.{namespace}", f"web.{namespace}.svc.cluster.local"):
        assert in_pod("wget", "-qO-", f"http://{name}").strip() in pods
    assert address in in_pod("nslookup", f"web.{namespace}.svc.cluster.local")
    missing = cluster.kubectl(
        "exec", "-n", namespace, "client", "--", "nslookup", f"none.{namespace}.svc.cluster.local", check=False
    )
    assert missing.returncode != 0


def test_a_pod_reaches_itself_through_its_service(cluster, namespace):
    address = _deploy(cluster, namespace, replicas=1)
    pod = cluster.get("pods", "-n", namespace, "-l", "app=web")["items"][0]["metadata"]["name"]

    answer = cluster.kubectl("exec", "-n", namespace, pod, "--", "wget", "-qO-", f"http://{address}").stdout

    assert answer.strip() == pod


def test_a_service_without_endpoints_refuses_at_once(cluster, namespace):
    address = _deploy(cluster, namespace, replicas=1)
    in_pod = _client(cluster, namespace)
    cluster.kubectl("scale", "-n", namespace, "deployment/web", "--replicas=0")

    def refused():
        done = cluster.minikube_load("ask", address, "80", "1")
        return "ConnectionRefusedError" in done.stderr

    wait_until(refused, 60, "a refusal from the host")
    done = cluster.kubectl("exec", "-n", namespace, "client", "--", "wget", "-qO-", f"http://{address}", check=False)
    assert "refused" in done.stderr
    assert in_pod("true") == ""


def test_a_node_port_answers_on_the_node_s_address(cluster, namespace):
    _deploy(cluster, namespace)
    cluster.kubectl("patch", "-n", namespace, "service/web", "-p", '{"spec":{"type":"NodePort"}}')
    port = cluster.get("service", "web", "-n", namespace)["spec"]["ports"][0]["nodePort"]
    pods = {p["metadata"]["name"] for p in cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]}

    def answer():
        done = cluster.in_host(
            "curl", "-sS", "--noproxy", "*", "-m", "2", f"http://{cluster.host.address}:{port}/", check=False
        )
        return done.stdout.strip()

    assert 30000 <= port <= 32767
    assert wait_until(answer, 60, "an answer from the node port") in pods
    # From outside of the host, through its address.

    outside = run(["curl", "-sS", "--noproxy", "*", "-m", "5", f"http://{cluster.host.address}:{port}/"])
    assert outside.stdout.strip() in pods


def test_udp_goes_through_a_cluster_ip_and_comes_back(cluster, namespace):
    # A Service without selector and an EndpointSlice by hand, that lead to the one UDP server that every node has.
    cluster.apply(
        namespace,
        """
apiVersion: v1
kind: Service
metadata: {name: names}
spec: {ports: [{name: dns, port: 53, protocol: UDP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: names-1, labels: {kubernetes.io/service-name: names}}
addressType: IPv4
endpoints: [{addresses: [10.96.0.10]}]
ports: [{name: dns, port: 53, protocol: UDP}]
""",
    )
    in_pod = _client(cluster, namespace)
    address = cluster.get("service", "names", "-n", namespace)["spec"]["clusterIP"]

    def answer():
        return in_pod("nslookup", "kubernetes.default.svc.cluster.local", address, check=False)

    assert "10.96.0.1" in wait_until(answer, 60, "an answer over UDP").split("Name:")[1]
    flows = cluster.in_host("conntrack", "-L", "-p", "udp", f"--orig-dst={address}").stdout
    assert "src=10.96.0.10" in flows


def test_an_address_of_another_range_answers_from_a_pod(cluster, namespace):
    cluster.apply(
        namespace,
        """
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {name: more}
spec: {cidrs: ["10.112.0.0/24"]}
""",
    )
    cluster.kubectl("wait", "--for=condition=Ready", "servicecidr/more", "--timeout=60s")
    _deploy(cluster, namespace)
    more = ("create", "service", "clusterip", "more", "-n", namespace, "--tcp=80:8080", "--clusterip=10.112.0.7")
    cluster.kubectl(*more)
    cluster.kubectl("set", "selector", "-n", namespace, "service/more", "app=web")
    in_pod = _client(cluster, namespace)

    names = {pod["metadata"]["name"] for pod in cluster.get("pods", "-n", namespace, "-l", "app=web")["items"]}
    wait_until(lambda: in_pod("wget", "-qO-", "http://10.112.0.7", check=False).strip() in names)

    cluster.kubectl("delete", "servicecidr", "more", "--wait=false")
