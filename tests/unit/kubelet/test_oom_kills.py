import pytest

from minikube_py.kubelet.oom_kills import may_be_oom_kill, oom_victim

ID = "84ceb120" * 8
_NEW = (
    "6,99327,26081584860,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={id},mems_allowed=0,"
    "oom_memcg=/kubepods/podu,task_memcg=/kubepods/podu/{id},task=tail,pid=25313,uid=0"
)


@pytest.mark.parametrize(
    "line",
    [
        _NEW.format(id=ID),
        f"oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/kubepods.slice/kubepods-podu.slice/docker-{ID}.scope,task=x",
        f"6,1,1,-;Task in /kubepods/podu/{ID} killed as a result of limit of /kubepods/podu",
    ],
    ids=["limit of the pod", "slices", "before Linux 5.0"],
)
def test_the_kernels_line_names_the_container_that_lost_a_process(line):
    assert oom_victim(line) == ID


@pytest.mark.parametrize(
    "line",
    [
        "6,1,1,-;oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/user.slice,task=x,pid=1,uid=0",
        f"4,1,1,-;memory: usage 10240kB, limit 10240kB, failcnt 30 /kubepods/podu/{ID}",
        "",
    ],
    ids=["no container", "another line", "nothing"],
)
def test_other_lines_name_none(line):
    assert oom_victim(line) == ""


@pytest.mark.parametrize(
    ("state", "may_be"),
    [
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": False}, True),
        ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, False),
        ({"Status": "exited", "ExitCode": 1}, False),
        ({"Status": "running", "ExitCode": 0}, False),
    ],
    ids=["killed", "explained", "ended otherwise", "runs"],
)
def test_only_a_kill_that_nothing_is_said_of_may_be_for_want_of_memory(state, may_be):
    assert may_be_oom_kill(state) is may_be
