"""The chain that every write passes: plug-ins, mutating policies and webhooks; then the validating ones of each.

Mutations come one after the other; whoever asked for it sees the object again when others changed it after him. The
validating webhooks are asked side by side, and the first refusal, in their order, is the answer.

Upstream: apiserver admission/chain.go and its plugins MutatingAdmissionPolicy, MutatingAdmissionWebhook,
ValidatingAdmissionPolicy, ValidatingAdmissionWebhook.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson

from minikube_py.api.decode import decode_parsed, expected_of
from minikube_py.api.errors import InternalError, StatusError, forbidden
from minikube_py.api.meta import Obj, copy_object, name_of
from minikube_py.api.patch import apply_json_patch
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Admitted, Attributes
from minikube_py.apiserver.admission_authorizer import authorizer_of
from minikube_py.apiserver.admission_matching import is_exempt, matched_row, matches_resources, matches_selectors
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
from minikube_py.apiserver.admission_review import (
    DeniedError,
    Review,
    admission_review,
    call_failed,
    check_dry_run,
    internal,
    parse_review,
    request_of,
)
from minikube_py.apiserver.admission_values import object_value
from minikube_py.apiserver.io.admission_sources import AdmissionSources, BoundPolicy
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.stored_lookups import StoredLookups
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.webhook_client import WebhookClient
from minikube_py.apiserver.plugins.plugin import Asked, place_of
from minikube_py.apiserver.plugins.table import plugins_at
from minikube_py.kit.ids import Ids

log = logging.getLogger("apiserver")

Objects = tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
"""The new and the old object."""


class NoAdmission:
    """Admits everything (apiserver.admission.Admission)."""

    def concerns(self, attributes: Attributes) -> bool:
        """Return whether anything may have a say."""
        del attributes
        return False

    def asks_others(self, attributes: Attributes) -> bool:
        """Return whether webhooks or policies may have a say."""
        del attributes
        return False

    async def mutate(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        """Return the object as it is."""
        del attributes, old
        return Admitted(new)

    async def validate(
        self, attributes: Attributes, new: Mapping[str, Any] | None, old: Mapping[str, Any] | None
    ) -> tuple[str, ...]:
        """Admit."""
        del attributes, new, old
        return ()


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
    ) -> None:
        self._sources = sources
        self._lookups = lookups
        self._client = client
        self._views = views
        self._ids = ids
        self._heavy_work = heavy_work

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
        asked = Asked(attributes, new, old, self._lookups)
        for plugin in plugins_at(place_of(attributes), attributes.operation):
            if plugin.mutate is not None:
                plugin.mutate(asked)
        if not self.asks_others(attributes):
            return Admitted(new)
        if attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource:
            set_defaults = partial(attributes.resource.rules.set_defaults, new)
            await self._heavy_work.run_if(attributes.heavy, set_defaults)
        return await self._mutate_by_others(attributes, new, old)

    async def _mutate_by_others(self, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None) -> Admitted:
        warnings: list[str] = []
        again: list[Callable[[Obj], Any]] = []
        if attributes.operation != "DELETE":
            for bound in self._sources.mutating_policies:
                new = await self._apply_policy(bound, attributes, new, old)
        for webhook in self._sources.mutating_webhooks:
            before = new
            new = await self._apply_webhook(webhook, attributes, new, old, warnings)
            if new is not before and again:
                new = await self._once_more(again, new)
            if webhook.get("reinvocationPolicy") == "IfNeeded":

                async def ask(obj: Obj, webhook: Obj = webhook) -> Obj:
                    return await self._apply_webhook(webhook, attributes, obj, old, warnings)

                again.append(ask)
        return Admitted(new, tuple(dict.fromkeys(warnings)))

    async def _once_more(self, again: list[Callable[[Obj], Any]], obj: Obj) -> Obj:
        """Show a changed object to those who want to see it again; once."""
        waiting, again[:] = list(again), []
        for ask in waiting:
            obj = await ask(obj)
        return obj

    def _completed(self, obj: Mapping[str, Any], attributes: Attributes) -> Obj:
        """Return a changed object as a request's object would be: decoded, with its defaults."""
        expected = expected_of(attributes.resource, attributes.subresource)
        decoded = decode_parsed(copy_object(obj), expected, "Ignore").obj
        if not attributes.subresource:
            attributes.resource.rules.set_defaults(decoded)
        return decoded

    # webhooks

    async def _apply_webhook(
        self, webhook: Obj, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None, warnings: list[str]
    ) -> Obj:
        objects = (None if attributes.operation == "DELETE" else new, old)
        review, row = await self._review(webhook, attributes, objects, may_patch=True)
        if review is None or row is None:
            return new
        warnings += review.warnings
        if not review.patch:
            return new
        name = str(webhook["name"])
        if attributes.operation == "DELETE":
            why = "attempted to modify the object, which is not supported for this operation"
            raise internal(f'admission webhook "{name}" {why}')
        shown = await self._converted(new, attributes, attributes.resource, row)
        try:
            work = partial(apply_json_patch, shown or new, review.patch)
            changed = await self._heavy_work.run_if(attributes.heavy, work)
        except StatusError as error:
            raise internal(error.message) from error
        back = await self._converted(changed, attributes, row, attributes.resource)
        completed = partial(self._completed, back or changed, attributes)
        return await self._heavy_work.run_if(attributes.heavy, completed)

    async def _review(
        self, webhook: Obj, attributes: Attributes, objects: Objects, *, may_patch: bool
    ) -> tuple[Review | None, Resource | None]:
        """Ask one webhook; None when the request is not its business, or it failed and may.

        Raises:
            StatusError: it refuses, or failed and may not.
        """
        row = matched_row(
            webhook.get("rules") or (),
            str(webhook.get("matchPolicy") or "Equivalent"),
            attributes,
            self._sources.siblings,
        )
        namespace = self._sources.namespace(attributes.namespace)
        if row is None or not matches_selectors(webhook, attributes, namespace, objects):
            return None, None
        name, ignores = str(webhook["name"]), webhook.get("failurePolicy") == "Ignore"
        uid = self._ids.new_uid()
        request = request_of(attributes, row, uid)
        try:
            conditions = webhook.get("matchConditions") or ()
            scope = self._scope({}, attributes, objects, request)
            hold = partial(conditions_hold, conditions, scope)
            if conditions and not await self._heavy_work.run_if(attributes.heavy, hold):
                return None, None
            check_dry_run(webhook, attributes)
            answer = await self._call(webhook, row, attributes, request, objects)
            review = parse_review(answer, name, uid, may_patch=may_patch)
            for key, value in review.audit_annotations:
                attributes.annotate(key, value)
            return review, row
        except DeniedError:
            raise
        except (StatusError, PolicyError) as error:
            why = error.message if isinstance(error, StatusError) else str(error)
            if ignores:
                log.warning("webhook %s failed and is ignored: %s", name, why)
                return None, None
            if isinstance(error, StatusError) and error.code == 400:
                raise
            raise call_failed(name, why) from error

    async def _call(
        self, webhook: Obj, row: Resource, attributes: Attributes, request: Obj, objects: Objects
    ) -> Mapping[str, Any]:
        timeout_s = int(webhook.get("timeoutSeconds") or 10)
        new, old = [await self._converted(obj, attributes, attributes.resource, row) for obj in objects]
        try:
            target = self._client.resolve(webhook["clientConfig"], f"?timeout={timeout_s}s")
            return await self._client.ask(target, admission_review(request, new, old), timeout_s)
        except StatusError as error:
            raise InternalError(f"failed to call webhook: {error.message}") from error

    async def _converted(
        self, obj: Mapping[str, Any] | None, attributes: Attributes, given: Resource, wanted: Resource
    ) -> Mapping[str, Any] | None:
        """Return an object in the version in which the rules match; what only a subresource takes is as it is."""
        if obj is None or given is wanted or attributes.seen_as is not attributes.resource:
            return obj
        return await self._views.convert(dict(obj), given, wanted)

    # policies

    async def _apply_policy(
        self, bound: BoundPolicy, attributes: Attributes, new: Obj, old: Mapping[str, Any] | None
    ) -> Obj:
        spec = bound.policy["spec"]
        ignores = spec.get("failurePolicy") == "Ignore"
        for params in self._params(bound, attributes, (new, old), ignores=ignores):
            scope = self._scope(spec, attributes, (new, old), None, params)
            mutated = partial(self._mutated, spec, scope, new, attributes)
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

    def _mutated(self, spec: Mapping[str, Any], scope: Scope, new: Obj, attributes: Attributes) -> Obj:
        """Return the object as a policy leaves it."""
        if not conditions_hold(spec.get("matchConditions") or (), scope):
            return new
        changed = apply_mutations(spec, scope, new, attributes.seen_as)
        return self._completed(changed, attributes) if changed is not new else new

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
        asked = Asked(attributes, dict(new or {}), old, self._lookups)
        for plugin in plugins_at(place_of(attributes), attributes.operation):
            if plugin.validate is not None:
                plugin.validate(asked)
        if not self.asks_others(attributes):
            return ()
        warnings = await self._validate_policies(attributes, (new, old))
        webhooks = self._sources.validating_webhooks
        if webhooks:
            warnings += await self._validate_webhooks(webhooks, attributes, (new, old))
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

    async def _validate_webhooks(
        self, webhooks: Sequence[Obj], attributes: Attributes, objects: Objects
    ) -> tuple[str, ...]:
        async def ask(webhook: Obj) -> tuple[str, ...] | StatusError:
            try:
                review, _ = await self._review(webhook, attributes, objects, may_patch=False)
            except StatusError as error:
                return error
            return review.warnings if review is not None else ()

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(webhook)) for webhook in webhooks]
        warnings: list[str] = []
        for task in tasks:
            outcome = task.result()
            if isinstance(outcome, StatusError):
                raise outcome
            warnings += outcome
        return tuple(warnings)
