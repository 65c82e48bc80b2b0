"""Which container a client means: pods keep dead containers of the same name, and a name may have none yet.

The rules are upstream's (kubelet validateContainerLogStatus), with its texts, told by what the runtime has instead of
by the pod's status:

- logs: the newest container that was ever started, also while the next one waits for its back-off;
- previous logs: the newest dead one, except when that is what the status shows as the current state;
- exec and attach: the newest one, if it runs.
"""

from collections.abc import Sequence

from minikube_py.api.errors import BadRequestError, InternalError
from minikube_py.api.streams import ContainerRef
from minikube_py.kubelet.cri import ContainerPhase, ContainerRecord

_WAITING_TEXTS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def choose_for_logs(
    ref: ContainerRef,
    records: Sequence[ContainerRecord],
    *,
    previous: bool,
    waiting_reason: str,
    ended_id: str = "",
) -> ContainerRecord:
    """Return the container whose log is meant.

    Args:
        ref: who is asked for.
        records: all containers of the pod.
        previous: the one before the current one.
        waiting_reason: the reason of the container's waiting state in the pod's status; empty when it does not wait.
        ended_id: the id of the ended container that the pod's status shows as the current one; empty: it shows none.

    Raises:
        BadRequestError: there is no such log, with the reason that upstream gives.
    """
    started = [record for record in _named(ref, records) if record.phase is not ContainerPhase.CREATED]
    if previous:
        dead = [record for record in started if record.phase is ContainerPhase.EXITED]
        if started and dead and dead[-1] is started[-1] and not waiting_reason:
            dead.pop()  # its end is the current state
        if not dead:
            raise BadRequestError(f'previous terminated container "{ref.container}" in pod "{ref.pod}" not found')
        return dead[-1]
    if not started and ended_id and not waiting_reason:
        raise BadRequestError(f"unable to retrieve container logs for {ended_id}")
    if not started:
        reason = waiting_reason or "ContainerCreating"
        why = _WAITING_TEXTS.get(reason, reason)
        raise BadRequestError(f'container "{ref.container}" in pod "{ref.pod}" is waiting to start: {why}')
    return started[-1]


def choose_running(ref: ContainerRef, records: Sequence[ContainerRecord]) -> ContainerRecord:
    """Return the running container.

    Raises:
        InternalError: upstream's `container not found ("x")`.
    """
    running = [record for record in _named(ref, records) if record.phase is ContainerPhase.RUNNING]
    if not running:
        raise InternalError(f'container not found ("{ref.container}")')
    return running[-1]


def _named(ref: ContainerRef, records: Sequence[ContainerRecord]) -> list[ContainerRecord]:
    """Return the containers of that name, the newest last."""
    named = [record for record in records if record.name == ref.container]
    return sorted(named, key=lambda record: (record.created_at_s, record.attempt))
