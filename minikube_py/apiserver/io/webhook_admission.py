"""Admission by webhooks: who is asked about a request, in which version, and what an answer does.

Upstream: apiserver admission/plugin/webhook/{generic,mutating,validating}.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from minikube_py.api.errors import InternalError, StatusError, forbidden
from minikube_py.api.meta import Obj
from minikube_py.api.patch import apply_json_patch
from minikube_py.api.resource import Resource
from minikube_py.apiserver.admission import Admitted, Attributes
from minikube_py.apiserver.admission_matching import matched_row, matches_selectors
from minikube_py.apiserver.admission_policies import PolicyError, Scope, conditions_hold
from minikube_py.apiserver.admission_review import (
    Review,
    admission_review,
    call_failed,
    check_dry_run,
    decode_patch,
    internal,
    note_failure,
    note_mutation,
    parse_review,
    request_of,
)
from minikube_py.apiserver.io.admission_sources import AdmissionSources, Hook
from minikube_py.apiserver.io.heavy_work import HeavyWork
from minikube_py.apiserver.io.views import Views
from minikube_py.apiserver.io.webhook_client import WebhookClient
from minikube_py.apiserver.reinvocation import Reinvocations
from minikube_py.apiserver.weight import JSON_PATCH, is_heavy
from minikube_py.kit.ids import Ids

log = logging.getLogger("apiserver")

Objects = tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]
"""The new and the old object."""
MakeScope = Callable[[Attributes, Objects, Obj], Scope]
"""What expressions of a webhook's matchConditions see: (request, its objects, its AdmissionRequest)."""


@dataclass(frozen=True, slots=True)
class Means:
    """What mutation takes from the rest of the chain."""

    scope: MakeScope
    complete: Callable[[Obj, Attributes], Obj]
    """Makes of a changed object what a request's object is: decoded, with its defaults."""


