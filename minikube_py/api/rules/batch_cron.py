"""CronJobs: schedules, and the Jobs that are made by them.

Upstream: pkg/apis/batch/v1 SetDefaults_CronJob, pkg/apis/batch/validation ValidateCronJobSpec.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from minikube_py.api.cron import CronError, parse_cron
from minikube_py.api.meta import Obj
from minikube_py.api.names import Messages, dns_subdomain_faults
from minikube_py.api.rules.batch import validate_job_spec
from minikube_py.api.rules.faults import Faults, check_not_negative, invalid, part, required, unsupported
from minikube_py.api.rules.pod_defaults import set_template_defaults
from minikube_py.api.rules.rule_sets import default, default_text, make_rules, start_with

NAME_LENGTH_MAX = 52
"""A Job's name is this one and 11 more characters, and becomes a label."""
CONCURRENCY_POLICIES = ("Allow", "Forbid", "Replace")
_ZONES_CACHED_MAX = 256


def set_cron_job_defaults(cron_job: Obj) -> None:
    """Fill in a CronJob."""
    spec = cron_job.setdefault("spec", {})
    default_text(spec, "concurrencyPolicy", "Allow")
    default(spec, "suspend", False)
    default(spec, "successfulJobsHistoryLimit", 3)
    default(spec, "failedJobsHistoryLimit", 1)
    set_template_defaults(spec.setdefault("jobTemplate", {}).setdefault("spec", {}).setdefault("template", {}))


def name_faults(name: str) -> Messages:
    """Return what keeps a text from being a CronJob's name."""
    too_long = (f"must be no more than {NAME_LENGTH_MAX} characters",) if len(name) > NAME_LENGTH_MAX else ()
    return (*dns_subdomain_faults(name), *too_long)


def check_cron_job(cron_job: Mapping[str, Any]) -> Faults:
    """Yield the faults of a CronJob."""
    spec = part(cron_job, "spec")
    yield from _check_schedule(spec)
    yield from check_not_negative("spec.startingDeadlineSeconds", spec.get("startingDeadlineSeconds"))
    policy = spec.get("concurrencyPolicy")
    if not policy:
        yield required("spec.concurrencyPolicy")
    elif policy not in CONCURRENCY_POLICIES:
        yield unsupported("spec.concurrencyPolicy", policy, CONCURRENCY_POLICIES)
    for field in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from check_not_negative(f"spec.{field}", spec.get(field))
    job, path = part(part(spec, "jobTemplate"), "spec"), "spec.jobTemplate.spec"
    yield from validate_job_spec(job, path)
    if job.get("selector") is not None:
        yield invalid(f"{path}.selector", dict(job["selector"]), "`selector` will be auto-generated")
    if job.get("manualSelector"):
        yield unsupported(f"{path}.manualSelector", True, ("nil", "false"))


def _check_schedule(spec: Mapping[str, Any]) -> Faults:
    schedule, zone = str(spec.get("schedule") or ""), spec.get("timeZone")
    if not schedule:
        yield required("spec.schedule")
    elif "TZ" in schedule:
        detail = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield invalid("spec.schedule", schedule, detail)
    else:
        try:
            parse_cron(schedule)
        except CronError as error:
            yield invalid("spec.schedule", schedule, str(error))
    if zone is not None:
        why = _zone_fault(zone)
        if why:
            yield invalid("spec.timeZone", zone, why)


@lru_cache(_ZONES_CACHED_MAX)
def _zone_fault(zone: str) -> str:
    if not zone:
        return "must be nil or non-empty string"
    if zone.lower() == "local":
        return "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
    from zoneinfo import ZoneInfo  # noqa: PLC0415  # only CronJobs with a zone pay for the data base of zones

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return f"unknown time zone {zone}"
    return ""


CRON_JOB_RULES = make_rules(
    check_cron_job,
    set_defaults=set_cron_job_defaults,
    prepare_create=start_with({}),
    name_check=name_faults,
)
