"""One user's flood of long reads does not keep others waiting: what is counted is who is answered before whom.

Everything is on one loop and the works on one thread, so the order does not depend on how fast anything is.
"""

import asyncio

import orjson
import pytest

from minikube_py.apiserver.io.heavy_work import LIGHT_LIST_MAX, LISTS_MAX
from minikube_py.apiserver.users import SYSTEM_MASTERS, UserInfo
from minikube_py.client.wire import ApiRequest
from minikube_py.testing.memory_api_server import memory_api_server, serving

MAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML, TABLE = "application/json", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io"
STORED = 2 * LIGHT_LIST_MAX
FLOOD = 20
BEFORE_MAX = 3 * LISTS_MAX
"""So many answers may come before: those that had begun when the other asked, and those that were next."""
READS = {
    "a table": (MAPS, TABLE, {}),
    "a selection of labels": (MAPS, JSON, {"labelSelector": "!x"}),
    "a list as YAML": (MAPS, YAML, {}),
    "an object as YAML": (f"{MAPS}/m0", YAML, {}),
}


@pytest.mark.parametrize("name", READS)
async def test_a_flood_of_long_reads_of_one_user_is_answered_in_turns_with_anothers(name):
    path, accept, query = READS[name]
    server, answered = memory_api_server(), []
    async with serving(server, None):
        mine = server.local_transport()
        for number in range(STORED):
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"m{number}"}}
            made = await mine.send(ApiRequest("POST", MAPS, {}, {"content-type": JSON}, orjson.dumps(body)))
            assert made.status == 201

        async def read(user, wanted):
            transport = server.local_transport(UserInfo(user, (SYSTEM_MASTERS,)))
            answer = await transport.send(ApiRequest("GET", path, query, {"accept": wanted}))
            assert answer.status == 200
            answered.append(user)

        async with asyncio.TaskGroup() as group:
            for _ in range(FLOOD):
                group.create_task(read("flood", accept))
            await asyncio.sleep(0)
            group.create_task(read("other", accept))

    assert len(answered) == FLOOD + 1
    assert answered.index("other") <= BEFORE_MAX, answered
