"""kill -9 of a process with 64 concurrent writers, held against all that they saw; more: `scripts/soak store`."""

from minikube_py.testing.kill_rounds import run_rounds

ROUNDS = 3


async def test_after_a_kill_everything_acknowledged_is_there_and_nothing_that_nobody_wrote(tmp_path):
    totals = await run_rounds(tmp_path / "store", ROUNDS, seed=20261124)

    assert totals.rounds == ROUNDS
    assert min(totals.acknowledged, totals.reads, totals.watched) > 0
