"""What `bench export` measures, at a size that takes a moment."""

import pytest

from ledger.bench.databases import BenchServer
from ledger.bench.downloads import download
from ledger.bench.export import Options, measure
from ledger.bench.serving import NOTHING, serving
from ledger.clock import SystemClock


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
    """An answer of another status than 200 is no figure."""
    async with serving(*NOTHING) as served:
        with pytest.raises(RuntimeError, match="was answered 404"):
            await download(served.addresses[0], "/v1/exports/usage.csv", served.key)
