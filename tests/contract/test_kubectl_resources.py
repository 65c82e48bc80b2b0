"""Every built-in kind through every kubectl: create, apply, get -o wide, describe, explain, delete.

And a differential table: what kubectl 1.31 (JSON bodies) and the newest one (protobuf bodies) leave behind is equal.
"""

import asyncio
import base64
import hashlib
import re
import ssl

import orjson
import pytest
import yaml

from minikube_py.api.resources import RESOURCES
from minikube_py.testing.kubectl import KUBECTLS, NEWEST
from minikube_py.testing.kubectl_server import serving_kubectl
from minikube_py.testing.least_objects import least_object

pytestmark = pytest.mark.slow

KINDS = [resource for resource in RESOURCES if not resource.computed]
FULL_NAMES = ",".join(f"{r.plural}.{r.version}.{r.group}" for r in KINDS)


def manifest():
    # one spelling of each object: a second version of the same kind would be the same object
    kinds = [r for r in KINDS if r.stored_as is None or r.group != r.stored_as.resource.group]
    return [least_object(r, "other" if r.stored_as else "x") for r in kinds]


UNDESCRIBED = {
    "VolumeAttributesClass": "kubectl up to 1.33 reads it as v1beta1",
    "IPAddress": "kubectl up to 1.32 reads it as v1alpha1 or v1beta1",
    "ServiceCIDR": "as IPAddress",
}
"""Kinds that a typed client reads in a version that upstream's 1.36 does not serve by default either."""


@pytest.mark.parametrize("version", KUBECTLS)
async def test_every_kind_can_be_made_shown_and_deleted(version, tmp_path):
    objects = manifest()
    documents, count = yaml.safe_dump_all(objects), len(objects)
    describable = [obj for obj in objects if obj["kind"] not in UNDESCRIBED]
    async with serving_kubectl(KUBECTLS[version], tmp_path) as kubectl:
        created = await kubectl("create", "-f", "-", stdin=documents)
        assert created.count(" created\n") == count
        applied = await kubectl("apply", "-f", "-", stdin=documents)
        assert len(re.findall(r" (configured|unchanged)$", applied, re.MULTILINE)) == count

        wide = await kubectl("get", FULL_NAMES, "-o", "wide")
        assert len(re.findall(r"^NAME |^LAST SEEN ", wide, re.MULTILINE)) == len(KINDS)
        one_by_one = await kubectl("get", "-f", "-", "-o", "name", stdin=documents)
        assert len(one_by_one.splitlines()) == count
        described = await kubectl("describe", "-f", "-", stdin=yaml.safe_dump_all(describable))
        assert len(re.findall(r"^Name: +", described, re.MULTILINE)) >= len(describable)

        deleted = await kubectl("delete", "--wait=false", "-f", "-", stdin=documents)
        assert deleted.count(" deleted") == count


async def test_every_kind_is_explained(tmp_path):
    async with serving_kubectl(KUBECTLS[NEWEST], tmp_path) as kubectl:
        for resource in KINDS:
            text = await kubectl("explain", f"--api-version={resource.api_version}", resource.plural)
            assert f"KIND:       {resource.kind}\n" in text
            assert "metadata" in text


async def test_all_and_short_names_mean_what_they_mean_upstream(tmp_path):
    async with serving_kubectl(KUBECTLS[NEWEST], tmp_path) as kubectl:
        listed = await kubectl("api-resources", "--categories=all", "-o", "name", "--no-headers")
        rows = [line.split() for line in (await kubectl("api-resources", "--no-headers")).splitlines()]

    assert sorted(listed.split()) == [
        "cronjobs.batch",
        "daemonsets.apps",
        "deployments.apps",
        "horizontalpodautoscalers.autoscaling",
        "jobs.batch",
        "pods",
        "replicasets.apps",
        "replicationcontrollers",
        "services",
        "statefulsets.apps",
    ]
    short = {name for row in rows if len(row) == 5 for name in row[1].split(",")}
    assert {"cs", "limits", "quota", "pvc", "pv", "rc", "sts", "ds", "hpa", "cj", "csr", "ing", "netpol"} <= short
    assert {"pdb", "sc", "pc", "vac", "ev", "deploy", "po", "svc", "no", "ns", "cm", "sa", "ep", "rs"} <= short
    assert [row[2] for row in rows if row[0] == "horizontalpodautoscalers"] == ["autoscaling/v2"]


async def test_a_scale_is_shown_with_its_numbers(tmp_path):
    async with serving_kubectl(KUBECTLS[NEWEST], tmp_path) as kubectl:
        await kubectl("create", "deployment", "web", "--image=busybox", "--replicas=3")
        rows = [
            line.split() for line in (await kubectl("get", "deployment", "web", "--subresource=scale")).splitlines()
        ]
        assert (rows[0], rows[1][:3]) == (["NAME", "DESIRED", "AVAILABLE", "AGE"], ["web", "3", "0"])


