"""The real clock, the real randomness."""

import asyncio
import os
import secrets
import time

from minikube_py.kit.ids import NAME_ALPHABET, Ids


class SystemClock:
    """The operating system's clock (kit.clock.Clock)."""

    def now_s(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def wall_s(self) -> float:
        """Return seconds since the Unix epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Sleep in the running loop."""
        await asyncio.sleep(max(0.0, seconds))


class RandomUuids:
    """UUIDs of version 4 (RFC 9562) from the operating system's random source, read in blocks.

    Every API request has one for its audit id: `uuid.uuid4` would cost as much as finding the request's route.
    """

    _BLOCK_BYTES = 4096

    def __init__(self) -> None:
        self._block = b""
        self._at = 0

    def __call__(self) -> str:
        """Return the next one."""
        if self._at == len(self._block):
            self._block, self._at = os.urandom(self._BLOCK_BYTES), 0
        digits = self._block[self._at : self._at + 16].hex()
        self._at += 16
        variant = "89ab"[int(digits[16], 16) & 3]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def system_ids() -> Ids:
    """Return ids from the operating system's random source."""
    return Ids(
        new_uid=RandomUuids(),
        new_suffix=lambda n: "".join(secrets.choice(NAME_ALPHABET) for _ in range(n)),
    )
