"""Files of records: what their names say about them, and their bytes as they come."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 256 * 1024


def format_of(file: Path) -> tuple[str, bool]:
    """The encoding, and whether it is one JSON document, by the name."""
    name = file.name.lower()
    for ending, encoding in ((".gz", "gzip"), (".zst", "zstd")):
        if name.endswith(ending):
            return encoding, name.removesuffix(ending).endswith(".json")
    return "identity", name.endswith(".json")


def is_missing(file: Path) -> bool:
    """Whether there is nothing to read; `-` is stdin."""
    return str(file) != "-" and (not file.exists() or file.is_dir())


def opened(file: Path) -> BinaryIO:
    """The file, or stdin for `-`."""
    return sys.stdin.buffer if str(file) == "-" else file.open("rb")


async def chunks_of(stream: BinaryIO) -> AsyncIterator[bytes]:
    """What a file or a pipe gives, as it gives it; commits go on meanwhile, and Ctrl-C is heard."""
    descriptor = stream.fileno()
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    while True:
        if not is_file:
            await _readable(descriptor)
        chunk = await asyncio.to_thread(os.read, descriptor, CHUNK_BYTES)
        if not chunk:
            return
        yield chunk


async def _readable(descriptor: int) -> None:
    """Wait until a pipe has something. A thread that reads an idle pipe could not be stopped."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(descriptor)
