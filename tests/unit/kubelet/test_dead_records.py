from minikube_py.kubelet.cri import RuntimeListing
from minikube_py.kubelet.dead_records import compute_dead_records
from minikube_py.testing.kubelet_records import a_run, a_sandbox

ACTIVE = frozenset({"u"})


def removed(sandboxes, runs, active=ACTIVE):
    dead = compute_dead_records(RuntimeListing(tuple(sandboxes), tuple(runs)), active, 1)
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
