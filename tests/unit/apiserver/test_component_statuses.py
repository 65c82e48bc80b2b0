"""Readiness checks in the form of components."""

from minikube_py.apiserver.component_statuses import component_status, component_statuses


def test_a_check_that_is_well_is_a_healthy_component():
    assert component_status("ping", lambda: "")["conditions"] == [
        {"type": "Healthy", "status": "True", "message": "ok"}
    ]


def test_a_problem_is_shown_as_the_error():
    ill, well = component_statuses({"well": lambda: "", "ill": lambda: "no disk"})

    assert (ill["metadata"]["name"], well["metadata"]["name"]) == ("ill", "well")
    assert ill["conditions"] == [{"type": "Healthy", "status": "False", "message": "", "error": "no disk"}]
