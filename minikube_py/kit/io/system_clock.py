"""The real clock, the real randomness."""

import asyncio
import secrets
import time
import uuid

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


def system_ids() -> Ids:
    """Return ids from the operating system's random source."""
    return Ids(
        new_uid=lambda: str(uuid.uuid4()),
        new_suffix=lambda n: "".join(secrets.choice(NAME_ALPHABET) for _ in range(n)),
    )
