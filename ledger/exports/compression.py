"""Compression of exports: fast, in a stream, and the same bytes for the same text."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any

import zstandard

SUFFIXES = {"gzip": ".gz", "zstd": ".zst"}
# Such CSV falls to a tenth at the lowest level already; the higher ones take twice as long for little.
LEVEL = 1

_GZIP_WINDOW = 31  # zlib's way to ask for the frame of gzip, in which it states no time and no name


def compressor(compression: str) -> Any:
    """What takes text by `compress` and the end by `flush`, and gives `gzip` or `zstd`."""
    if compression == "gzip":
        return zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return zstandard.ZstdCompressor(level=LEVEL).compressobj()


async def compressed(pieces: AsyncIterator[bytes], compression: str) -> AsyncIterator[bytes]:
    """A stream compressed, in a thread, so that nobody else waits meanwhile."""
    packing = compressor(compression)
    async for piece in pieces:
        if packed := await asyncio.to_thread(packing.compress, piece):
            yield packed
    yield packing.flush()