async def test_what_only_computes_answers(tmp_path):
    async with serving_kubectl(KUBECTLS[NEWEST], tmp_path) as kubectl:
        assert await kubectl("auth", "can-i", "create", "pods") == "yes\n"
        whoami = await kubectl("auth", "whoami")
        assert "system:masters" in whoami
        shown = re.search(r"^Extra: authentication.kubernetes.io/credential-id +\[X509SHA256=(\w+)\]$", whoami, re.M)
        config = yaml.safe_load((kubectl.home / "config").read_text())
        pem = base64.b64decode(config["users"][0]["user"]["client-certificate-data"]).decode()
        assert shown[1] == hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        other = await kubectl("auth", "whoami", "--as=bob", "--as-group=devs", "--as-uid=1234")
        rows = [line.split(maxsplit=1) for line in other.splitlines()[1:]]
        assert rows == [["Username", "bob"], ["UID", "1234"], ["Groups", "[devs system:authenticated]"]]
        assert "*.*" in await kubectl("auth", "can-i", "--list")
        assert "Healthy" in await kubectl("get", "componentstatuses")
        await kubectl("create", "serviceaccount", "robot")
        token = (await kubectl("create", "token", "robot", "--duration=20m")).strip()
        config["users"][0]["user"] = {"token": token}
        (kubectl.home / "config").write_text(yaml.safe_dump(config))
        assert "system:serviceaccount:default:robot" in await kubectl("auth", "whoami")
        assert (await kubectl.run("auth", "can-i", "get", "pods")).err == ""
        assert "cannot list resource" in (await kubectl.run("get", "pods")).err


