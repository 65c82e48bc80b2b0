"""What the scheduler knows of claims and volumes, and how it has them bound before it binds a pod (PreBind).

The pod stays assumed on its node meanwhile. A volume that was chosen counts as taken from the decision on, until the
cache shows its claimRef or the binding is given up. Upstream: plugins/volumebinding binder.go BindPodVolumes.
"""

from collections.abc import Callable, Collection, Iterable

from minikube_py.api.meta import Obj, ObjectKey, annotations_of, key_of, name_of, namespace_of, uid_of
from minikube_py.api.persistent_volumes import (
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    is_bound,
    phase_of,
    spec_of,
)
from minikube_py.api.resources import PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES
from minikube_py.api.table.storage_v1 import STORAGE_CLASSES
from minikube_py.client.interface import Change, Client, Informers
from minikube_py.kit.clock import Clock
from minikube_py.scheduler.volumes import Storage, VolumeDecision, claims_of

BIND_TIMEOUT_S = 600.0
"""Upstream's bindTimeoutSeconds."""
LOOK_S = 0.1


class VolumesNotBoundError(Exception):
    """The claims of a pod did not become bound; the message says why."""


class VolumeBinding:
    """One for the scheduler; make it before the informers run."""

    def __init__(self, client: Client, informers: Informers, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._claims = informers.informer(PERSISTENT_VOLUME_CLAIMS)
        self._volumes = informers.informer(PERSISTENT_VOLUMES)
        self._classes = informers.informer(STORAGE_CLASSES)
        self._taken: dict[str, ObjectKey] = {}
        """Volume -> the claim that it was chosen for, until the binding ends."""

    def subscribe(self, changed: Callable[[Change], None]) -> None:
        """Hear of every change that may let a waiting pod fit."""
        for informer in (self._claims, self._volumes, self._classes):
            informer.subscribe(changed)

    async def wait_synced(self) -> None:
        """Wait until the first lists have arrived."""
        for informer in (self._claims, self._volumes, self._classes):
            await informer.wait_synced()

    def storage(self, pod: Obj) -> Storage:
        """Return the pod's claims, the volumes that they have or may get, and all classes, as they are now."""
        keys = [ObjectKey(namespace_of(pod), name) for name, _ in claims_of(pod)]
        claims = {key: claim for key in keys if (claim := self._claims.get(key)) is not None}
        return Storage(
            claims,
            {name_of(volume): volume for volume in self._volumes_for(claims.values())},
            {name_of(row): row for row in self._classes.list()},
            frozenset(self._taken),
        )

    def _volumes_for(self, claims: Collection[Obj]) -> Iterable[Obj]:
        """Return those that bound claims have; all, when one is still to be bound."""
        if not all(map(is_bound, claims)):
            return self._volumes.list()
        found = (self._volumes.get(ObjectKey("", str(spec_of(claim).get("volumeName")))) for claim in claims)
        return [volume for volume in found if volume is not None]

    def assume(self, decision: VolumeDecision) -> None:
        """Count the chosen volumes as taken from now on."""
        for claim, volume in decision.static:
            self._taken[name_of(volume)] = key_of(claim)

    def forget(self, decision: VolumeDecision) -> None:
        """Count them no more: they are bound, or it failed."""
        for _, volume in decision.static:
            self._taken.pop(name_of(volume), None)

    async def bind(self, decision: VolumeDecision, node_name: str, still_wanted: Callable[[], bool]) -> None:
        """Write what was decided, and wait until all claims are bound.

        Raises:
            StatusError: a write was refused.
            VolumesNotBoundError: they did not become bound, or nobody wants it any more.
        """
        for claim, volume in decision.static:
            ref = {
                "kind": "PersistentVolumeClaim",
                "apiVersion": "v1",
                "namespace": namespace_of(claim),
                "name": name_of(claim),
                "uid": uid_of(claim),
            }
            head = {"resourceVersion": volume["metadata"]["resourceVersion"], "uid": uid_of(volume)}
            if not spec_of(volume).get("claimRef"):
                head["annotations"] = {BOUND_BY_CONTROLLER: "yes"}
            patch = {"metadata": head, "spec": {"claimRef": ref}}
            await self._client.patch(PERSISTENT_VOLUMES, key_of(volume), patch)
        for claim in decision.provision:
            marks = {"uid": uid_of(claim), "annotations": {SELECTED_NODE: node_name}}
            await self._client.patch(PERSISTENT_VOLUME_CLAIMS, key_of(claim), {"metadata": marks})
        await self._wait_bound(decision, still_wanted)

    async def _wait_bound(self, decision: VolumeDecision, still_wanted: Callable[[], bool]) -> None:
        until_s = self._clock.now_s() + BIND_TIMEOUT_S
        provisioned = {key_of(claim) for claim in decision.provision}
        keys = [*(key_of(claim) for claim, _ in decision.static), *sorted(provisioned)]
        seen_marked: set[ObjectKey] = set()
        while not all(self._is_bound(key) for key in keys):
            if not still_wanted():
                raise VolumesNotBoundError("the pod is gone")
            if self._clock.now_s() >= until_s:
                raise VolumesNotBoundError("context deadline exceeded")
            await self._clock.sleep(LOOK_S)
            for key in keys:
                claim = self._claims.get(key)
                if claim is None:
                    raise VolumesNotBoundError(f'persistentvolumeclaim "{key.name}" not found')
                marked = SELECTED_NODE in annotations_of(claim)
                if key in seen_marked and not marked:
                    # The provisioner gives the choice back: another node may do.
                    raise VolumesNotBoundError(f'provisioning failed for PVC "{key.name}"')
                if marked and key in provisioned:
                    seen_marked.add(key)

    def _is_bound(self, key: ObjectKey) -> bool:
        claim = self._claims.get(key)
        return claim is not None and is_bound(claim) and phase_of(claim) == "Bound"
