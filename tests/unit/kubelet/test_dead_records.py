from dataclasses import replace

from minikube_py.kubelet.cri import RuntimeListing
from minikube_py.kubelet.dead_records import DeadPolicy, compute_dead_records
from minikube_py.testing.kubelet_records import a_run, a_sandbox

ACTIVE = frozenset({"u"})


def removed(sandboxes, runs, active=ACTIVE, policy=None):
    dead = compute_dead_records(RuntimeListing(tuple(sandboxes), tuple(runs)), active, policy or DeadPolicy())
    return [r.attempt for r in runs if r.id in dead.containers], [
        s.attempt for s in sandboxes if s.id in dead.sandboxes
    ]


def test_one_dead_run_is_kept_besides_the_newest():
    runs = [a_run("c", attempt=n, exit_code=1) for n in range(4)]

    assert removed([a_sandbox()], [*runs, a_run("c", attempt=4)])[0] == [0, 1, 2]


def test_what_runs_is_never_removed():
    assert removed([a_sandbox()], [a_run("c")], frozenset()) == ([], [])


def test_everything_dead_of_unknown_pods_goes():
    found = removed([a_sandbox(ready=False)], [a_run("c", exit_code=0)], frozenset())

    assert found == ([0], [0])


def test_an_old_sandbox_goes_once_nothing_refers_to_it():
    sandboxes = [a_sandbox(0, ready=False), a_sandbox(1)]

    assert removed(sandboxes, [])[1] == [0]
    assert removed(sandboxes, [a_run("c", sandbox=0, exit_code=0)])[1] == []


def test_the_newest_sandbox_of_an_active_pod_stays():
    assert removed([a_sandbox(ready=False)], [])[1] == []


def made(run, at_s):
    return replace(run, created_at_s=at_s)


def test_the_node_keeps_no_more_dead_runs_than_it_may_and_those_are_the_newest():
    runs = [made(a_run(name, attempt=n, exit_code=1), 10.0 * n + at) for n in (0, 1) for at, name in enumerate("ab")]
    dead = compute_dead_records(RuntimeListing((), tuple(runs)), ACTIVE, DeadPolicy(total_max=1))
    assert dead.containers == (runs[0].id,)
    assert compute_dead_records(RuntimeListing((), tuple(runs)), ACTIVE, DeadPolicy()).containers == ()


def test_a_dead_run_stays_for_its_minimum_age_whoever_it_belonged_to():
    run = made(a_run("c", exit_code=0), 100.0)

    assert removed([], [run], frozenset(), DeadPolicy(newest_to_go_s=99.0))[0] == []
    assert removed([], [run], frozenset(), DeadPolicy(newest_to_go_s=100.0))[0] == [0]
