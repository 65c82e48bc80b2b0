"""Columns of Jobs and CronJobs (upstream: printers printJob, printCronJob)."""

from collections.abc import Mapping
from typing import Any

from minikube_py.api.columns.ages import AGE, NAME, NONE, human_duration, since
from minikube_py.api.columns.cells import condition_of, count, go_bool, text
from minikube_py.api.columns.workloads import CONTAINERS, IMAGES, SELECTOR, spec_of, status_of
from minikube_py.api.meta import is_deleting, parse_time
from minikube_py.api.resource import Column


def _job_status(job: Mapping[str, Any], _: float) -> str:
    def has(kind: str) -> bool:
        return condition_of(job, kind).get("status") == "True"

    for kind, word in (("Complete", "Complete"), ("Failed", "Failed")):
        if has(kind):
            return word
    if is_deleting(job):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if has(kind):
            return kind
    return "Running"


def _completions(job: Mapping[str, Any], _: float) -> str:
    done, spec = status_of(job).get("succeeded", 0), spec_of(job)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{done}/1 of {parallelism}" if parallelism > 1 else f"{done}/1"


def _duration(job: Mapping[str, Any], wall_s: float) -> str:
    start, end = status_of(job).get("startTime"), status_of(job).get("completionTime")
    if not start:
        return ""
    return human_duration((parse_time(end) if end else wall_s) - parse_time(start))


JOB_COLUMNS = (
    NAME,
    Column("Status", _job_status, description="How the job is doing, in one word."),
    Column("Completions", _completions, description="Pods that succeeded, of those that must."),
    Column("Duration", _duration, description="How long the job has been running, or ran."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)


def _job_of(cron_job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the Jobs of a CronJob look like."""
    return spec_of(cron_job).get("jobTemplate") or {}


def _last(cron_job: Mapping[str, Any], wall_s: float) -> str:
    time = status_of(cron_job).get("lastScheduleTime")
    return since(time, wall_s) if time else NONE


CRON_JOB_COLUMNS = (
    NAME,
    text("Schedule", "spec.schedule", "When jobs are made."),
    text("Timezone", "spec.timeZone", "The time zone of the schedule.", missing=NONE),
    Column(
        "Suspend",
        lambda obj, _: go_bool(spec_of(obj).get("suspend")),
        type="boolean",
        description="Whether no jobs are made for now.",
    ),
    count("Active", "status.active", "How many of its jobs run."),
    Column("Last Schedule", _last, description="How long ago a job was made last."),
    AGE,
    *(
        Column(
            column.name,
            lambda obj, now, cell=column.cell: cell(_job_of(obj), now),  # type: ignore[misc]
            description=column.description,
            priority=1,
        )
        for column in (CONTAINERS, IMAGES, SELECTOR)
    ),
)
