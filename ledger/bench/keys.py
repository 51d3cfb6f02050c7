"""`bench keys`: the key of the log (D2): how COPY ages with each, what it takes, lists of one customer."""

import time
from collections.abc import Iterator
from datetime import timedelta

import click
import msgspec
from asyncpg.pgproto.pgproto import UUID

from ledger.bench.databases import BenchServer, on_bench_server
from ledger.bench.load import latency_ms
from ledger.bench.patterns import Past, Row, Rows, patterns_by_model, rated_statements
from ledger.bench.records import Mix
from ledger.bench.report import show, tell
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock
from ledger.core.rows import UsageEvent
from ledger.store.configuration import load_configuration
from ledger.store.database import Connection, owner_connection

# What is measured: the statements that give the table `keyed` its keys.
KEYS = {
    "none": (),
    "id first": ("ALTER TABLE keyed ADD PRIMARY KEY (request_id, customer, revision)",),
    "customer first": ("ALTER TABLE keyed ADD PRIMARY KEY (customer, request_id, revision)",),
    "id first, and an index by customer": (
        "ALTER TABLE keyed ADD PRIMARY KEY (request_id, customer, revision)",
        "CREATE INDEX ON keyed (customer, request_id)",
    ),
}
_TABLE = "CREATE TABLE keyed (LIKE usage_event)"
_SIZE = "SELECT pg_table_size('keyed'), pg_indexes_size('keyed')"
_NEWEST = "SELECT * FROM keyed WHERE customer = $1 ORDER BY request_id DESC LIMIT 10"
_LISTED_TIMES, _LISTED_S = 20, 5.0
_BUSY_EVERY = 20  # a twentieth of the log is of one customer
_QUIET_AFTER = 100  # another has been quiet since the first hundredth of it
_CUSTOMER = UsageEvent._fields.index("customer")


class Options(msgspec.Struct, frozen=True):
    """How many rows each table gets, of how many customers, and how they are cut."""

    rows: int
    customers: int
    models: int
    batch: int


class Point(msgspec.Struct, frozen=True):
    """One key. Rates are of COPY, one commit a batch, in the first and the last tenth of the rows.

    The floor is a table without any key, the first point: `ratio` is the whole rate as a share of its.
    Lists are the newest ten of a customer: of one with a twentieth of all, and of one long quiet.
    """

    key: str
    rows: int
    rows_per_s: int
    ratio: float
    first_tenth_per_s: int
    last_tenth_per_s: int
    last_of_first: float
    table_bytes_a_row: float
    index_bytes_a_row: float
    busy_list_p50_ms: float
    quiet_list_p50_ms: float


@click.command("keys")
@json_option
@click.option("--rows", default=300_000, show_default=True, help="In each table.")
@click.option("--customers", default=5000, show_default=True)
@click.option("--models", default=20, show_default=True)
@click.option("--batch", default=1000, show_default=True)
def bench(*, as_json: bool, **rest: object) -> None:
    """COPY the same events into tables with other keys, and list the newest of one customer."""
    options = msgspec.convert(rest, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("keys", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Measure each key, on a database of its own.

    Raises:
        RuntimeError: a list does not have the ten that it should.
    """
    points: list[Point] = []
    for key, statements in KEYS.items():
        url = await server.fresh_database("keys")
        async with owner_connection(url) as connection:
            await connection.execute(_TABLE)
            for statement in statements:
                await connection.execute(statement)
            batches = await _batches(connection, options, clock)
            taken_s = [await _copy(connection, batch) for batch in batches]
            bare_per_s = points[0].rows_per_s if points else None
            points.append(await _point(connection, key, options, taken_s, bare_per_s))
        tell(f"{key}: the last tenth at {points[-1].last_of_first} of the first")
        await server.drop_database("keys")
    return points


async def _batches(connection: Connection, options: Options, clock: Clock) -> Iterator[list[Row]]:
    """The rows of all tables: a month's, of many customers, beside them a busy one and a quiet one."""
    mix, end_at = Mix(options.customers, options.models), clock.now()
    rated = rated_statements(mix, end_at, await load_configuration(connection))
    numbers = {each.dimension: number for number, each in enumerate(rated)}
    by_model = patterns_by_model(rated, numbers.__getitem__)
    past = Past(options.rows, mix, end_at - timedelta(days=30), end_at)
    return _cut(Rows(past, by_model, range(1, options.customers + 1)), options)


def _cut(rows: Rows, options: Options) -> Iterator[list[Row]]:
    taken, batch = 0, 1
    while several := rows.take(options.batch, 1, batch):
        yield [_peopled(row, taken + place, options) for place, row in enumerate(several)]
        taken += len(several)
        batch += 1


def _peopled(event: UsageEvent, place: int, options: Options) -> Row:
    """The row of an event for the driver; some are of the two customers that lists are made of."""
    customer = event.customer
    if place % _BUSY_EVERY == 0:
        customer = busy(options)
    elif place % _BUSY_EVERY == 1 and place < options.rows // _QUIET_AFTER:
        customer = quiet(options)
    return (UUID(event.request_id), *event[1:_CUSTOMER], customer, *event[_CUSTOMER + 1 :])


def busy(options: Options) -> int:
    """The number of the customer with a twentieth of all rows."""
    return options.customers + 1


def quiet(options: Options) -> int:
    """The number of the customer whose rows are all among the first."""
    return options.customers + 2


async def _copy(connection: Connection, batch: list[Row]) -> float:
    """How long a batch took to be committed."""
    started_at = time.perf_counter()
    await connection.copy_records_to_table("keyed", columns=UsageEvent._fields, records=batch)
    return time.perf_counter() - started_at


async def _point(
    connection: Connection,
    key: str,
    options: Options,
    taken_s: list[float],
    bare_per_s: int | None,
) -> Point:
    tenth = max(1, len(taken_s) // 10)
    first_per_s = tenth * options.batch / sum(taken_s[:tenth])
    last_per_s = tenth * options.batch / sum(taken_s[-tenth:])
    per_s = options.rows / sum(taken_s)
    table_bytes, index_bytes = await connection.fetchrow(_SIZE)
    await connection.execute("VACUUM ANALYZE keyed")
    return Point(
        key=key,
        rows=options.rows,
        rows_per_s=round(per_s),
        ratio=round(per_s / (bare_per_s or per_s), 2),
        first_tenth_per_s=round(first_per_s),
        last_tenth_per_s=round(last_per_s),
        last_of_first=round(last_per_s / first_per_s, 2),
        table_bytes_a_row=round(table_bytes / options.rows, 1),
        index_bytes_a_row=round(index_bytes / options.rows, 1),
        busy_list_p50_ms=await _list_ms(connection, busy(options)),
        quiet_list_p50_ms=await _list_ms(connection, quiet(options)),
    )


async def _list_ms(connection: Connection, customer: int) -> float:
    taken_s: list[float] = []
    while len(taken_s) < _LISTED_TIMES and sum(taken_s) < _LISTED_S:
        started_at = time.perf_counter()
        listed = await connection.fetch(_NEWEST, customer)
        taken_s.append(time.perf_counter() - started_at)
        if len(listed) != 10:  # noqa: PLR2004 - the limit of the list
            raise RuntimeError(f"customer {customer} has {len(listed)} rows, not ten or more")
    return latency_ms(taken_s, 0.50)
