"""The ReplicaSets of a Deployment as one value: which is the new one, which are old, how big each is.

A rollout is computed by replacing `Sets` with other `Sets`; `diff_sets` then tells what to write. The new ReplicaSet
is the one whose template equals the Deployment's (but for the hash label); a rollback is nothing but a template that
equals an older one's. Names, labels and annotations are upstream's, since kubectl rollout reads them.

Upstream: pkg/controller/deployment/util and sync.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from minikube_py.api.meta import Obj, annotations_of, copy_object, metadata, name_of, uid_of
from minikube_py.api.resources import DEPLOYMENTS, REPLICA_SETS
from minikube_py.api.typed_merge import without_nulls
from minikube_py.controllers.plan import Action, Create, Record, Update, owner_reference
from minikube_py.kit.ids import NAME_ALPHABET

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        REVISION_HISTORY,
        DESIRED_REPLICAS,
        MAX_REPLICAS,
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations of a Deployment that are not its ReplicaSets'."""
HISTORY_CHARS_MAX = 2000
"""Length of the revision-history annotation; the oldest numbers are dropped."""


@dataclass(frozen=True, slots=True)
class Sets:
    """`new` may be missing; `old` are all others of the Deployment, oldest first."""

    new: Obj | None
    old: tuple[Obj, ...]

    @property
    def all(self) -> tuple[Obj, ...]:
        """Return the old ones and the new one."""
        return self.old if self.new is None else (*self.old, self.new)

    @property
    def active(self) -> tuple[Obj, ...]:
        """Return those that should have pods."""
        return tuple(rs for rs in self.all if size_of(rs) > 0)

    def put(self, changed: Obj) -> "Sets":
        """Return the sets with one replaced (the new one, when it has no uid yet or the new one's)."""
        if self.new is not None and name_of(self.new) == name_of(changed):
            return replace(self, new=changed)
        return replace(self, old=tuple(changed if name_of(rs) == name_of(changed) else rs for rs in self.old))


def size_of(replica_set: Mapping[str, Any]) -> int:
    """Return spec.replicas."""
    return int(replica_set["spec"].get("replicas", 1))


def status_count(replica_set: Mapping[str, Any], field: str) -> int:
    """Return a number of the status, 0 when it is absent."""
    return int((replica_set.get("status") or {}).get(field) or 0)


def sort_by_age(replica_sets: tuple[Obj, ...]) -> tuple[Obj, ...]:
    """Return them oldest first, names deciding between equals."""
    return tuple(sorted(replica_sets, key=lambda rs: (metadata(rs).get("creationTimestamp") or "", name_of(rs))))


def sort_sets(deployment: Obj, replica_sets: tuple[Obj, ...]) -> Sets:
    """Return the sets of a Deployment; of several with its template the oldest is the new one."""
    wanted = normal_template(deployment["spec"].get("template") or {})
    by_age = sort_by_age(replica_sets)
    new = next((rs for rs in by_age if normal_template(rs["spec"].get("template") or {}) == wanted), None)
    return Sets(new, tuple(rs for rs in by_age if rs is not new))


def normal_template(template: Mapping[str, Any]) -> Obj:
    """Return a pod template without the hash label and without nulls, for comparison and for the hash."""
    copied: Obj = without_nulls(copy_object(template))
    meta = copied.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH_LABEL}
    meta = {key: value for key, value in meta.items() if key != "labels" and value} | (
        {"labels": labels} if labels else {}
    )
    return {"metadata": meta, "spec": copied.get("spec") or {}}


def template_hash(template: Mapping[str, Any], collision_count: int) -> str:
    """Return the value of the pod-template-hash label: FNV-1a over canonical JSON, in the alphabet of names."""
    data = orjson.dumps(normal_template(template), option=orjson.OPT_SORT_KEYS)
    if collision_count:
        data += str(collision_count).encode()
    number = 0x811C9DC5
    for byte in data:
        number = ((number ^ byte) * 0x01000193) & 0xFFFFFFFF
    return "".join(NAME_ALPHABET[ord(digit) % len(NAME_ALPHABET)] for digit in str(number))


