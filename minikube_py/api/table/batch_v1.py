"""The rows of batch/v1: work that ends, and schedules for it."""

from minikube_py.api.columns import batch_v1
from minikube_py.api.resource import Resource
from minikube_py.api.table.parts import rules_in, select_number, status, status_rules_in, warnings_in

JOBS = Resource(
    group="batch",
    version="v1",
    kind="Job",
    plural="jobs",
    singular="job",
    namespaced=True,
    rules=rules_in("batch", "JOB_RULES"),
    columns=batch_v1.JOB_COLUMNS,
    categories=("all",),
    subresources=(status("Job"),),
    has_generation=True,
    field_selectors={"status.successful": select_number("status.succeeded")["status.succeeded"]},
    field_refusal='field label "{}" not supported for batchv1.Job',
    validate_status=status_rules_in("status_workloads", "validate_job"),
    warn=warnings_in("pod_warnings", "warn_of_named_template"),
)
CRON_JOBS = Resource(
    group="batch",
    version="v1",
    kind="CronJob",
    plural="cronjobs",
    singular="cronjob",
    namespaced=True,
    rules=rules_in("batch_cron", "CRON_JOB_RULES"),
    columns=batch_v1.CRON_JOB_COLUMNS,
    short_names=("cj",),
    categories=("all",),
    subresources=(status("CronJob"),),
    has_generation=True,
    warn=warnings_in("pod_warnings", "warn_of_cron_job"),
)

ROWS = (
    JOBS,
    CRON_JOBS,
)
