"""What is written for a notice, and when a repetition only counts."""

from minikube_py.client.events import (
    BURST_MAX,
    COMBINED,
    REFILL_S,
    CountEvent,
    CreateEvent,
    DropEvent,
    EventCorrelator,
    EventSource,
    EventType,
    Notice,
    event_name,
    object_reference,
)

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "7"},
}
NOW = 1_700_000_000.0


def a_notice(message: str = "Created container c", reason: str = "Created", type_: EventType = "Normal") -> Notice:
    return Notice(object_reference(POD, "spec.containers{c}"), type_, reason, message)


def test_the_first_notice_creates_an_event_as_upstream_writes_it() -> None:
    decision = EventCorrelator(EventSource("kubelet", "n1")).handle(NOW, a_notice(), salt=5)

    assert decision == CreateEvent(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": event_name("web", NOW, 5), "namespace": "shop"},
            "involvedObject": {
                "kind": "Pod",
                "namespace": "shop",
                "name": "web",
                "uid": "u1",
                "apiVersion": "v1",
                "resourceVersion": "7",
                "fieldPath": "spec.containers{c}",
            },
            "reason": "Created",
            "message": "Created container c",
            "source": {"component": "kubelet", "host": "n1"},
            "firstTimestamp": "2023-11-14T22:13:20Z",
            "lastTimestamp": "2023-11-14T22:13:20Z",
            "count": 1,
            "type": "Normal",
            "eventTime": None,
            "reportingComponent": "kubelet",
            "reportingInstance": "n1",
        }
    )


def test_the_same_notice_again_counts_up_and_keeps_the_first_time() -> None:
    correlator = EventCorrelator(EventSource("kubelet", "n1"))
    correlator.handle(NOW, a_notice(), 1)
    again = correlator.handle(NOW + 60, a_notice(), 2)

    assert isinstance(again, CountEvent)
    assert (again.namespace, again.name) == ("shop", event_name("web", NOW, 1))
    assert again.patch == {"count": 2, "message": "Created container c", "lastTimestamp": "2023-11-14T22:14:20Z"}
    assert again.event["firstTimestamp"] == "2023-11-14T22:13:20Z"


def test_another_message_is_another_event() -> None:
    correlator = EventCorrelator(EventSource("kubelet", "n1"))
    first = correlator.handle(NOW, a_notice("one"), 1)
    second = correlator.handle(NOW, a_notice("two"), 2)

    assert isinstance(first, CreateEvent)
    assert isinstance(second, CreateEvent)
    assert first.event["metadata"]["name"] != second.event["metadata"]["name"]


def test_the_eleventh_message_about_one_thing_is_combined() -> None:
    correlator = EventCorrelator(EventSource("kubelet", "n1"))
    for n in range(10):
        assert isinstance(correlator.handle(NOW, a_notice(f"message {n}"), n), CreateEvent)
    eleventh = correlator.handle(NOW, a_notice("message 10"), 10)
    twelfth = correlator.handle(NOW, a_notice("message 11"), 11)

    assert isinstance(eleventh, CreateEvent)
    assert eleventh.event["message"] == COMBINED + "message 10"
    assert isinstance(twelfth, CountEvent)
    assert twelfth.patch["count"] == 2
    assert twelfth.patch["message"] == COMBINED + "message 11"


def test_an_object_that_shouts_is_cut_off_and_heard_again_later() -> None:
    correlator = EventCorrelator(EventSource("kubelet", "n1"))
    decisions = [correlator.handle(NOW, a_notice(), n) for n in range(BURST_MAX + 1)]

    assert [type(d) for d in decisions] == [CreateEvent] + [CountEvent] * (BURST_MAX - 1) + [DropEvent]
    assert isinstance(correlator.handle(NOW + REFILL_S + 1, a_notice(), 99), CountEvent)


def test_cluster_scoped_objects_have_their_events_in_default() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n1"}}
    notice = Notice(object_reference(node), "Normal", "Starting", "Starting kubelet.")
    decision = EventCorrelator(EventSource("kubelet", "n1")).handle(NOW, notice, 1)

    assert isinstance(decision, CreateEvent)
    assert decision.event["metadata"]["namespace"] == "default"
    assert "namespace" not in decision.event["involvedObject"]


def test_progress_is_one_event_whose_message_moves_on_and_leaves_the_object_its_say() -> None:
    correlator = EventCorrelator(EventSource("kubelet", "n1"))
    about = object_reference(POD, "spec.containers{c}")
    decisions = [
        correlator.handle(
            NOW + step, Notice(about, "Normal", "PullProgress", f"{step} of 99", is_progress=True), step
        )
        for step in range(2 * BURST_MAX)
    ]

    first, last = decisions[0], decisions[-1]
    assert isinstance(first, CreateEvent)
    assert isinstance(last, CountEvent)
    assert last.name == first.event["metadata"]["name"]
    assert last.patch == {"count": 50, "message": "49 of 99", "lastTimestamp": "2023-11-14T22:14:09Z"}
    assert isinstance(correlator.handle(NOW + 60, a_notice(), salt=1), CreateEvent)
