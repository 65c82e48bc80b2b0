"""CronJobs: their schedules, and the Jobs in them."""

import pytest

from minikube_py.api.resources import find_resource
from minikube_py.testing.rule_cases import new_faults, update_faults

CRON_JOBS = find_resource("batch", "v1", "cronjobs")


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"spec.schedule": "@hourly", "spec.timeZone": "UTC"}, []),
        ({"spec.schedule": ""}, [("spec.schedule", "Required")]),
        ({"spec.schedule": "TZ=UTC 0 * * * *"}, [("spec.schedule", "Invalid")]),
        ({"spec.timeZone": ""}, [("spec.timeZone", "Invalid")]),
        ({"spec.timeZone": "Local"}, [("spec.timeZone", "Invalid")]),
        ({"spec.timeZone": "Middle/Earth"}, [("spec.timeZone", "Invalid")]),
        ({"spec.startingDeadlineSeconds": -1}, [("spec.startingDeadlineSeconds", "Invalid")]),
        ({"spec.failedJobsHistoryLimit": -1}, [("spec.failedJobsHistoryLimit", "Invalid")]),
        ({"spec.jobTemplate.spec.selector": {}}, [("spec.jobTemplate.spec.selector", "Invalid")]),
        ({"spec.jobTemplate.spec.manualSelector": True}, [("spec.jobTemplate.spec.manualSelector", "NotSupported")]),
    ],
)
def test_faults_of_a_cron_job(changes, faults):
    assert new_faults(CRON_JOBS, changes) == faults


def test_everything_of_a_cron_job_may_change():
    assert update_faults(CRON_JOBS, {"spec.schedule": "1 2 3 4 5", "spec.suspend": True}) == []
