"""Every store of a test is walked over when it is closed: log, snapshots and memory must tell one story.

A test that damages a store on purpose says so (`pytest.mark.damaged_store`), and is left alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minikube_py.apiserver.canonical import stamp
from minikube_py.store.disk import Storage
from minikube_py.store.io.folder_check import Captured, check_folder
from minikube_py.store.io.snapshotter import Snapshotter
from minikube_py.store.io.wal import Wal


@contextmanager
def stores_checked() -> Iterator[list[str]]:
    """Walk over each embedded store that is closed while this lasts; yield the list of what was found."""
    faults: list[str] = []
    close_snapshots, close_log = Snapshotter.close, Wal.close
    ended: dict[Path, tuple[Storage, Captured]] = {}

    def note(self: Snapshotter) -> None:
        close_snapshots(self)
        ended[self._storage.folder] = self._storage, self._capture()

    def check(self: Wal) -> None:
        """Close the log, which is the last thing that is closed."""
        close_log(self)
        if self._folder in ended:
            storage, memory = ended.pop(self._folder)
            faults.extend(check_folder(storage, stamp, memory).faults)

    Snapshotter.close, Wal.close = note, check  # type: ignore[method-assign]
    try:
        yield faults
    finally:
        Snapshotter.close, Wal.close = close_snapshots, close_log  # type: ignore[method-assign]
