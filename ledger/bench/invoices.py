"""`bench invoices`: the invoices of a month for many customers, beside one statement that writes lines."""

import time
from datetime import timedelta

import click
import msgspec

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.filling import fill
from ledger.bench.patterns import Past
from ledger.bench.processes import Ended, run_command
from ledger.bench.records import Mix
from ledger.bench.report import in_order, show, tell
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock
from ledger.store.database import Connection, owner_connection

CUSTOMERS = (1000, 10_000)
_TABLE = "CREATE TABLE bare_line (LIKE invoice_line INCLUDING ALL)"
_LINES = """
INSERT INTO bare_line
SELECT customer, 'BARE-' || customer, row_number() OVER (PARTITION BY customer ORDER BY provider, model),
    provider, model, key_type, $1::timestamptz::date, $2::timestamptz::date, requests, input_tokens,
    cached_input_tokens, output_tokens, cost_pico, fee_pico, cost_pico + fee_pico, 0, NULL
FROM (
    SELECT customer, provider, model, key_type, sum(requests) AS requests,
        sum(uncached_input_tokens + cached_input_tokens) AS input_tokens,
        sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
        sum(input_pico + cached_input_pico + output_pico + other_pico) AS cost_pico, sum(fee_pico) AS fee_pico
    FROM rollup_hour JOIN dimension USING (dimension)
    WHERE hour_at >= $1 AND hour_at < $2
    GROUP BY customer, provider, model, key_type
) AS used
ORDER BY customer, provider, model, key_type
"""
_DIFFERENT = """
SELECT count(*) FROM invoice_line AS i FULL JOIN bare_line AS b USING (customer, provider, model, key_type)
WHERE (i.requests, i.input_tokens, i.output_tokens, i.cost_pico, i.exact_pico)
    IS DISTINCT FROM (b.requests, b.input_tokens, b.output_tokens, b.cost_pico, b.exact_pico)
"""
_COUNT = "SELECT count(*) FROM invoice_line"


class Options(msgspec.Struct, frozen=True):
    """How many customers are billed, and how much there is on a line of theirs."""

    customers: tuple[int, ...]
    models: int
    events_a_line: int


class Point(msgspec.Struct, frozen=True):
    """A run beside its floor, an INSERT ... SELECT of the same lines from the same rollups.

    `ratio` is how many times as long the run took; memory is the command's own.
    """

    customers: int
    models: int
    events: int
    issued: int
    lines: int
    seconds: float
    lines_per_s: int
    bare_seconds: float
    ratio: float
    peak_mib: int


@click.command("invoices")
@json_option
@click.option("--customers", type=int, multiple=True, help=f"Repeatable; {CUSTOMERS}.")
@click.option("--models", default=20, show_default=True)
@click.option("--events-a-line", default=3, show_default=True, help="Of a customer and model.")
def bench(*, as_json: bool, customers: tuple[int, ...], **rest: object) -> None:
    """Run a month's invoices, beside a bare INSERT ... SELECT of the same lines."""
    options = msgspec.convert({**rest, "customers": customers or CUSTOMERS}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("invoices", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Bill each number of customers, in a ledger of its own.

    Raises:
        RuntimeError: the invoices and the statement do not have the same lines.
    """
    points = []
    for customers in in_order(options.customers):
        points.append(await _point(server, options, customers, clock))
        tell(f"{customers:,} customers: {points[-1].seconds} s, bare {points[-1].bare_seconds} s")
    return points


async def _point(server: BenchServer, options: Options, customers: int, clock: Clock) -> Point:
    url = await server.fresh_database("invoices")
    past = _last_month(clock, options, customers)
    await fill(url, past, clock)
    async with owner_connection(url) as connection:
        bare_s = await _write_bare_lines(connection, past)
        ended = await run_command(url, "invoices", "run", "--period", f"{past.start_at:%Y-%m}")
        lines = await _count_lines(connection)
    await server.drop_database("invoices")
    return _billed(past, ended, lines, bare_s)


def _billed(past: Past, ended: Ended, lines: int, bare_s: float) -> Point:
    return Point(
        customers=past.mix.customers,
        models=past.mix.models,
        events=past.events,
        issued=ended.document["issued"],
        lines=lines,
        seconds=round(ended.elapsed_s, 2),
        lines_per_s=round(lines / ended.elapsed_s),
        bare_seconds=round(bare_s, 2),
        ratio=round(ended.elapsed_s / bare_s, 2),
        peak_mib=ended.peak_mib,
    )


def _last_month(clock: Clock, options: Options, customers: int) -> Past:
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    end_at = midnight.replace(day=1)
    start_at = (end_at - timedelta(days=1)).replace(day=1)
    events = customers * options.models * options.events_a_line
    return Past(events, Mix(customers, options.models), start_at, end_at)


async def _write_bare_lines(connection: Connection, past: Past) -> float:
    """How long one statement takes that sums up the month and writes its lines."""
    await connection.execute(_TABLE)
    started_at = time.perf_counter()
    await connection.execute(_LINES, past.start_at, past.end_at)
    return time.perf_counter() - started_at


async def _count_lines(connection: Connection) -> int:
    if different := await connection.fetchval(_DIFFERENT):
        raise RuntimeError(f"{different} lines of the invoices are not those of the rollups")
    lines: int = await connection.fetchval(_COUNT)
    return lines
