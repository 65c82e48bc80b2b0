from minikube_py.api.resources import PODS
from minikube_py.apiserver.admission import Attributes
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.users import LOOPBACK


def test_what_is_seen_of_a_subresource_has_its_own_kind():
    assert Attributes("UPDATE", PODS, "status", "n", "p", LOOPBACK).seen_as is PODS
    binding = Attributes("CREATE", PODS, "binding", "n", "p", LOOPBACK).seen_as
    assert (binding.api_version, binding.kind, binding.plural) == ("v1", "Binding", "pods")
    eviction = Attributes("CREATE", PODS, "eviction", "n", "p", LOOPBACK).seen_as
    assert (eviction.api_version, eviction.kind) == ("policy/v1", "Eviction")
    assert eviction.schema.child("deleteOptions") is not None


def test_annotations_go_to_the_trail_if_there_is_one():
    trail = AuditTrail()
    Attributes("CREATE", PODS, "", "n", "p", LOOPBACK, trail=trail).annotate("a/b", "c")
    Attributes("CREATE", PODS, "", "n", "p", LOOPBACK).annotate("a/b", "c")
    assert trail.annotations == {"a/b": "c"}
