"""How much work a body is, told before anybody has looked into it: what is heavy is not done on the event loop.

The time that decoding, defaulting, validating and owning take goes with the number of values, at up to 30
microseconds each (measured: server-side apply of small list elements), and hardly with their length. Values of JSON
are counted by their commas and brackets, which takes microseconds for a pod; those of protobuf and YAML by bytes.

Upstream has a goroutine for each request and needs no such thing.
"""

import orjson

from minikube_py.api.decode import BODY_BYTES_MAX, PROTOBUF, YAML, media_type
from minikube_py.api.errors import TooLargeError
from minikube_py.api.value_count import OBJECT_VALUES_MAX, check_values, count_marks
from minikube_py.api.value_count import VALUES_MAX as BODY_VALUES_MAX

VALUES_MAX = 600
"""Bodies and objects of more values are heavy: up to 18 ms (a pod has about 250)."""
BYTES_MAX = 128 << 10
"""Longer ones are heavy in any case: copying and parsing them takes milliseconds."""
YAML_BYTES_MAX = 256
"""YAML is parsed at 40 microseconds for a line."""
PROTOBUF_BYTES_MAX = 8 << 10
"""In protobuf two bytes may be a value, but those of a pod have about ten."""
OBJECT_BYTES_MAX = 3 << 20
"""An object that would be longer is not stored (upstream: etcd's limit of 1.5 MB of protobuf)."""
JSON_PATCH, APPLY = "application/json-patch+json", "application/apply-patch+yaml"


def is_heavy(body: bytes, content_type: str = "") -> bool:
    """Return whether to keep off the event loop while doing anything with the values in `body`."""
    size = len(body)
    if size <= YAML_BYTES_MAX:
        return b"*" in body and "yaml" in content_type
    media = media_type(content_type) if content_type else ""
    if media == YAML:
        return True
    if media == APPLY and not (size <= BYTES_MAX and _is_json(body)):
        return True
    if media == PROTOBUF:
        return size > PROTOBUF_BYTES_MAX
    if media == JSON_PATCH and b"copy" in body:
        return True  # what it makes may be much more than it is
    return size > BYTES_MAX or (size > VALUES_MAX and count_marks(body) > VALUES_MAX)


def heavy_bytes(body: bytes, content_type: str = "") -> int:
    """Return how many bytes a heavy body is to be counted for, 0 when it is light.

    Values take more than their bytes: as many as there may be count like the longest body.
    """
    if not is_heavy(body, content_type):
        return 0
    grows = b"*" in body if "yaml" in content_type else media_type(content_type) == JSON_PATCH and b"copy" in body
    counted = max(len(body), count_marks(body) * BODY_BYTES_MAX // BODY_VALUES_MAX)
    return counted + (BODY_BYTES_MAX if grows else 0)


def check_object(value: bytes) -> bytes:
    """Return the bytes of an object that is to be stored; patch after patch it may have grown.

    Raises:
        TooLargeError: it has too many bytes or values.
    """
    if len(value) > OBJECT_BYTES_MAX:
        raise TooLargeError(f"Request entity too large: the object has more than {OBJECT_BYTES_MAX} bytes")
    check_values(value, "the object", OBJECT_VALUES_MAX)
    return value


def _is_json(body: bytes) -> bool:
    """Return whether what may be YAML is JSON, as that of clients is."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True
