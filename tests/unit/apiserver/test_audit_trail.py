from minikube_py.apiserver.audit_trail import ANNOTATIONS_MAX, AuditTrail


def test_the_first_value_of_an_annotation_stays_and_there_are_not_too_many():
    trail = AuditTrail()
    trail.annotate("example.com/a", "1")
    trail.annotate("example.com/a", "2")
    trail.annotate("no key", "1")
    assert trail.annotations == {"example.com/a": "1"}
    for number in range(2 * ANNOTATIONS_MAX):
        trail.annotate(f"example.com/{number}", "")
    assert len(trail.annotations) == ANNOTATIONS_MAX


def test_which_object_was_sent_is_always_kept():
    trail = AuditTrail()
    trail.sent({"metadata": {"name": "m", "uid": "u", "resourceVersion": "7", "labels": {}}})
    assert trail.object_ref == {"name": "m", "uid": "u", "resourceVersion": "7"}


def test_the_object_is_kept_only_when_it_is_wanted():
    obj = {"a": {"b": 1}}
    trail, other = AuditTrail(keeps_request=True), AuditTrail()
    trail.sent(obj)
    other.sent(obj)
    obj["a"]["b"] = 2
    assert (trail.request_object, other.request_object) == ({"a": {"b": 1}}, None)
