"""Every difference between the recording (a kubelet of 1.20 with dockershim) and this kubelet of 1.36 that is meant.

An entry names scenarios and differences by patterns and says why. What has no entry is a fault. Texts that later
releases changed everywhere are translated instead (`text_of_136`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """One meant difference: whole-string patterns for the scenario's name, the start of one for the difference."""

    scenario: str
    difference: str
    reason: str


ANY = ".*"

_TEXTS: tuple[tuple[str, str, str], ...] = (
    ("Created", ".*", "Container created"),
    ("Started", ".*", "Container started"),
    ("FailedPostStartHook", ".*", "PostStartHook failed"),
    ("FailedPreStopHook", ".*", "PreStopHook failed"),
    ("Pulled", r"(Container image .* already present on machine)", r"\1 and can be accessed by the pod"),
    ("InspectFailed", r"(.*couldn't parse image) reference (.* name)( must.*)", r"\1 name \2 (library/BUSYBOX)\3"),
    ("ProbeWarning", r"(\w+ probe warning: )(.*)", r"\1Probe terminated redirects, Response body: \2"),
    ("Failed", r"Error: failed to start container \S+ Error response from daemon: (.*)", r"Error: \1"),
)
"""(reason, pattern, what a kubelet of 1.36 on this runtime says)"""

_TERMINAL = "since 1.27 a pod that was stopped ends Succeeded or Failed before it goes"
_POD_FAILED = "since 1.25 the Ready conditions of a failed pod say PodFailed"
_REJECTED = (
    "since 1.28 the status says `Pod was rejected`, and why a predicate failed is said; numbers are the host's"
)
_PREEMPTION = "since 1.21 a sentence about preemption follows; since 1.23 affinity texts name the selector"
_SANDBOX = "the pause process is nobody, has no capabilities and no writable files, whatever the pod says"
_RUNTIME_TEXT = "dockershim's prefix is not there: the engine's words stand alone"
_PULL_TEXT = "the registry's words depend on the host's resolver; later releases add them to the back-off's message"
_TIMING = "what a probe meets while a server comes up depends on the host's speed"

