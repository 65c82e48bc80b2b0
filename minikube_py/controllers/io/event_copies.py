"""Says of one object what is said of another, once each: what a pod tells is what its volume waits for.

Which Events were repeated is remembered here only: after a restart those that are still there are repeated once more.

Upstream: volume/util/recyclerclient (waitForPod sends all Events of its pod to the volume).
"""

from minikube_py.api.meta import uid_of
from minikube_py.api.resources import EVENTS
from minikube_py.client.events import EventType
from minikube_py.client.interface import Client, Selection
from minikube_py.client.io.event_recorder import EventRecorder
from minikube_py.controllers.plan import RepeatEvents

REPEATED_MAX = 1024
"""Events remembered; at the bound the oldest is forgotten, and repeated again if it is still there."""


class EventCopies:
    """One for each controller."""

    def __init__(self, client: Client, recorder: EventRecorder) -> None:
        self._client = client
        self._recorder = recorder
        self._repeated: dict[str, None] = {}

    async def repeat(self, action: RepeatEvents) -> None:
        """Repeat what was not repeated yet.

        Raises:
            StatusError: the Events cannot be listed now.
        """
        about = action.about
        selection = Selection(namespace=about.key.namespace, field_selector=f"involvedObject.uid={about.uid}")
        listed = await self._client.list(EVENTS, selection)
        for event in sorted(listed.items, key=lambda event: str(event.get("firstTimestamp"))):
            if uid_of(event) in self._repeated:
                continue
            if len(self._repeated) >= REPEATED_MAX:
                self._repeated.pop(next(iter(self._repeated)))
            self._repeated[uid_of(event)] = None
            kind: EventType = "Warning" if event.get("type") == "Warning" else "Normal"
            self._recorder.record(action.involved, kind, action.reason, f"{action.front}{event.get('message', '')}")
