from minikube_py.testing.observed_pods.docker_settings import mounts_of, settings_of


def test_what_is_not_set_and_what_the_engine_adds_is_left_out():
    document = {
        "Config": {"Hostname": "h", "User": "", "Tty": False, "Env": ["PATH=/bin", "B=2", "A=1"]},
        "HostConfig": {"NetworkMode": "container:abc", "CapAdd": ["B", "A"], "OomScoreAdj": -998, "Memory": 0},
    }

    assert settings_of(document) == {
        "Hostname": "h",
        "Env": ["A=1", "B=2"],
        "NetworkMode": "container",
        "CapAdd": ["A", "B"],
    }


def test_mounts_are_told_by_where_and_how():
    mounts = [{"Destination": "/v", "RW": False, "Propagation": "rslave"}, {"Destination": "/w", "RW": True}]

    assert mounts_of({"Mounts": mounts}) == {"/v": "ro rslave", "/w": "rw "}
