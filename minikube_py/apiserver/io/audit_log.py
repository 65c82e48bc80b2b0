"""The audit log: events go to a file, off the request's path; when the disk cannot keep up they are dropped, counted.

Upstream: apiserver plugin/pkg/audit/{log,buffered} (mode batch).
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from minikube_py.api.errors import InternalError
from minikube_py.api.meta import Obj
from minikube_py.apiserver.audit_events import Call, Outcome, render_event
from minikube_py.apiserver.audit_policy import AuditPolicy, Decision, Stage
from minikube_py.apiserver.audit_rotation import Rotation, backup_name, outdated
from minikube_py.apiserver.audit_trail import AuditTrail
from minikube_py.apiserver.render import status_body
from minikube_py.apiserver.users import UserInfo
from minikube_py.kit.clock import Clock

log = logging.getLogger("apiserver")

EVENTS_MAX = 10_000
"""Events that wait to be written; further ones are dropped (upstream: --audit-log-batch-buffer-size)."""
BATCH_MAX = 400
"""Events that one write takes."""
_FILE_MODE = 0o600
_OK = 200


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Where the log goes and what is written down."""

    policy: AuditPolicy
    path: str
    """--audit-log-path; `-` is the standard output."""
    rotation: Rotation


class Exchange:
    """One request that is written down, to its end: `with` writes down too that it had none."""

    __slots__ = ("_audit", "_begun", "_ended", "call", "decision", "trail")

    def __init__(self, audit: "AuditLog", call: Call, decision: Decision) -> None:
        self._audit = audit
        self.call = call
        self.decision = decision
        self.trail = AuditTrail(keeps_request=decision.keeps("Request"))
        self._begun = self._ended = False

    def __enter__(self) -> "Exchange":
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._ended or error is None:
            return
        if isinstance(error, Exception):
            failure = InternalError(f"APIServer panic'd: {error}")
            self.stage("Panic", Outcome(failure.code, status_body(failure)))
        else:  # cancelled: the connection, or the server, ends
            self.ended(Outcome(_OK))

    def acts_as(self, user: UserInfo) -> None:
        """Note whom the request is to be judged as."""
        self.call = replace(self.call, acts_as=user)

    def sent(self, body: bytes) -> None:
        """Note the request's body, once it is there."""
        self.call = replace(self.call, body=body)

    def begun(self, code: int) -> None:
        """Write down that the answer begins, if it is one that may go on for long."""
        if self.call.info.is_long_running and not self._begun:
            self._begun = True
            self.stage("ResponseStarted", Outcome(code))

    def ended(self, outcome: Outcome) -> None:
        """Write down that the answer is out, or that there is none any more."""
        self._ended = True
        self.begun(outcome.code)
        self.stage("ResponseComplete", outcome)

    def stage(self, stage: Stage, outcome: Outcome | None = None) -> None:
        """Write a stage down, unless the policy leaves it out."""
        if stage not in self.decision.omit_stages:
            self._audit.write(stage, self, outcome)


class AuditLog:
    """Writes events down while `run` runs."""

    def __init__(self, settings: AuditSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._queue: asyncio.Queue[Obj] = asyncio.Queue(EVENTS_MAX)
        self._size_bytes: int | None = None
        self.dropped = 0
        """Events that were not written (upstream: apiserver_audit_error_total)."""
        self.written = 0

    def begin(self, call: Call) -> Exchange | None:
        """Return the exchange for a request; None when nothing of it is written down."""
        decision = self._settings.policy.decide(call.user, call.info)
        return Exchange(self, call, decision) if decision.level != "None" else None

    def write(self, stage: Stage, exchange: Exchange, outcome: Outcome | None) -> None:
        """Queue the event of a stage."""
        event = render_event(stage, exchange.call, exchange.decision, self._clock.wall_s(), exchange.trail, outcome)
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped += 1

    async def run(self) -> None:
        """Write what is queued until cancelled; then the rest."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="apiserver-audit") as writer:
            batch: list[Obj] = []
            writing: Future[None] | None = None
            try:
                while True:
                    batch = [await self._queue.get(), *self._waiting(BATCH_MAX - 1)]
                    writing = writer.submit(self._append, batch, self._clock.wall_s())
                    await asyncio.wrap_future(writing)
            finally:
                # Cancelling the wait takes a write back that has not begun.
                lost = batch if writing is not None and writing.cancelled() else []
                if rest := [*lost, *self._waiting(EVENTS_MAX)]:
                    writer.submit(self._append, rest, self._clock.wall_s())

    def _waiting(self, count_max: int) -> list[Obj]:
        return [self._queue.get_nowait() for _ in range(min(count_max, self._queue.qsize()))]

    def _append(self, events: Sequence[Obj], wall_s: float) -> None:
        """Write events; in the writer's thread."""
        data = b"".join(orjson.dumps(event) + b"\n" for event in events)
        try:
            if self._settings.path == "-":
                sys.stdout.buffer.write(data)
                sys.stdout.buffer.flush()
            else:
                self._to_file(Path(self._settings.path), data, wall_s)
            self.written += len(events)
        except OSError as error:
            self.dropped += len(events)
            log.error("%d audit events are lost: %s: %s", len(events), self._settings.path, error.strerror)  # noqa: TRY400

    def _to_file(self, path: Path, data: bytes, wall_s: float) -> None:
        if self._size_bytes is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._size_bytes = path.stat().st_size if path.exists() else 0
        if self._settings.rotation.is_due(self._size_bytes, len(data)):
            path.rename(path.with_name(backup_name(path.name, wall_s)))
            names = [entry.name for entry in path.parent.iterdir()]
            for name in outdated(path.name, names, self._settings.rotation, wall_s):
                path.with_name(name).unlink(missing_ok=True)
            self._size_bytes = 0
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _FILE_MODE)
        with os.fdopen(file, "ab") as stream:
            stream.write(data)
        self._size_bytes += len(data)
