"""What an operator can set about the scheduler."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchedulerConfig:
    """Settings of the scheduler."""

    scheduler_name: str = "default-scheduler"
    """Only pods whose spec.schedulerName says this are scheduled."""
    bindings_max: int = 64
    """Bindings on their way to the API server at once; at the bound the next decision waits."""
    status_writes_max: int = 16
    """Conditions of unschedulable pods on their way at once; at the bound the next decision waits."""
