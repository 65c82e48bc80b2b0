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