KNOWN: tuple[Known, ...] = (
    # What later releases of Kubernetes changed.
    Known(
        ANY,
        r'conditions\.(Ready|ContainersReady)\.reason: observed "ContainersNotReady" here "PodFailed"',
        _POD_FAILED,
    ),
    Known(ANY, r"conditions\.(Ready|ContainersReady)\.message: .* here null", _POD_FAILED),
    Known("(delete|prestop)-.*", r'phase: observed "(Running|Pending)" here "(Succeeded|Failed)"', _TERMINAL),
    Known("(delete|prestop)-.*", r"conditions\.(Ready|ContainersReady|Initialized)\.", _TERMINAL),
    Known("delete-crashloop", r"containers\.c\.state: observed .*CrashLoopBackOff.* here .*terminated", _TERMINAL),
    Known("delete-during-init", r"containers\.i1\.state: ", "the init container is stopped and its end is known"),
    Known("delete-grace0", r"events: missing Normal Killing", "the object of the event is gone from the API by then"),
    Known("activedeadline-running|init-long-deadline", r"conditions\.", "1.20 wrote no conditions at the deadline"),
    Known("activedeadline-running", r"containers\.c\.state: ", "since 1.27 the containers are stopped first"),
    Known(ANY, r"(conditions\.PodScheduled\.message|events: (missing|extra) Warning FailedScheduling)", _PREEMPTION),
    Known(
        "config-envfrom-invalid-keys", r"events: missing Warning Invalid", "since 1.34 `1bad` is a variable's name"
    ),
    Known("readiness-exec-timeout", r"events: .*Unhealthy", "dockershim could not say that a command timed out"),
    Known(
        "volume-missing-configmap-timeout", r"events: missing Warning FailedMount Unable", "1.36 says what is missing"
    ),
    Known(
        "image-invalid-name",
        r"containers\.c\.state: .*couldn't parse image reference",
        "1.36 says `image name`, and which part of it must be lowercase",
    ),
    Known(
        "init-fail-once-onfailure", r"containers\.i1\.lastState|runs\.i1", "the end before the last one stays shown"
    ),
    Known(
        "kubelet-.*|hostport-conflict-kubelet|evict-.*", r"qosClass: observed null", "1.20 wrote a status without it"
    ),
    Known("kubelet-.*|hostport-.*", r'message: observed "Pod .*" here "Pod was rejected: ', _REJECTED),
    Known("kubelet-.*|hostport-.*", r"events: (missing|extra) Warning (OutOf|NodePorts|SysctlForbidden)", _REJECTED),
    Known("(kubelet|hostport|evict)-.*", r"conditions\.\w+\.\w+: observed null", "1.20 wrote a status without them"),
    Known("d-volumes", r"inside: (missing|extra) (/m |vtmpfs )", "since 1.22 a memory volume is as big as its limit"),
    Known("d-.*", r"inside: (missing|extra) .* tmpfs tmpfs ", "since 1.32 memory volumes are not swapped (noswap)"),
    # What Docker is asked for in another way.
    Known(ANY, r"docker\.POD\.(CapDrop|ReadonlyRootfs|WorkingDir|User|GroupAdd|SecurityOpt): ", _SANDBOX),
    Known(
        ANY,
        r'docker\.POD\.(NetworkMode: observed "none"|CapAdd: .* \["SETGID", "SETUID", "SYS_ADMIN"\]|Entrypoint: )',
        "the pause process leaves the host's network for an empty one, powerless, before anybody joins",
    ),
    Known(ANY, r'docker\.\w+\.User: observed "0" here null', "the image's own user is root as well"),
    Known(ANY, r"mounts\.\w+\./etc/resolv\.conf: observed null", "dockershim wrote into the engine's own file"),
    Known(ANY, r'docker\.\w+\.Hostname: observed "<host>"', "a lab's host has the name of the machine"),
    Known("(run|d-privileged).*", r"containers\.c\.state: .*failed to start container", _RUNTIME_TEXT),
    # What depends on the host.
    Known(
        "config-subpathexpr-missing",
        r"events: missing Normal SandboxChanged",
        "the loaded recorder looked at its sandbox before dockershim knew its address, and made another one",
    ),
    Known("image-missing", r"containers\.c\.state: .*ImagePullBackOff.* here .*ImagePullBackOff", _PULL_TEXT),
    Known(
        "image-always.*",
        r"containers\.i1\.state: .*ErrImagePull.* here .*(ErrImagePull|ImagePullBackOff)",
        _PULL_TEXT,
    ),
    Known("image-(missing|always).*", r"events: (missing|extra) Warning Failed Failed to pull", _PULL_TEXT),
    Known("(readiness-http|readiness-tcp|liveness|startup).*", r"events: (missing|extra) Warning Unhealthy", _TIMING),
    Known("readiness-exec-fail", r"events: extra Warning Unhealthy", "the order of the two streams is not fixed"),
    Known(
        "poststart.*|liveness.*|oom.*", r"events: extra Warning BackOff", "the recording ended before the back-off"
    ),
    Known("d-.*", r"inside: (missing|extra) / rw,relatime", "the layers' folders"),
    Known(
        "d-resources-burstable",
        r"inside: (missing|extra) \d+:",
        "the recorder's kubelet had a cgroup root of its own",
    ),
    Known("d-sharepid", r"inside: (missing|extra) +\d+ ", "process ids"),
    Known("d-hostnetwork", r"inside: (missing|extra) ", "the host's own name and files"),
    Known("d-env|d-noservicelinks", r"inside: (missing|extra) _=", "busybox of another version"),
    Known("d-seccomp-localhost-absent", r".*seccomp profile", "the folder of profiles is this agent's"),
    Known(
        "delete-pending-unscheduled", r"events: missing Warning FailedScheduling skip", "1.36 skips without an event"
    ),
)

MORE_TIME_S = {"image-missing": 120.0, "image-always-absent-init": 120.0}
"""A resolver that drops what it does not know lets a pull fail after 40 s only, and two pulls take turns."""

LOST_RUNS = {"crashloop-long": 1}
"""Scenario -> the run that is missing in the recording: it began and ended between two looks of that kubelet."""


def text_of_136(event: Mapping[str, Any], pod: str) -> str:
    """Return a recorded event's message as a kubelet of 1.36 writes it."""
    message = str(event["message"])
    if message == "Back-off restarting failed container":
        container = str(event.get("fieldPath", "")).partition("{")[2].rstrip("}")
        return f"{message} {container} in pod {pod}_obs-pods(<uid>)"
    for reason, pattern, text in _TEXTS:
        if event["reason"] == reason and re.fullmatch(pattern, message, re.DOTALL):
            return re.sub(pattern, text, message, count=1, flags=re.DOTALL)
    return message


def split(scenario: str, differences: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the differences that have no entry, and those that have one, with the reason."""
    unknown: list[str] = []
    known: list[str] = []
    for difference in differences:
        for entry in KNOWN:
            if re.fullmatch(entry.scenario, scenario) and re.match(entry.difference, difference, re.DOTALL):
                known.append(f"{difference} ({entry.reason})")
                break
        else:
            unknown.append(difference)
    return unknown, known
