"""What Docker answers, read into the runtime's records.

The engine's JSON is parsed here and nowhere else: list entries (short, cheap, of all containers in one request),
inspect documents (full), images, error texts. Rules that come from how Docker tells things:

- A container that could not be started stays `created`, with an exit code and an error: for Kubernetes it has exited,
  reason ContainerCannotRun, and it started, finished and was created at the same moment.
- `dead` and `removing` are containers on their way out whose removal hangs; they have exited.
- Times are RFC 3339 with nanoseconds; year 1 means never.

Upstream: dockershim convert.go, docker_container.go (ContainerStatus).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from minikube_py.kubelet.cri import (
    ContainerId,
    ContainerPhase,
    ContainerRecord,
    ContainerResources,
    ImageRecord,
    RuntimeErrorKind,
    RuntimeVersionError,
    SandboxId,
    SandboxRecord,
)
from minikube_py.kubelet.docker_names import (
    CONTAINER_LOG_PATH,
    CONTAINER_NAME,
    IMAGE,
    NETNS,
    OWN_NETNS,
    SANDBOX_ID,
    annotations_of,
    parse_name,
    pod_labels_of,
    pod_of,
)

Json = Mapping[str, Any]

_PHASES: Mapping[str, ContainerPhase] = {
    "created": ContainerPhase.CREATED,
    "running": ContainerPhase.RUNNING,
    "paused": ContainerPhase.RUNNING,
    "restarting": ContainerPhase.RUNNING,
    "removing": ContainerPhase.EXITED,
    "exited": ContainerPhase.EXITED,
    "dead": ContainerPhase.EXITED,
}


def choose_api_version(
    engine: str, daemon_max: str, daemon_min: str, ours_min: tuple[int, int], ours_max: tuple[int, int]
) -> str:
    """Return the newest API version that both sides speak; `engine` names theirs in messages.

    Raises:
        RuntimeVersionError: there is none; it says which side is too old.
    """
    theirs_max, theirs_min = _version(daemon_max), _version(daemon_min)
    if theirs_max < ours_min:
        raise RuntimeVersionError(
            f"{engine} speaks API {daemon_max}; {_show(ours_min)} is needed", "install Docker 19.03 or later"
        )
    if theirs_min > ours_max:
        raise RuntimeVersionError(
            f"{engine} speaks no API older than {daemon_min}; this program speaks up to {_show(ours_max)}",
            "install a later version of this program, or let the engine speak older ones (DOCKER_MIN_API_VERSION)",
        )
    return _show(min(theirs_max, ours_max))


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def _show(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def unpack_message(text: str) -> str:
    """Return the engine's words, also when they come as JSON with a content type that the client did not expect."""
    stripped = text.strip()
    if stripped.startswith("{"):
        try:
            document = json.loads(stripped)
        except ValueError:
            return stripped
        if isinstance(document, dict) and isinstance(document.get("message"), str):
            return str(document["message"]).strip()
    return stripped


def pull_error_kind(message: str) -> RuntimeErrorKind:
    """Return what kind of error a progress stream's message is: the stream itself carries no status.

    Never UNAVAILABLE, even if the registry is: that would say that the engine is away.
    """
    words = message.lower()
    if any(sign in words for sign in ("not found", "manifest unknown", "name unknown", "does not exist")):
        return RuntimeErrorKind.NOT_FOUND
    return RuntimeErrorKind.REFUSED


def conflicting_container(message: str) -> str | None:
    """Return the id in `The container name "/x" is already in use by container "ID"`, or None."""
    _, found, rest = message.partition("is already in use by container ")
    identity = rest.lstrip('"').partition('"')[0].split(".")[0].strip()
    return identity if found and identity else None


def parse_time(text: str) -> float:
    """Return seconds since the epoch for Docker's RFC 3339 time; 0.0 for Docker's never (year 1) and for none."""
    if not text or text.startswith("0001-"):
        return 0.0
    # Python reads at most six digits of a second.
    whole, dot, rest = text.partition(".")
    if dot:
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{whole}.{digits[:6]:0<6}{rest[len(digits) :]}"
    return datetime.fromisoformat(text).timestamp()


def sandbox_from_listed(listed: Json, state: Json | None) -> SandboxRecord:
    """Return a pause container's record from its list entry; `state` is its inspect document, when one is at hand."""
    labels = listed.get("Labels") or {}
    parsed = parse_name(_name(listed))
    # The list may lag behind: the engine writes it last.
    running = bool(state["State"]["Running"]) if state else listed.get("State") == "running"
    pid = int((state or {}).get("State", {}).get("Pid") or 0) if running else 0
    return SandboxRecord(
        id=SandboxId(listed["Id"]),
        pod=pod_of(labels),
        attempt=parsed.attempt if parsed else 0,
        ready=running,
        pid=pid,
        created_at_s=_created(listed, state),
        host_network=(listed.get("HostConfig") or {}).get("NetworkMode") == "host" and not made_own_network(labels),
        labels=pod_labels_of(labels),
        annotations=annotations_of(labels),
    )


def made_own_network(labels: Mapping[str, str]) -> bool:
    """Return whether a container with these labels is a sandbox that leaves the host's network by itself."""
    return labels.get(NETNS) == OWN_NETNS


def as_listed(inspected: Json) -> dict[str, Any]:
    """Return the list entry that an inspect document corresponds to."""
    return {
        "Id": inspected["Id"],
        "Names": [inspected.get("Name", "")],
        "Labels": inspected["Config"].get("Labels") or {},
        "State": inspected["State"]["Status"],
        "ImageID": inspected.get("Image", ""),
        "Created": parse_time(inspected.get("Created", "")),
        "HostConfig": {"NetworkMode": inspected["HostConfig"].get("NetworkMode", "")},
    }


