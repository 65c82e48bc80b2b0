"""What other servers answer, read to its end and no further than a bound: aiohttp's `read(n)` gives what has come."""

import aiohttp


async def read_bounded(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Return the body; of one that is longer than `bytes_max`, some more bytes than that, for the caller to refuse.

    Raises:
        aiohttp.ClientError: the answer broke off.
    """
    received = bytearray()
    async for chunk in response.content.iter_any():
        received += chunk
        if len(received) > bytes_max:
            break
    return bytes(received)