class WebhookAdmission:
    """Asks the webhooks that are registered."""

    def __init__(
        self, sources: AdmissionSources, client: WebhookClient, views: Views, ids: Ids, heavy_work: HeavyWork
    ) -> None:
        self._sources = sources
        self._client = client
        self._views = views
        self._ids = ids
        self._heavy_work = heavy_work

    async def mutate(
        self,
        attributes: Attributes,
        objects: tuple[Obj, Mapping[str, Any] | None],
        turns: Reinvocations,
        means: Means,
    ) -> Admitted:
        """Return the new object as the mutating webhooks leave it, one after the other, and their warnings.

        Raises:
            StatusError: one refuses, or failed and may not.
        """
        new, old = objects
        warnings: list[str] = []
        grown = False
        for index, hook in enumerate(self._sources.mutating_webhooks):
            if not turns.wants(index):
                continue
            place = f"round_{turns.round}_index_{index}"
            given = (None if attributes.operation == "DELETE" else new, old)
            asked = await self._review(hook, attributes, given, means.scope, f"mutation.{place}")
            if asked is None:
                continue
            review, row = asked
            warnings += review.warnings
            if review.denied is not None:
                raise _warned(review.denied, warnings)
            if is_heavy(review.patch, JSON_PATCH):
                grown, attributes = True, replace(attributes, heavy=True)
            changed = await self._changed(hook, review, attributes, new, row)
            completed = new
            if changed is not None:
                work = partial(means.complete, changed, attributes)
                completed = await self._heavy_work.run_if(attributes.heavy, work)
            is_changed = completed != new
            note_mutation(
                attributes, hook.configuration, str(hook.webhook["name"]), place, review, changed=is_changed
            )
            turns.asked(index, changed=is_changed, if_needed=hook.webhook.get("reinvocationPolicy") == "IfNeeded")
            new = completed
        turns.end_round(new)
        return Admitted(new, tuple(warnings), grown)

    async def validate(self, attributes: Attributes, objects: Objects, scope: MakeScope) -> tuple[str, ...]:
        """Ask the validating webhooks side by side; returns their warnings.

        Raises:
            StatusError: the first of those, in their order, that refuse, or failed and may not.
        """

        async def ask(index: int, hook: Hook) -> Review | StatusError:
            try:
                asked = await self._review(hook, attributes, objects, scope, f"validating.round_0_index_{index}")
            except StatusError as error:
                return error
            return asked[0] if asked is not None else Review()

        async with asyncio.TaskGroup() as group:
            hooks = enumerate(self._sources.validating_webhooks)
            tasks = [group.create_task(ask(index, hook)) for index, hook in hooks]
        outcomes = [task.result() for task in tasks]
        warnings = [text for outcome in outcomes if isinstance(outcome, Review) for text in outcome.warnings]
        for outcome in outcomes:
            refusal = outcome.denied if isinstance(outcome, Review) else outcome
            if refusal is not None:
                raise _warned(refusal, warnings)
        return tuple(warnings)

    async def _review(
        self, hook: Hook, attributes: Attributes, objects: Objects, scope: MakeScope, place: str
    ) -> tuple[Review, Resource] | None:
        """Ask one webhook; None when the request is not its business, or it failed and may.

        Raises:
            StatusError: it failed and may not, or cannot be asked at all.
        """
        webhook = hook.webhook
        row = matched_row(
            webhook.get("rules") or (),
            str(webhook.get("matchPolicy") or "Equivalent"),
            attributes,
            self._sources.siblings,
        )
        namespace = self._sources.namespace(attributes.namespace)
        if row is None or not matches_selectors(webhook, attributes, namespace, objects):
            return None
        uid = self._ids.new_uid()
        request = request_of(attributes, row, uid)
        if webhook.get("matchConditions"):
            hold = partial(_conditions_hold, webhook, attributes, scope(attributes, objects, request))
            if not await self._heavy_work.run_if(attributes.heavy, hold):
                return None
        check_dry_run(webhook, attributes)
        name = str(webhook["name"])
        try:
            answer = await self._call(webhook, row, attributes, request, objects)
            review = parse_review(answer, name, uid, may_patch=place.startswith("mutation"))
        except StatusError as error:
            if webhook.get("failurePolicy") != "Ignore":
                raise call_failed(name, error.message) from error
            log.warning("webhook %s failed and is ignored: %s", name, error.message)
            note_failure(attributes, name, place)
            return None
        for key, value in review.audit_annotations:
            attributes.annotate(key, value)
        return review, row

    async def _call(
        self, webhook: Obj, row: Resource, attributes: Attributes, request: Obj, objects: Objects
    ) -> Mapping[str, Any]:
        timeout_s = int(webhook.get("timeoutSeconds") or 10)
        new, old = await self.in_version(objects, attributes, row)
        try:
            target = self._client.resolve(webhook["clientConfig"], f"?timeout={timeout_s}s")
            return await self._client.ask(target, admission_review(request, new, old), timeout_s)
        except StatusError as error:
            raise InternalError(f"failed to call webhook: {error.message}") from error

    async def _changed(
        self, hook: Hook, review: Review, attributes: Attributes, new: Obj, row: Resource
    ) -> Obj | None:
        """Return the object with a webhook's patch, in the request's version; None when there is no patch.

        Raises:
            InternalError: the patch does not fit; that is no failure to call, so the failure policy does not count.
        """
        patch = await self._heavy_work.run_if(attributes.heavy, partial(decode_patch, review.patch))
        if not patch:
            return None
        if attributes.operation == "DELETE":
            why = "attempted to modify the object, which is not supported for this operation"
            raise internal(f'admission webhook "{hook.webhook["name"]}" {why}')
        shown = await self.converted(new, attributes, attributes.resource, row)
        try:
            work = partial(apply_json_patch, shown or new, patch)
            changed = await self._heavy_work.run_if(attributes.heavy, work)
        except StatusError as error:
            raise internal(error.message) from error
        back = await self.converted(changed, attributes, row, attributes.resource)
        return dict(back or changed)

    async def in_version(self, objects: Objects, attributes: Attributes, row: Resource) -> Objects:
        """Return the objects of a request in the version of `row`.

        Raises:
            StatusError: conversion failed.
        """
        new, old = objects
        given = attributes.resource
        return await self.converted(new, attributes, given, row), await self.converted(old, attributes, given, row)

    async def converted(
        self, obj: Mapping[str, Any] | None, attributes: Attributes, given: Resource, wanted: Resource
    ) -> Mapping[str, Any] | None:
        """Return an object in the version in which the rules match; what only a subresource takes is as it is.

        Raises:
            StatusError: conversion failed.
        """
        if obj is None or given is wanted or attributes.seen_as is not attributes.resource:
            return obj
        return await self._views.convert(dict(obj), given, wanted)


def _warned(refusal: StatusError, warnings: Sequence[str]) -> StatusError:
    """Return a refusal with what the webhooks up to now warn of."""
    refusal.warnings = tuple(dict.fromkeys(warnings))
    return refusal


def _conditions_hold(webhook: Obj, attributes: Attributes, scope: Scope) -> bool:
    """Return whether the webhook wants to be asked, by its expressions.

    Raises:
        ForbiddenError: one of them has no answer, and a failure is a refusal.
    """
    try:
        return conditions_hold(webhook.get("matchConditions") or (), scope)
    except PolicyError as error:
        if webhook.get("failurePolicy") == "Ignore":
            log.warning("a condition of webhook %s failed: it is not asked: %s", webhook["name"], error)
            return False
        resource = attributes.resource
        raise forbidden(resource.group, resource.plural, attributes.name, str(error)) from error
