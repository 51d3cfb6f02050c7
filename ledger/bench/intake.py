"""`bench intake`: records through the API, beside the floors of DESIGN 5."""

import click
import msgspec

from ledger.bench.aims import FORMS, Aim
from ledger.bench.copying import copy_rows, event_rows
from ledger.bench.databases import BenchServer, event_bytes, on_bench_server, require_recorded
from ledger.bench.records import Mix, record_lines, yesterday
from ledger.bench.report import show, tell
from ledger.bench.serving import NOTHING, serving, watched
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock

BATCHES = (1, 10, 100, 1000, 10_000)
CUSTOMERS = (50, 5000)


class Options(msgspec.Struct, frozen=True):
    """What is measured: every batch size for every number of customers, each bounded in count and time."""

    records: int
    seconds: float
    batches: tuple[int, ...]
    customers: tuple[int, ...]
    models: int
    form: str
    connections: int
    single_connections: int
    servers: int


class Point(msgspec.Struct, frozen=True):
    """One row of the table. The floor of batch size 1 is a handler that does nothing, of others COPY.

    COPY goes over one connection, however many servers there are. Shares of processor time are in cores: of
    all servers together, of the database, of the client.
    """

    servers: int
    customers: int
    models: int
    batch: int
    form: str
    connections: int
    records: int
    records_per_s: int
    floor_per_s: int
    ratio: float
    p50_ms: float
    p99_ms: float
    server_peak_mib: int
    server_cpu_share: float
    database_cpu_share: float
    client_cpu_share: float
    bytes_per_event: int


@click.command("intake")
@json_option
@click.option("--records", default=200_000, show_default=True, help="The most records of a point.")
@click.option("--seconds", default=5.0, show_default=True, help="The longest a point may take.")
@click.option("--batch", "batches", type=int, multiple=True, help=f"Repeatable; {BATCHES}.")
@click.option("--customers", type=int, multiple=True, help=f"Repeatable; {CUSTOMERS}.")
@click.option("--models", default=20, show_default=True)
@click.option("--format", "form", type=click.Choice(FORMS), default="json", show_default=True)
@click.option("--connections", default=8, show_default=True, help="For batches.")
@click.option("--single-connections", default=64, show_default=True, help="For batches of one.")
@click.option("--servers", type=click.IntRange(1, 2), default=1, show_default=True)
def bench(
    *, as_json: bool, batches: tuple[int, ...], customers: tuple[int, ...], **rest: object
) -> None:
    """Records a second over HTTP, durable, beside the floor measured in the same run."""
    options = msgspec.convert(
        {**rest, "batches": batches or BATCHES, "customers": customers or CUSTOMERS}, Options
    )
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("intake", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Measure every point, each with a database, servers and a floor of its own.

    Raises:
        RuntimeError: not every record that was answered is recorded.
    """
    points = []
    tell(f"PostgreSQL {server.version}")
    for customers in options.customers:
        for batch in options.batches:
            points.append(await _point(server, options, customers, batch, clock))
            tell(_summary(points[-1]))
    return points


async def _point(
    server: BenchServer, options: Options, customers: int, batch: int, clock: Clock
) -> Point:
    aim = _aim(options, customers, batch, clock)
    floor_per_s = (
        await _floor_of_singles(aim, options.servers)
        if batch == 1
        else await floor_of_batches(server, aim, clock)
    )
    url = await server.fresh_database("intake")
    empty_bytes = await event_bytes(url)
    async with serving(url=url, servers=options.servers) as served:
        async with watched(served, server.embedded) as spent:
            sent = await aim.send(served)
        peak_mib = served.peak_mib
    await require_recorded(url, sent.records)
    event_size = (await event_bytes(url) - empty_bytes) // sent.records
    await server.drop_database("intake")
    return Point(
        servers=options.servers,
        customers=customers,
        models=options.models,
        batch=batch,
        form="record" if batch == 1 else options.form,
        connections=aim.connections,
        records=sent.records,
        records_per_s=round(sent.records_per_s),
        floor_per_s=round(floor_per_s),
        ratio=round(sent.records_per_s / floor_per_s, 3),
        p50_ms=sent.latency_ms(0.50),
        p99_ms=sent.latency_ms(0.99),
        server_peak_mib=peak_mib,
        server_cpu_share=round(spent.server_s / sent.elapsed_s, 2),
        database_cpu_share=round(spent.database_s / sent.elapsed_s, 2),
        client_cpu_share=sent.client_cpu_share,
        bytes_per_event=event_size,
    )


def _aim(options: Options, customers: int, batch: int, clock: Clock) -> Aim:
    lines = list(record_lines(options.records, yesterday(clock), Mix(customers, options.models)))
    connections = options.single_connections if batch == 1 else options.connections
    return Aim(lines, batch, options.form, connections, options.seconds)


async def floor_of_batches(server: BenchServer, aim: Aim, clock: Clock) -> float:
    """Rows a second by COPY of what intake would write, into an empty ledger, in batches of the same size."""
    url = await server.fresh_database("floor")
    rows = await event_rows(url, aim.lines, clock)
    copied = await copy_rows(url, rows, aim.batch, aim.seconds)
    await server.drop_database("floor")
    return copied.rows_per_s


async def _floor_of_singles(aim: Aim, servers: int) -> float:
    async with serving(*NOTHING, servers=servers) as served:
        return (await aim.send(served)).records_per_s


def _summary(point: Point) -> str:
    return (
        f"{point.customers} customers, batches of {point.batch}: {point.records_per_s:,} records/s, "
        f"floor {point.floor_per_s:,}, ratio {point.ratio}"
    )
