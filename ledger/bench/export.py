"""`bench export`: usage.csv over HTTP and by the command, beside COPY of the same query into nothing."""

import tempfile
import time
from datetime import datetime
from pathlib import Path

import click
import msgspec

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.downloads import Download, download
from ledger.bench.filling import fill, past_until
from ledger.bench.patterns import Past
from ledger.bench.processes import run_command
from ledger.bench.records import Mix
from ledger.bench.report import in_order, show, tell
from ledger.bench.serving import serving
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock
from ledger.store.database import Database
from ledger.store.exports import Selection, copy_rows

EVENTS = (100_000, 1_000_000)
_DAYS = 30


class Options(msgspec.Struct, frozen=True):
    """How many rows are exported, of how many customers and models."""

    events: tuple[int, ...]
    customers: int
    models: int


class Point(msgspec.Struct, frozen=True):
    """One way to get usage.csv, beside COPY of its query to a client that drops what comes.

    `peak_mib` is the most memory of the server, or of the command; `first_byte_s` is when the file began.
    """

    way: str
    rows: int
    file_mib: int
    seconds: float
    rows_per_s: int
    copy_per_s: int
    ratio: float
    first_byte_s: float | None
    peak_mib: int
    client_cpu_share: float | None


@click.command("export")
@json_option
@click.option("--events", type=int, multiple=True, help=f"Repeatable; {EVENTS}.")
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
def bench(*, as_json: bool, events: tuple[int, ...], **rest: object) -> None:
    """Export usage.csv over HTTP and by the command, beside COPY of the same query into nothing."""
    options = msgspec.convert({**rest, "events": events or EVENTS}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("export", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Export each number of events both ways.

    Raises:
        RuntimeError: not every event is in a file.
    """
    points: list[Point] = []
    for events in in_order(options.events):
        url = await server.fresh_database("export")
        past = past_until(clock, _DAYS, events, Mix(options.customers, options.models))
        await fill(url, past, clock)
        copied_s = await _copied_s(url, past)
        points += [await _over_http(url, past, copied_s), await _by_command(url, past, copied_s)]
        tell(
            f"{events:,} rows: {points[-2].ratio} of COPY over HTTP, {points[-1].ratio} by command"
        )
        await server.drop_database("export")
    return points


async def _over_http(url: str, past: Past, copied_s: float) -> Point:
    path = f"/v1/exports/usage.csv?from={_date(past.start_at)}&to={_date(past.end_at)}"
    async with serving(url=url) as served:
        done: Download = await download(served.addresses[0], path, served.key)
        peak_mib = served.peak_mib
    rows = done.lines - 1  # the header
    _require_whole(rows, past)
    return Point(
        way="http",
        rows=rows,
        file_mib=done.body_bytes >> 20,
        seconds=round(done.elapsed_s, 2),
        rows_per_s=round(rows / done.elapsed_s),
        copy_per_s=round(past.events / copied_s),
        ratio=round(copied_s / done.elapsed_s, 2),
        first_byte_s=round(done.first_byte_s, 2),
        peak_mib=peak_mib,
        client_cpu_share=round(done.cpu_s / done.elapsed_s, 2),
    )


async def _by_command(url: str, past: Past, copied_s: float) -> Point:
    span = ("--from", _date(past.start_at), "--to", _date(past.end_at))
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as parent:
        folder = Path(parent) / "export"
        ended = await run_command(url, "export", "usage", *span, "--output", str(folder))
        file_bytes = (folder / "usage.csv").stat().st_size
    (file,) = ended.document["files"]
    _require_whole(file["rows"], past)
    return Point(
        way="command",
        rows=file["rows"],
        file_mib=file_bytes >> 20,
        seconds=round(ended.elapsed_s, 2),
        rows_per_s=round(file["rows"] / ended.elapsed_s),
        copy_per_s=round(past.events / copied_s),
        ratio=round(copied_s / ended.elapsed_s, 2),
        first_byte_s=None,
        peak_mib=ended.peak_mib,
        client_cpu_share=None,
    )


async def _copied_s(url: str, past: Past) -> float:
    """How long the driver takes to copy the same rows out and drop them."""

    async def drop(_: bytes) -> None:
        pass

    selection = Selection(past.start_at, past.end_at, "USD")
    connection = await Database(url).connect()
    try:
        started_at = time.perf_counter()
        await copy_rows(connection, "usage", selection, drop)
        return time.perf_counter() - started_at
    finally:
        await connection.close()


def _require_whole(rows: int, past: Past) -> None:
    if rows != past.events:
        raise RuntimeError(f"{past.events} events are recorded, {rows} are in the file")


def _date(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"
