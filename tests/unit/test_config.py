from pathlib import Path

import pytest

from minikube_py.config import ConfigError, Datastore, collect_settings, parse_config, read_config_file
from minikube_py.kit.own_address import OwnAddress

OWN = OwnAddress("192.0.2.7", "it is the only one")


def _config(**values):
    flags = {name.replace("_", "-"): value for name, value in values.items()}
    return parse_config(collect_settings(flags, {}, {}), host_name="Host1", default_ip=OWN)


def test_the_flag_wins_over_the_environment_the_file_and_the_default():
    file = {"node-name": "from-file", "cluster-domain": "file.local", "log-format": "json"}
    environ = {"MINIKUBE_PY_NODE_NAME": "from-env", "MINIKUBE_PY_CLUSTER_DOMAIN": "env.local"}
    values = collect_settings({"node-name": "from-flag"}, environ, file)

    assert values["node-name"] == "from-flag"
    assert values["cluster-domain"] == "env.local"
    assert values["log-format"] == "json"
    assert "https-listen-port" not in values


def test_defaults_make_a_whole_config():
    config = _config()

    assert config.https_port == 6443
    assert (config.node_name, config.node_ip) == ("host1", "192.0.2.7")
    assert config.kubernetes_service_ip == "10.96.0.1"
    assert config.node_ports == range(30000, 32768)
    assert config.kubeconfig_mode == 0o600
    assert config.pod_logs_dir == Path("/var/log/pods")


def test_an_agent_with_its_own_data_folder_keeps_its_own_logs():
    assert _config(data_dir="/srv/n2").pod_logs_dir == Path("/srv/n2/log/pods")


def test_registries_stand_beside_the_config_or_in_the_agents_own_folder_or_where_it_is_told():
    assert _config().registries_path == Path("/etc/minikube-py/registries.yaml")
    assert _config(data_dir="/srv/n2").registries_path == Path("/srv/n2/agent/registries.yaml")
    assert _config(private_registry="/x.yaml").registries_path == Path("/x.yaml")


def test_an_agent_with_its_own_data_folder_has_its_own_cgroups():
    one, other = _config(data_dir="/srv/n1").cgroup_root, _config(data_dir="/srv/n2").cgroup_root

    assert _config().cgroup_root == "/"
    assert one.startswith("/minikube-py-")
    assert one != other


def test_an_unknown_key_names_the_nearest_known_one():
    with pytest.raises(ConfigError, match="'node-nam'.*did you mean 'node-name'"):
        collect_settings({}, {}, {"node-nam": "x"})


def test_all_faults_are_reported_at_once():
    with pytest.raises(ConfigError) as caught:
        _config(cluster_cidr="10.96.0.0/16", https_listen_port="70000", cluster_dns="10.1.1.1", log_format="xml")

    message = str(caught.value)
    assert "overlap" in message
    assert "--https-listen-port: '70000' is not a port" in message
    assert "--cluster-dns 10.1.1.1 is not inside" in message
    assert "--log-format: 'xml' is not one of text, json" in message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("service_node_port_range", "9-1", "not a range of ports"),
        ("write_kubeconfig_mode", "rw", "not a file mode"),
        ("docker_host", "tcp://x", "must be a unix:///PATH"),
        ("cluster_cidr", "10.244.0.0/25", "too small"),
        ("node_ip", "one", "--node-ip"),
        ("disable", "network", "'network' is not one of dns"),
        ("https_listen_port", 30001, "lies inside"),
        ("kubelet_arg", ["max-pod=3"], "no argument 'max-pod'; did you mean 'max-pods'"),
        ("kubelet_arg", ["eviction-hard=memory.free<1Gi"], "unsupported eviction signal memory.free"),
        ("kube_controller_manager_arg", ["node-monitor-grace-period=40"], "'40' is not a duration"),
        ("kube_apiserver_arg", ["default-toleration=1"], "--kube-apiserver-arg: there is no argument"),
    ],
)
def test_each_wrong_value_is_named(name, value, message):
    with pytest.raises(ConfigError, match=message):
        _config(**{name: value})


def test_a_host_without_a_default_route_must_say_its_address():
    with pytest.raises(ConfigError, match="--node-ip"):
        parse_config(collect_settings({}, {}, {}), host_name="h", default_ip=OwnAddress("", ""))


def test_an_administrators_kubeconfig_of_another_data_folder_lies_in_it():
    assert _config().kubeconfig_path == Path("/etc/minikube-py/kubeconfig.yaml")
    assert _config(data_dir="/srv/n2").kubeconfig_path == Path("/srv/n2/server/kubeconfig.yaml")
    assert _config(data_dir="/srv/n2", write_kubeconfig="/k").kubeconfig_path == Path("/k")


def test_a_mode_that_yaml_read_as_a_number_means_the_same():
    values = collect_settings({}, {}, {"write-kubeconfig-mode": 0o644})

    assert parse_config(values, host_name="h", default_ip=OWN).kubeconfig_mode == 0o644


def test_a_list_comes_from_the_environment_with_commas():
    values = collect_settings({}, {"MINIKUBE_PY_TLS_SAN": "a.example,192.0.2.9"}, {})

    assert parse_config(values, host_name="h", default_ip=OWN).tls_sans == ("a.example", "192.0.2.9")


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("- a\n")
    with pytest.raises(ConfigError, match="name: value"):
        read_config_file(path, required=True)
    path.write_text("b: 1\na: [")
    with pytest.raises(ConfigError, match=r"cannot be read: line 2: expected the node content[^\n]*$"):
        read_config_file(path, required=True)
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_config_file(tmp_path, required=True)
    with pytest.raises(ConfigError, match="does not exist"):
        read_config_file(tmp_path / "none", required=True)
    assert read_config_file(tmp_path / "none", required=False) == {}


def test_an_etcd_cluster_is_given_by_its_endpoints_and_files():
    config = _config(datastore_endpoint=("https://a:2379,https://10.0.0.2:2379",), datastore_cafile="/ca")

    assert config.datastore == Datastore(("https://a:2379", "https://10.0.0.2:2379"), Path("/ca"), None, None)
    assert _config().datastore is None


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"datastore_endpoint": ("a:2379",)}, "'a:2379' is no URL"),
        ({"datastore_endpoint": ("mysql://a:2379",)}, "is no URL"),
        ({"datastore_cafile": "/ca"}, "need --datastore-endpoint"),
        ({"datastore_endpoint": ("http://a:1",), "datastore_keyfile": "/k"}, "go together"),
    ],
)
def test_an_etcd_cluster_that_cannot_be_used_is_told(values, fault):
    with pytest.raises(ConfigError, match=fault):
        _config(**values)
