import pytest

from minikube_py.api.errors import BadRequestError, InternalError
from minikube_py.api.streams import ContainerRef
from minikube_py.kubelet.container_choice import choose_for_logs, choose_running
from minikube_py.kubelet.cri import ContainerId, ContainerPhase, ContainerRecord, PodIdentity, SandboxId

REF = ContainerRef("default", "web", "u-1", "app")
RUNNING, EXITED, CREATED = ContainerPhase.RUNNING, ContainerPhase.EXITED, ContainerPhase.CREATED


def a_container(attempt, phase, name="app"):
    return ContainerRecord(
        id=ContainerId(f"{name}{attempt}"),
        sandbox_id=SandboxId("s"),
        pod=PodIdentity("default", "web", "u-1"),
        name=name,
        attempt=attempt,
        phase=phase,
        image="i",
        image_id="",
        created_at_s=100.0 + attempt,
    )


def chosen(records, *, previous=False, waiting_reason=""):
    return choose_for_logs(REF, records, previous=previous, waiting_reason=waiting_reason).id


def test_an_ended_container_whose_record_is_gone_is_named():
    with pytest.raises(BadRequestError, match=r"unable to retrieve container logs for docker://abc$"):
        choose_for_logs(REF, [], previous=False, waiting_reason="", ended_id="docker://abc")


def test_the_running_one_speaks():
    assert chosen([a_container(1, RUNNING), a_container(0, EXITED), a_container(5, RUNNING, "other")]) == "app1"


def test_the_last_dead_one_speaks_while_the_next_waits():
    records = [a_container(0, EXITED), a_container(1, EXITED)]

    assert chosen(records, waiting_reason="CrashLoopBackOff") == "app1"
    assert chosen([*records, a_container(2, CREATED)]) == "app1"


def test_previous_is_the_one_before_the_running_one():
    assert chosen([a_container(0, EXITED), a_container(1, RUNNING)], previous=True) == "app0"


def test_previous_is_the_last_one_while_the_container_waits_for_its_restart():
    records = [a_container(0, EXITED), a_container(1, EXITED)]

    assert chosen(records, previous=True, waiting_reason="CrashLoopBackOff") == "app1"


def test_previous_is_not_the_one_whose_end_is_the_current_state():
    assert chosen([a_container(0, EXITED), a_container(1, EXITED)], previous=True) == "app0"


@pytest.mark.parametrize(
    "records", [[], [a_container(0, RUNNING)], [a_container(0, EXITED)]], ids=["none", "first", "done"]
)
def test_without_a_previous_one_upstreams_words(records):
    with pytest.raises(BadRequestError, match='^previous terminated container "app" in pod "web" not found$'):
        chosen(records, previous=True)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "ContainerCreating"),
        ("PodInitializing", "PodInitializing"),
        ("ErrImagePull", "image can't be pulled"),
        ("ImagePullBackOff", "trying and failing to pull image"),
        ("CreateContainerConfigError", "CreateContainerConfigError"),
    ],
)
def test_a_container_that_waits_to_start_says_for_what(reason, words):
    with pytest.raises(BadRequestError) as refusal:
        chosen([a_container(0, CREATED)], waiting_reason=reason)

    assert refusal.value.message == f'container "app" in pod "web" is waiting to start: {words}'


def test_exec_takes_the_running_one():
    assert choose_running(REF, [a_container(0, EXITED), a_container(1, RUNNING)]).id == "app1"


def test_exec_without_a_running_one_upstreams_words():
    with pytest.raises(InternalError) as refusal:
        choose_running(REF, [a_container(0, EXITED), a_container(0, RUNNING, "other")])

    assert refusal.value.message == 'container not found ("app")'
