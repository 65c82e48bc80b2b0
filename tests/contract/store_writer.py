"""A process for test_store_kill: 16 writers, each printing what was acknowledged to it, until it is killed."""

import asyncio
import os
import sys
from pathlib import Path

from minikube_py.apiserver.canonical import canonical, decode, stamp
from minikube_py.kit.io.system_clock import SystemClock
from minikube_py.store.interface import Committed, Put
from minikube_py.store.io.embedded_store import EmbeddedStore
from minikube_py.store.io.open_store import open_store

WRITERS = 16


async def write_for_ever(store: EmbeddedStore, key: str) -> None:
    entry = store.get(key)
    count = decode(entry)["count"] if entry is not None else 0
    expect = entry.mod_revision if entry is not None else 0
    while True:
        count += 1
        value = canonical({"metadata": {"name": key}, "count": count, "filler": "x" * (count * 37 % 3000)})
        result = await store.commit([Put(key, value, expect)])
        assert isinstance(result, Committed), result
        expect = result.revision
        os.write(1, f"{key} {count} {expect}\n".encode())


async def main() -> None:
    async with open_store(Path(sys.argv[1]), stamp=stamp, clock=SystemClock()) as store, asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(write_for_ever(store, f"/registry/core/configmaps/x/w{number}"))


asyncio.run(main())