CSR = yaml.safe_dump(least_object(next(r for r in RESOURCES if r.plural == "certificatesigningrequests")))
POD = yaml.safe_dump(least_object(next(r for r in RESOURCES if r.plural == "pods"), labels={"app": "x"}))
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
KEYS = {
    "tls.crt": b"-----BEGIN CERTIFICATE-----\nMIIBfDCCASOgAwIBAgIUE\n-----END CERTIFICATE-----\n",
    "file.txt": b"text\x00and bytes\xff",
}
COMMANDS = (
    "create namespace team",
    "create configmap one --from-literal=a=1 --from-literal=b=",
    "create configmap two --from-file=KEYS/file.txt",
    "create secret generic one --from-literal=a=1 --type=example.com/t",
    "create secret docker-registry two --docker-username=u --docker-password=p --docker-server=r.example.com",
    "create serviceaccount robot",
    "create deployment web --image=busybox:1.36 --replicas=0 --port=80",
    "create service clusterip one --tcp=80:8080",
    "create service clusterip headless --clusterip=None",
    "create service nodeport two --tcp=80:8080 --node-port=30111",
    "create service loadbalancer three --tcp=80:http",
    "create service externalname four --external-name=example.com",
    "create job one --image=busybox:1.36 -- sleep 1",
    "create cronjob two --image=busybox:1.36 --schedule=0/5_*_*_*_*",
    "create job three --from=cronjob/two",
    "create quota one --hard=pods=3,cpu=1 --scopes=BestEffort",
    "create poddisruptionbudget one --selector=a=b --min-available=0",
    "create poddisruptionbudget two --selector=a=b --max-unavailable=50%",
    "create priorityclass one --value=-5 --description=low --preemption-policy=Never",
    "create role one --verb=get,list --resource=pods,deployments.apps --resource-name=x",
    "create clusterrole one --verb=get --non-resource-url=/x",
    "create clusterrole two --aggregation-rule=a=b",
    "create rolebinding one --role=one --user=u --group=g --serviceaccount=default:robot",
    "create clusterrolebinding one --clusterrole=one --group=g",
    "create ingress one --rule=example.com/x*=web:80,tls=cert --class=c",
    "create ingress two --default-backend=web:http",
    "autoscale deployment web --min=1 --max=5 --cpu-percent=50",
    "create -f POD",
    "create -f CSR",
    "certificate approve x",
    "expose deployment web --port=80 --name=exposed",
    "run two --image=busybox:1.36 --env=A=",
    "set image deployment/web busybox=busybox:1.37",
    "scale deployment/web --replicas=3",
    'patch deployment web -p {"spec":{"paused":true}}',
    'patch configmap one --type=merge -p {"data":{"b":null,"c":""}}',
    "label pod x tier=front",
    "annotate pod x note=",
    "taint node n1 a=b:NoSchedule",
    "cordon n1",
    "apply -f APPLIED",
    "apply --server-side -f APPLIED --force-conflicts",
    "replace -f REPLACED",
    'patch deployment web --type=json -p [{"op":"add","path":"/spec/minReadySeconds","value":3}]',
    "set env deployment/web A=1 B=",
    "set resources deployment/web --limits=cpu=0.5,memory=1024Mi --requests=cpu=100m",
    "set serviceaccount deployment/web robot",
    "set selector service one x=y",
    "rollout resume deployment/web",
    "rollout restart deployment/web",
    "rollout pause deployment/web",
    "auth reconcile -f ROLE",
    "auth reconcile -f MORE_ROLE --remove-extra-permissions",
    "create token robot --duration=20m",
    "drain n1 --force --grace-period=0 --ignore-daemonsets",
    "uncordon n1",
)
SETTINGS = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "", "b": "1"}}
ROLE = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reconciled", "namespace": "default"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
}
BOUND = least_object(next(r for r in RESOURCES if r.plural == "pods"), "bound")
BOUND["spec"] = BOUND["spec"] | {"nodeName": "n1"}
FILES = {
    "POD": POD,
    "CSR": CSR,
    "APPLIED": yaml.safe_dump(SETTINGS),
    "REPLACED": yaml.safe_dump(SETTINGS | {"data": {"c": "3"}}),
    "ROLE": yaml.safe_dump(ROLE),
    "MORE_ROLE": yaml.safe_dump(ROLE | {"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]}),
}
"""What a command's word in capitals stands for."""
VOLATILE = ("uid", "creationTimestamp", "resourceVersion", "managedFields")
DUMPED = [r for r in KINDS if r.stored_as is None and r.plural not in ("events", "leases")]


async def _leave(binary, folder):
    """Run all commands; return every object that is left."""
    async with serving_kubectl(binary, folder) as kubectl:
        for name, content in {**KEYS, **{name: text.encode() for name, text in FILES.items()}}.items():
            (folder / name).write_bytes(content)
        await kubectl("create", "-f", "-", stdin=yaml.safe_dump_all([NODE, BOUND]))
        for command in COMMANDS:
            words = [word.replace("KEYS", str(folder)).replace("_*", " *") for word in command.split()]
            words = [str(folder / word) if word in FILES else word for word in words]
            await kubectl(*words)
        names = ",".join(f"{r.plural}.{r.version}.{r.group}" for r in DUMPED)
        listed = orjson.loads(await kubectl("get", names, "-A", "-o", "json", "--show-managed-fields"))["items"]
    return {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in listed}


def _lasting(obj):
    text = orjson.dumps(obj).decode()
    text = text.replace(obj["metadata"]["uid"], "<uid>")
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
    text = re.sub(r"X509SHA256=[0-9a-f]{64}", "<certificate>", text)  # each cluster has a CA of its own
    lasting = orjson.loads(text)
    lasting["metadata"] = {k: v for k, v in lasting["metadata"].items() if k not in VOLATILE}
    for reference in lasting["metadata"].get("ownerReferences") or ():
        reference["uid"] = "<owner>"
    return lasting


def _owners(obj):
    """Return who owns which fields, without when (and so without the order) and with which kubectl."""
    owners = [(entry["operation"], entry["fieldsV1"]) for entry in obj["metadata"].get("managedFields") or ()]
    return sorted(owners, key=orjson.dumps)


@pytest.mark.skipif("1.31" not in KUBECTLS, reason="needs a kubectl that sends JSON")
async def test_json_and_protobuf_bodies_leave_equal_objects(tmp_path):
    async with asyncio.TaskGroup() as group:
        json_bodies = group.create_task(_leave(KUBECTLS["1.31"], tmp_path / "old"))
        protobuf_bodies = group.create_task(_leave(KUBECTLS[NEWEST], tmp_path / "new"))
    old, new = json_bodies.result(), protobuf_bodies.result()

    assert set(old) == set(new)
    assert {key: _lasting(obj) for key, obj in old.items()} == {key: _lasting(obj) for key, obj in new.items()}
    owned = set(old) - {("HorizontalPodAutoscaler", "default", "web")}  # 1.33 sends it as v2, 1.31 as v1
    assert {key: _owners(old[key]) for key in owned} == {key: _owners(new[key]) for key in owned}
    left = {kind for kind, _, _ in new}
    assert {"Job", "CronJob", "Ingress", "HorizontalPodAutoscaler", "PodDisruptionBudget", "ClusterRole"} <= left
    assert old["Deployment", "default", "web"]["spec"]["replicas"] == 3
    assert old["Role", "default", "reconciled"]["rules"][0]["resources"] == ["nodes"]
    assert ("Pod", "default", "bound") not in old
    approval = new["CertificateSigningRequest", "", "x"]["status"]["conditions"]
    assert [condition["type"] for condition in approval] == ["Approved"]
