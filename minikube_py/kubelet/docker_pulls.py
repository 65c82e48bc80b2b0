"""What Docker tells of a pull while it lasts: JSON lines, each about one layer at most, folded into one picture.

The answer's status is 200 before anything is pulled: failures are lines as well, and carry no status of their own.

Upstream: docker/pkg/jsonmessage; dockershim kube_docker_client.go (progressReporter).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minikube_py.kubelet.cri import ContainerRuntimeError
from minikube_py.kubelet.docker_records import pull_error_kind
from minikube_py.kubelet.pull_progress import PullProgress

LAYERS_MAX = 256
"""Layers that are followed; an image has at most 127."""

_HERE = "Already exists"
_BEFORE = ("Pulling fs layer", "Waiting")
_LOADING = "Downloading"
_LOADED = ("Verifying Checksum", "Download complete", "Extracting")
_DONE = ("Pull complete", _HERE)
_LAYER_STATUSES = frozenset((*_BEFORE, _LOADING, *_LOADED, *_DONE))
"""Other lines (the tag, the digest, what comes of it, waits between tries) tell nothing of a layer."""
_UNAVAILABLE_CODES = frozenset((502, 503, 504))


@dataclass(frozen=True, slots=True)
class _Layer:
    status: str = ""
    bytes_done: int = 0
    bytes_known: int = 0

    @property
    def is_loaded(self) -> bool:
        return self.status in _LOADED or self.status in _DONE


class DockerPull:
    """The lines of one pull, in order."""

    def __init__(self) -> None:
        self._layers: dict[str, _Layer] = {}

    def take(self, line: Mapping[str, Any]) -> None:
        """Take over one line of the stream.

        Raises:
            ContainerRuntimeError: it tells that the pull has failed.
        """
        if "error" in line:
            raise pull_error(line)
        status, name = str(line.get("status") or ""), str(line.get("id") or "")
        if status not in _LAYER_STATUSES or (name not in self._layers and len(self._layers) >= LAYERS_MAX):
            return
        before = self._layers.get(name, _Layer())
        done, known = before.bytes_done, before.bytes_known
        if status == _LOADING:
            detail = line.get("progressDetail") or {}
            done, known = int(detail.get("current") or 0), max(int(detail.get("total") or 0), 0)
        elif status in (*_LOADED, *_DONE):
            # A small layer is loaded without a word about its size; unpacking counts other bytes, or seconds.
            done = known
        self._layers[name] = _Layer(status, done, known)

    def progress(self) -> PullProgress:
        """Return how far the pull is."""
        layers = self._layers.values()
        return PullProgress(
            layers=len(layers),
            layers_done=sum(layer.status in _DONE for layer in layers),
            bytes_done=sum(layer.bytes_done for layer in layers),
            bytes_known=sum(layer.bytes_known for layer in layers),
            are_sizes_known=all(layer.bytes_known or layer.is_loaded for layer in layers),
        )

    def is_loaded(self) -> bool:
        """Return whether nothing is left to load: what is left depends on this host alone."""
        return bool(self._layers) and all(layer.is_loaded for layer in self._layers.values())


def pull_error(line: Mapping[str, Any]) -> ContainerRuntimeError:
    """Return the error that a pull's last line tells.

    A registry behind a gateway that is down answers with a page of HTML: the reason comes first then, as upstream
    has it (dockershim filterHTTPError).
    """
    words = str(line["error"])
    if (line.get("errorDetail") or {}).get("code") in _UNAVAILABLE_CODES:
        words = f"RegistryUnavailable: {words}"
    return ContainerRuntimeError(pull_error_kind(words), words)
