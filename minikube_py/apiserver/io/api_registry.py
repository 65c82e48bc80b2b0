"""Follows the stored APIServices: who answers for which group version, known in the very step of the commit."""

from collections.abc import Callable, Sequence

from minikube_py.api.meta import name_of
from minikube_py.api.resources import API_SERVICES
from minikube_py.apiserver.api_services import NO_SERVICES, ApiService, Registry, parse_api_service, registry_of
from minikube_py.apiserver.canonical import decode
from minikube_py.store.interface import Entry, Store, StoreEvent

_PREFIX = API_SERVICES.storage_prefix


class ApiRegistry:
    """Keeps a Registry in step with the store."""

    def __init__(self, store: Store) -> None:
        self._services: dict[str, ApiService] = {}
        self.current: Registry = NO_SERVICES
        self.on_change: list[Callable[[str], None]] = []
        """Called with the name of each APIService that was written or deleted."""
        for entry in store.range(_PREFIX):
            self._take(entry)
        self.current = registry_of(tuple(self._services.values()))
        store.on_commit(self._on_commit)

    def _take(self, entry: Entry) -> None:
        obj = decode(entry)
        self._services[name_of(obj)] = parse_api_service(obj)

    def _on_commit(self, events: Sequence[StoreEvent]) -> None:
        names = [event.key.removeprefix(_PREFIX) for event in events if event.key.startswith(_PREFIX)]
        if not names:
            return
        for event in events:
            if event.key.startswith(_PREFIX):
                if event.entry is not None:
                    self._take(event.entry)
                else:
                    self._services.pop(event.key.removeprefix(_PREFIX), None)
        self.current = registry_of(tuple(self._services.values()))
        for name in names:
            for tell in self.on_change:
                tell(name)
