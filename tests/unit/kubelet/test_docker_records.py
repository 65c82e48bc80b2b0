import pytest

from minikube_py.kubelet.cri import (
    ContainerPhase,
    ImageRecord,
    PodIdentity,
    RuntimeErrorKind,
    RuntimeVersionError,
    SandboxRecord,
)
from minikube_py.kubelet.docker_records import (
    as_listed,
    choose_api_version,
    conflicting_container,
    container_from_listed,
    image_from_json,
    parse_time,
    pull_error_kind,
    sandbox_from_listed,
    shown_image_id,
    unpack_message,
    with_default_tag,
)

NEVER = "0001-01-01T00:00:00Z"
CREATED = "2026-11-24T06:00:00.5Z"
CREATED_S = 1795500000.5
IMAGE = ImageRecord("sha256:b0", ("busybox:1.29",), (), 1)


def listed(**changes):
    entry = {
        "Id": "c1",
        "Names": ["/k8s_app_web_default_u-1_3"],
        "Image": "sha256:b0",
        "ImageID": "sha256:b0",
        "Created": int(CREATED_S),
        "State": "running",
        "Labels": {
            "app": "web",
            "annotation.io.kubernetes.container.hash": "abc",
            "io.kubernetes.container.logpath": "/var/log/pods/default_web_u-1/app/3.log",
            "io.kubernetes.container.name": "app",
            "io.kubernetes.docker.type": "container",
            "io.kubernetes.pod.name": "web",
            "io.kubernetes.pod.namespace": "default",
            "io.kubernetes.pod.uid": "u-1",
            "io.kubernetes.sandbox.id": "s1",
            "minikube-py.image": "web:2",
        },
        "HostConfig": {"NetworkMode": "container:s1"},
    }
    return {**entry, **changes}


def inspected(**state):
    base = {
        "Status": "running",
        "Running": True,
        "Pid": 77,
        "ExitCode": 0,
        "Error": "",
        "OOMKilled": False,
        "StartedAt": "2026-11-24T06:00:01.25Z",
        "FinishedAt": NEVER,
    }
    return {"Id": "c1", "Created": CREATED, "State": {**base, **state}}


def test_a_running_container():
    record = container_from_listed(listed(), inspected(), IMAGE)

    assert (record.id, record.sandbox_id, record.pod) == ("c1", "s1", PodIdentity("default", "web", "u-1"))
    assert (record.name, record.attempt, record.phase) == ("app", 3, ContainerPhase.RUNNING)
    assert (record.created_at_s, record.started_at_s, record.finished_at_s) == (CREATED_S, CREATED_S + 0.75, 0.0)
    assert (record.pid, record.exit_code, record.reason) == (77, 0, "")
    assert (record.image, record.image_id) == ("web:2", "docker://sha256:b0")
    assert dict(record.labels) == {"app": "web"}
    assert dict(record.annotations) == {"io.kubernetes.container.hash": "abc"}
    assert record.log_path == "/var/log/pods/default_web_u-1/app/3.log"


@pytest.mark.parametrize(
    ("exit_code", "oom_killed", "reason"),
    [(0, False, "Completed"), (1, False, "Error"), (137, True, "OOMKilled"), (143, False, "Error")],
)
def test_how_a_container_ended(exit_code, oom_killed, reason):
    state = inspected(
        Status="exited", Pid=0, ExitCode=exit_code, OOMKilled=oom_killed, FinishedAt="2026-11-24T06:00:09Z"
    )
    record = container_from_listed(listed(), state, IMAGE)

    assert (record.phase, record.exit_code, record.reason) == (ContainerPhase.EXITED, exit_code, reason)
    assert record.finished_at_s == CREATED_S + 8.5


def test_a_start_that_failed_is_an_exit_at_the_moment_of_creation():
    error = 'exec: "nosuch": executable file not found in $PATH: unknown'
    state = inspected(Status="created", Pid=0, ExitCode=127, Error=error, StartedAt=NEVER)
    record = container_from_listed(listed(), state, IMAGE)

    assert (record.phase, record.exit_code, record.reason) == (ContainerPhase.EXITED, 127, "ContainerCannotRun")
    assert record.message == error
    assert record.created_at_s == record.started_at_s == record.finished_at_s == CREATED_S


def test_a_container_that_was_never_started_is_created():
    record = container_from_listed(listed(), inspected(Status="created", Pid=0, StartedAt=NEVER), IMAGE)

    assert (record.phase, record.started_at_s, record.reason) == (ContainerPhase.CREATED, 0.0, "")


def test_an_end_is_never_before_its_beginning():
    state = inspected(
        Status="exited", Pid=0, StartedAt="2026-11-24T06:00:01.002Z", FinishedAt="2026-11-24T06:00:01.001Z"
    )
    record = container_from_listed(listed(), state, IMAGE)

    assert record.started_at_s == record.finished_at_s


@pytest.mark.parametrize("status", ["dead", "removing"])
def test_a_container_whose_removal_hangs_has_exited(status):
    record = container_from_listed(listed(), inspected(Status=status, Pid=0, ExitCode=137), IMAGE)

    assert record.phase is ContainerPhase.EXITED


def test_without_an_inspect_the_phase_is_unknown():
    record = container_from_listed(listed(), None, None)

    assert record.phase is ContainerPhase.UNKNOWN
    assert (record.created_at_s, record.attempt) == (int(CREATED_S), 3)


def test_the_image_falls_back_to_what_docker_knows():
    entry = listed()
    del entry["Labels"]["minikube-py.image"]

    assert container_from_listed(entry, inspected(), IMAGE).image == "busybox:1.29"
    assert container_from_listed(entry, inspected(), None).image == "sha256:b0"


