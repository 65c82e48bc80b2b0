from minikube_py.testing.observed_pods.compare import (
    EventText,
    Placeholders,
    Run,
    diff_events,
    diff_lines,
    diff_mapping,
    diff_runs,
    diff_status,
)

STATUS = {
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "T"}],
    "containerStatuses": [
        {"name": "c", "ready": True, "restartCount": 0, "image": "i", "state": {"running": {"startedAt": "T"}}}
    ],
}
FAILED = EventText("Warning", "Failed", "Error: no")


def test_times_and_what_is_new_are_not_compared():
    here = {
        **STATUS,
        "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "now"},
            {"type": "PodReadyToStartContainers", "status": "True"},
        ],
        "observedGeneration": 1,
    }

    assert diff_status(STATUS, here) == []


def test_each_difference_of_a_status_names_its_place():
    here = {"phase": "Pending", "conditions": [], "containerStatuses": [{"name": "c", "ready": False}]}

    assert diff_status(STATUS, here) == [
        'phase: observed "Running" here "Pending"',
        'conditions.Ready.status: observed "True" here null',
        "containers.c.ready: observed true here false",
        "containers.c.restartCount: observed 0 here null",
        'containers.c.image: observed "i" here null',
        'containers.c.state: observed {"running": {}} here {}',
    ]


def test_missing_events_and_extra_warnings_differ():
    started = EventText("Normal", "Started", "Container started")

    assert diff_events([started], [FAILED], complete=True) == [
        f"events: missing {started}",
        f"events: extra {FAILED}",
    ]
    assert diff_events([], [FAILED], complete=False) == []
    assert diff_events([started], [started, started], complete=True) == []


def test_runs_differ_by_how_they_end_and_by_the_wait_between_them():
    recorded = [Run("c", 0, 1, 1, "Error"), Run("c", 11, 12, 1, "Error")]

    assert diff_runs(recorded, [Run("c", 5, 6, 1, "Error"), Run("c", 17, 18, 1, "Error")]) == []
    assert diff_runs(recorded, [Run("c", 0, 1, 0, "Completed"), Run("c", 60, 61, 1, "Error")]) == [
        'runs.c.0: observed [1, "Error"] here [0, "Completed"]',
        "runs.c.1.wait: observed 10 here 59",
    ]


def test_settings_and_lines_differ_by_key_and_by_line():
    assert diff_mapping("docker.c", {"Tty": True}, {"User": "1"}) == [
        "docker.c.Tty: observed true here null",
        'docker.c.User: observed null here "1"',
    ]
    assert diff_lines("inside", ["a", "b", ""], ["b", "c"]) == ["inside: missing a", "inside: extra c"]


def test_this_run_s_values_become_the_recording_s_placeholders():
    places = Placeholders(
        uid="u-1", pod_ip="10.0.0.2", host_ip="10.0.0.20", node="n1", others={"10.9.0.1": "<svcIP>"}
    )

    said = places.apply("u-1 10.0.0.20 10.0.0.2 10.9.0.1 n1 n1-x " + "ab" * 32)
    assert said == "<uid> <hostIP> <podIP> <svcIP> <node> n1-x <cid>"
    assert places.apply("..data -> ..2026_11_24_12_43_17.a_1-b") == "..data -> ..<stamp>"
    assert places.apply('seen="2026-11-24T12:43:17.5Z"') == 'seen="T"'
