import asyncio

import orjson

from minikube_py.apiserver.audit_events import Call, Outcome
from minikube_py.apiserver.audit_policy import parse_policy
from minikube_py.apiserver.audit_rotation import Rotation
from minikube_py.apiserver.io.audit_log import EVENTS_MAX, AuditLog, AuditSettings
from minikube_py.apiserver.routes import parse_request
from minikube_py.apiserver.users import UserInfo
from minikube_py.testing.manual_clock import ManualClock

RULES = [{"level": "None", "users": ["bob"]}, {"level": "Metadata"}]
POLICY = parse_policy({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": RULES})


def a_log(path):
    return AuditLog(AuditSettings(POLICY, str(path), Rotation()), ManualClock())


def a_call(user="alice"):
    info = parse_request("GET", "/api/v1/namespaces/n/pods/p", {})
    return Call("id", info, "/x", UserInfo(user, ()), None, "", "", 0.0)


async def written(audit, count):
    while audit.written + audit.dropped < count:
        await asyncio.sleep(0)


async def test_what_is_queued_when_it_stops_is_written_too(tmp_path):
    path = tmp_path / "audit.log"
    audit = a_log(path)
    exchange = audit.begin(a_call())
    exchange.stage("RequestReceived")
    task = asyncio.get_running_loop().create_task(audit.run())
    await written(audit, 1)
    for _ in range(3):
        exchange.stage("ResponseComplete", Outcome(200))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    stages = [orjson.loads(line)["stage"] for line in path.read_bytes().splitlines()]
    assert stages == ["RequestReceived", *["ResponseComplete"] * 3]
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_kept_of_what_the_policy_leaves_out_and_not_more_than_fits(tmp_path):
    audit = a_log(tmp_path / "audit.log")
    assert audit.begin(a_call("bob")) is None
    exchange = audit.begin(a_call())
    for _ in range(EVENTS_MAX + 5):
        exchange.stage("ResponseComplete", Outcome(200))
    assert audit.dropped == 5


async def test_a_disk_that_does_not_take_it_is_counted(tmp_path):
    (tmp_path / "file").write_text("")
    audit = a_log(tmp_path / "file/audit.log")
    audit.begin(a_call()).stage("RequestReceived")
    task = asyncio.get_running_loop().create_task(audit.run())
    await written(audit, 1)
    task.cancel()
    await asyncio.wait((task,))
    assert (audit.written, audit.dropped) == (0, 1)
