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
from minikube_py.apiserver.admission import Admitted, Attributes
from minikube_py.apiserver.admission_authorizer import authorizer_of
from minikube_py.apiserver.admission_matching import is_exempt, matches_resources
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
        spec = bound.policy["spec"]
        ignores = spec.get("failurePolicy") == "Ignore"
        for params in self._params(bound, attributes, (new, old), ignores=ignores):
            scope = self._scope(spec, attributes, (new, old), None, params)
            mutated = partial(_mutated, spec, scope, new, attributes)
            try:
                new = await self._heavy_work.run_if(attributes.heavy, mutated)
            except (PolicyError, StatusError) as error:
                why = error.message if isinstance(error, StatusError) else str(error)
                if ignores:
                    log.warning("policy %s failed and is ignored: %s", name_of(bound.policy), why)
                    continue
                names = f"MutatingAdmissionPolicy '{name_of(bound.policy)}' with binding '{name_of(bound.binding)}'"
                resource = attributes.resource
                text = f"{names} denied request: {why}"
                raise forbidden(resource.group, resource.plural, attributes.name, text) from error
        return new

    def _params(
        self, bound: BoundPolicy, attributes: Attributes, objects: Objects, *, ignores: bool
    ) -> Sequence[Obj | None]:
        """Return the objects of parameters for which a policy is to be evaluated; none when it does not match.

        Raises:
            StatusError: they are not found, and must be.
        """
        spec, binding = bound.policy["spec"], bound.binding["spec"]
        namespace = self._sources.namespace(attributes.namespace)
        for match in (spec.get("matchConstraints") or {}, binding.get("matchResources")):
            if not matches_resources(match, attributes, namespace, objects, self._sources.siblings):
                return ()
        found = self._sources.params(bound.policy, bound.binding, attributes.namespace)
        if found or (binding.get("paramRef") or {}).get("parameterNotFoundAction") == "Allow" or ignores:
            return found
        why = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
        raise denial(bound.policy, bound.binding, Failed(why), attributes)

    def _scope(
        self,
        spec: Mapping[str, Any],
        attributes: Attributes,
        objects: Objects,
        request: Obj | None,
        params: Obj | None = None,
    ) -> Scope:
        new, old = objects
        namespace = self._sources.namespace(attributes.namespace)
        return Scope(
            spec,
            {
                "object": object_value(new, attributes.seen_as),
                "oldObject": object_value(old, attributes.seen_as),
                "request": request or request_of(attributes, attributes.resource, ""),
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
            ignores = spec.get("failurePolicy") == "Ignore"
            for params in self._params(bound, attributes, objects, ignores=ignores):
                scope = self._scope(spec, attributes, objects, None, params)
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


def _mutated(spec: Mapping[str, Any], scope: Scope, new: Obj, attributes: Attributes) -> Obj:
    """Return the object as a policy leaves it."""
    if not conditions_hold(spec.get("matchConditions") or (), scope):
        return new
    changed = apply_mutations(spec, scope, new, attributes.seen_as)
    return _completed(changed, attributes) if changed is not new else new


def _completed(obj: Mapping[str, Any], attributes: Attributes) -> Obj:
    """Return a changed object as a request's object would be: decoded, with its defaults."""
    expected = expected_of(attributes.resource, attributes.subresource)
    decoded = decode_parsed(copy_object(obj), expected, "Ignore").obj
    if not attributes.subresource:
        attributes.resource.rules.set_defaults(decoded)
    return decoded
