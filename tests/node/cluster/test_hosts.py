"""Three hosts: pods of one Deployment on all of them, by every way and in both modes of the proxy.

`direct`: the hosts share a link, plain routes lead to the others' pods. `vxlan`: each host is on a link of its own
behind a router that knows nothing of pods. Each is one lab; its agents start anew for the second mode of the proxy.
"""

import json
import os
import re
import signal
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from minikube_py.config import cgroup_root_of
from minikube_py.install.io.host_inventory import mount_points
from minikube_py.testing.kubectl import KUBECTLS
from minikube_py.testing.lab.cluster import IMAGE, Cluster, wait_until
from minikube_py.testing.lab.lab import Lab

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

HOST_PORT = 8088
MTU = {"direct": 1500, "vxlan": 1450}
BIG_BYTES = 3 << 20
SERVE = (
    "mkdir -p /www/cgi-bin; echo $POD_NAME >/www/index.html; "
    "dd if=/dev/urandom of=/www/big bs=1k count=3072 2>/dev/null; "
    r"""printf '#!/bin/sh\necho\necho $REMOTE_ADDR\n' >/www/cgi-bin/who; chmod +x /www/cgi-bin/who; """
    "httpd -p 8080 -h /www; echo started; while read line; do echo got $line; done; exec sleep 100000"
)
MANIFEST = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: {IMAGE}
        stdin: true
        command: ["sh", "-c", {json.dumps(SERVE)}]
        env: [{{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}]
        ports: [{{name: http, containerPort: 8080, hostPort: {HOST_PORT}}}]
        readinessProbe: {{httpGet: {{port: http}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec:
  type: NodePort
  selector: {{app: web}}
  ports: [{{name: http, port: 80, targetPort: http}}]
"""


@pytest.fixture(scope="module", params=["direct", "vxlan"])
def hosts(request, tmp_path_factory):
    """A lab of three hosts with a pod of one Deployment on each; the master is lab1."""
    if not KUBECTLS:
        pytest.fail("kubectl is missing: scripts/test installs it")
    folder = tmp_path_factory.mktemp(request.param)
    lab = Lab(Path(f"/run/mkpy-{request.param}-{os.getpid()}"), 3, routed=request.param == "vxlan", fast_timers=True)
    try:
        lab.up()
        cluster = Cluster(lab, folder)
        for host in lab.layout.hosts:
            # As Docker leaves it where it has switched forwarding on itself.
            cluster.on(host.name).in_host("iptables", "-P", "FORWARD", "DROP")
        cluster.load_images(folder)
        cluster.apply("default", MANIFEST)
        cluster.kubectl("rollout", "status", "deployment/web", "--timeout=60s")
        yield cluster
    finally:
        lab.down()


@pytest.fixture(params=["nftables", "iptables"], scope="class")
def mode(request, hosts):
    """The agents of all hosts in this mode of the proxy."""
    lab = hosts.lab
    if request.param == "iptables":
        lab.proxy_mode = "iptables"
        for host in lab.layout.hosts:
            lab.signal(host, signal.SIGTERM)
        for host in lab.layout.hosts:
            lab.stop(host)
        lab.start_agents()
    return request.param


@pytest.fixture(scope="module")
def pods(hosts):
    """The pods by the name of their host."""
    found = {pod["spec"]["nodeName"]: pod for pod in hosts.get("pods", "-l", "app=web")["items"]}
    assert sorted(found) == ["lab1", "lab2", "lab3"]
    return found


def name_of(pod):
    return pod["metadata"]["name"]


def in_pod(cluster, pod, *command):
    return cluster.kubectl("exec", name_of(pod), "--", *command).stdout


def in_every_pod(cluster, pods, script):
    """Return what the script printed in each pod, by host."""

    def execute(host):
        return in_pod(cluster, pods[host], "sh", "-c", script).split()

    with ThreadPoolExecutor() as pool:
        return dict(zip(pods, pool.map(execute, pods), strict=True))


def get(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        return answer.read().decode().strip()


class TestInBothModes:
    """A class, so that pytest runs all of it in one mode before the agents start anew for the other."""

    def test_pods_reach_one_another_by_address_and_keep_their_own(self, hosts, pods, mode):
        urls = " ".join(f"http://{pod['status']['podIP']}:8080/cgi-bin/who" for pod in pods.values())

        seen = in_every_pod(hosts, pods, f"for url in {urls}; do timeout 5 wget -qO- $url; done")

        own = {host: pod["status"]["podIP"] for host, pod in pods.items()}
        # The server listens on IPv6 too, where IPv4 addresses look like this.
        assert seen == {host: [f"[::ffff:{address}]"] * 3 for host, address in own.items()}

    def test_pods_on_every_host_reach_those_on_every_host_by_cluster_ip_and_by_name(self, hosts, pods, mode):
        address = hosts.get("service", "web")["spec"]["clusterIP"]
        everyone = {name_of(pod) for pod in pods.values()}

        for target in (address, "web", "web.default.svc.cluster.local"):
            seen = in_every_pod(hosts, pods, f"for i in $(seq 30); do timeout 5 wget -qO- http://{target}; done")
            assert {host: set(answers) for host, answers in seen.items()} == dict.fromkeys(pods, everyone), target

    def test_every_host_itself_reaches_the_cluster_ip_and_every_pod(self, hosts, pods, mode):
        address = hosts.get("service", "web")["spec"]["clusterIP"]
        everyone = [name_of(pod) for pod in pods.values()]
        urls = [f"http://{pod['status']['podIP']}:8080/" for pod in pods.values()]

        for host in map(hosts.on, pods):
            curl = ("curl", "-sS", "-m", "5", "--noproxy", "*", "-H", "Connection: close")
            assert host.in_host(*curl, *urls).stdout.split() == everyone
            assert set(host.in_host(*curl, *(30 * [f"http://{address}/"])).stdout.split()) == set(everyone)

    def test_the_node_port_answers_on_every_host_from_outside_with_pods_of_every_host(self, hosts, pods, mode):
        port = hosts.get("service", "web")["spec"]["ports"][0]["nodePort"]
        everyone = {name_of(pod) for pod in pods.values()}

        for host in hosts.lab.layout.hosts:
            assert {get(f"http://{host.address}:{port}/") for _ in range(30)} == everyone

    def test_a_host_port_leads_to_the_pod_of_its_host_from_other_hosts_and_from_outside(self, hosts, pods, mode):
        for host in hosts.lab.layout.hosts:
            assert get(f"http://{host.address}:{HOST_PORT}/") == name_of(pods[host.name])
            other = "lab1" if host.name != "lab1" else "lab2"
            assert hosts.on(other).ask(host.address, HOST_PORT) == [name_of(pods[host.name])]

    def test_pods_on_every_host_reach_the_api_server_and_the_outside(self, hosts, pods, mode):
        gateway = hosts.lab.layout.gateway
        script = (
            f"nc -w 5 kubernetes.default 443 </dev/null && echo api; nc -w 5 {gateway} 1 2>&1 </dev/null | tail -c 8"
        )

        assert in_every_pod(hosts, pods, script) == {host: ["api", "refused"] for host in pods}


def test_packets_are_as_big_as_the_way_lets_through(hosts, pods, request):
    network = request.node.callspec.params["hosts"]
    sums = {host: in_pod(hosts, pod, "md5sum", "/www/big").split()[0] for host, pod in pods.items()}
    urls = " ".join(f"http://{pod['status']['podIP']}:8080/big" for pod in pods.values())

    seen = in_every_pod(
        hosts, pods, f"cat /sys/class/net/eth0/mtu; for u in {urls}; do timeout 10 wget -qO- $u | md5sum; done"
    )

    for answers in seen.values():
        assert answers[0] == str(MTU[network])
        assert answers[1::2] == list(sums.values())


def test_the_ways_are_routes_or_a_tunnel(hosts, request):
    routes = hosts.in_host("ip", "route", "show", "proto", "107").stdout
    if request.node.callspec.params["hosts"] == "vxlan":
        assert routes.count("dev mkpy-vxlan onlink") == 2
        # The router between the hosts has never heard of pods.
        assert (
            "10.244"
            not in subprocess.run(
                ["ip", "-n", hosts.lab.layout.netns, "route"], capture_output=True, text=True, check=True
            ).stdout
        )
    else:
        assert routes.count("dev eth0") == 2
        assert "mkpy-vxlan" not in hosts.in_host("ip", "link").stdout


@pytest.mark.parametrize("host", ["lab2", "lab3"])
def test_streams_reach_a_worker_through_the_api_server(hosts, pods, host, tmp_path):
    name = name_of(pods[host])
    attached = subprocess.Popen(
        hosts.kubectl_argv("attach", "-i", name), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    followed = subprocess.Popen(hosts.kubectl_argv("logs", "-f", name), stdout=subprocess.PIPE, text=True)
    try:
        assert followed.stdout.readline() == "started\n"
        attached.stdin.write(f"hello {host}\n")
        attached.stdin.flush()
        assert attached.stdout.readline() == f"got hello {host}\n"
        assert followed.stdout.readline() == f"got hello {host}\n"
    finally:
        for process in (attached, followed):
            process.terminate()
            process.communicate(timeout=20)
    ran = hosts.kubectl("exec", "-i", name, "--", "sh", "-c", "cat; exit 7", stdin="x" * 100_000, check=False)
    assert (ran.returncode, ran.stdout) == (7, "x" * 100_000)
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(BIG_BYTES))
    hosts.kubectl("cp", str(there), f"{name}:/tmp/file")
    hosts.kubectl("cp", f"{name}:/tmp/file", str(back))
    assert back.read_bytes() == there.read_bytes()
    with hosts.port_forward(f"pod/{name}", ports=(8080,)) as (local, _):
        assert get(f"http://127.0.0.1:{local[8080]}/") == name


def test_top_shows_every_node_and_every_pod(hosts, pods):
    def rows(what):
        done = hosts.kubectl("top", what, "--no-headers", check=False)
        return {line.split()[0] for line in done.stdout.splitlines() if "<unknown>" not in line}

    wait_until(lambda: rows("nodes") == {"lab1", "lab2", "lab3"}, 60, "figures of every node")
    wait_until(lambda: rows("pods") >= {name_of(pod) for pod in pods.values()}, 60, "figures of every pod")


def test_a_workers_kubelet_lets_nobody_in_without_the_masters_certificate(hosts):
    for worker in hosts.lab.layout.hosts[1:]:
        url = f"https://{worker.address}:10250/pods"
        done = hosts.in_host("curl", "-sk", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", url)
        assert done.stdout == "401"


def own_traces(cluster):
    """Return what one agent has made on this machine."""
    host = cluster.host
    tables = cluster.in_host("nft", "list", "tables").stdout.splitlines()
    hooks = cluster.in_host("iptables-legacy-save").stdout.splitlines()
    links = {link["ifname"] for link in json.loads(cluster.in_host("ip", "-j", "link").stdout)}
    return {
        "containers": set(cluster.docker("ps", "-aq").split()),
        "links": links - {"lo", "eth0", "docker0"},
        "routes": set(cluster.in_host("ip", "route", "show", "proto", "107").stdout.splitlines()),
        "rules": {t for t in tables if "minikube-py" in t}
        | {h for h in hooks if re.match("-A [A-Z]+ .*-j MK[PN]-", h)},
        "mounts": {mount for mount in mount_points() if mount.startswith(f"{host.data_dir}/")},
        "cgroups": set(Path("/sys/fs/cgroup").glob(f"*{cgroup_root_of(host.data_dir)}/kubepods/*/")),
        "sockets": {path for path in (host.data_dir / "agent").iterdir() if path.is_socket()},
    }


def opened_to_write(pid):
    """Return the paths of files and sockets that a process has open to write to."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        flags = int(
            re.search(r"flags:\s+(\d+)", (descriptor.parents[1] / "fdinfo" / descriptor.name).read_text())[1], 8
        )
        target = os.readlink(descriptor)
        if target.startswith("/") and flags & os.O_ACCMODE != os.O_RDONLY:
            yield target


def test_agents_beside_one_another_touch_nothing_of_each_other(hosts, pods):
    everyone = {host.name: hosts.on(host.name) for host in hosts.lab.layout.hosts}
    for name, host in everyone.items():
        elsewhere = [
            p for p in opened_to_write(hosts.lab.pids[f"{name}/agent"]) if not p.startswith(f"{host.host.dir}/")
        ]
        assert [path for path in elsewhere if not path.startswith("/dev/")] == []
    before = {name: own_traces(host) for name, host in everyone.items()}
    assert all(before["lab3"].values()), "there is something of every kind"

    gone = everyone["lab3"]
    engine = f"--docker-host=unix://{gone.host.docker_socket}"
    gone.minikube_py("down", engine, "--node-name=lab3", f"--node-ip={gone.host.address}")

    assert own_traces(gone) == {kind: set() for kind in before["lab3"]}
    others = ("lab1", "lab2")
    assert {name: own_traces(everyone[name]) for name in others} == {name: before[name] for name in others}
