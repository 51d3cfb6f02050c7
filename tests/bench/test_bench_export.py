"""What `bench export` measures, at a size that takes a moment."""

import asyncio

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.downloads import download
from ledger.bench.export import Options, measure
from ledger.clock import SystemClock


@pytest.mark.long
async def test_both_ways_have_every_row(server: BenchServer) -> None:
    """One row an event, whichever way, and beside it the memory of whoever sent them."""
    options = Options(events=(700,), customers=3, models=4)
    http, command = await measure(server, options, SystemClock())
    assert (http.way, http.rows) == ("http", 700)
    assert (command.way, command.rows) == ("command", 700)
    assert http.file_mib == command.file_mib
    assert http.copy_per_s == command.copy_per_s
    assert http.peak_mib > 20
    assert command.peak_mib > 20


async def test_a_refusal_is_no_download() -> None:
    """An answer of another status than 200 is no figure, nor is one that breaks off."""
    for answer, complaint in (
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "was answered 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234", "was answered 200, 4 bytes"),
    ):

        async def refuse(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = answer
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as refusing:
            with pytest.raises(RuntimeError, match=complaint):
                await download(
                    refusing.sockets[0].getsockname()[:2], "/v1/exports/usage.csv", "key"
                )
