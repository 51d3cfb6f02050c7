"""Reading a long answer as fast as it comes and keeping none of it."""

import asyncio
import time

import httptools
import msgspec

from ledger.bench.load import prepare_question
from ledger.bench.serving import Address

_PIECE = 1 << 20


class Download(msgspec.Struct):
    """What came, how long it took from the question on, and what it cost the client itself."""

    status: int = 0
    body_bytes: int = 0
    lines: int = 0
    first_byte_s: float = 0.0
    elapsed_s: float = 0.0
    cpu_s: float = 0.0
    is_whole: bool = False


async def download(address: Address, path: str, key: str) -> Download:
    """Ask for a path and drop what comes, counting bytes and ends of lines.

    Raises:
        RuntimeError: the answer is no success, or broke off.
    """
    done = Download()
    parser = httptools.HttpResponseParser(_Counter(done))
    cpu_at_s, started_at = time.process_time(), time.perf_counter()
    reader, writer = await asyncio.open_connection(*address, limit=_PIECE)
    writer.write(prepare_question(path, key))
    while not done.is_whole and (piece := await reader.read(_PIECE)):
        done.first_byte_s = done.first_byte_s or time.perf_counter() - started_at
        parser.feed_data(piece)
    done.elapsed_s = time.perf_counter() - started_at
    done.cpu_s = time.process_time() - cpu_at_s
    done.status = parser.get_status_code()
    writer.close()
    await writer.wait_closed()
    if done.status != 200 or not done.is_whole:  # noqa: PLR2004 - the one success there is
        raise RuntimeError(f"{path} was answered {done.status}, {done.body_bytes} bytes")
    return done


class _Counter:
    """What the parser tells of an answer."""

    def __init__(self, done: Download) -> None:
        self._done = done

    def on_body(self, body: bytes) -> None:
        self._done.body_bytes += len(body)
        self._done.lines += body.count(b"\n")

    def on_message_complete(self) -> None:
        self._done.is_whole = True
