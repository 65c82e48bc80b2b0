"""What a pod says about where it wants to be, compiled once: node affinity, pod affinity, topology spread.

Upstream: component-helpers nodeaffinity, framework.AffinityTerm, plugins/podtopologyspread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.api.meta import labels_of, metadata
from minikube_py.api.object_selectors import compile_expressions, compile_label_selector, selects
from minikube_py.api.selectors import LabelRequirement, LabelSelector, matches_labels

NAME_FIELD = "metadata.name"


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One term of node affinity: requirements on labels and on the name; None: matches no node."""

    labels: LabelSelector | None
    fields: LabelSelector | None

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether a node fulfils the term; a term without requirements matches nothing."""
        if self.labels is None or self.fields is None or not (self.labels or self.fields):
            return False
        return matches_labels(self.labels, labels) and matches_labels(self.fields, {NAME_FIELD: name})


@dataclass(frozen=True, slots=True)
class WeightedNodeTerm:
    """A preferred term of node affinity."""

    weight: int
    term: NodeTerm


@dataclass(frozen=True, slots=True)
class PodTerm:
    """One term of pod affinity or anti-affinity."""

    topology_key: str
    selector: LabelSelector | None
    namespaces: frozenset[str]
    namespace_selector: LabelSelector | None
    """Further namespaces, by their labels; None: none."""

    def matches(self, pod_namespace: str, labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool:
        """Return whether a pod is one that the term speaks of."""
        reached = pod_namespace in self.namespaces or selects(self.namespace_selector, namespace_labels)
        return reached and selects(self.selector, labels)


@dataclass(frozen=True, slots=True)
class WeightedPodTerm:
    """A preferred term of pod affinity; a negative weight for anti-affinity."""

    weight: int
    term: PodTerm


@dataclass(frozen=True, slots=True)
class SpreadConstraint:
    """One topologySpreadConstraint."""

    topology_key: str
    max_skew: int
    selector: LabelSelector | None
    min_domains: int
    required: bool
    """DoNotSchedule; otherwise it only counts in the score."""
    honor_affinity: bool
    honor_taints: bool


@dataclass(frozen=True, slots=True)
class PodTerms:
    """All that one pod says."""

    node_selector: LabelSelector
    node_required: tuple[NodeTerm, ...] | None
    """None: no required node affinity."""
    node_preferred: tuple[WeightedNodeTerm, ...]
    affinity: tuple[PodTerm, ...]
    anti_affinity: tuple[PodTerm, ...]
    preferred: tuple[WeightedPodTerm, ...]
    spread: tuple[SpreadConstraint, ...]

    def match_node(self, name: str, labels: Mapping[str, str]) -> bool:
        """Return whether a node fulfils nodeSelector and required node affinity."""
        if not matches_labels(self.node_selector, labels):
            return False
        return self.node_required is None or any(term.matches(name, labels) for term in self.node_required)


def compile_terms(pod: Mapping[str, Any]) -> PodTerms:
    """Return the terms of a pod."""
    spec = pod.get("spec") or {}
    affinity = spec.get("affinity") or {}
    node = affinity.get("nodeAffinity") or {}
    required = node.get(_REQUIRED)
    near, far = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    exact = sorted((spec.get("nodeSelector") or {}).items())
    return PodTerms(
        node_selector=tuple(LabelRequirement(key, "=", (value,)) for key, value in exact),
        node_required=None
        if required is None
        else tuple(compile_node_term(term) for term in required.get("nodeSelectorTerms") or ()),
        node_preferred=tuple(
            WeightedNodeTerm(int(term.get("weight", 0)), compile_node_term(term.get("preference") or {}))
            for term in node.get(_PREFERRED) or ()
        ),
        affinity=tuple(_pod_term(pod, term) for term in near.get(_REQUIRED) or ()),
        anti_affinity=tuple(_pod_term(pod, term) for term in far.get(_REQUIRED) or ()),
        preferred=(*_weighted(pod, near, 1), *_weighted(pod, far, -1)),
        spread=tuple(_constraint(pod, c) for c in spec.get("topologySpreadConstraints") or ()),
    )


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def compile_node_term(term: Mapping[str, Any]) -> NodeTerm:
    """Return one term of node affinity."""
    return NodeTerm(compile_expressions(term.get("matchExpressions")), compile_expressions(term.get("matchFields")))


def _pod_term(pod: Mapping[str, Any], term: Mapping[str, Any]) -> PodTerm:
    namespaces = frozenset(term.get("namespaces") or ())
    chosen = term.get("namespaceSelector")
    if not namespaces and chosen is None:
        namespaces = frozenset({str(metadata(pod).get("namespace", ""))})
    selector = _with_keys(pod, term, compile_label_selector(term.get("labelSelector")))
    return PodTerm(str(term.get("topologyKey", "")), selector, namespaces, compile_label_selector(chosen))


def _weighted(pod: Mapping[str, Any], affinity: Mapping[str, Any], sign: int) -> tuple[WeightedPodTerm, ...]:
    return tuple(
        WeightedPodTerm(sign * int(term.get("weight", 0)), _pod_term(pod, term.get("podAffinityTerm") or {}))
        for term in affinity.get(_PREFERRED) or ()
    )


def _constraint(pod: Mapping[str, Any], constraint: Mapping[str, Any]) -> SpreadConstraint:
    return SpreadConstraint(
        topology_key=str(constraint.get("topologyKey", "")),
        max_skew=int(constraint.get("maxSkew", 1)),
        selector=_with_keys(pod, constraint, compile_label_selector(constraint.get("labelSelector"))),
        min_domains=int(constraint.get("minDomains") or 1),
        required=constraint.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule",
        honor_affinity=constraint.get("nodeAffinityPolicy", "Honor") == "Honor",
        honor_taints=constraint.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )


def _with_keys(
    pod: Mapping[str, Any], term: Mapping[str, Any], selector: LabelSelector | None
) -> LabelSelector | None:
    """Add what matchLabelKeys and mismatchLabelKeys say, from the pod's own labels."""
    if selector is None:
        return None
    labels = labels_of(pod)
    more = [LabelRequirement(k, "in", (labels[k],)) for k in term.get("matchLabelKeys") or () if k in labels]
    more += [LabelRequirement(k, "notin", (labels[k],)) for k in term.get("mismatchLabelKeys") or () if k in labels]
    return (*selector, *more)