def container_from_listed(listed: Json, inspected: Json | None, image: ImageRecord | None) -> ContainerRecord:
    """Return an app container's record.

    Args:
        listed: its list entry.
        inspected: its inspect document; None when the engine did not give one in time, the phase is UNKNOWN then.
        image: the image it was made from; None when that is gone.
    """
    labels = listed.get("Labels") or {}
    parsed = parse_name(_name(listed))
    state = (inspected or {}).get("State") or {}
    phase = _PHASES.get(str(state.get("Status", "")), ContainerPhase.UNKNOWN) if inspected else ContainerPhase.UNKNOWN
    created, started = _created(listed, inspected), parse_time(state.get("StartedAt", ""))
    finished, exit_code = parse_time(state.get("FinishedAt", "")), int(state.get("ExitCode") or 0)
    message, reason = str(state.get("Error") or ""), ""
    if phase is ContainerPhase.CREATED and (exit_code or message):
        phase, reason, started, finished = ContainerPhase.EXITED, "ContainerCannotRun", created, created
    elif phase is ContainerPhase.EXITED:
        reason = _exit_reason(state, exit_code)
        finished = finished or started or created
        # Docker notes the start a little late: a process of a few milliseconds seems to end before it began.
        started = min(started, finished)
    else:
        finished, exit_code = 0.0, 0
    return ContainerRecord(
        id=ContainerId(listed["Id"]),
        sandbox_id=SandboxId(labels.get(SANDBOX_ID, "")),
        pod=pod_of(labels),
        name=labels.get(CONTAINER_NAME, ""),
        attempt=parsed.attempt if parsed else 0,
        phase=phase,
        image=_image_name(labels, listed, image),
        image_id=shown_image_id(image, str(listed.get("ImageID", "")), labels.get(IMAGE, "")),
        created_at_s=created,
        started_at_s=started,
        finished_at_s=finished,
        exit_code=exit_code,
        reason=reason,
        message=message,
        pid=int(state.get("Pid") or 0),
        log_path=labels.get(CONTAINER_LOG_PATH, ""),
        labels=pod_labels_of(labels),
        annotations=annotations_of(labels),
        resources=resources_of(inspected) if inspected else None,
    )


RESOURCE_FIELDS = ("CpuShares", "CpuQuota", "CpuPeriod", "Memory", "OomScoreAdj", "PidsLimit")
"""What `resources_of` reads of an inspect document's HostConfig."""


def resources_of(inspected: Json) -> ContainerResources:
    """Return the resource numbers of a container; -1 is how Docker says no limit after an update."""
    host = inspected.get("HostConfig") or {}
    return ContainerResources(
        cpu_shares=int(host.get("CpuShares") or 0),
        cpu_quota_us=max(int(host.get("CpuQuota") or 0), 0),
        cpu_period_us=int(host.get("CpuPeriod") or 100_000),
        memory_limit_bytes=max(int(host.get("Memory") or 0), 0),
        oom_score_adj=int(host.get("OomScoreAdj") or 0),
        pids_limit=int(host.get("PidsLimit") or 0),
    )


def _exit_reason(state: Json, exit_code: int) -> str:
    if state.get("OOMKilled"):
        return "OOMKilled"
    return "Completed" if exit_code == 0 else "Error"


def _name(listed: Json) -> str:
    names = listed.get("Names") or [""]
    return str(names[0])


def _created(listed: Json, inspected: Json | None) -> float:
    # The list counts in whole seconds; of two attempts in one second the newest must be known.
    exact = parse_time(str((inspected or {}).get("Created", "")))
    return exact or float(listed.get("Created") or 0)


def _image_name(labels: Mapping[str, str], listed: Json, image: ImageRecord | None) -> str:
    if asked := labels.get(IMAGE):
        return asked
    return image.repo_tags[0] if image and image.repo_tags else str(listed.get("ImageID", ""))


def shown_image_id(image: ImageRecord | None, image_id: str, asked: str = "") -> str:
    """Return an image's id as a container status shows it: with the repository that was `asked` for, if it has it."""
    if image is not None and image.repo_digests:
        repository = asked.partition("@")[0]
        if ":" in repository.rpartition("/")[2]:
            repository = repository.rpartition(":")[0]
        own = [digest for digest in image.repo_digests if digest.partition("@")[0] == repository]
        return f"docker-pullable://{(own or image.repo_digests)[0]}"
    return f"docker://{image.id if image else image_id}"


def image_from_json(document: Json, pinned: Sequence[str] = ()) -> ImageRecord:
    """Return an image's record from its list entry or its inspect document; what bears a `pinned` name is pinned."""
    tags = _names(document.get("RepoTags"))
    return ImageRecord(
        id=str(document["Id"]),
        repo_tags=tags,
        repo_digests=_names(document.get("RepoDigests")),
        size_bytes=int(document.get("Size") or 0),
        user=str((document.get("Config") or {}).get("User") or ""),
        pinned=str(document["Id"]) in pinned or not set(pinned).isdisjoint(tags),
    )


def _names(names: Any) -> tuple[str, ...]:
    return tuple(sorted(name for name in names or () if not name.startswith("<none>")))


def with_default_tag(image: str) -> str:
    """Return `image` with `:latest` when it has neither tag nor digest: Docker would pull all tags otherwise."""
    last = image.rpartition("/")[2]
    return image if ":" in last or "@" in last else f"{image}:latest"
