from dataclasses import replace

import pytest

from minikube_py.agent.errors import AgentError
from minikube_py.agent.folders import make_folders, sole_agent
from minikube_py.config import collect_settings, parse_config
from minikube_py.kit.own_address import OwnAddress


@pytest.fixture
def config(tmp_path):
    given = {"data-dir": str(tmp_path / "data")}
    return parse_config(collect_settings(given, {}, {}), host_name="n1", default_ip=OwnAddress("192.0.2.7", ""))


def test_a_data_folder_has_one_agent_at_a_time_of_whatever_role(config, tmp_path):
    with sole_agent(config):
        assert config.agent_dir.stat().st_mode & 0o777 == 0o700
        words = f"an agent runs on the data folder {config.data_dir} already"
        with pytest.raises(AgentError, match=words), sole_agent(config):
            pass
        with sole_agent(replace(config, data_dir=tmp_path / "another")):
            pass
    with sole_agent(config):
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AgentError, match="cannot use the data folder .*Not a directory; give another one"):
        make_folders(tmp_path / "file" / "data")
