"""`bench scale`: intake beside what is stored already; the floor is the rate on the smallest ledger."""

import click
import msgspec

from ledger.bench.aims import FORMS, Aim
from ledger.bench.databases import BenchServer, on_bench_server, require_recorded
from ledger.bench.filling import fill, past_until
from ledger.bench.intake import floor_of_batches
from ledger.bench.records import Mix, record_lines, yesterday
from ledger.bench.report import in_order, show, tell
from ledger.bench.serving import serving, watched
from ledger.cli.running import json_option
from ledger.clock import Clock, SystemClock

EVENTS = (0, 1_000_000)


class Options(msgspec.Struct, frozen=True):
    """How many events are stored at each point, and what is sent then."""

    events: tuple[int, ...]
    days: int
    customers: int
    models: int
    records: int
    seconds: float
    batch: int
    form: str
    connections: int


class Point(msgspec.Struct, frozen=True):
    """Intake with so many events stored. `of_smallest` is its rate as a share of the first point's.

    `copy_per_s` is COPY of the same rows into an empty ledger. Processor time is in cores.
    """

    events: int
    customers: int
    models: int
    batch: int
    records: int
    records_per_s: int
    of_smallest: float
    copy_per_s: int
    ratio: float
    p50_ms: float
    p99_ms: float
    server_peak_mib: int
    server_cpu_share: float
    database_cpu_share: float
    client_cpu_share: float


@click.command("scale")
@json_option
@click.option("--events", type=int, multiple=True, help=f"Stored before; repeatable; {EVENTS}.")
@click.option("--days", default=30, show_default=True, help="Over which they are spread.")
@click.option("--customers", default=50, show_default=True)
@click.option("--models", default=20, show_default=True)
@click.option("--records", default=400_000, show_default=True, help="The most records of a point.")
@click.option("--seconds", default=8.0, show_default=True, help="The longest a point may take.")
@click.option("--batch", default=1000, show_default=True)
@click.option("--format", "form", type=click.Choice(FORMS), default="json", show_default=True)
@click.option("--connections", default=8, show_default=True)
def bench(*, as_json: bool, events: tuple[int, ...], **rest: object) -> None:
    """Records a second over HTTP into ledgers of several sizes, as a share of the smallest one's."""
    options = msgspec.convert({**rest, "events": events or EVENTS}, Options)
    points = on_bench_server(lambda server: measure(server, options, SystemClock()))
    show("scale", Point, points, as_json=as_json, options=options)


async def measure(server: BenchServer, options: Options, clock: Clock) -> list[Point]:
    """Measure each size from the smallest on, on a database and a server of its own; the smallest once more.

    How the machine itself has changed meanwhile shows in the last point.

    Raises:
        RuntimeError: not every record that was answered is recorded.
    """
    mix = Mix(options.customers, options.models)
    lines = list(record_lines(options.records, yesterday(clock), mix))
    aim = Aim(lines, options.batch, options.form, options.connections, options.seconds)
    copy_per_s = await floor_of_batches(server, aim, clock)
    points: list[Point] = []
    sizes = in_order(options.events)
    for events in (*sizes, *sizes[:1]):
        smallest_per_s = points[0].records_per_s if points else None
        points.append(await _point(server, options, aim, events, copy_per_s, smallest_per_s, clock))
        tell(
            f"{events:,} events: {points[-1].records_per_s:,} records/s, "
            f"{points[-1].of_smallest} of the smallest"
        )
    return points


async def _point(
    server: BenchServer,
    options: Options,
    aim: Aim,
    events: int,
    copy_per_s: float,
    smallest_per_s: int | None,
    clock: Clock,
) -> Point:
    url = await server.fresh_database("scale")
    mix = Mix(options.customers, options.models)
    await fill(url, past_until(clock, options.days, events, mix), clock)
    async with serving(url=url) as served:
        async with watched(served, server.embedded) as spent:
            sent = await aim.send(served)
        peak_mib = served.peak_mib
    await require_recorded(url, events + sent.records)
    await server.drop_database("scale")
    return Point(
        events=events,
        customers=options.customers,
        models=options.models,
        batch=options.batch,
        records=sent.records,
        records_per_s=round(sent.records_per_s),
        of_smallest=round(sent.records_per_s / (smallest_per_s or sent.records_per_s), 3),
        copy_per_s=round(copy_per_s),
        ratio=round(sent.records_per_s / copy_per_s, 3),
        p50_ms=sent.latency_ms(0.50),
        p99_ms=sent.latency_ms(0.99),
        server_peak_mib=peak_mib,
        server_cpu_share=round(spent.server_s / sent.elapsed_s, 2),
        database_cpu_share=round(spent.database_s / sent.elapsed_s, 2),
        client_cpu_share=sent.client_cpu_share,
    )
