from dataclasses import replace

import pytest

from minikube_py.apiserver.config import ApiServerConfig
from minikube_py.apiserver.server_args import read_server_args


def test_flags_of_the_api_server_become_its_settings():
    given = read_server_args(("default-not-ready-toleration-seconds=60", "default-unreachable-toleration-seconds=0"))

    assert given.faults == ()
    assert replace(ApiServerConfig(), **given.fields) == ApiServerConfig(
        default_not_ready_toleration_s=60, default_unreachable_toleration_s=0
    )


@pytest.mark.parametrize("arg", ["default-not-ready-toleration-seconds=-1", "anonymous-auth=true"])
def test_what_the_api_server_cannot_do_is_refused(arg):
    assert len(read_server_args((arg,)).faults) == 1
