"""The embedded store as a Hypothesis state machine against a dictionary: writes, restarts, cuts, restores."""

import asyncio
from contextlib import ExitStack
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from minikube_py.apiserver.canonical import decode, stamp
from minikube_py.store.check import check_state
from minikube_py.store.disk import Storage
from minikube_py.store.interface import Committed, Delete, Put, Rejected
from minikube_py.store.io.folder_check import check_folder
from minikube_py.store.io.open_store import StoreOptions, open_store
from minikube_py.store.io.recovery import Until
from minikube_py.store.io.restore import REVISION_STEP, RestoreSource, restore
from minikube_py.store.retention import SnapshotPolicy
from minikube_py.testing.contracts_store import PODS, a_value
from minikube_py.testing.disk_lives import quiet_log, small_files
from minikube_py.testing.manual_clock import ManualClock
from minikube_py.testing.sim_disk import SimDisk

FOLDER = Path("/sim/model")
KEYS = st.sampled_from([f"{PODS}x/{at}" for at in range(4)])
EXPECTS = st.sampled_from(["any", "none", "current", "wrong"])


class StoreMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(quiet_log())
        self.stack.enter_context(small_files(record=False))
        self.runner = self.stack.enter_context(asyncio.Runner())
        self.disk, self.clock = SimDisk(), ManualClock()
        self.model = {}
        self.past = {0: {}}
        self.revision = 0
        self.number = 0
        self.start()

    def start(self):
        async def begin():
            opened, self.stop = asyncio.get_running_loop().create_future(), asyncio.Event()
            self.life = asyncio.get_running_loop().create_task(self.live(opened, self.stop))
            await asyncio.wait({opened, self.life}, return_when=asyncio.FIRST_COMPLETED)
            self.store = opened.result()

        self.runner.run(begin())

    async def live(self, opened, stop):
        options = StoreOptions(policy=SnapshotPolicy(records_max=1000, kept=3), disk=self.disk)
        async with open_store(FOLDER, stamp=stamp, clock=self.clock, options=options) as store:
            opened.set_result(store)
            await stop.wait()

    def end(self):
        async def finish():
            self.stop.set()
            await self.life

        self.runner.run(finish())

    def expected(self, key, kind):
        standing = self.model[key][1] if key in self.model else 0
        return {"any": None, "none": 0, "current": standing, "wrong": standing + 7}[kind]

    def commit(self, *operations):
        result = self.runner.run(self.store.commit(operations))
        holds = all(self.holds(operation) for operation in operations)
        assert isinstance(result, Committed if holds else Rejected)
        if not holds:
            return
        self.revision += 1
        assert result.revision == self.revision
        for operation in operations:
            created = self.model.get(operation.key, (self.revision,))[0]
            if isinstance(operation, Put):
                self.model[operation.key] = (created, self.revision, self.number)
            else:
                del self.model[operation.key]
        self.past[self.revision] = dict(self.model)

    def holds(self, operation):
        standing = self.model[operation.key][1] if operation.key in self.model else 0
        if isinstance(operation, Delete) and not standing:
            return False
        return operation.expect in (None, standing)

    def put_of(self, key, kind):
        return Put(key, a_value("v", self.number), self.expected(key, kind))

    @rule(key=KEYS, kind=EXPECTS)
    def put(self, key, kind):
        self.number += 1
        self.commit(self.put_of(key, kind))

    @rule(key=KEYS, kind=EXPECTS)
    def delete(self, key, kind):
        self.commit(Delete(key, self.expected(key, kind)))

    @rule(keys=st.lists(KEYS, min_size=2, max_size=3, unique=True), kinds=st.lists(EXPECTS, min_size=3, max_size=3))
    def several(self, keys, kinds):
        self.number += 1
        first, *others = keys
        self.commit(
            Delete(first, self.expected(first, kinds[0])),
            *(self.put_of(key, kind) for key, kind in zip(others, kinds[1:], strict=False)),
        )

    @rule()
    def snapshot(self):
        self.runner.run(self.store.snapshots.take("request"))

    @rule()
    def restart(self):
        self.end()
        assert check_folder(Storage(self.disk, FOLDER), stamp).faults == ()
        self.start()

    @rule(seed=st.integers(0, 1000))
    def power_cut(self, seed):
        after = self.disk.after_power_cut(Random(seed))
        self.end()
        self.disk = after
        self.start()

    @precondition(lambda self: self.revision > 0)
    @rule(back=st.integers(0, 5))
    def restore(self, back):
        reachable = [revision for revision in self.past if revision >= self.oldest()]
        wanted = sorted(reachable)[-1 - min(back, len(reachable) - 1)]
        self.end()
        storage = Storage(self.disk, FOLDER)
        done = restore(storage, stamp, self.clock.wall_s(), RestoreSource(until=Until(revision=wanted)))
        assert done.from_revision == wanted
        self.revision += REVISION_STEP
        self.model = dict(self.past[wanted])
        self.past = {self.revision: dict(self.model)}
        self.start()
        assert self.store.compact_revision == self.revision

    def oldest(self):
        """Return the oldest revision of this epoch that kept snapshots and the log reach back to."""
        names = [name for name in self.disk.names(FOLDER) if name.endswith(".snapshot")]
        epoch = max((name[:8] for name in self.disk.names(FOLDER) if "-" in name), default="")
        revisions = sorted(int(name[9:25], 16) for name in names if name[:8] == epoch)
        return revisions[0] if revisions and (len(revisions) >= 3 or epoch != "00000001") else 0

    @invariant()
    def agrees(self):
        found = {e.key: (e.create_revision, e.mod_revision, decode(e)["data"]) for e in self.store.range("")}
        assert found == self.model
        assert self.store.revision == self.revision
        assert check_state(self.store.state) == ()
        for revision in list(self.past)[-3:]:
            if revision >= self.store.compact_revision:
                then = {e.key: (e.create_revision, e.mod_revision) for e in self.store.range_at("", revision)}
                assert then == {key: facts[:2] for key, facts in self.past[revision].items()}

    def teardown(self):
        self.end()
        self.stack.close()


StoreMachine.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, suppress_health_check=list(HealthCheck)
)
TestStoreAgainstADictionary = StoreMachine.TestCase
