"""What COPY reads, where all of it is in memory."""

from collections.abc import AsyncIterator


async def whole(content: bytes) -> AsyncIterator[bytes]:
    """The content in one piece. From a file the driver would read in another thread, piece by piece."""
    yield content
