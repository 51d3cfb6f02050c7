"""`bench rebuild`, `verify` and `rerate`: how fast the log is summed up anew, proved, and rated again."""

import time
from collections.abc import Awaitable, Callable

import click
import msgspec

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.filling import fill, past_until
from ledger.bench.processes import run_command
from ledger.bench.records import Mix
from ledger.bench.report import show
from ledger.cli.running import json_option
from ledger.clock import SystemClock
from ledger.core.cuts import Cut
from ledger.store.audit import Stretch, read_events
from ledger.store.database import Database, owner_connection
from ledger.store.log import read_cut

_DAYS = 30
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
        mix = Mix(customers, models)
        point = on_bench_server(lambda server: _measure(server, events, mix, words, floor, floor_s))
        show(name, Point, [point], as_json=as_json)

    return bench


async def _measure(
    server: BenchServer,
    events: int,
    mix: Mix,
    words: tuple[str, ...],
    floor: str,
    floor_s: Floor,
) -> Point:
    """Fill a fresh ledger with events of 30 days, then run the command and its floor."""
    url, clock = await server.fresh_database("log"), SystemClock()
    await fill(url, past_until(clock, _DAYS, events, mix), clock)
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
