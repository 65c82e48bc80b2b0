"""The chain that every write passes: plug-ins, mutating policies and webhooks; then the validating ones of each.

Mutations come one after the other. When others than the built-in plug-ins changed the object, these run once more,
and whoever asked for it sees it again (`reinvocation`).

Upstream: apiserver admission/chain.go and its plugins MutatingAdmissionPolicy, MutatingAdmissionWebhook,
ValidatingAdmissionPolicy, ValidatingAdmissionWebhook.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

from minikube_py.api.decode import decode_parsed, expected_of
from minikube_py.api.errors import StatusError, forbidden
from minikube_py.api.meta import Obj, copy_object, name_of
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Admitted, Attributes
from minikube_py.apiserver.admission_authorizer import authorizer_of
from minikube_py.apiserver.admission_matching import covered_row, is_exempt
from minikube_py.apiserver.admission_policies import (
    FAILURE_ANNOTATION,
    Failed,
    PolicyError,
    Scope,
    apply_mutations,
    conditions_hold,
    denial,
    failure_record,
    judge,
    warning,
)
from minikube_py.apiserver.admission_review import request_of
from minikube_py.apiserver.admission_values import object_value
from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.io.admission_sources import AdmissionSources, BoundPolicy
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.stored_lookups import StoredLookups
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.webhook_admission import Means, Objects, WebhookAdmission
from minikube_py.apiserver.io.webhook_client import WebhookClient
from minikube_py.apiserver.plugins.plugin import Asked, place_of
from minikube_py.apiserver.plugins.table import plugins_at
from minikube_py.apiserver.reinvocation import Reinvocations
from minikube_py.kit.ids import Ids

log = logging.getLogger("apiserver")


class AdmissionChain:
    """Asks plug-ins, webhooks and policies (apiserver.admission.Admission)."""

    def __init__(
        self,
        sources: AdmissionSources,
        lookups: StoredLookups,
        client: WebhookClient,
        views: Views,
        ids: Ids,
        heavy_work: HeavyWork,
        config: ApiServerConfig,
    ) -> None:
        self._config = config
        self._sources = sources
        self._lookups = lookups
        self._heavy_work = heavy_work
        self._webhooks = WebhookAdmission(sources, client, views, ids, heavy_work)

    def concerns(self, attributes: Attributes) -> bool:
        """Return whether anything may have a say about such a request."""
        return bool(plugins_at(place_of(attributes), attributes.operation)) or self.asks_others(attributes)

    def asks_others(self, attributes: Attributes) -> bool:
        """Return whether webhooks or policies may have a say."""
        return not self._sources.empty and not is_exempt(attributes)

    async def mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Return the object as plug-ins, mutating policies and webhooks leave it.

        Raises:
            StatusError: refused.
        """
        self._run_plugins(attributes, new, old)
        if not self.asks_others(attributes):
            return Admitted(new)
        if attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource:
            set_defaults = partial(attributes.resource.rules.set_defaults, new)
            await self._heavy_work.run_if(attributes.heavy, set_defaults)
        policies, webhooks = Reinvocations(), Reinvocations()
        admitted = await self._round(attributes, (new, old), policies, webhooks)
        warnings = admitted.warnings
        if policies.changed or webhooks.changed:
            grown = admitted.grown
            attributes = replace(attributes, heavy=attributes.heavy or grown)
            self._run_plugins(attributes, admitted.obj, old)
            policies.begin_again(admitted.obj)
            admitted = await self._round(attributes, (admitted.obj, old), policies, webhooks)
            warnings += admitted.warnings
            admitted = replace(admitted, grown=grown or admitted.grown)
        return replace(admitted, warnings=tuple(dict.fromkeys(warnings)))

    def _run_plugins(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> None:
        asked = Asked(attributes, new, old, self._lookups, self._config)
        for plugin in plugins_at(place_of(attributes), attributes.operation):
            if plugin.mutate is not None:
                plugin.mutate(asked)

    async def _round(
        self,
        attributes: Attributes,
        objects: tuple[Obj, Mapping[str, Any] | None],
        policies: Reinvocations,
        webhooks: Reinvocations,
    ) -> Admitted:
        """Let those whose turn it is change the object: policies first."""
        new, old = objects
        if attributes.operation != "DELETE":
            new = await self._apply_policies(attributes, new, old, policies)
        if policies.round > webhooks.round:
            webhooks.begin_again(new)
        return await self._webhooks.mutate(attributes, (new, old), webhooks, Means(self._condition_scope, _completed))

    async def _apply_policies(
        self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None, turns: Reinvocations
    ) -> Obj:
        for index, bound in enumerate(self._sources.mutating_policies):
            if not turns.wants(index):
                continue
            before = new
            new = await self._apply_policy(bound, attributes, new, old)
            if_needed = bound.policy["spec"].get("reinvocationPolicy") == "IfNeeded"
            turns.asked(index, changed=new != before, if_needed=if_needed)
        turns.end_round(new)
        return new

    def _condition_scope(self, attributes: Attributes, objects: Objects, request: Obj) -> Scope:
        return self._scope({}, attributes, objects, request)

    # policies

    async def _apply_policy(
        self, bound: BoundPolicy, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None
    ) -> Obj:
        row = self._matched(bound, attributes, (new, old))
        if row is None:
            return new
        try:
            found = self._sources.params(bound.policy, bound.binding, attributes.namespace)
        except PolicyError as error:
            _fail(bound, attributes, error)
            return new
        for params in found:
            try:
                new = await self._mutated(bound, attributes, (new, old), row, params)
            except (PolicyError, StatusError) as error:
                _fail(bound, attributes, error)
        return new

    async def _mutated(
        self,
        bound: BoundPolicy,
        attributes: Attributes,
        objects: tuple[Obj, Mapping[str, Any] | None],
        row: Resource,
        params: Obj | None,
    ) -> Obj:
        """Return the object as a policy leaves it, in the request's version; the policy sees it as `row`."""
        new, spec = objects[0], bound.policy["spec"]
        seen = await self._webhooks.in_version(objects, attributes, row)
        scope = self._scope(spec, attributes, seen, None, params, row)
        work = partial(_changed, spec, scope, dict(seen[0] or {}), _seen_as(attributes, row))
        changed = await self._heavy_work.run_if(attributes.heavy, work)
        if changed is None:
            return new
        back = await self._webhooks.converted(changed, attributes, row, attributes.resource)
        return await self._heavy_work.run_if(attributes.heavy, partial(_completed, back or changed, attributes))

    def _matched(self, bound: BoundPolicy, attributes: Attributes, objects: Objects) -> Resource | None:
        """Return the row in which a policy covers a request; None when it does not, or its binding does not."""
        namespace = self._sources.namespace(attributes.namespace)
        rows = [
            covered_row(match, attributes, namespace, objects, self._sources.siblings)
            for match in (
                bound.policy["spec"].get("matchConstraints") or {},
                bound.binding["spec"].get("matchResources"),
            )
        ]
        return None if None in rows else rows[0]

    def _scope(
        self,
        spec: Mapping[str, Any],
        attributes: Attributes,
        objects: Objects,
        request: Obj | None,
        params: Obj | None = None,
        row: Resource | None = None,
    ) -> Scope:
        """Return what expressions see; `row` is the version in which the objects are, None: the request's."""
        new, old = objects
        namespace, row = self._sources.namespace(attributes.namespace), row or attributes.resource
        seen_as = _seen_as(attributes, row)
        return Scope(
            spec,
            {
                "object": object_value(new, seen_as),
                "oldObject": object_value(old, seen_as),
                "request": request or request_of(attributes, row, ""),
                "params": params,
                "namespaceObject": namespace,
                "authorizer": authorizer_of(attributes),
            },
        )

    # validation

    async def validate(
        self, attributes: Attributes, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None
    ) -> tuple[str, ...]:
        """Return the warnings of policies and webhooks.

        Raises:
            StatusError: refused.
        """
        plugins = plugins_at(place_of(attributes), attributes.operation)
        acts = [plugin.validate for plugin in plugins if plugin.validate is not None]
        if acts:
            asked = Asked(attributes, dict(new or {}), old, self._lookups, self._config)
            for act in acts:
                act(asked)
        if not self.asks_others(attributes):
            return ()
        warnings = await self._validate_policies(attributes, (new, old))
        warnings += await self._webhooks.validate(attributes, (new, old), self._condition_scope)
        return tuple(dict.fromkeys(warnings))

    async def _validate_policies(self, attributes: Attributes, objects: Objects) -> tuple[str, ...]:
        warnings: list[str] = []
        records: list[Obj] = []
        notes: dict[str, list[str]] = {}
        try:
            await self._run_policies(attributes, objects, warnings, records, notes)
        finally:
            for key, values in notes.items():
                attributes.annotate(key, ", ".join(dict.fromkeys(values)))
            if records:
                attributes.annotate(FAILURE_ANNOTATION, orjson.dumps(records).decode())
        return tuple(warnings)

    def _params_to_judge(self, bound: BoundPolicy, attributes: Attributes) -> Sequence[Obj | None]:
        """Return the objects of parameters of a validating policy.

        Raises:
            StatusError: they cannot be had, and the failure policy refuses.
        """
        try:
            return self._sources.params(bound.policy, bound.binding, attributes.namespace)
        except PolicyError as error:
            if bound.policy["spec"].get("failurePolicy") == "Ignore":
                log.warning("policy %s failed and is ignored: %s", name_of(bound.policy), error)
                return ()
            raise denial(bound.policy, bound.binding, Failed(str(error)), attributes) from error

    async def _run_policies(
        self,
        attributes: Attributes,
        objects: Objects,
        warnings: list[str],
        records: list[Obj],
        notes: dict[str, list[str]],
    ) -> None:
        for bound in self._sources.validating_policies:
            spec, actions = bound.policy["spec"], bound.binding["spec"].get("validationActions") or ()
            row = self._matched(bound, attributes, objects)
            found = self._params_to_judge(bound, attributes) if row is not None else ()
            if row is None or not found:
                continue
            seen = await self._webhooks.in_version(objects, attributes, row)
            for params in found:
                scope = self._scope(spec, attributes, seen, None, params, row)
                said = await self._heavy_work.run_if(attributes.heavy, partial(judge, bound.policy, scope))
                for key, value in said.annotations:
                    notes.setdefault(key, []).append(value)
                for failed in said.failed:
                    if "Audit" in actions:
                        records.append(failure_record(bound.policy, bound.binding, failed))
                    if "Deny" in actions:
                        raise denial(bound.policy, bound.binding, failed, attributes)
                    if "Warn" in actions:
                        warnings.append(warning(bound.policy, bound.binding, failed))
                if said.refused:
                    raise denial(bound.policy, bound.binding, said.refused[0], attributes)


def _fail(bound: BoundPolicy, attributes: Attributes, error: PolicyError | StatusError) -> None:
    """Do what the failure policy of a mutating policy says.

    Raises:
        ForbiddenError: a failure refuses the request.
    """
    why = error.message if isinstance(error, StatusError) else str(error)
    if bound.policy["spec"].get("failurePolicy") == "Ignore":
        log.warning("policy %s failed and is ignored: %s", name_of(bound.policy), why)
        return
    names = f"MutatingAdmissionPolicy '{name_of(bound.policy)}' with binding '{name_of(bound.binding)}'"
    resource = attributes.resource
    raise forbidden(resource.group, resource.plural, attributes.name, f"{names} denied request: {why}") from error


def _seen_as(attributes: Attributes, row: Resource) -> Resource:
    """Return the row by which objects are read that are in the version of `row`."""
    return row if attributes.seen_as is attributes.resource else attributes.seen_as


def _changed(spec: Mapping[str, Any], scope: Scope, new: Obj, seen_as: Resource) -> Obj | None:
    """Return the object as a policy's mutations leave it, None when there is nothing to do."""
    if not conditions_hold(spec.get("matchConditions") or (), scope):
        return None
    changed = apply_mutations(spec, scope, new, seen_as)
    return changed if changed is not new else None


def _completed(obj: Mapping[str, Any], attributes: Attributes) -> Obj:
    """Return a changed object as a request's object would be: decoded, with its defaults."""
    expected = expected_of(attributes.resource, attributes.subresource)
    decoded = decode_parsed(copy_object(obj), expected, "Ignore").obj
    if not attributes.subresource:
        attributes.resource.rules.set_defaults(decoded)
    return decoded