def test_an_image_with_a_digest_is_pullable():
    pulled = ImageRecord("sha256:b0", ("web:2",), ("web@sha256:dd",), 1)

    assert shown_image_id(pulled, "sha256:b0") == "docker-pullable://web@sha256:dd"
    assert shown_image_id(None, "sha256:b0") == "docker://sha256:b0"


def test_a_sandbox_and_its_inspect_document_say_the_same():
    document = {
        "Id": "s1",
        "Name": "/k8s_POD_web_default_u-1_2",
        "Created": CREATED,
        "Image": "sha256:aa",
        "State": {"Status": "running", "Running": True, "Pid": 42},
        "Config": {
            "Labels": {
                "app": "web",
                "io.kubernetes.pod.name": "web",
                "io.kubernetes.pod.namespace": "default",
                "io.kubernetes.pod.uid": "u-1",
            }
        },
        "HostConfig": {"NetworkMode": "host"},
    }

    assert sandbox_from_listed(as_listed(document), document) == SandboxRecord(
        id="s1",
        pod=PodIdentity("default", "web", "u-1"),
        attempt=2,
        ready=True,
        pid=42,
        created_at_s=CREATED_S,
        host_network=True,
        labels={"app": "web"},
        annotations={},
    )


def test_an_image_has_no_nameless_names():
    document = {
        "Id": "sha256:b0",
        "RepoTags": ["<none>:<none>"],
        "RepoDigests": None,
        "Size": 7,
        "Config": {"User": "65"},
    }

    assert image_from_json(document) == ImageRecord("sha256:b0", (), (), 7, "65")


@pytest.mark.parametrize(
    ("newest", "oldest", "chosen"),
    [("1.41", "1.12", "1.41"), ("1.50", "1.24", "1.44"), ("1.52", "1.44", "1.44"), ("1.40", "1.12", "1.40")],
    ids=["Debian 12", "Docker 28", "Docker 29", "19.03"],
)
def test_the_newest_version_that_both_speak(newest, oldest, chosen):
    assert choose_api_version("Docker", newest, oldest, (1, 40), (1, 44)) == chosen


@pytest.mark.parametrize(
    ("newest", "oldest", "words", "remedy"),
    [
        ("1.26", "1.12", "Docker 1.13.1 speaks API 1.26; 1.40 is needed", "install Docker 19.03 or later"),
        (
            "1.60",
            "1.45",
            "Docker 1.13.1 speaks no API older than 1.45; this program speaks up to 1.44",
            "install a l",
        ),
    ],
)
def test_no_common_version_is_refused_with_the_way_to_mend_it(newest, oldest, words, remedy):
    with pytest.raises(RuntimeVersionError) as refusal:
        choose_api_version("Docker 1.13.1", newest, oldest, (1, 40), (1, 44))

    assert refusal.value.kind is RuntimeErrorKind.REFUSED
    assert refusal.value.message == words
    assert refusal.value.remedy.startswith(remedy)


def test_the_engines_words_are_unpacked():
    assert unpack_message('{"message":"No such image: x"}\n') == "No such image: x"
    assert unpack_message("plain words\n") == "plain words"
    assert unpack_message("{not json") == "{not json"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("manifest for web:9 not found: manifest unknown", RuntimeErrorKind.NOT_FOUND),
        ("dial tcp 127.0.0.1:1: connect: connection refused", RuntimeErrorKind.REFUSED),
        ("pull access denied for web", RuntimeErrorKind.REFUSED),
    ],
)
def test_a_pulls_words_say_what_kind_of_error_it_is(words, kind):
    assert pull_error_kind(words) is kind


def test_the_holder_of_a_name_is_read_from_the_conflict():
    message = (
        'Conflict. The container name "/k8s_POD_a_b_c_0" is already in use by container "af01". '
        "You have to remove (or rename) that container to be able to reuse that name."
    )

    assert conflicting_container(message) == "af01"
    assert conflicting_container("container is not running") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (CREATED, CREATED_S),
        ("2026-11-24T06:00:00.123456789Z", 1795500000.123456),
        ("2026-11-24T06:00:00Z", 1795500000.0),
        ("2026-11-24T08:00:00.5+02:00", CREATED_S),
        (NEVER, 0.0),
        ("", 0.0),
    ],
)
def test_dockers_times(text, seconds):
    assert parse_time(text) == seconds


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("busybox", "busybox:latest"),
        ("busybox:1", "busybox:1"),
        ("host:5000/web", "host:5000/web:latest"),
        ("host:5000/web:2", "host:5000/web:2"),
        ("web@sha256:dd", "web@sha256:dd"),
    ],
)
def test_an_image_without_tag_is_the_latest(image, full):
    assert with_default_tag(image) == full


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("b.example/app:1", "b.example/app@sha256:2"),
        ("c.example:5000/app", "a.example/app@sha256:2"),
        ("", "a.example/app@sha256:2"),
    ],
)
def test_an_image_id_names_the_repository_that_was_asked_for_if_the_image_came_from_there(asked, shown):
    image = ImageRecord("sha256:1", (), ("a.example/app@sha256:2", "b.example/app@sha256:2"), 1)

    assert shown_image_id(image, image.id, asked) == f"docker-pullable://{shown}"


def test_an_image_is_pinned_by_any_of_its_names():
    document = {"Id": "sha256:1", "RepoTags": ["a:1", "pause:1"]}

    assert image_from_json(document, ("pause:1",)).pinned
    assert image_from_json(document, ("sha256:1",)).pinned
    assert not image_from_json(document, ("other:1",)).pinned
