"""Admission against a real webhook server on loopback, and policies in CEL, through the API."""

import asyncio
from contextlib import asynccontextmanager

import orjson
import pytest

from minikube_py.api.errors import StatusError, from_status
from minikube_py.api.value_count import VALUES_MAX
from minikube_py.apiserver.audit_policy import parse_policy
from minikube_py.apiserver.audit_rotation import Rotation
from minikube_py.apiserver.io.audit_log import AuditSettings
from minikube_py.client.wire import ApiRequest
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.testing.custom_objects import a_definition, a_version, a_widget
from minikube_py.testing.memory_api_server import loopback_pki, memory_api_server, serving
from minikube_py.testing.webhook_server import SLOW, allow, deny, webhook_server

pytestmark = pytest.mark.slow

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
ALL_MAPS = [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}]


class Api:
    def __init__(self, transport):
        self.transport = transport
        self.warning = ""

    async def __call__(self, method, path, obj=None, content_type="application/json", **query):
        headers = {"content-type": content_type, "accept": "application/json", "user-agent": "test/1"}
        body = orjson.dumps(obj) if obj is not None else b""
        answer = await self.transport.send(ApiRequest(method, path, query, headers, body))
        self.warning = dict(answer.headers).get("warning", "")
        parsed = orjson.loads(answer.body)
        if answer.status >= 400:
            raise from_status(parsed)
        return parsed

    async def raw(self, method, path, obj):
        body = orjson.dumps(obj)
        answer = await self.transport.send(ApiRequest(method, path, {}, {"content-type": "application/json"}, body))
        return answer.status, orjson.loads(answer.body)


@asynccontextmanager
async def a_world(tmp_path, **options):
    server = memory_api_server(**options)
    pki = loopback_pki(tmp_path, SystemClock().wall_s())
    async with serving(server, None), webhook_server(pki) as hooks:
        yield Api(server.local_transport()), hooks


def a_map(name="m", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data}


def a_webhook(hooks, path, **more):
    return {
        "name": f"{path.strip('/')}.example.com",
        "clientConfig": hooks.client_config(path),
        "rules": ALL_MAPS,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **more,
    }


async def register(api, kind, *webhooks, name="hooks"):
    plural = f"{kind.lower()}webhookconfigurations"
    obj = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": list(webhooks),
    }
    return await api("POST", f"{ADMISSION}/{plural}", obj)


