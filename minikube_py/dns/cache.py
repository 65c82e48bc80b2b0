"""Answers of upstreams, kept for a short while: bounded, by time as an argument."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeAlias

from minikube_py.dns.wire import aged, cacheable_s

CacheKey: TypeAlias = tuple[str, str, bytes]


@dataclass(frozen=True, slots=True)
class _Kept:
    response: bytes
    stored_at_s: float
    expires_at_s: float


class ResponseCache:
    """Responses by question; at `size_max` the one unused for longest makes room."""

    def __init__(self, size_max: int, ttl_max_s: int) -> None:
        self._size_max = size_max
        self._ttl_max_s = ttl_max_s
        self._kept: OrderedDict[CacheKey, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: CacheKey, now_s: float) -> bytes | None:
        """Return a response that is still good, its TTLs lowered by its age; its id is that of another query."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if now_s >= kept.expires_at_s:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return aged(kept.response, int(now_s - kept.stored_at_s))

    def put(self, key: CacheKey, response: bytes, now_s: float) -> None:
        """Keep a response for its least TTL; one that may not be kept is ignored."""
        ttl_s = min(cacheable_s(response), self._ttl_max_s)
        if ttl_s <= 0:
            return
        self._kept[key] = _Kept(response, now_s, now_s + ttl_s)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size_max:
            self._kept.popitem(last=False)
