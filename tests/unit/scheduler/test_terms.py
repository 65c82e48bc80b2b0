"""What a pod says about where it wants to be."""

from minikube_py.scheduler.terms import compile_terms
from minikube_py.testing.workload_objects import a_pod

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def terms(**spec):
    return compile_terms(a_pod(spec=spec))


def test_node_selector_and_one_of_the_terms_have_to_match() -> None:
    zone = {"key": "zone", "operator": "In", "values": ["a", "b"]}
    disk = {"key": "disk", "operator": "Exists"}
    chosen = terms(
        nodeSelector={"os": "linux"},
        affinity={
            "nodeAffinity": {
                REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [zone, disk]}, {"matchExpressions": [disk]}]}
            }
        },
    )

    assert chosen.match_node("n", {"os": "linux", "zone": "c", "disk": ""})
    assert not chosen.match_node("n", {"os": "linux", "zone": "a"})
    assert not chosen.match_node("n", {"zone": "a", "disk": ""})


def test_a_node_can_be_chosen_by_its_name_and_an_empty_term_chooses_none() -> None:
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n7"]}]}

    def affinity(*wanted):
        return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(wanted)}}}

    assert terms(affinity=affinity(by_name)).match_node("n7", {})
    assert not terms(affinity=affinity(by_name)).match_node("n8", {})
    assert not terms(affinity=affinity({})).match_node("n7", {})
    assert terms().match_node("n7", {})


def test_pod_terms_reach_their_own_namespace_unless_they_say_otherwise() -> None:
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}

    def compiled(**more):
        return terms(affinity={"podAffinity": {REQUIRED: [{**term, **more}]}}).affinity[0]

    assert compiled().matches("default", {"app": "web"}, {})
    assert not compiled().matches("other", {"app": "web"}, {})
    assert compiled(namespaces=["other"]).matches("other", {"app": "web"}, {})
    assert compiled(namespaceSelector={}).matches("any", {"app": "web"}, {})
    chosen = compiled(namespaceSelector={"matchLabels": {"team": "x"}})
    assert chosen.matches("any", {"app": "web"}, {"team": "x"})
    assert not chosen.matches("default", {"app": "web"}, {})


def test_match_label_keys_narrow_the_selector_to_the_pods_own_value() -> None:
    constraint = {
        "topologyKey": "zone",
        "maxSkew": 1,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": "web"}},
        "matchLabelKeys": ["app", "absent"],
    }
    (spread,) = terms(topologySpreadConstraints=[constraint]).spread

    assert not spread.required
    assert spread.selector is not None
    assert len(spread.selector) == 2


def test_preferred_anti_affinity_weighs_negatively() -> None:
    wanted = {"weight": 5, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {}}}
    both = terms(affinity={"podAffinity": {PREFERRED: [wanted]}, "podAntiAffinity": {PREFERRED: [wanted]}})

    assert [preferred.weight for preferred in both.preferred] == [5, -5]