def new_set_name(deployment: Obj) -> str:
    """Return the name that the ReplicaSet for the present template has."""
    collisions = int((deployment.get("status") or {}).get("collisionCount") or 0)
    return f"{name_of(deployment)}-{template_hash(deployment['spec'].get('template') or {}, collisions)}"


def revision_of(obj: Mapping[str, Any]) -> int:
    """Return the revision annotation, 0 when there is none."""
    text = annotations_of(obj).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def build_set(deployment: Obj, replicas: int, max_replicas: int, revision: int) -> Obj:
    """Return the ReplicaSet for the Deployment's present template."""
    spec = deployment["spec"]
    name = new_set_name(deployment)
    hashed = name.removeprefix(f"{name_of(deployment)}-")
    template = copy_object(spec.get("template") or {})
    labels = {**(metadata(template).get("labels") or {}), HASH_LABEL: hashed}
    template["metadata"] = {**metadata(template), "labels": labels}
    selector = copy_object(spec.get("selector") or {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH_LABEL: hashed}
    meta: Obj = {
        "name": name,
        "namespace": metadata(deployment).get("namespace", ""),
        "labels": labels,
        "annotations": {
            **_copied_annotations(deployment),
            REVISION: str(revision),
            DESIRED_REPLICAS: str(spec.get("replicas", 1)),
            MAX_REPLICAS: str(max_replicas),
        },
        "ownerReferences": [owner_reference(DEPLOYMENTS, deployment)],
    }
    new_spec: Obj = {"replicas": replicas, "selector": selector, "template": template}
    if spec.get("minReadySeconds"):
        new_spec["minReadySeconds"] = spec["minReadySeconds"]
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": new_spec}


def _copied_annotations(deployment: Obj) -> dict[str, str]:
    return {key: value for key, value in annotations_of(deployment).items() if key not in _NOT_COPIED}


def follow_deployment(deployment: Obj, replica_set: Obj, revision: int) -> Obj:
    """Return the new ReplicaSet with the Deployment's annotations, minReadySeconds and at least `revision`."""
    annotations = {**annotations_of(replica_set), **_copied_annotations(deployment)}
    before = revision_of(replica_set)
    if before < revision:
        annotations[REVISION] = str(revision)
        if before:
            history = [number for number in annotations.get(REVISION_HISTORY, "").split(",") if number]
            history.append(str(before))
            while len(",".join(history)) > HISTORY_CHARS_MAX:
                history.pop(0)
            annotations[REVISION_HISTORY] = ",".join(history)
    min_ready = deployment["spec"].get("minReadySeconds") or 0
    spec = {key: value for key, value in replica_set["spec"].items() if key != "minReadySeconds"}
    if min_ready:
        spec["minReadySeconds"] = min_ready
    return {**replica_set, "metadata": {**metadata(replica_set), "annotations": annotations}, "spec": spec}


def resized(deployment: Obj, replica_set: Obj, replicas: int, max_replicas: int) -> Obj:
    """Return a ReplicaSet with another size and the annotations that proportional scaling reads."""
    annotations = {
        **annotations_of(replica_set),
        DESIRED_REPLICAS: str(deployment["spec"].get("replicas", 1)),
        MAX_REPLICAS: str(max_replicas),
    }
    meta = {**metadata(replica_set), "annotations": annotations}
    return {**replica_set, "metadata": meta, "spec": {**replica_set["spec"], "replicas": replicas}}


def diff_sets(deployment: Obj, before: Sets, after: Sets) -> tuple[Action, ...]:
    """Return what turns `before` into `after`, growing ones first, each with its Event."""
    known = {uid_of(rs): rs for rs in before.all}
    growing: list[Action] = []
    other: list[Action] = []
    for rs in after.all:
        was = known.get(uid_of(rs)) if uid_of(rs) else None
        if was == rs:
            continue
        old_size, new_size = (size_of(was) if was is not None else 0), size_of(rs)
        actions = growing if new_size > old_size or was is None else other
        actions.append(Create(REPLICA_SETS, rs) if was is None else Update(REPLICA_SETS, rs))
        if new_size != old_size:
            way = "up" if new_size > old_size else "down"
            message = f"Scaled {way} replica set {name_of(rs)} from {old_size} to {new_size}"
            actions.append(Record(deployment, "Normal", "ScalingReplicaSet", message))
    return (*growing, *other)
