"""`bench rebuild`, `verify` and `rerate`: how fast the log is summed up anew, proved, and rated again."""

import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

import click
import msgspec
import uvloop

from ledger.bench.databases import bench_server
from ledger.bench.processes import run_command
from ledger.bench.records import Mix, record_lines
from ledger.cli.running import json_option, print_json, print_table, stderr
from ledger.clock import SystemClock
from ledger.core.cuts import Cut
from ledger.store.audit import Stretch, read_events
from ledger.store.database import Database, owner_connection
from ledger.store.log import read_cut

_SPAN = timedelta(days=30)
_MILLISECOND = timedelta(milliseconds=1)
_SUMS = """
SELECT count(*) FROM (
    SELECT customer, date_bin('1 hour', occurred_at, '1970-01-01 00:00Z'), dimension,
        sum(requests), sum(unrated),
        sum(uncached_input_tokens), sum(cached_input_tokens), sum(output_tokens), sum(input_pico),
        sum(cached_input_pico), sum(output_pico), sum(other_pico), sum(fee_pico)
    FROM usage_event WHERE revision > 0 GROUP BY 1, 2, 3) AS sums
"""


class Point(msgspec.Struct, frozen=True):
    """A command over the whole log beside its floor, in events a second; memory is the command's own."""

    work: str
    events: int
    seconds: float
    events_per_s: int
    floor: str
    floor_per_s: int
    ratio: float
    peak_mib: int


Floor = Callable[[str], Awaitable[float]]


def _command(
    name: str, words: tuple[str, ...], floor: str, floor_s: Floor, text: str
) -> click.Command:
    @click.command(name, help=text)
    @json_option
    @click.option("--events", default=1_000_000, show_default=True)
    @click.option("--customers", default=50, show_default=True)
    @click.option("--models", default=20, show_default=True)
    def bench(*, as_json: bool, events: int, customers: int, models: int) -> None:
        now = SystemClock().now()
        point = uvloop.run(_measure(events, Mix(customers, models), now, words, floor, floor_s))
        if as_json:
            print_json({"bench": name, "cores": os.cpu_count(), "points": [point]})
        else:
            headings = {field: field.replace("_", " ") for field in Point.__struct_fields__}
            print_table(name, headings, [msgspec.to_builtins(point)])

    return bench


async def _measure(
    events: int, mix: Mix, now: datetime, words: tuple[str, ...], floor: str, floor_s: Floor
) -> Point:
    """Fill a fresh ledger through the product's own intake, then run the command and its floor."""
    async with bench_server() as server:
        url = await server.fresh_database("log")
        await fill(url, events, mix, now)
        stderr().print(f"bench: {events:,} events are recorded")
        floor_seconds = await floor_s(url)
        ended = await run_command(url, *words)
    return Point(
        work=words[0],
        events=events,
        seconds=round(ended.elapsed_s, 2),
        events_per_s=round(events / ended.elapsed_s),
        floor=floor,
        floor_per_s=round(events / floor_seconds),
        ratio=round(floor_seconds / ended.elapsed_s, 2),
        peak_mib=ended.peak_mib,
    )


async def fill(url: str, events: int, mix: Mix, now: datetime) -> None:
    """Record events that are spread over 30 days."""
    step_ms = max(1, _SPAN // _MILLISECOND // events)
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as folder:
        file = Path(folder) / "records.ndjson"
        with file.open("wb") as out:
            lines = record_lines(events, now - _SPAN - timedelta(days=1), mix, step_ms)
            out.writelines(line + b"\n" for line in lines)
        await run_command(url, "ingest", str(file))
    async with owner_connection(url) as connection:
        await connection.execute("VACUUM ANALYZE")  # as the server does by itself in the long run


async def _sums_s(url: str) -> float:
    """How long the bare sums of the log take."""
    async with owner_connection(url) as connection:
        started_at = time.perf_counter()
        await connection.fetchval(_SUMS)
        return time.perf_counter() - started_at


async def _reading_s(url: str) -> float:
    """How long it takes to read every event in the order of the log and drop it."""
    database = Database(url)
    await database.open()
    try:
        async with database.snapshot() as connection:
            cut: Cut = await read_cut(connection)
            events = read_events(connection, Stretch({}, cut))
            started_at = time.perf_counter()
            for lane, last_batch in sorted(cut.items()):
                for batch in range(1, last_batch + 1):
                    await events.take((lane, batch))
            return time.perf_counter() - started_at
    finally:
        await database.close()


rebuild = _command(
    "rebuild",
    ("rebuild",),
    "the sums alone",
    _sums_s,
    "Derive every projection anew and compare it, beside the bare sums of the log.",
)
verify = _command(
    "verify",
    ("verify",),
    "reading alone",
    _reading_s,
    "Prove the whole log, beside reading it in its order.",
)
rerate = _command(
    "rerate",
    ("rerate", "--from", "2020-01-01", "--to", "2100-01-01"),
    "reading alone",
    _reading_s,
    "Rate the whole log by the tables known now and show the difference, beside reading it.",
)
