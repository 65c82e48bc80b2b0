from minikube_py.api.columns.autoscaling_v1 import SCALE_COLUMNS


def test_a_scale_shows_what_is_wanted_and_what_is_there():
    scale = {"metadata": {"name": "d", "creationTimestamp": "1970-01-01T00:00:00Z"}, "status": {"replicas": 2}}

    assert [column.name for column in SCALE_COLUMNS] == ["Name", "Desired", "Available", "Age"]
    assert [column.cell({**scale, "spec": {"replicas": 3}}, 5.0) for column in SCALE_COLUMNS] == ["d", 3, 2, "5s"]
    assert SCALE_COLUMNS[1].cell(scale, 5.0) == 0
