import asyncio
from contextlib import suppress

import orjson
import pytest

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


def a_call(user="alice", path="/api/v1/namespaces/n/pods/p"):
    info = parse_request("GET", path, {})
    return Call("id", info, "/x", UserInfo(user, ()), "", "", 0.0)


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


async def stages_of(tmp_path, path, use):
    """Return the events of one request, of which `use` does the exchange's part."""
    audit = a_log(tmp_path / "audit.log")
    exchange = audit.begin(a_call(path=path))
    with suppress(ArithmeticError, asyncio.CancelledError), exchange:
        use(exchange)
    task = asyncio.get_running_loop().create_task(audit.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    return [orjson.loads(line) for line in (tmp_path / "audit.log").read_bytes().splitlines()]


@pytest.mark.parametrize("subresource", ["exec", "attach", "log", "portforward", "proxy"])
async def test_a_long_answer_is_written_down_when_it_begins_and_when_it_ends(tmp_path, subresource):
    def use(exchange):
        exchange.begun(101)
        exchange.ended(Outcome(101))

    events = await stages_of(tmp_path, f"/api/v1/namespaces/n/pods/p/{subresource}", use)
    seen = [(event["stage"], event["responseStatus"]["code"]) for event in events]
    assert seen == [("ResponseStarted", 101), ("ResponseComplete", 101)]


async def test_a_refusal_of_a_long_answer_has_both_stages_and_a_short_answer_only_its_end(tmp_path):
    for path, stages in (("/pods/p/log", 2), ("/pods/p", 1)):
        found = tmp_path / str(stages)
        found.mkdir()
        events = await stages_of(found, f"/api/v1/namespaces/n{path}", lambda exchange: exchange.ended(Outcome(403)))
        assert [event["stage"] for event in events] == ["ResponseStarted", "ResponseComplete"][-stages:]


async def test_a_request_in_which_the_server_fails_ends_with_its_panic(tmp_path):
    (event,) = await stages_of(tmp_path, "/api/v1/pods", lambda exchange: 1 // 0)
    assert (event["stage"], event["responseStatus"]["code"]) == ("Panic", 500)
    assert event["responseStatus"]["reason"] == "InternalError"
    assert "panic'd: integer division" in event["responseStatus"]["message"]


async def test_a_request_that_is_given_up_is_complete(tmp_path):
    def use(exchange):
        raise asyncio.CancelledError

    assert [event["stage"] for event in await stages_of(tmp_path, "/api/v1/pods", use)] == ["ResponseComplete"]