async def test_a_webhook_that_denies_is_heard(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/no"] = deny("not on a Tuesday")
        await register(api, "Validating", a_webhook(hooks, "/no"))

        code, status = await api.raw("POST", MAPS, a_map())
        assert code == 403
        assert status["message"] == 'admission webhook "no.example.com" denied the request: not on a Tuesday'
        (review,) = hooks.asked
        request = review["request"]
        assert (request["operation"], request["name"], request["namespace"]) == ("CREATE", "m", "default")
        assert request["kind"] == {"group": "", "version": "v1", "kind": "ConfigMap"}
        assert request["resource"] == {"group": "", "version": "v1", "resource": "configmaps"}
        assert request["userInfo"]["username"] == "system:apiserver"
        assert request["object"]["metadata"]["name"] == "m"
        assert request["oldObject"] is None
        assert await api("GET", MAPS, fieldSelector="metadata.name=m") | {"metadata": {}} == {
            "kind": "ConfigMapList",
            "apiVersion": "v1",
            "metadata": {},
            "items": [],
        }


@pytest.mark.parametrize("kind", ["Mutating", "Validating"])
async def test_a_webhook_may_write_what_is_as_heavy_as_what_it_is_asked_about(tmp_path, kind):
    heavy = "," * (VALUES_MAX * 2 // 3)  # two of this have no room at one time

    async with a_world(tmp_path) as (api, hooks):

        async def keep_a_copy(request):
            if request["name"] == "m":
                await api("POST", MAPS, a_map("copy", a=heavy))
            return allow()(request)

        hooks.answers["/copy"] = keep_a_copy
        await register(api, kind, a_webhook(hooks, "/copy", timeoutSeconds=3))

        await api("POST", MAPS, a_map(a=heavy))

        assert (await api("GET", f"{MAPS}/copy"))["data"] == {"a": heavy}


async def test_updates_and_deletions_are_asked_about_too(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        await api("POST", MAPS, a_map(a="1"))
        hooks.answers["/no"] = deny("keep it")
        await register(api, "Validating", a_webhook(hooks, "/no"))

        with pytest.raises(StatusError, match="keep it"):
            await api("PUT", f"{MAPS}/m", a_map(a="2"))
        with pytest.raises(StatusError, match="keep it"):
            await api("DELETE", f"{MAPS}/m")
        update, delete = (review["request"] for review in hooks.asked)
        assert (update["object"]["data"], update["oldObject"]["data"]) == ({"a": "2"}, {"a": "1"})
        assert (delete["operation"], delete["object"], delete["oldObject"]["data"]) == ("DELETE", None, {"a": "1"})


async def test_mutations_are_applied_in_order_and_seen_again(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/first"] = lambda request: allow(
            patch=[{"op": "add", "path": "/data/first", "value": str(len(request["object"]["data"]))}],
            warnings=("be careful",),
        )(request)
        hooks.answers["/second"] = allow(patch=[{"op": "add", "path": "/data/second", "value": "x"}])
        await register(
            api,
            "Mutating",
            a_webhook(hooks, "/first", reinvocationPolicy="IfNeeded"),
            a_webhook(hooks, "/second"),
        )

        made = await api("POST", MAPS, a_map(a="1"))

        assert made["data"] == {"a": "1", "first": "3", "second": "x"}
        assert "be careful" in api.warning
        assert len(hooks.asked) == 3
        patched = await api("PATCH", f"{MAPS}/m", {"data": {"b": "2"}}, "application/merge-patch+json")
        assert patched["data"]["b"] == "2"


def adding(key):
    """Answer with a patch that adds a key to a ConfigMap's data, unless it is there."""

    def answer(request):
        there = key in request["object"]["data"]
        return allow(patch=[] if there else [{"op": "add", "path": f"/data/{key}", "value": "x"}])(request)

    return answer


def what_each_saw(hooks):
    """Return which keys were there at each call, in order."""
    return ["".join(sorted(review["request"]["object"]["data"])) for review in hooks.asked]


async def test_webhooks_are_asked_by_the_names_of_their_configurations_and_once_more_at_the_end(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        for key in "bcd":
            hooks.answers[f"/{key}"] = adding(key)
        await register(api, "Mutating", a_webhook(hooks, "/d"), name="z")
        eager = a_webhook(hooks, "/b", reinvocationPolicy="IfNeeded")
        await register(api, "Mutating", eager, a_webhook(hooks, "/c"), name="y")

        await api("POST", MAPS, a_map(a="1"))

        assert what_each_saw(hooks) == ["a", "ab", "abc", "abcd"]
        hooks.asked.clear()
        await api("PATCH", f"{MAPS}/m", {"data": {"e": "2"}}, "application/merge-patch+json")
        assert what_each_saw(hooks) == ["abcde"] * 3, "nobody changes anything, so nobody is asked twice"


async def test_only_what_comes_later_is_a_reason_to_be_asked_again(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers |= {"/b": adding("b"), "/c": allow()}
        last = a_webhook(hooks, "/c", reinvocationPolicy="IfNeeded")
        await register(api, "Mutating", a_webhook(hooks, "/b", reinvocationPolicy="IfNeeded"), last)

        await api("POST", MAPS, a_map(a="1"))

        assert what_each_saw(hooks) == ["a", "ab"]


@pytest.mark.parametrize(("match_policy", "size"), [("Equivalent", 7), ("Exact", 3)])
async def test_a_built_in_resource_is_shown_in_the_version_of_the_rule(tmp_path, match_policy, size):
    group, scalers = "/apis/autoscaling/v1/namespaces/default", "horizontalpodautoscalers"
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/scalers"] = allow(patch=[{"op": "replace", "path": "/spec/maxReplicas", "value": 7}])
        rules = [{"operations": ["*"], "apiGroups": ["autoscaling"], "apiVersions": ["v2"], "resources": [scalers]}]
        await register(api, "Mutating", a_webhook(hooks, "/scalers", rules=rules, matchPolicy=match_policy))
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
        spec = {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}

        made = await api("POST", f"{group}/{scalers}", {"metadata": {"name": "s"}, "spec": spec})

        assert (made["apiVersion"], made["spec"]["maxReplicas"]) == ("autoscaling/v1", size)
        seen = [review["request"]["object"] for review in hooks.asked]
        assert [obj["apiVersion"] for obj in seen] == ["autoscaling/v2"] * (match_policy == "Equivalent")
        assert all(obj["spec"]["metrics"][0]["resource"]["name"] == "cpu" for obj in seen)


@pytest.mark.parametrize(("policy", "code"), [("Fail", 403), ("Ignore", 201)])
async def test_a_condition_without_an_answer_counts_by_the_failure_policy(tmp_path, policy, code):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/no"] = deny("no")
        unclear = [{"name": "unclear", "expression": "object.data.missing == 'x'"}]
        await register(api, "Validating", a_webhook(hooks, "/no", matchConditions=unclear, failurePolicy=policy))

        answered, status = await api.raw("POST", MAPS, a_map(a="1"))

        assert (answered, hooks.asked) == (code, [])
        assert code == 201 or "no such key: missing" in status["message"]


@pytest.mark.parametrize("patch", ["nonsense", [{"op": "remove", "path": "/data/none"}]], ids=str)
async def test_a_patch_that_does_not_fit_is_an_error_whatever_the_failure_policy(tmp_path, patch):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/bad"] = allow(patch=patch)
        await register(api, "Mutating", a_webhook(hooks, "/bad", failurePolicy="Ignore"))

        code, status = await api.raw("POST", MAPS, a_map(a="1"))

        assert (code, status["reason"]) == (500, "InternalError")


async def test_a_namespace_is_selected_by_the_labels_that_it_will_have(tmp_path):
    spaces = [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["namespaces"]}]
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/no"] = deny("no")
        selector = {"matchLabels": {"guarded": "yes"}}
        free = {"metadata": {"name": "n", "labels": {"guarded": "yes"}}}
        await api("POST", "/api/v1/namespaces", free)
        await register(api, "Validating", a_webhook(hooks, "/no", rules=spaces, namespaceSelector=selector))
        merge = "application/merge-patch+json"

        with pytest.raises(StatusError, match="denied the request: no"):
            await api("PATCH", "/api/v1/namespaces/n", {"metadata": {"labels": {"a": "b"}}}, merge)
        await api("PATCH", "/api/v1/namespaces/n", {"metadata": {"labels": {"guarded": "no"}}}, merge)


async def test_warnings_come_with_a_refusal_too(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers |= {"/first": allow(warnings=("be careful",)), "/no": deny("no", warnings=("told you",))}
        await register(api, "Validating", a_webhook(hooks, "/first"), a_webhook(hooks, "/no"))

        with pytest.raises(StatusError, match="denied the request: no"):
            await api("POST", MAPS, a_map())

        assert api.warning == '299 - "be careful", 299 - "told you"'


async def test_what_webhooks_did_is_in_the_audit_log(tmp_path):
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"]}
    rules = [{"level": "Request", "verbs": ["create"], "resources": [{"resources": ["configmaps"]}]}]
    audit = AuditSettings(parse_policy({**policy, "rules": rules}), str(tmp_path / "audit.log"), Rotation())
    async with a_world(tmp_path, audit=audit) as (api, hooks):
        hooks.answers |= {"/b": adding("b"), "/c": allow(audit_annotations={"why": "because"}), "/slow": SLOW}
        slow = a_webhook(hooks, "/slow", timeoutSeconds=1, failurePolicy="Ignore")
        await register(api, "Mutating", a_webhook(hooks, "/b"), slow)
        await register(api, "Validating", a_webhook(hooks, "/c"), a_webhook(hooks, "/gone", failurePolicy="Ignore"))
        await api("POST", MAPS, a_map(name="n", a="1"))

    events = [orjson.loads(line) for line in (tmp_path / "audit.log").read_bytes().splitlines()]
    (event,) = (event for event in events if event["objectRef"].get("name") == "n")
    notes, place = event["annotations"], "webhook.admission.k8s.io/round_0_index_"
    who = {"configuration": "hooks", "webhook": "b.example.com"}
    assert orjson.loads(notes[f"mutation.{place}0"]) == {**who, "mutated": True}
    patch = [{"op": "add", "path": "/data/b", "value": "x"}]
    assert orjson.loads(notes[f"patch.{place}0"]) == {**who, "patch": patch, "patchType": "JSONPatch"}
    assert notes[f"failed-open.mutation.{place}1"] == "slow.example.com"
    assert notes[f"failed-open.validating.{place}1"] == "gone.example.com"
    assert notes["c.example.com/why"] == "because"


async def test_the_failure_policy_decides_about_a_webhook_that_is_not_there(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        await register(api, "Validating", a_webhook(hooks, "/gone", failurePolicy="Ignore"))
        await api("POST", MAPS, a_map("ignored"))
        await register(api, "Mutating", a_webhook(hooks, "/gone", failurePolicy="Fail"))

        code, status = await api.raw("POST", MAPS, a_map("failed"))
        assert code == 500
        assert status["message"].startswith(
            'Internal error occurred: failed calling webhook "gone.example.com": failed to call webhook: '
            'an error on the server ("no such webhook") has prevented the request from succeeding'
        )


async def test_a_webhook_that_takes_too_long_fails(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        dead = await asyncio.start_server(lambda reader, writer: asyncio.sleep(0), "127.0.0.1", 0)
        port = dead.sockets[0].getsockname()[1]
        slow = a_webhook(hooks, "/slow", timeoutSeconds=1)
        slow["clientConfig"] = {"url": f"https://127.0.0.1:{port}/", "caBundle": hooks.ca_bundle}
        await register(api, "Validating", slow)
        with pytest.raises(StatusError, match="context deadline exceeded"):
            await api("POST", MAPS, a_map())
        dead.close()


async def test_only_what_is_selected_is_asked_about(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/no"] = deny("no")
        await register(
            api,
            "Validating",
            a_webhook(
                hooks,
                "/no",
                objectSelector={"matchLabels": {"guarded": "yes"}},
                namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "default"}},
                matchConditions=[{"name": "not-exempt", "expression": "!object.metadata.name.startsWith('free')"}],
            ),
        )
        await api("POST", MAPS, a_map("plain"))
        free = a_map("free-one")
        free["metadata"]["labels"] = {"guarded": "yes"}
        await api("POST", MAPS, free)
        guarded = a_map("bound")
        guarded["metadata"]["labels"] = {"guarded": "yes"}
        with pytest.raises(StatusError, match="denied the request: no"):
            await api("POST", MAPS, guarded)


async def test_a_dry_run_reaches_only_webhooks_without_side_effects(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/ok"] = allow()
        await register(api, "Validating", a_webhook(hooks, "/ok"))
        await api("POST", MAPS, a_map(), dryRun="All")
        assert hooks.asked[0]["request"]["dryRun"] is True


async def test_custom_resources_are_asked_about_in_the_version_of_the_rule(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        versions = (a_version("v1"), a_version("v2", storage=False))
        await api("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", a_definition(versions=versions))
        hooks.answers["/widgets"] = allow(patch=[{"op": "replace", "path": "/spec/size", "value": 7}])
        rules = [{"operations": ["CREATE"], "apiGroups": ["ex.io"], "apiVersions": ["v2"], "resources": ["widgets"]}]
        await register(api, "Mutating", a_webhook(hooks, "/widgets", rules=rules))

        made = await api("POST", "/apis/ex.io/v1/namespaces/default/widgets", a_widget(size=1))

        assert (made["apiVersion"], made["spec"]["size"]) == ("ex.io/v1", 7)
        request = hooks.asked[0]["request"]
        assert request["object"]["apiVersion"] == "ex.io/v2"
        assert (request["kind"]["version"], request["requestKind"]["version"]) == ("v2", "v1")


def a_policy(kind="Validating", name="policy", **spec):
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": ALL_MAPS}, **spec},
    }


def a_binding(kind="Validating", name="binding", **spec):
    actions = {"validationActions": ["Deny"]} if kind == "Validating" else {}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": "policy", **actions, **spec},
    }


async def bind(api, policy, binding, kind="validating"):
    await api("POST", f"{ADMISSION}/{kind}admissionpolicies", policy)
    await api("POST", f"{ADMISSION}/{kind}admissionpolicybindings", binding)


async def test_a_policy_denies_in_upstreams_words(tmp_path):
    async with a_world(tmp_path) as (api, _):
        validation = {
            "expression": "variables.count <= 1",
            "messageExpression": "'has ' + string(variables.count) + ' entries'",
        }
        variables = [{"name": "count", "expression": "size(object.data)"}]
        await bind(api, a_policy(variables=variables, validations=[validation]), a_binding())

        await api("POST", MAPS, a_map("small", a="1"))
        code, status = await api.raw("POST", MAPS, a_map("large", a="1", b="2"))
        assert (code, status["reason"]) == (422, "Invalid")
        text = "ValidatingAdmissionPolicy 'policy' with binding 'binding' denied request: has 2 entries"
        assert status["message"] == f'configmaps "large" is forbidden: {text}'
        assert status["details"]["causes"] == [{"message": text}]


async def test_a_binding_may_only_warn(tmp_path):
    async with a_world(tmp_path) as (api, _):
        policy = a_policy(validations=[{"expression": "object.metadata.name != 'm'", "message": "odd name"}])
        await bind(api, policy, a_binding(validationActions=["Warn", "Audit"]))
        await api("POST", MAPS, a_map())
        assert (
            "Validation failed for ValidatingAdmissionPolicy 'policy' with binding 'binding': odd name" in api.warning
        )


async def test_a_policy_has_parameters(tmp_path):
    async with a_world(tmp_path) as (api, _):
        await api("POST", MAPS, a_map("limits", most="2"))
        validations = [{"expression": "size(object.data) <= int(params.data.most)", "reason": "Forbidden"}]
        policy = a_policy(paramKind={"apiVersion": "v1", "kind": "ConfigMap"}, validations=validations)
        reference = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
        await bind(api, policy, a_binding(paramRef=reference))

        await api("POST", MAPS, a_map("fits", a="1", b="2"))
        with pytest.raises(StatusError) as refused:
            await api("POST", MAPS, a_map("does-not", a="1", b="2", c="3"))
        assert refused.value.code == 403
        assert "failed expression: size(object.data) <= int(params.data.most)" in refused.value.message
        await api("DELETE", f"{ADMISSION}/validatingadmissionpolicybindings/binding")
        await api("DELETE", f"{MAPS}/limits")
        await api("POST", f"{ADMISSION}/validatingadmissionpolicybindings", a_binding(paramRef=reference))
        with pytest.raises(StatusError, match="no params found for policy binding"):
            await api("POST", MAPS, a_map("no-limits"))


async def test_a_binding_without_reference_has_no_parameters(tmp_path):
    async with a_world(tmp_path) as (api, _):
        kind = {"apiVersion": "v1", "kind": "ConfigMap"}
        validations = [{"expression": "params == null && object.metadata.name != 'no'"}]
        await bind(api, a_policy(paramKind=kind, validations=validations), a_binding())
        await api("POST", MAPS, a_map("yes"))
        with pytest.raises(StatusError, match="failed expression: params == null"):
            await api("POST", MAPS, a_map("no"))


async def test_parameters_of_a_namespace_are_not_looked_for_without_one(tmp_path):
    async with a_world(tmp_path) as (api, _):
        nodes = [{"operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["nodes"]}]
        policy = a_policy(
            paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
            matchConstraints={"resourceRules": nodes},
            validations=[{"expression": "true"}],
        )
        reference = {"name": "limits", "parameterNotFoundAction": "Allow"}
        await bind(api, policy, a_binding(paramRef=reference))
        with pytest.raises(
            StatusError, match="cannot use namespaced paramRef in policy binding that matches cluster"
        ):
            await api("POST", "/api/v1/nodes", {"metadata": {"name": "n"}})


SCALERS = "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers"
OF_V2 = [{"operations": ["*"], "apiGroups": ["autoscaling"], "apiVersions": ["v2"], "resources": ["*"]}]


def a_scaler(**spec):
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50, **spec},
    }


async def test_policies_see_an_equivalent_version_as_the_one_that_their_rules_name(tmp_path):
    async with a_world(tmp_path) as (api, _):
        expression = (
            "size(object.spec.metrics) == 1 && request.kind.version == 'v2' && request.requestKind.version == 'v1'"
            " && object.spec.maxReplicas < 9"
        )
        constraints = {"resourceRules": OF_V2}
        await bind(api, a_policy(matchConstraints=constraints, validations=[{"expression": expression}]), a_binding())
        mutation = {
            "patchType": "JSONPatch",
            "jsonPatch": {
                "expression": "[JSONPatch{op: 'replace', path: '/spec/metrics/0/resource/target/averageUtilization', "
                "value: 70}]"
            },
        }
        policy = a_policy("Mutating", matchConstraints=constraints, mutations=[mutation], reinvocationPolicy="Never")
        await bind(api, policy, a_binding("Mutating"), kind="mutating")

        made = await api("POST", SCALERS.format("v1"), a_scaler())
        with pytest.raises(StatusError, match="denied request: failed expression"):
            await api("PUT", f"{SCALERS.format('v1')}/h", a_scaler(maxReplicas=9))

        assert (made["apiVersion"], made["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 70)


async def test_an_expression_without_an_answer_counts_by_the_failure_policy(tmp_path):
    async with a_world(tmp_path) as (api, _):
        validations = [{"expression": "object.data.missing == 'x'"}]
        await bind(api, a_policy(validations=validations), a_binding())
        with pytest.raises(StatusError, match="resulted in error: no such key: missing"):
            await api("POST", MAPS, a_map(a="1"))
        ignoring = a_policy(validations=validations, failurePolicy="Ignore")
        await api("PUT", f"{ADMISSION}/validatingadmissionpolicies/policy", ignoring)
        await api("POST", MAPS, a_map(a="1"))


async def test_policies_see_who_asks_the_namespace_and_the_old_object(tmp_path):
    async with a_world(tmp_path) as (api, _):
        expression = (
            "request.userInfo.username == 'system:apiserver' && namespaceObject.metadata.name == 'default'"
            " && authorizer.requestResource.check('get').allowed()"
            " && authorizer.group('').resource('pods').check('list').allowed()"
            " && (oldObject == null || oldObject.data.a == object.data.a)"
        )
        await bind(api, a_policy(validations=[{"expression": expression}]), a_binding())
        await api("POST", MAPS, a_map(a="1"))
        await api("PUT", f"{MAPS}/m", a_map(a="1", b="2"))
        with pytest.raises(StatusError, match="denied request"):
            await api("PUT", f"{MAPS}/m", a_map(a="2"))


async def test_mutating_policies_merge_and_patch(tmp_path):
    async with a_world(tmp_path) as (api, _):
        mutations = [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {
                    "expression": "Object{metadata: Object.metadata{labels: {'size': string(size(object.data))}}}"
                },
            },
            {
                "patchType": "JSONPatch",
                "jsonPatch": {
                    "expression": "[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('b'), "
                    "value: object.metadata.labels.size}]"
                },
            },
        ]
        policy = a_policy(
            "Mutating",
            mutations=mutations,
            reinvocationPolicy="Never",
            matchConditions=[{"name": "wanted", "expression": "object.metadata.name == 'm'"}],
        )
        await bind(api, policy, a_binding("Mutating"), kind="mutating")

        made = await api("POST", MAPS, a_map(a="1"))
        other = await api("POST", MAPS, a_map("other", a="1"))

        assert made["metadata"]["labels"] == {"size": "1"}
        assert made["data"] == {"a": "1", "b": "1"}
        assert "labels" not in other["metadata"]


async def test_who_configures_admission_is_never_in_its_way(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        everything = [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}]
        await register(api, "Validating", a_webhook(hooks, "/gone", rules=everything))
        with pytest.raises(StatusError):
            await api("POST", MAPS, a_map())
        await api("DELETE", f"{ADMISSION}/validatingwebhookconfigurations/hooks")
        await api("POST", MAPS, a_map())


async def test_a_webhook_by_service_needs_the_service_and_an_endpoint(tmp_path):
    async with a_world(tmp_path) as (api, hooks):
        hooks.answers["/no"] = deny("said the service")
        service = {"namespace": "default", "name": "hook", "path": "/no"}
        await register(
            api,
            "Validating",
            a_webhook(hooks, "/no", clientConfig={"service": service, "caBundle": hooks.ca_bundle}),
        )
        before = 'failed to call webhook: Post "https://hook.default.svc:443/no?timeout=10s"'

        _, status = await api.raw("POST", MAPS, a_map())
        assert f'{before}: service "hook" not found' in status["message"]

        services = "/api/v1/namespaces/default/services"
        await api("POST", services, {"metadata": {"name": "hook"}, "spec": {"ports": [{"port": 443}]}})
        _, status = await api.raw("POST", MAPS, a_map())
        assert f'{before}: no endpoints available for service "hook"' in status["message"]
